# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes that are malformed, or that a kernel without strict checking lists unasked."""

from __future__ import annotations

import struct
from typing import List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scripted_kernel import dump_of, scripted

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.attributes import (
    MalformedMessage,
    pack_attribute,
    pack_attributes,
)
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.routes import read_path_mtu_exceptions, read_routes

CLONED = 0x200


def route(attributes: List[Tuple[int, bytes]], family: int = 2, table: int = 254, flags: int = 0) -> bytes:
    """Return struct rtmsg and attributes."""
    return struct.pack("=BBBBBBBBI", family, 32, 0, 0, table, 3, 0, 1, flags) + pack_attributes(attributes)


def metrics(*values: Tuple[int, int]) -> Tuple[int, bytes]:
    return 8, pack_attributes([(kind, struct.pack("=I", value)) for kind, value in values])


DESTINATION = (1, bytes([10, 1, 0, 2]))
EXPIRES = (12, struct.pack("=IIi4I", 0, 0, 59950, 0, 0, 0, 0))
NEVER = (12, struct.pack("=IIi4I", 0, 0, 0, 0, 0, 0, 0))


def test_everything_is_listed_and_only_what_was_learned_is_an_exception() -> None:
    plain = route([DESTINATION, metrics((2, 1400))])
    learned = route([DESTINATION, metrics((1, 4), (2, 552)), EXPIRES], flags=CLONED)
    redirected = route([DESTINATION, metrics((2, 1400)), NEVER], flags=CLONED)
    local = route([DESTINATION], table=255)
    multicast = route([], family=128)
    everything = dump_of(plain, learned, redirected, local, multicast)
    netlink, connection = scripted(everything, everything)
    routes, problems = read_routes(netlink, {})
    (found,) = read_path_mtu_exceptions(netlink, {})
    assert ([(item.destination, item.mtu) for item in routes], problems) == ([("10.1.0.2/32", 1400)], [])
    assert (found.destination, found.mtu, found.locked, found.expires_seconds) == ("10.1.0.2", 552, True, 599.5)
    assert struct.unpack_from("=8xI", connection.requests[1], 16) == (CLONED,)


def test_text_among_the_metrics() -> None:
    named = (8, pack_attribute(16, b"bbr\0") + pack_attribute(2, struct.pack("=I", 1300)))
    netlink, _connection = scripted(dump_of(route([DESTINATION, named])))
    ((found,), _problems) = read_routes(netlink, {})
    assert (found.mtu, found.mtu_locked, found.advertised_mss) == (1300, False, None)


def test_tables_beyond_a_byte() -> None:
    netlink, _connection = scripted(dump_of(route([DESTINATION, (15, struct.pack("=I", 70000))], table=0)))
    ((found,), _problems) = read_routes(netlink, {})
    assert found.table == 70000


@pytest.mark.parametrize("length", [0, 7, 9, 65535])
def test_next_hops_of_a_length_that_makes_no_sense(length: int) -> None:
    netlink, _connection = scripted(dump_of(route([(9, struct.pack("=HBBi", length, 0, 0, 1))])))
    with pytest.raises(MalformedMessage, match="next hop of"):
        read_routes(netlink, {})


@given(some.sampled_from([0, CLONED]), some.lists(some.tuples(some.integers(0, 31), some.binary(max_size=30))))
def test_odd_values_end_in_routes_or_one_error(flags: int, attributes: List[Tuple[int, bytes]]) -> None:
    payload = route(attributes, flags=flags)
    netlink, _connection = scripted(dump_of(payload), dump_of(), dump_of())
    try:
        assert len(read_routes(netlink, {})[0]) <= 1
        assert len(read_path_mtu_exceptions(scripted(dump_of(payload))[0], {})) <= 1
    except MalformedMessage:
        return


@given(some.binary(max_size=100))
def test_garbage_ends_in_routes_or_one_error(payload: bytes) -> None:
    netlink, _connection = scripted(dump_of(payload), dump_of())
    try:
        assert len(read_routes(netlink, {})[0]) <= 1
    except MalformedMessage:
        return
