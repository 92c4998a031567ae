# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message that gives a route an MTU says everything else as it was told."""

from __future__ import annotations

import struct
from typing import Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.attributes import (
    MalformedMessage,
    pack_attribute,
    pack_attributes,
    parse_attributes,
)
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.route_setting import with_mtu

HEADER = 12
METRICS, MULTIPATH, CACHE_INFO, NEXT_HOP, EXPIRES = 8, 9, 12, 30, 23
LOCK, MTU, ADVERTISED_MSS, CONGESTION_CONTROL = 1, 2, 8, 16
DEAD, ON_LINK, LINK_DOWN, OFFLOADED = 0x1, 0x4, 0x10, 0x4000

KEPT = some.sampled_from([1, 2, 4, 5, 6, 7, 15, 16, 20])
SIZES = some.one_of(some.none(), some.integers(68, 65535))


def route(attributes: List[Tuple[int, bytes]], flags: int = 0) -> bytes:
    return struct.pack("=BBBBBBBBI", 2, 16, 0, 8, 254, 4, 253, 1, flags) + pack_attributes(attributes)


def number(value: int) -> bytes:
    return struct.pack("=I", value)


def metrics_of(message: bytes) -> Dict[int, bytes]:
    return parse_attributes(parse_attributes(message, HEADER)[METRICS])


@given(
    some.dictionaries(KEPT, some.binary(min_size=1, max_size=20)),
    some.dictionaries(some.sampled_from([1, 2, 3, 8, 10, 12]), some.integers(0, 1 << 31).map(number)),
    SIZES,
)
def test_all_but_the_mtu_stays(kept: Dict[int, bytes], metrics: Dict[int, bytes], mtu: Optional[int]) -> None:
    told = route([*kept.items(), (METRICS, pack_attributes(list(metrics.items())))])
    asked = with_mtu(told, mtu)
    assert asked[:HEADER] == told[:HEADER]
    found = parse_attributes(asked, HEADER)
    assert {kind: value for kind, value in found.items() if kind != METRICS} == kept
    expected = {kind: value for kind, value in metrics.items() if kind != MTU}
    assert metrics_of(asked) == (expected if mtu is None else {**expected, MTU: number(mtu)})


@given(some.dictionaries(KEPT, some.binary(min_size=1, max_size=20)), SIZES, SIZES)
def test_back_and_forth_is_the_same(kept: Dict[int, bytes], before: Optional[int], mtu: Optional[int]) -> None:
    told = with_mtu(route([*kept.items(), (METRICS, pack_attribute(CONGESTION_CONTROL, b"cubic\0"))]), before)
    assert with_mtu(with_mtu(told, mtu), before) == told
    assert with_mtu(told, before) == told


def test_a_lock_and_the_name_of_a_congestion_control_stay() -> None:
    metrics = pack_attributes([(LOCK, number(4)), (MTU, number(1300)), (CONGESTION_CONTROL, b"bbr\0")])
    assert metrics_of(with_mtu(route([(METRICS, metrics)]), 1400)) == {
        LOCK: number(4),
        MTU: number(1400),
        CONGESTION_CONTROL: b"bbr\0",
    }


def test_flags_of_a_state_are_not_asked_for() -> None:
    legs = struct.pack("=HBBi", 8, DEAD | ON_LINK | LINK_DOWN, 2, 7) + struct.pack("=HBBi", 8, LINK_DOWN, 0, 8)
    asked = with_mtu(route([(MULTIPATH, legs)], DEAD | ON_LINK | LINK_DOWN | OFFLOADED), 1400)
    assert struct.unpack_from("=8xI", asked) == (ON_LINK,)
    expected = struct.pack("=HBBi", 8, ON_LINK, 2, 7) + struct.pack("=HBBi", 8, 0, 0, 8)
    assert parse_attributes(asked, HEADER)[MULTIPATH] == expected


def test_a_next_hop_object_stands_for_what_it_says() -> None:
    asked = with_mtu(route([(1, b"abcd"), (4, number(3)), (5, b"efgh"), (MULTIPATH, b""), (NEXT_HOP, number(9))]), 1400)
    assert set(parse_attributes(asked, HEADER)) == {1, METRICS, NEXT_HOP}


@pytest.mark.parametrize(("ticks", "seconds"), [(50000, 500), (49901, 500), (1, 1)])
def test_the_time_that_is_left_is_kept(ticks: int, seconds: int) -> None:
    cache = struct.pack("=IIi5I", 0, 0, ticks, 0, 0, 0, 0, 0)
    found = parse_attributes(with_mtu(route([(CACHE_INFO, cache)]), 1400), HEADER)
    assert found[EXPIRES] == number(seconds) and CACHE_INFO not in found


def test_a_route_that_never_ends_gets_no_end() -> None:
    cache = struct.pack("=IIi5I", 0, 0, 0, 0, 0, 0, 0, 0)
    assert set(parse_attributes(with_mtu(route([(CACHE_INFO, cache)]), 1400), HEADER)) == {METRICS}


@given(some.binary(max_size=80))
def test_what_makes_no_sense_is_said_to(noise: bytes) -> None:
    try:
        with_mtu(noise, 1400)
    except MalformedMessage:
        return
    assert len(noise) >= HEADER
