# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Read what a captured packet is: of the trace, an answer, or an error that quotes it; and what it was wrapped in.

The same layers as packet_filter.py, with names. Source: RFC 791, 8200, 792, 4443, 7348 (vxlan), 8926 (geneve), 2890
(gre).
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, replace
from typing import Optional, Tuple

from .._model.sighting import IcmpMessage, SightingKind
from .packet_filter import LAYERS, TunnelPorts
from .tag import MAX_NUMBERS, SEQUENCE_STEP, Tag

NUMBER_AND_SIZE = struct.Struct("!HH")
"""What follows the tag in the payload: the packet's number, and bytes of its IP packet as it was sent."""
TCP_ACK, TCP_RESET = 0x10, 0x04
IPV4, IPV6 = "ipv4", "ipv6"


@dataclass(frozen=True)
class Dissection:
    """What one packet is. size: None where an answer without payload does not tell it.

    length: bytes of the outermost IP packet. time_to_live: of the innermost that is not quoted; outer_time_to_live:
    of the outermost, None where they are one. Others as in Sighting.
    """

    kind: SightingKind
    number: int
    size: Optional[int]
    length: int
    time_to_live: int
    source: str
    destination: str
    tunnel: Optional[str] = None
    outer_time_to_live: Optional[int] = None
    error: Optional[IcmpMessage] = None


@dataclass(frozen=True)
class _Header:
    """An IP header. above: offset of what follows it."""

    family: str
    protocol: int
    above: int
    length: int
    time_to_live: int
    identification: int
    source: str
    destination: str


def dissect(packet: bytes, tag: Tag, ports: TunnelPorts) -> Optional[Dissection]:
    """Return what a packet is, None for one that has nothing to do with the trace. packet: from its IP header on."""
    try:
        return _Dissector(packet, tag, ports).layer(0, 0, None)
    except (struct.error, IndexError):
        return None


class _Dissector:
    """One packet. Methods raise struct.error and IndexError where it ends too early."""

    def __init__(self, packet: bytes, tag: Tag, ports: TunnelPorts) -> None:
        self._packet = packet
        self._tag = tag
        self._ports = ports

    def layer(self, offset: int, depth: int, error: Optional[IcmpMessage]) -> Optional[Dissection]:
        """Read the IP packet at an offset. error: that of which it is the quote."""
        if depth >= LAYERS:
            return None
        header = self._header(offset)
        if header is None:
            return None
        found = self._ours(header, error)
        if found is not None:
            return found
        if error is None:
            message = self._error(header)
            quoted = None if message is None else self.layer(header.above + 8, depth + 1, message)
            if message is not None:
                # What it quotes is told by source and destination; how it travels itself by the rest.
                length, hops = header.length, header.time_to_live
                return None if quoted is None else replace(quoted, length=length, time_to_live=hops)
        return self._in_tunnel(header, depth, error)

    def _in_tunnel(self, header: _Header, depth: int, error: Optional[IcmpMessage]) -> Optional[Dissection]:
        name, inside = self._tunnel(header) or (None, 0)
        inner = None if name is None else self.layer(inside, depth + 1, error)
        if inner is None:
            return None
        if error is not None:
            return replace(inner, error=replace(error, tunnel=name))
        return replace(inner, tunnel=name, outer_time_to_live=header.time_to_live, length=header.length)

    def _header(self, offset: int) -> Optional[_Header]:
        packet = self._packet
        version = packet[offset] >> 4
        if version == 4:
            size, length, identification = struct.unpack_from("!BxHH", packet, offset)
            time_to_live, protocol = struct.unpack_from("!BB", packet, offset + 8)
            return (
                _Header(
                    IPV4,
                    protocol,
                    offset + 4 * (size & 0xF),
                    length,
                    time_to_live,
                    identification,
                    str(ipaddress.IPv4Address(packet[offset + 12 : offset + 16])),
                    str(ipaddress.IPv4Address(packet[offset + 16 : offset + 20])),
                )
                if len(packet) >= offset + 20
                else None
            )
        if version != 6 or len(packet) < offset + 40:
            return None
        flow, length, protocol, time_to_live = struct.unpack_from("!IHBB", packet, offset)
        source, destination = (
            str(ipaddress.IPv6Address(packet[offset + start : offset + start + 16])) for start in (8, 24)
        )
        return _Header(IPV6, protocol, offset + 40, length + 40, time_to_live, flow & 0xFFFFF, source, destination)

    def _ours(self, header: _Header, error: Optional[IcmpMessage]) -> Optional[Dissection]:
        """Return a packet that carries the tag, answers one that does, or is a short quote of one."""
        tagged = self._tagged(header)
        if tagged is not None:
            number, size = tagged
            kind = SightingKind.FORWARD if self._is_forward(header, number) else SightingKind.REPLY
            return self._found(header, kind if error is None else SightingKind.ERROR, number, size, error)
        if error is not None and header.family == IPV4:
            number = header.identification - self._tag.identification
            if 0 <= number < MAX_NUMBERS:
                return self._found(header, SightingKind.ERROR, number, header.length, error)
        if error is None and header.protocol == 6:
            answered = self._answered(header)
            return None if answered is None else self._found(header, SightingKind.REPLY, answered, None, None)
        return None

    def _answered(self, header: _Header) -> Optional[int]:
        """Return the number of the SYN that a SYN-ACK or a reset answers; the reset counts what the SYN carried."""
        sequence, acknowledged, flags = struct.unpack_from("!II1xB", self._packet, header.above + 4)
        distance = (acknowledged - self._tag.sequence) & 0xFFFFFFFF
        number, rest = divmod(distance, SEQUENCE_STEP)
        if number >= MAX_NUMBERS or not flags & TCP_ACK or (flags & TCP_RESET and sequence != 0):
            return None
        return number if rest == 1 or flags & TCP_RESET else None

    @staticmethod
    def _found(
        header: _Header, kind: SightingKind, number: int, size: Optional[int], error: Optional[IcmpMessage]
    ) -> Dissection:
        return Dissection(
            kind, number, size, header.length, header.time_to_live, header.source, header.destination, error=error
        )

    def _tagged(self, header: _Header) -> Optional[Tuple[int, int]]:
        start = header.above + 8
        if header.protocol == 6:
            if len(self._packet) < header.above + 13:
                return None
            start = header.above + 4 * (self._packet[header.above + 12] >> 4)
        end = start + len(self._tag.octets)
        if header.protocol not in (1, 6, 17, 58) or self._packet[start:end] != self._tag.octets:
            return None
        number, size = NUMBER_AND_SIZE.unpack_from(self._packet, end)
        return number, size

    def _is_forward(self, header: _Header, number: int) -> bool:
        if header.protocol in (1, 58):
            return self._packet[header.above] in (8, 128)
        if header.protocol == 6:
            return True
        wanted = self._tag.identification + number if header.family == IPV4 else self._tag.flow_label
        return header.identification == wanted

    def _error(self, header: _Header) -> Optional[IcmpMessage]:
        errors = {(IPV4, 1): (3, 11, 12), (IPV6, 58): (1, 2, 3, 4)}.get((header.family, header.protocol), ())
        kind, code, rest = struct.unpack_from("!BBxxI", self._packet, header.above) if errors else (0, 0, 0)
        if kind not in errors:
            return None
        mtu = rest & 0xFFFF if (header.family, kind, code) == (IPV4, 3, 4) else 0
        mtu = rest if (header.family, kind) == (IPV6, 2) else mtu
        return IcmpMessage(header.source, header.destination, kind, code, header.family, mtu)

    def _tunnel(self, header: _Header) -> Optional[Tuple[str, int]]:
        """Return a tunnel's name and where its inner IP packet begins."""
        above = header.above
        if header.protocol in (4, 41):
            return ("ipip" if header.protocol == 4 else "sit"), above
        if header.protocol == 17:
            (port,) = struct.unpack_from("!H", self._packet, above + 2)
            if port in self._ports.vxlan:
                return "vxlan", above + 30
            if port in self._ports.geneve:
                return "geneve", above + 30 + 4 * (self._packet[above + 8] & 0x3F)
        if header.protocol == 47:
            flags, kind = struct.unpack_from("!BxH", self._packet, above)
            inside = above + 4 + 4 * sum(bool(flags & flag) for flag in (0x80, 0x20, 0x10))
            return {0x0800: ("gre", inside), 0x86DD: ("gre", inside), 0x6558: ("gretap", inside + 14)}.get(kind)
        return None
