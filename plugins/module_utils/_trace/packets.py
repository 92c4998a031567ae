# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Packets of a trace, made by hand: no cache, no offload and no socket of the kernel has a say in their size.

Source: RFC 791, 768, 792, 9293, 8200, 4443; RFC 1071 for the checksum.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from .dissect import NUMBER_AND_SIZE
from .tag import SEQUENCE_STEP, Tag

ECHO_REQUEST, ECHO_REQUEST_6 = 8, 128
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
SYN = 0x02
DONT_FRAGMENT = 0x4000
HOPS = 64
ABOVE = {"icmp": 8, "udp": 8, "tcp": 20}
"""Bytes of the header above IP."""


@dataclass(frozen=True)
class Flow:
    """What all packets of a burst have in common. protocol: icmp, udp or tcp. For icmp, source_port is the id."""

    tag: Tag
    protocol: str
    source: str
    target: str
    source_port: int
    port: int = 0

    @property
    def version(self) -> int:
        """4 or 6."""
        return ipaddress.ip_address(self.target).version

    @property
    def smallest(self) -> int:
        """Bytes of the smallest packet that carries the tag."""
        return (20 if self.version == 4 else 40) + ABOVE[self.protocol] + len(self.tag.octets) + NUMBER_AND_SIZE.size


def build(flow: Flow, number: int, size: int, time_to_live: int = HOPS) -> bytes:
    """Return a whole IP packet of ``size`` bytes, that must not be fragmented. size: flow.smallest or more."""
    header = 20 if flow.version == 4 else 40
    payload = flow.tag.octets + NUMBER_AND_SIZE.pack(number, size)
    payload += bytes(size - header - ABOVE[flow.protocol] - len(payload))
    source, target = (ipaddress.ip_address(address).packed for address in (flow.source, flow.target))
    above = _above(flow, number, payload, source, target)
    if flow.version == 6:
        protocol = {"icmp": ICMP6, "udp": UDP, "tcp": TCP}[flow.protocol]
        first = 6 << 28 | flow.tag.flow_label
        return struct.pack("!IHBB", first, len(above), protocol, time_to_live) + source + target + above
    protocol = {"icmp": ICMP, "udp": UDP, "tcp": TCP}[flow.protocol]
    fixed = struct.pack(
        "!BBHHHBB", 0x45, 0, size, flow.tag.identification + number, DONT_FRAGMENT, time_to_live, protocol
    )
    check = checksum(fixed + b"\0\0" + source + target)
    return fixed + struct.pack("!H", check) + source + target + above


def _above(flow: Flow, number: int, payload: bytes, source: bytes, target: bytes) -> bytes:
    if flow.protocol == "tcp":
        # A full-size SYN: it needs no connection, and what it carries beyond the handshake is left out by listeners.
        ports = struct.pack("!HH", flow.source_port, flow.port)
        rest = struct.pack("!IIBBH", flow.tag.sequence + number * SEQUENCE_STEP, 0, 5 << 4, SYN, 65535)
        return _checked(ports + rest, b"\0\0" + payload, _pseudo(source, target, TCP, 20 + len(payload)))
    if flow.protocol == "udp":
        begin = struct.pack("!HHH", flow.source_port, flow.port, 8 + len(payload))
        return _checked(begin, payload, _pseudo(source, target, UDP, 8 + len(payload)))
    echo, pseudo = (
        (ECHO_REQUEST, b"")
        if flow.version == 4
        else (
            ECHO_REQUEST_6,
            _pseudo(source, target, ICMP6, 8 + len(payload)),
        )
    )
    return _checked(bytes([echo, 0]), struct.pack("!HH", flow.source_port, number) + payload, pseudo)


def _checked(begin: bytes, end: bytes, pseudo: bytes) -> bytes:
    """Put the checksum between two parts. A sum of 0 means "none" in UDP, its other form means the same elsewhere."""
    return begin + struct.pack("!H", checksum(pseudo + begin + b"\0\0" + end) or 0xFFFF) + end


def _pseudo(source: bytes, target: bytes, protocol: int, length: int) -> bytes:
    if len(source) == 4:
        return source + target + struct.pack("!BBH", 0, protocol, length)
    return source + target + struct.pack("!IxxxB", length, protocol)


def checksum(octets: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    octets += b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
