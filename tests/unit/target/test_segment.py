# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP segments and ICMP errors as bytes: there and back, checksums, and what makes no sense."""

from __future__ import annotations

import socket
import struct
from typing import List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.netfit.cluster.plugins.module_utils._probe.segment import (
    ACK,
    Complaint,
    Flow,
    Malformed,
    build_segment,
    checksum,
    distance,
    parse_icmp_error,
    parse_options,
    parse_segment,
    smallest_size,
    without_ipv4_header,
)

FAMILIES = some.sampled_from([socket.AF_INET, socket.AF_INET6])
NUMBERS = some.integers(0, 0xFFFFFFFF)
PORTS = some.integers(1, 0xFFFF)
STAMPS = some.none() | some.tuples(NUMBERS, NUMBERS)


@some.composite
def flows(draw: some.DrawFn) -> Flow:
    family = draw(FAMILIES)
    length = 4 if family == socket.AF_INET else 16
    address = some.binary(min_size=length, max_size=length)
    return Flow(family, draw(address), draw(PORTS), draw(address), draw(PORTS))


def without_header(flow: Flow, packet: bytes) -> bytes:
    return without_ipv4_header(packet) if flow.family == socket.AF_INET else packet[40:]


@given(some.binary(max_size=300))
def test_the_checksum_is_that_of_rfc_1071(content: bytes) -> None:
    padded = content + b"\0" * (len(content) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert checksum(content) == ~total & 0xFFFF


@given(flows(), NUMBERS, NUMBERS, some.integers(0, 0xFFFF), some.binary(max_size=2000), STAMPS)
def test_what_is_built_is_parsed(
    flow: Flow, sequence: int, acknowledgement: int, window: int, payload: bytes, stamp: Optional[Tuple[int, int]]
) -> None:
    packet = build_segment(flow, sequence, acknowledgement, window, payload, stamp)
    segment = without_header(flow, packet)
    found = parse_segment(segment)
    assert (found.source_port, found.target_port) == (flow.source_port, flow.target_port)
    assert (found.sequence, found.acknowledgement, found.window) == (sequence, acknowledgement, window)
    assert (found.flags, found.payload, found.options.timestamp) == (ACK, len(payload), stamp)
    assert len(packet) == smallest_size(flow.family, stamp is not None) - 1 + len(payload)


@given(flows(), some.binary(max_size=200), STAMPS)
def test_checksums_hold_and_ipv4_says_do_not_fragment(
    flow: Flow, payload: bytes, stamp: Optional[Tuple[int, int]]
) -> None:
    packet = build_segment(flow, 1, 2, 3, payload, stamp)
    segment = without_header(flow, packet)
    assert checksum(flow.source + flow.target + struct.pack(">II", len(segment), 6) + segment) in (0, 0xFFFF)
    if flow.family == socket.AF_INET:
        assert checksum(packet[:20]) == 0
        assert packet[6:8] == b"\x40\0"
        assert int.from_bytes(packet[2:4], "big") == len(packet)
    else:
        assert int.from_bytes(packet[4:6], "big") == len(packet) - 40


def test_all_options_of_a_syn_ack() -> None:
    options = bytes.fromhex("020405b4 0402 080a 00000001 00000002 01 030307")
    found = parse_options(options)
    assert (found.mss, found.window_scale, found.selective_permitted, found.timestamp) == (1460, 7, True, (1, 2))


def test_sack_blocks_keep_their_order() -> None:
    found = parse_options(bytes.fromhex("0101 0512 00000064 000000c8 0000000a 00000014"))
    assert found.selective == ((100, 200), (10, 20))


@pytest.mark.parametrize("options", ["02", "0201", "0204", "080a0000"])
def test_an_option_that_is_cut_off_is_malformed(options: str) -> None:
    with pytest.raises(Malformed):
        parse_options(bytes.fromhex(options))


@given(some.binary(max_size=80))
def test_garbage_is_parsed_or_malformed(content: bytes) -> None:
    outcomes: List[bool] = []
    for function in (parse_segment, without_ipv4_header, parse_options):
        try:
            outcomes.append(function(content) is not None)
        except Malformed as error:
            outcomes.append(str(error) != "")
    assert outcomes == [True, True, True]


@given(FAMILIES, some.binary(max_size=120))
def test_garbage_is_an_icmp_error_or_none(family: int, content: bytes) -> None:
    found = parse_icmp_error(family, content)
    assert found is None or found.flow.family == family


@given(flows(), NUMBERS, some.integers(0, 1500), some.integers(0, 0xFFFF), some.integers(0, 40))
def test_too_big_names_the_segment_even_if_the_quotation_is_short(
    flow: Flow, sequence: int, payload: int, mtu: int, more: int
) -> None:
    packet = build_segment(flow, sequence, 0, 0, bytes(payload))
    quoted = packet[: (28 if flow.family == socket.AF_INET else 48) + more]
    kind = (
        struct.pack(">BBHHH", 3, 4, 0, 0, mtu) if flow.family == socket.AF_INET else struct.pack(">BBHI", 2, 0, 0, mtu)
    )
    found = parse_icmp_error(flow.family, kind + quoted)
    assert found is not None
    assert (found.complaint, found.mtu, found.flow, found.sequence, found.size) == (
        Complaint.TOO_BIG,
        mtu,
        flow,
        sequence,
        len(packet),
    )


def test_an_error_about_something_else_is_none() -> None:
    flow = Flow(socket.AF_INET, b"\x0a\0\0\1", 1, b"\x0a\0\0\2", 2)
    packet = bytearray(build_segment(flow, 0, 0, 0, b""))
    packet[9] = socket.IPPROTO_UDP
    assert parse_icmp_error(socket.AF_INET, struct.pack(">BBHHH", 3, 4, 0, 0, 1400) + bytes(packet)) is None
    assert parse_icmp_error(socket.AF_INET, struct.pack(">BBHHH", 0, 0, 0, 0, 0) + bytes(packet)) is None


@given(NUMBERS, some.integers(-(1 << 31) + 1, (1 << 31) - 1))
def test_distances_go_round_the_circle(begin: int, ahead: int) -> None:
    assert distance(begin, (begin + ahead) % (1 << 32)) == ahead
