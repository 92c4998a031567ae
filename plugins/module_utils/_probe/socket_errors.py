# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Errors about datagrams that were sent: from a UDP socket's error queue, and ICMPv6 as a raw socket hears it."""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import List, NamedTuple, Optional

MSG_ERRQUEUE = 0x2000
IP_RECVERR = 11
IPV6_RECVERR = 25
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
"""struct sock_extended_err, include/uapi/linux/errqueue.h; the address of who complained follows it."""
_LOCAL, _ICMP, _ICMP6 = 1, 2, 3
_ROUTER_AT = {socket.AF_INET: slice(20, 24), socket.AF_INET6: slice(24, 40)}
_UDP = 17
_PACKET_TOO_BIG = 2
_QUOTE_BYTES = 1280
_MAX_ERRORS = 256


class SendError(NamedTuple):
    """Something that went wrong with a datagram.

    local: our own kernel says so. number: errno; EMSGSIZE for "too big", whoever says it. mtu: bytes, with EMSGSIZE.
    router: address of who sent the ICMP message, b"" for none. destination: the datagram's address.
    port: the datagram's source port, 0 where not known. quoted: the beginning of its payload, may be short or empty.
    """

    local: bool
    number: int
    mtu: int
    router: bytes
    destination: str
    port: int
    quoted: bytes

    @property
    def too_big(self) -> bool:
        """True when it is about the datagram's size."""
        return self.number == errno.EMSGSIZE

    @property
    def reason(self) -> str:
        """In words."""
        return os.strerror(self.number)


def read_error_queue(udp: socket.socket) -> List[SendError]:
    """Return what is in the error queue of a socket with IP_RECVERR or IPV6_RECVERR; the queue is empty then."""
    found: List[SendError] = []
    for _number in range(_MAX_ERRORS):
        try:
            quoted, ancillary, _flags, address = udp.recvmsg(_QUOTE_BYTES, 512, MSG_ERRQUEUE)
        except OSError:
            break
        for level, kind, content in ancillary:
            if (level, kind) in ((socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)):
                number, origin, _type, _code, _pad, mtu, _more = _EXTENDED_ERROR.unpack_from(content)
                router = content[_ROUTER_AT[udp.family]] if origin in (_ICMP, _ICMP6) else b""
                destination = address[0] if address else ""
                found.append(SendError(origin == _LOCAL, number, mtu, router, destination, 0, quoted))
    return found


def read_packet_too_big(raw: socket.socket) -> List[SendError]:
    """Return what came about UDP on a raw ICMPv6 socket whose filter passes only "packet too big" (RFC 4443, 3.2)."""
    found: List[SendError] = []
    for _number in range(_MAX_ERRORS):
        try:
            packet, address = raw.recvfrom(_QUOTE_BYTES)
        except OSError:
            break
        error = parse_packet_too_big(packet, socket.inet_pton(socket.AF_INET6, address[0].split("%")[0]))
        if error is not None:
            found.append(error)
    return found


def parse_packet_too_big(packet: bytes, router: bytes) -> Optional[SendError]:
    """Return what an ICMPv6 message says, None unless it is "packet too big" about UDP right behind the IPv6 header."""
    if len(packet) < 56 or packet[0] != _PACKET_TOO_BIG or packet[14] != _UDP:
        return None
    (mtu,) = struct.unpack_from("!I", packet, 4)
    (port,) = struct.unpack_from("!H", packet, 48)
    destination = socket.inet_ntop(socket.AF_INET6, packet[32:48])
    return SendError(False, errno.EMSGSIZE, mtu, router, destination, port, packet[56:])
