# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's filter and the dissection of what it lets through agree on every packet."""

from __future__ import annotations

import struct
from typing import List, Optional

import pytest
from filter_machine import run_filter
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.sighting import SightingKind
from ansible_collections.netfit.cluster.plugins.module_utils._trace.assembler import (
    JUMP,
    JUMP_EQUAL,
    LOAD_BYTE,
    RETURN,
    AssemblyError,
    Instruction,
    Label,
    assemble,
)
from ansible_collections.netfit.cluster.plugins.module_utils._trace.dissect import dissect
from ansible_collections.netfit.cluster.plugins.module_utils._trace.packet_filter import (
    SNAP_LENGTH,
    TunnelPorts,
    build_filter,
)
from ansible_collections.netfit.cluster.plugins.module_utils._trace.packets import Flow, build, checksum
from ansible_collections.netfit.cluster.plugins.module_utils._trace.sender import MAX_COUNT, MAX_HOPS
from ansible_collections.netfit.cluster.plugins.module_utils._trace.tag import MAX_NUMBERS, make_tag

TAG = make_tag("unit-test-run")
PORTS = TunnelPorts()
PROGRAM = build_filter(TAG, PORTS)
FAR = [Instruction(RETURN)] * 300
FLOWS = {
    ("icmp", 4): Flow(TAG, "icmp", "10.0.0.1", "10.0.0.2", 7),
    ("udp", 4): Flow(TAG, "udp", "10.0.0.1", "10.0.0.2", 61001, 33434),
    ("tcp", 4): Flow(TAG, "tcp", "10.0.0.1", "10.0.0.2", 61001, 80),
    ("icmp", 6): Flow(TAG, "icmp", "fd00::1", "fd00::2", 7),
    ("udp", 6): Flow(TAG, "udp", "fd00::1", "fd00::2", 61001, 33434),
    ("tcp", 6): Flow(TAG, "tcp", "fd00::1", "fd00::2", 61001, 80),
}
flows = st.sampled_from(sorted(FLOWS)).map(FLOWS.__getitem__)
numbers = st.integers(0, MAX_NUMBERS - 1)
sizes = st.integers(90, 300)


def ipv4(protocol: int, content: bytes, hops: int = 60, source: str = "10.9.9.9") -> bytes:
    addresses = bytes(map(int, source.split("."))) + bytes([10, 9, 9, 8])
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(content), 1, 0, hops, protocol, 0) + addresses + content


def ipv6(protocol: int, content: bytes) -> bytes:
    return struct.pack("!IHBB", 6 << 28, len(content), protocol, 60) + bytes(31) + b"\1" + content


def udp(port: int, content: bytes) -> bytes:
    return struct.pack("!HHHH", 5555, port, 8 + len(content), 0) + content


def ethernet(packet: bytes) -> bytes:
    return bytes(12) + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


TUNNELS = {
    "vxlan": lambda packet: ipv4(17, udp(8472, bytes(8) + ethernet(packet))),
    "geneve": lambda packet: ipv4(17, udp(6081, b"\x02" + bytes(7 + 8) + ethernet(packet))),
    "gre": lambda packet: ipv4(47, b"\xb0\x00" + ethernet(packet)[12:14] + bytes(12) + packet),
    "gretap": lambda packet: ipv4(47, b"\x20\x00\x65\x58" + bytes(4) + ethernet(packet)),
    "ipip": lambda packet: ipv4(4, packet),
    "sit": lambda packet: ipv4(41, packet),
}
tunnels = st.sampled_from(sorted(TUNNELS))


def too_big(packet: bytes, quoted: Optional[int] = None) -> bytes:
    part = packet[:quoted]
    if packet[0] >> 4 == 6:
        return ipv6(58, struct.pack("!BBHI", 2, 0, 0, 1400) + part)
    return ipv4(1, struct.pack("!BBHHH", 3, 4, 0, 0, 1400) + part)


@given(flows, numbers, sizes)
def test_a_packet_is_as_long_as_asked_and_its_checksums_are_right(flow: Flow, number: int, size: int) -> None:
    packet = build(flow, number, size)
    assert len(packet) == size
    above = packet[20:] if flow.version == 4 else packet[40:]
    pseudo = b""
    if flow.version == 4:
        assert checksum(packet[:20]) == 0 and packet[6] & 0x40
    if flow.protocol != "icmp" or flow.version == 6:
        protocol = packet[9] if flow.version == 4 else packet[6]
        addresses = packet[12:20] if flow.version == 4 else packet[8:40]
        pseudo = addresses + struct.pack("!II", len(above), protocol)
    assert checksum(pseudo + above) == 0


@given(flows, numbers, sizes)
def test_a_plain_packet_passes_and_is_read(flow: Flow, number: int, size: int) -> None:
    packet = build(flow, number, size)
    assert run_filter(PROGRAM, packet) == SNAP_LENGTH
    found = dissect(packet[:SNAP_LENGTH], TAG, PORTS)
    assert found is not None and found.kind is SightingKind.FORWARD
    assert (found.number, found.size, found.length, found.tunnel) == (number, size, size, None)
    assert (found.source, found.destination) == (flow.source, flow.target)


@given(flows, numbers, sizes, tunnels)
def test_a_packet_in_a_tunnel_passes_and_is_read(flow: Flow, number: int, size: int, tunnel: str) -> None:
    packet = TUNNELS[tunnel](build(flow, number, size, 33))
    assert run_filter(PROGRAM, packet) == SNAP_LENGTH
    found = dissect(packet[:SNAP_LENGTH], TAG, PORTS)
    assert found is not None and found.kind is SightingKind.FORWARD
    assert (found.number, found.size, found.length, found.tunnel) == (number, size, len(packet), tunnel)
    assert (found.time_to_live, found.outer_time_to_live) == (33, 60)


@given(flows, numbers, sizes)
def test_an_error_that_quotes_one_passes_and_is_read(flow: Flow, number: int, size: int) -> None:
    packet = too_big(build(flow, number, size))
    assert run_filter(PROGRAM, packet) == SNAP_LENGTH
    found = dissect(packet[:SNAP_LENGTH], TAG, PORTS)
    assert found is not None and found.kind is SightingKind.ERROR and found.error is not None
    assert (found.number, found.size, found.error.mtu, found.error.too_big) == (number, size, 1400, True)
    assert found.error.tunnel is None


@given(st.sampled_from(["icmp", "udp", "tcp"]), numbers, sizes)
def test_a_short_quote_is_known_by_its_identification(protocol: str, number: int, size: int) -> None:
    packet = too_big(build(FLOWS[protocol, 4], number, size), quoted=28)
    assert run_filter(PROGRAM, packet) == SNAP_LENGTH
    found = dissect(packet, TAG, PORTS)
    assert found is not None and found.kind is SightingKind.ERROR
    assert (found.number, found.size) == (number, size)


@given(flows, numbers, sizes, tunnels)
def test_an_error_inside_a_tunnel_and_one_about_it(flow: Flow, number: int, size: int, tunnel: str) -> None:
    inside = TUNNELS[tunnel](too_big(build(flow, number, size)))
    about = too_big(TUNNELS[tunnel](build(flow, number, size)))
    for packet, tunnels_seen in ((inside, (tunnel, None)), (about, (None, tunnel))):
        assert run_filter(PROGRAM, packet) == SNAP_LENGTH
        found = dissect(packet, TAG, PORTS)
        assert found is not None and found.kind is SightingKind.ERROR and found.error is not None
        assert (found.number, found.tunnel, found.error.tunnel) == (number, *tunnels_seen)


@given(flows, numbers, sizes)
def test_another_run_s_packets_do_not_pass(flow: Flow, number: int, size: int) -> None:
    other = make_tag("another-test-run")
    packet = build(flow, number, size)
    assert run_filter(build_filter(other, PORTS), packet) == 0
    assert dissect(packet, other, PORTS) is None


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise(content: bytes) -> None:
    found = dissect(content, TAG, PORTS)
    assert run_filter(PROGRAM, content) or found is None


@given(flows, numbers, st.data())
def test_a_cut_packet_never_raises(flow: Flow, number: int, data: st.DataObject) -> None:
    packet = TUNNELS["vxlan"](too_big(build(flow, number, 120)))
    length = data.draw(st.integers(0, len(packet)))
    found = dissect(packet[:length], TAG, PORTS)
    assert found is not None or length < len(packet)


@pytest.mark.parametrize("flags", [0x12, 0x14])
@pytest.mark.parametrize("number", [0, 3, 39])
def test_an_answer_to_a_syn_is_known_by_what_it_acknowledges(flags: int, number: int) -> None:
    acknowledged = TAG.sequence + (number << 16) + 1 + (1460 if flags & 4 else 0)
    sequence = 0 if flags & 4 else 12345
    segment = struct.pack("!HHIIBBHHH", 80, 61001, sequence, acknowledged & 0xFFFFFFFF, 0x50, flags, 0, 0, 0)
    packet = ipv4(6, segment)
    assert run_filter(PROGRAM, packet) == SNAP_LENGTH
    found = dissect(packet, TAG, PORTS)
    assert found is not None and (found.kind, found.number) == (SightingKind.REPLY, number)
    without_handshake = ipv4(6, segment[:13] + b"\x10" + segment[14:])
    assert run_filter(PROGRAM, without_handshake) == 0


def test_an_echo_reply_is_an_answer() -> None:
    request = build(FLOWS["icmp", 4], 5, 100)
    found = dissect(request[:20] + b"\0" + request[21:], TAG, PORTS)
    assert found is not None and (found.kind, found.number) == (SightingKind.REPLY, 5)


def test_one_instruction_is_eight_bytes() -> None:
    branch = [Instruction(LOAD_BYTE, 9), Instruction(JUMP_EQUAL, 17, false="no"), Instruction(RETURN, 1)]
    program = assemble([*branch, Label("no"), Instruction(RETURN, 0)])
    assert len(program) == 32
    assert program[8:16] == struct.pack("=HBBI", JUMP_EQUAL, 0, 1, 17)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "1 to 4096"),
        ([Instruction(JUMP, true="nowhere")], "nowhere"),
        ([Label("a"), Label("a"), Instruction(RETURN)], "two places"),
        ([Label("a"), Instruction(JUMP, true="a")], "backwards"),
        ([Instruction(JUMP_EQUAL, 1, true="end"), *FAR, Label("end"), Instruction(RETURN)], "255"),
    ],
)
def test_a_program_that_cannot_be_is_refused(lines: List[object], words: str) -> None:
    with pytest.raises(AssemblyError, match=words):
        assemble(lines)  # type: ignore[arg-type]


@pytest.mark.parametrize("run", ["", "short", "x" * 65, "with space", "../../etc", "zero\0zero"])
def test_a_run_s_name_cannot_be_a_path(run: str) -> None:
    with pytest.raises(ValueError, match="8 to 64"):
        make_tag(run)


def test_there_are_numbers_for_all_that_a_burst_may_have() -> None:
    assert 2 * (MAX_COUNT + MAX_HOPS) <= MAX_NUMBERS
