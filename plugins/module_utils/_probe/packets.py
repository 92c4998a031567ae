# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Echo and timestamp messages of ICMP, and a bare TCP segment, to the byte, and what is quoted of them.

Sources: RFC 791 (IPv4), RFC 792 (ICMP), RFC 1191 section 4 (the next hop's MTU), RFC 8200 (IPv6), RFC 4443 (ICMPv6),
RFC 1071 (checksum).
"""

from __future__ import annotations

import struct

IPV4 = struct.Struct("!BBHHHBBH4s4s")
IPV6 = struct.Struct("!IHBB16s16s")
MESSAGE = struct.Struct("!BBHI")
"""Type, code, checksum; identifier and sequence number as one number."""
FRAGMENT = struct.Struct("!BBHI")
"""The fragment header of IPv6: next header, reserved, offset and flag, identification."""
TCP = struct.Struct("!HHIIBBHHH")
"""Ports, sequence and acknowledgement number, offset, flags, window, checksum, urgent pointer (RFC 9293)."""
TCP_SIZE, TCP_RST, TCP_ACK = 20, 0x04, 0x10
IPV4_SIZE, IPV6_SIZE, MESSAGE_SIZE, FRAGMENT_SIZE = 20, 40, 8, 8
NONCE_SIZE = 8
DONT_FRAGMENT, MORE_FRAGMENTS = 0x4000, 0x2000
HOP_LIMIT = 64
ECHO_REPLY, UNREACHABLE, ECHO_REQUEST, TIMESTAMP, TIMESTAMP_REPLY = 0, 3, 8, 13, 14
FRAGMENTATION_NEEDED = 4
V6_UNREACHABLE, V6_TOO_BIG, V6_ECHO_REQUEST, V6_ECHO_REPLY = 1, 2, 128, 129
PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_FRAGMENT, PROTOCOL_ICMPV6 = 1, 6, 44, 58
UNREACHABLE_CODES = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    9: "network prohibited",
    10: "host prohibited",
    13: "prohibited by a filter",
}
V6_UNREACHABLE_CODES = {
    0: "no route",
    1: "prohibited by a filter",
    2: "beyond the scope of the source address",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address refused by policy",
    6: "route rejected",
}


def word_sum(content: bytes) -> int:
    """Return the sum of the 16-bit words of the content, not folded; an odd byte at the end is a word's upper half."""
    if len(content) % 2:
        content += b"\0"
    return sum(struct.unpack(f"!{len(content) // 2}H", content))


def folded(total: int) -> int:
    """Return the Internet checksum of a sum of words (RFC 1071)."""
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def message(kind: int, number: int, nonce: bytes, base: int) -> bytes:
    """Return the head of an ICMP message whose rest is zeros.

    kind: its type. number: 32 bits in place of identifier and sequence number. nonce: what follows, of even length.
    base: sum of the words of the nonce and, for IPv6, of the pseudo header.
    """
    total = base + (kind << 8) + (number >> 16) + (number & 0xFFFF)
    return MESSAGE.pack(kind, 0, folded(total), number) + nonce
