# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""UDP sockets whose datagrams have exact sizes, are never fragmented here, and leave no trace in the routing cache.

What the kernel learns from ICMP depends on IP_MTU_DISCOVER of the socket that the quoted packet is matched to
(net/ipv4/udp.c __udp4_lib_err, net/ipv6/udp.c __udp6_lib_err): with IP_PMTUDISC_INTERFACE it learns nothing
(ip_sk_accept_pmtu). In that mode IPv6 sends what the device takes (IPV6_DONTFRAG), and IPv4 sends without DF. Hence
IPv4 sends by another socket: with the right to, a raw one, to which no error about UDP is ever matched; else a second
UDP socket of the same port, less specific than the first, so that the first gets the errors.
IPv6 keeps "packet too big" from a UDP socket of that mode; a raw ICMPv6 socket hears it, with the right to.
"""

from __future__ import annotations

import errno
import socket
import struct
from contextlib import suppress
from typing import Any, List, Optional, Tuple

from .socket_errors import IP_RECVERR, IPV6_RECVERR

IP_PKTINFO = 8
IP_MTU_DISCOVER = 10
IP_RECVFRAGSIZE = 25
IPV6_MTU_DISCOVER = 23
IPV6_DONTFRAG = 62
IPV6_RECVFRAGSIZE = 77
ICMP6_FILTER = 1
PROBE, INTERFACE = 3, 4
"""IP_PMTUDISC_PROBE and IP_PMTUDISC_INTERFACE, include/uapi/linux/in.h."""
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
BUFFER = 8 << 20
ZEROS = memoryview(bytes(65536))
OVERHEAD = {socket.AF_INET: 28, socket.AF_INET6: 48}
"""Bytes of the IP and UDP headers."""
_PACKET_TOO_BIG_ONLY = struct.pack("=8I", 0xFFFFFFFF & ~(1 << 2), *[0xFFFFFFFF] * 7)
_IPV4_UDP = struct.Struct("!BBHHHBBH4s4sHHHH")
_PSEUDO = struct.Struct("!4s4sHHHHH")
DONT_FRAGMENT = 0x4000
HOP_LIMIT = 64

Ancillary = List[Tuple[int, int, bytes]]


def udp_socket(family: socket.AddressFamily, mode: int) -> socket.socket:
    """Return a UDP socket of one family, not bound, that takes no path MTU from ICMP if mode is INTERFACE."""
    udp = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        widen(udp)
        if family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            udp.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, mode)
            udp.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
            udp.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            udp.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1)
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            udp.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, mode)
            udp.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            udp.setsockopt(socket.IPPROTO_IP, IP_RECVFRAGSIZE, 1)
            udp.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    except BaseException:
        udp.close()
        raise
    return udp


def raw_sender() -> socket.socket:
    """Return a raw IPv4 socket that sends whole packets, limited by the device's MTU only. Needs CAP_NET_RAW."""
    raw = socket.socket(
        socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW
    )
    widen(raw)
    raw.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, INTERFACE)
    raw.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    return raw


def too_big_listener() -> Optional[socket.socket]:
    """Return a raw ICMPv6 socket that hears only "packet too big"; None without CAP_NET_RAW.

    It has no IPV6_RECVERR: with it, rawv6_err would let the kernel learn from errors about ICMPv6.
    """
    try:
        raw = socket.socket(
            socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.IPPROTO_ICMPV6
        )
    except PermissionError:
        return None
    widen(raw)
    raw.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, _PACKET_TOO_BIG_ONLY)
    return raw


def widen(one: socket.socket) -> None:
    """Give a socket large buffers, beyond net.core.[rw]mem_max where we may."""
    for forced, usual in ((SO_SNDBUFFORCE, socket.SO_SNDBUF), (SO_RCVBUFFORCE, socket.SO_RCVBUF)):
        try:
            one.setsockopt(socket.SOL_SOCKET, forced, BUFFER)
        except PermissionError:
            one.setsockopt(socket.SOL_SOCKET, usual, BUFFER)


def packet_information(family: int, local: bytes, interface: int = 0) -> Ancillary:
    """Return the ancillary values that make a packet leave from a local address (4 or 16 bytes)."""
    if family == socket.AF_INET6:
        return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, local + struct.pack("=I", interface))]
    return [(socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=I4s4s", 0, local, b""))]


def fragment_and_local(ancillary: Ancillary) -> Tuple[int, bytes]:
    """Return bytes of the largest fragment that a datagram came in (0: in one piece), and the address it came to."""
    fragment, local = 0, b""
    for _level, kind, content in ancillary:
        if kind in (IP_RECVFRAGSIZE, IPV6_RECVFRAGSIZE):
            (fragment,) = struct.unpack("=I", content)
        elif kind == IP_PKTINFO:
            local = content[4:8]
        elif kind == socket.IPV6_PKTINFO:
            local = content[:16]
    return fragment, local


def ipv4_udp_header(source: bytes, destination: bytes, ports: Tuple[int, int], message: bytes, size: int) -> bytes:
    """Return IPv4 and UDP headers (RFC 791, 768) of a packet of ``size`` bytes whose padding is zero, DF set.

    The kernel fills in identification and header checksum (raw(7)). Zero padding adds nothing to the UDP checksum.
    """
    length = size - 20
    pseudo = _PSEUDO.pack(source, destination, socket.IPPROTO_UDP, length, ports[0], ports[1], length)
    checksum = internet_checksum(pseudo + message) or 0xFFFF
    return _IPV4_UDP.pack(
        0x45, 0, size, 0, DONT_FRAGMENT, HOP_LIMIT, socket.IPPROTO_UDP, 0, source, destination, *ports, length, checksum
    )


def internet_checksum(content: bytes) -> int:
    """Return the checksum of RFC 1071 over 16-bit words, a last odd byte padded with zero."""
    if len(content) % 2:
        content += b"\0"
    total: int = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def send_padded(
    one: socket.socket, message: bytes, padding: int, ancillary: Ancillary, address: Tuple[Any, ...]
) -> int:
    """Send a message with zeros behind it; return 0, or the errno of why it did not leave.

    An error that waits on the socket for having been told (an ICMP message about an earlier packet) takes the place of
    one sending: it is tried again. What is sent too big is always the local device's limit.
    """
    number = 0
    for _attempt in range(4):
        try:
            one.sendmsg((message, ZEROS[:padding]), ancillary, 0, address)
        except OSError as error:
            number = error.errno or errno.EIO
            if number in (errno.EMSGSIZE, errno.EAGAIN):
                return number
            with suppress(OSError):
                one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            continue
        return 0
    return number
