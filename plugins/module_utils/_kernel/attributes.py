# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Netlink attributes: type, length and value, aligned to four bytes, possibly nested.

Source: RFC 3549 section 2.3.1; include/uapi/linux/netlink.h (struct nlattr).
"""

from __future__ import annotations

import socket
import struct
from typing import Any, Dict, List, Tuple

HEADER = struct.Struct("=HH")
TYPE_MASK = 0x3FFF
"""Without NLA_F_NESTED (0x8000) and NLA_F_NET_BYTEORDER (0x4000)."""
NESTED = 0x8000

Attributes = Dict[int, bytes]


class NetlinkError(Exception):
    """What the kernel sent cannot be used; the text says why."""


class MalformedMessage(NetlinkError):
    """A length or a layout is not what the protocol says."""


def align(length: int) -> int:
    """Round a length in bytes up to the next multiple of four (NLMSG_ALIGN, NLA_ALIGN)."""
    return (length + 3) & ~3


def parse_attributes(buffer: bytes, offset: int = 0) -> Attributes:
    """Return the attributes from ``offset`` to the end of ``buffer``, by type; of equal types the last, as nla_parse().

    Fewer than four bytes at the end are ignored, as the kernel ignores them.
    Raises MalformedMessage for a length that is too short or reaches beyond the buffer.
    """
    found: Attributes = {}
    end = len(buffer)
    unpack = HEADER.unpack_from
    while offset + 4 <= end:
        length, kind = unpack(buffer, offset)
        if length < 4 or offset + length > end:
            raise MalformedMessage(f"attribute of {length} bytes at offset {offset} of {end}")
        found[kind & TYPE_MASK] = buffer[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def pack_attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute with its padding."""
    return HEADER.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def pack_attributes(attributes: List[Tuple[int, bytes]]) -> bytes:
    """Return a sequence of attributes, as the value of a nested one or as the end of a message."""
    return b"".join(pack_attribute(kind, value) for kind, value in attributes)


def unpack(layout: struct.Struct, buffer: bytes, offset: int = 0) -> Tuple[Any, ...]:
    """Unpack ``layout`` at ``offset``; raises MalformedMessage where the buffer is too short."""
    try:
        return layout.unpack_from(buffer, offset)
    except struct.error as error:
        raise MalformedMessage(f"{len(buffer)} bytes where {offset + layout.size} are needed") from error


_U16 = struct.Struct("=H")
_U32 = struct.Struct("=I")
_S32 = struct.Struct("=i")
_BE16 = struct.Struct(">H")
_BE32 = struct.Struct(">I")


def read_u8(value: bytes) -> int:
    """Return an unsigned byte."""
    if not value:
        raise MalformedMessage("empty attribute where one byte is needed")
    return value[0]


def read_u16(value: bytes) -> int:
    """Return 16 bits in the machine's byte order."""
    return int(unpack(_U16, value)[0])


def read_u32(value: bytes) -> int:
    """Return 32 bits in the machine's byte order."""
    return int(unpack(_U32, value)[0])


def read_s32(value: bytes) -> int:
    """Return signed 32 bits in the machine's byte order."""
    return int(unpack(_S32, value)[0])


def read_be16(value: bytes) -> int:
    """Return 16 bits in network byte order."""
    return int(unpack(_BE16, value)[0])


def read_be32(value: bytes) -> int:
    """Return 32 bits in network byte order."""
    return int(unpack(_BE32, value)[0])


def read_text(value: bytes) -> str:
    """Return a string without its terminating zero; bytes that are no UTF-8 appear as \\xNN."""
    return value.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def read_address(value: bytes) -> str:
    """Return an IPv4 or IPv6 address as text; raises MalformedMessage unless there are 4 or 16 bytes."""
    if len(value) == 4:
        return socket.inet_ntop(socket.AF_INET, value)
    if len(value) == 16:
        return socket.inet_ntop(socket.AF_INET6, value)
    raise MalformedMessage(f"an address of {len(value)} bytes")
