# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""TCP segments and ICMP errors about them, as bytes: pure, no sockets.

Source: RFC 791, 8200 (headers), 9293 (TCP), 7323 (timestamps, window scale), 2018 (SACK), 792, 1191, 4443 (errors);
net/ipv4/raw.c: a raw IPv4 socket is given packets with their IP header, a raw IPv6 socket without it.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import Enum
from typing import Dict, Iterator, NamedTuple, Optional, Tuple

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
IPV4_HEADER = struct.Struct(">BBHHHBBH4s4s")
IPV6_HEADER = struct.Struct(">IHBB16s16s")
TCP_HEADER = struct.Struct(">HHIIBBHHH")
DONT_FRAGMENT = 0x4000
HOPS = 64
IP_HEADER_LENGTH: Dict[int, int] = {socket.AF_INET: IPV4_HEADER.size, socket.AF_INET6: IPV6_HEADER.size}
"""Bytes, without options and extension headers: those that we send have none."""
OPTION_END, OPTION_NOTHING, OPTION_MSS, OPTION_SCALE = 0, 1, 2, 3
OPTION_SACK_PERMITTED, OPTION_SACK, OPTION_TIMESTAMP = 4, 5, 8
TIMESTAMP = struct.Struct(">BBBBII")
SEQUENCE_SPACE = 1 << 32


class Malformed(ValueError):
    """Bytes that are not what they should be."""


class Flow(NamedTuple):
    """The two ends of a connection, seen from the sender. Addresses are packed, in network order."""

    family: int
    source: bytes
    source_port: int
    target: bytes
    target_port: int

    @property
    def reverse(self) -> Flow:
        """The same connection as the other end sees it."""
        return Flow(self.family, self.target, self.target_port, self.source, self.source_port)


@dataclass(frozen=True)
class Options:
    """The options of a segment that matter here.

    mss: bytes. window_scale: shift count. timestamp: (value, echo). selective: SACK blocks as (begin, end), end
    exclusive, in the order of the segment: the block of what came last is the first (RFC 2018, 4).
    """

    mss: Optional[int] = None
    window_scale: Optional[int] = None
    selective_permitted: bool = False
    timestamp: Optional[Tuple[int, int]] = None
    selective: Tuple[Tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Received:
    """A segment as it came in. payload: bytes of it."""

    source_port: int
    target_port: int
    sequence: int
    acknowledgement: int
    flags: int
    window: int
    options: Options
    payload: int


class Complaint(Enum):
    """What an ICMP error says. EXPIRED and REASSEMBLY say nothing about whether the target can be had."""

    TOO_BIG = "too big"
    UNREACHABLE = "unreachable"
    OTHER = "other"


@dataclass(frozen=True)
class IcmpError:
    """An ICMP error about a TCP segment of ours.

    mtu: of the next hop, 0 where none is named. flow: as the quoted segment was sent. sequence: that of the segment.
    size: bytes of the IP packet as its header said. code: of the message.
    """

    complaint: Complaint
    code: int
    mtu: int
    flow: Flow
    sequence: int
    size: int


def smallest_size(family: int, timestamps: bool) -> int:
    """Return the bytes of an IP packet that carries a single byte over TCP."""
    return IP_HEADER_LENGTH[family] + TCP_HEADER.size + (TIMESTAMP.size if timestamps else 0) + 1


def distance(begin: int, end: int) -> int:
    """Return how far end is ahead of begin in the circle of sequence numbers; negative when it is behind."""
    ahead = (end - begin) % SEQUENCE_SPACE
    return ahead - SEQUENCE_SPACE if ahead >= SEQUENCE_SPACE // 2 else ahead


def checksum(content: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of bytes; 0 for those that hold their own right one.

    The sum of 16-bit words modulo 65535 is the whole content modulo 65535, taken as one number: 65536 is 1 there.
    """
    if len(content) % 2:
        content += b"\0"
    remainder = int.from_bytes(content, "big") % 0xFFFF
    if remainder == 0 and any(content):
        return 0
    return 0xFFFF - remainder


def build_segment(
    flow: Flow,
    sequence: int,
    acknowledgement: int,
    window: int,
    payload: bytes,
    timestamp: Optional[Tuple[int, int]] = None,
    flags: int = ACK,
) -> bytes:
    """Return a whole IP packet with its checksums; IPv4 with DF set and no identification (RFC 6864).

    sequence, acknowledgement: taken modulo 2^32. window: as in the header, not scaled. timestamp: (value, echo) of an
    option (RFC 7323).
    """
    options = b"" if timestamp is None else TIMESTAMP.pack(OPTION_NOTHING, OPTION_NOTHING, 8, 10, *timestamp)
    offset = (TCP_HEADER.size + len(options)) // 4
    header = (
        flow.source_port,
        flow.target_port,
        sequence % SEQUENCE_SPACE,
        acknowledgement % SEQUENCE_SPACE,
        offset << 4,
        flags,
        window,
    )
    length = TCP_HEADER.size + len(options) + len(payload)
    pseudo = flow.source + flow.target + struct.pack(">II", length, socket.IPPROTO_TCP)
    sum_of_all = checksum(pseudo + TCP_HEADER.pack(*header, 0, 0) + options + payload)
    return _ip_header(flow, length) + TCP_HEADER.pack(*header, sum_of_all, 0) + options + payload


def _ip_header(flow: Flow, length: int) -> bytes:
    if flow.family == socket.AF_INET6:
        return IPV6_HEADER.pack(6 << 28, length, socket.IPPROTO_TCP, HOPS, flow.source, flow.target)
    total = IPV4_HEADER.size + length
    fields = (0x45, 0, total, 0, DONT_FRAGMENT, HOPS, socket.IPPROTO_TCP)
    return IPV4_HEADER.pack(
        *fields, checksum(IPV4_HEADER.pack(*fields, 0, flow.source, flow.target)), flow.source, flow.target
    )


def without_ipv4_header(packet: bytes) -> bytes:
    """Return what follows the IPv4 header. Raises Malformed."""
    if len(packet) < IPV4_HEADER.size or packet[0] >> 4 != 4:
        raise Malformed("not an IPv4 packet")
    length = (packet[0] & 0xF) * 4
    if not IPV4_HEADER.size <= length <= len(packet):
        raise Malformed(f"an IPv4 header of {length} bytes in a packet of {len(packet)}")
    return packet[length:]


def parse_segment(segment: bytes) -> Received:
    """Return a TCP segment (without IP header) in parts. Raises Malformed."""
    if len(segment) < TCP_HEADER.size:
        raise Malformed(f"a TCP segment of {len(segment)} bytes")
    source, target, sequence, acknowledgement, offset, flags, window, _sum, _urgent = TCP_HEADER.unpack_from(segment)
    length = (offset >> 4) * 4
    if not TCP_HEADER.size <= length <= len(segment):
        raise Malformed(f"a TCP header of {length} bytes in a segment of {len(segment)}")
    options = parse_options(segment[TCP_HEADER.size : length])
    return Received(source, target, sequence, acknowledgement, flags, window, options, len(segment) - length)


def parse_options(content: bytes) -> Options:
    """Return the options of a TCP header. Raises Malformed for a length that is too short or reaches beyond the end."""
    found: Dict[int, bytes] = dict(_split_options(content))
    mss = found.get(OPTION_MSS, b"")
    scale = found.get(OPTION_SCALE, b"")
    stamp = found.get(OPTION_TIMESTAMP, b"")
    blocks = found.get(OPTION_SACK, b"")
    return Options(
        mss=int.from_bytes(mss, "big") if len(mss) == 2 else None,
        window_scale=min(scale[0], 14) if len(scale) == 1 else None,
        selective_permitted=OPTION_SACK_PERMITTED in found,
        timestamp=struct.unpack(">II", stamp) if len(stamp) == 8 else None,
        selective=tuple(struct.iter_unpack(">II", blocks)) if len(blocks) % 8 == 0 else (),
    )


def _split_options(content: bytes) -> Iterator[Tuple[int, bytes]]:
    offset = 0
    while offset < len(content) and content[offset] != OPTION_END:
        if content[offset] == OPTION_NOTHING:
            offset += 1
            continue
        length = content[offset + 1] if offset + 1 < len(content) else 0
        if length < 2 or offset + length > len(content):
            raise Malformed(f"a TCP option of {length} bytes at offset {offset} of {len(content)}")
        yield content[offset], content[offset + 2 : offset + length]
        offset += length


def parse_icmp_error(family: int, message: bytes) -> Optional[IcmpError]:
    """Return what an ICMP or ICMPv6 message (without IP header) says about a TCP segment; None for all others.

    The quoted segment may be cut off after its sequence number (RFC 792: eight bytes).
    """
    if len(message) < 8:
        return None
    complaint = _complaint(family, message[0], message[1])
    quoted = _quoted(family, message[8:]) if complaint is not None else None
    if complaint is None or quoted is None:
        return None
    flow, sequence, size = quoted
    mtu = 0
    if complaint is Complaint.TOO_BIG:
        (mtu,) = (
            struct.unpack_from(">H", message, 6) if family == socket.AF_INET else struct.unpack_from(">I", message, 4)
        )
    return IcmpError(complaint, message[1], mtu, flow, sequence, size)


def _complaint(family: int, kind: int, code: int) -> Optional[Complaint]:
    if family == socket.AF_INET:
        if kind == 3:
            return Complaint.TOO_BIG if code == 4 else Complaint.UNREACHABLE
        return Complaint.OTHER if kind in (11, 12) else None
    if kind == 2:
        return Complaint.TOO_BIG
    if kind == 1:
        return Complaint.UNREACHABLE
    return Complaint.OTHER if kind in (3, 4) else None


def _quoted(family: int, packet: bytes) -> Optional[Tuple[Flow, int, int]]:
    """Return flow, sequence number and size of the packet that an error quotes, if that is a TCP segment."""
    if family == socket.AF_INET:
        if len(packet) < IPV4_HEADER.size or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
            return None
        begin, size = (packet[0] & 0xF) * 4, int.from_bytes(packet[2:4], "big")
        source, target = packet[12:16], packet[16:20]
    else:
        if len(packet) < IPV6_HEADER.size or packet[0] >> 4 != 6 or packet[6] != socket.IPPROTO_TCP:
            return None
        begin, size = IPV6_HEADER.size, IPV6_HEADER.size + int.from_bytes(packet[4:6], "big")
        source, target = packet[8:24], packet[24:40]
    if begin < IP_HEADER_LENGTH[family] or len(packet) < begin + 8:
        return None
    source_port, target_port, sequence = struct.unpack_from(">HHI", packet, begin)
    return Flow(family, source, source_port, target, target_port), sequence, size
