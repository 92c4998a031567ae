# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of socket diagnostics: layouts, kernels without some of it, and whose a handshake is."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scripted_kernel import dump_of, reply, scripted

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.attributes import MalformedMessage, pack_attribute
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import TYPE_ERROR
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.sock_diag import read_listeners

LISTEN, SYN_RECEIVED = 10, 3
NO_SUCH_THING = [reply(TYPE_ERROR, struct.pack("=i", -errno.ENOENT) + bytes(16))]
NOT_THIS_WAY = [reply(TYPE_ERROR, struct.pack("=i", -errno.EINVAL) + bytes(16))]


def answer(
    family: int,
    address: str,
    port: int,
    state: int = LISTEN,
    queues: Tuple[int, int] = (0, 128),
    interface: int = 0,
    attributes: Optional[Dict[int, bytes]] = None,
) -> bytes:
    """Return struct inet_diag_msg, 72 bytes, with attributes."""
    binary = socket.inet_pton(family, address)
    header = struct.pack("=BBBB", family, state, 0, 0) + struct.pack(">HH", port, 0)
    header += binary.ljust(16, b"\0") + bytes(16) + struct.pack("=III", interface, 0x1002, 1)
    header += struct.pack("=5I", 0, queues[0], queues[1], 33, 4711)
    assert len(header) == 72
    return header + b"".join(pack_attribute(kind, value) for kind, value in (attributes or {}).items())


MEMORY = struct.pack("=9I", *range(100, 109))


def test_one_listener_with_all_of_it() -> None:
    attributes = {7: MEMORY, 21: struct.pack("=Q", 1 << 40), 11: b"\0"}
    netlink, connection = scripted(
        dump_of(answer(socket.AF_INET6, "fd01::1", 8080, queues=(3, 511), interface=4, attributes=attributes)),
        dump_of(),
    )
    (listener,) = read_listeners(netlink, {4: "eth0"})
    assert listener.as_fact() == {
        "family": "ipv6",
        "address": "fd01::1",
        "port": 8080,
        "effective_backlog": 511,
        "queue": 3,
        "syn_queue": 0,
        "drops": 108,
        "inode": 4711,
        "cookie": (1 << 32) | 0x1002,
        "uid": 33,
        "interface": "eth0",
        "ipv6_only": False,
        "cgroup_id": 1 << 40,
        "drop_rate": None,
        "process": None,
        "unit": None,
        "owner": None,
    }
    first, second = connection.requests
    assert first[16:] == struct.pack("=BBBB48xII", 0, 0, 0, 0x40, 1 << 10, 0)
    assert second[16:] == struct.pack("=BBBB48xII", 0, 0, 0, 0x40, 1 << 3, 0)


def test_an_old_kernel_tells_less() -> None:
    short = struct.pack("=8I", *range(8))
    netlink, _connection = scripted(dump_of(answer(socket.AF_INET, "0.0.0.0", 80, attributes={7: short})), dump_of())
    (listener,) = read_listeners(netlink, {})
    assert (listener.drops, listener.cgroup_id, listener.ipv6_only) == (None, None, None)


def test_no_listener_no_second_question() -> None:
    netlink, connection = scripted(dump_of())
    assert read_listeners(netlink, {}) == []
    assert len(connection.requests) == 1


def test_a_kernel_that_has_only_the_present_interface() -> None:
    netlink, connection = scripted(
        NOT_THIS_WAY, dump_of(answer(socket.AF_INET, "0.0.0.0", 80)), dump_of(answer(socket.AF_INET6, "::", 81))
    )
    found = read_listeners(netlink, {}, handshakes=False)
    assert [(listener.family, listener.port) for listener in found] == [("ipv4", 80), ("ipv6", 81)]
    assert connection.requests[1][16:] == struct.pack("=BBBxI48x", 2, 6, 0x40, 1 << 10)
    assert connection.requests[2][16:17] == b"\x0a"


def test_a_kernel_without_ipv6() -> None:
    netlink, _connection = scripted(NOT_THIS_WAY, dump_of(answer(socket.AF_INET, "0.0.0.0", 80)), NO_SUCH_THING)
    assert [listener.port for listener in read_listeners(netlink, {}, handshakes=False)] == [80]


def test_a_kernel_without_diagnostics() -> None:
    netlink, _connection = scripted(NO_SUCH_THING, NO_SUCH_THING)
    with pytest.raises(FileNotFoundError):
        read_listeners(netlink, {})


def test_other_errors_are_not_hidden() -> None:
    netlink, _connection = scripted([reply(TYPE_ERROR, struct.pack("=i", -errno.EPERM))])
    with pytest.raises(PermissionError):
        read_listeners(netlink, {})


V4, V6 = socket.AF_INET, socket.AF_INET6
Place = Tuple[int, str, int]
"""Family, address and interface."""


@pytest.mark.parametrize(
    ("listeners", "request_from", "expected"),
    [
        ([(V4, "0.0.0.0", 0), (V4, "10.1.0.1", 0)], (V4, "10.1.0.1", 0), [0, 1]),
        ([(V4, "0.0.0.0", 0), (V4, "10.1.0.1", 0)], (V4, "10.1.0.2", 0), [1, 0]),
        ([(V4, "0.0.0.0", 0), (V4, "0.0.0.0", 5)], (V4, "10.1.0.1", 5), [0, 1]),
        ([(V4, "0.0.0.0", 5)], (V4, "10.1.0.1", 6), [0]),
        ([(V6, "::", 0)], (V4, "10.1.0.1", 0), [1]),
        ([(V6, "::", 0), (V4, "0.0.0.0", 0)], (V4, "10.1.0.1", 0), [0, 1]),
        ([(V6, "fd01::1", 0), (V6, "::", 0)], (V6, "fd01::1", 0), [1, 0]),
        ([(V4, "0.0.0.0", 0)], (V6, "fd01::1", 0), [0]),
    ],
)
def test_whose_a_handshake_is(listeners: List[Place], request_from: Place, expected: List[int]) -> None:
    only = {V6: {11: b"\0"}, V4: {}}
    answers = [
        answer(family, address, 80, interface=interface, attributes=only[socket.AddressFamily(family)])
        for family, address, interface in listeners
    ]
    family, address, interface = request_from
    handshake = answer(family, address, 80, SYN_RECEIVED, (0, 0), interface)
    netlink, _connection = scripted(dump_of(*answers), dump_of(handshake))
    assert [listener.syn_queue for listener in read_listeners(netlink, {})] == expected


def test_a_listener_for_ipv6_only_serves_no_ipv4() -> None:
    netlink, _connection = scripted(
        dump_of(answer(V6, "::", 80, attributes={11: b"\1"})), dump_of(answer(V4, "10.1.0.1", 80, SYN_RECEIVED))
    )
    assert [listener.syn_queue for listener in read_listeners(netlink, {})] == [0]


@given(some.binary(max_size=200))
def test_garbage_ends_in_listeners_or_one_error(payload: bytes) -> None:
    netlink, _connection = scripted(dump_of(payload), dump_of())
    try:
        found = read_listeners(netlink, {})
    except MalformedMessage:
        return
    assert len(found) == 1
