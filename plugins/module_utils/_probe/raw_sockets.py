# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Raw sockets that see what comes in for connections of ours: TCP segments, and ICMP errors about what we sent.

They are in a mode in which an ICMP error changes nothing in the kernel. IPv4: IP_PMTUDISC_INTERFACE
(net/ipv4/raw.c, raw_err; include/net/ip.h, ip_sk_accept_pmtu). IPv6: neither connected nor with IPV6_RECVERR
(net/ipv6/raw.c, rawv6_err).
"""

from __future__ import annotations

import ctypes
import socket
import struct
from contextlib import suppress
from typing import Iterator, List, Optional, Sequence, Tuple

from .segment import IcmpError, Malformed, Received, parse_icmp_error, parse_segment, without_ipv4_header

IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, INTERFACE = 10, 23, 4
IP_HDRINCL, IPV6_HDRINCL = 3, 36
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 4 << 20
SEND_BUFFER = 4 << 20
ICMP_FILTER = 1
ICMPV6_FILTER = 1
SOL_RAW = 255
BATCH = 4096
"""Packets that one call takes in at most, so that a flood does not keep the caller from its clock."""

LOAD_HALF, LOAD_HALF_INDEXED, LOAD_INDEX_IPV4_HEADER = 0x28, 0x48, 0xB1
JUMP_IF_EQUAL, RETURN = 0x15, 0x06
WHOLE_PACKET = 0xFFFFFFFF
PORTS_AT_MOST = 2000
"""BPF_MAXINSNS is 4096; each port takes two instructions."""


def port_filter(family: int, ports: Sequence[int]) -> bytes:
    """Return a classic BPF program that lets TCP segments to these ports through, as struct sock_filter[].

    A raw IPv4 socket filters from the IP header on, a raw IPv6 socket from the TCP header on. The target port is the
    third and fourth byte of the TCP header.
    """
    program = [(LOAD_HALF, 0, 0, 2)]
    if family == socket.AF_INET:
        program = [(LOAD_INDEX_IPV4_HEADER, 0, 0, 0), (LOAD_HALF_INDEXED, 0, 0, 2)]
    for port in sorted(set(ports))[:PORTS_AT_MOST]:
        program += [(JUMP_IF_EQUAL, 0, 1, port), (RETURN, 0, 0, WHOLE_PACKET)]
    program.append((RETURN, 0, 0, 0))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def attach_filter(listener: socket.socket, program: bytes) -> None:
    """Put a filter in the place of the one before. Raises OSError."""
    kept = ctypes.create_string_buffer(program, len(program))
    prog = struct.pack("@HP", len(program) // 8, ctypes.addressof(kept))
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, prog)


class RawSockets:
    """A pair of raw sockets of one family, in the network namespace that the thread is in."""

    def __init__(self, family: int) -> None:
        """Open them. Raises PermissionError without CAP_NET_RAW."""
        self.family = family
        self.tcp = _open(family, socket.IPPROTO_TCP)
        try:
            attach_filter(self.tcp, port_filter(family, ()))
            self.icmp = _open(family, socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP)
        except OSError:
            self.tcp.close()
            raise
        try:
            self._prepare()
        except OSError:
            self.close()
            raise

    def _prepare(self) -> None:
        if self.family == socket.AF_INET:
            self.tcp.setsockopt(socket.IPPROTO_IP, IP_HDRINCL, 1)
            # A bit that is set blocks the type: all but destination unreachable, time exceeded, parameter problem.
            wanted = ~(1 << 3 | 1 << 11 | 1 << 12) & 0xFFFFFFFF
            self.icmp.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", wanted))
        else:
            self.tcp.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
            wanted = ~(1 << 1 | 1 << 2 | 1 << 3 | 1 << 4) & 0xFFFFFFFF
            self.icmp.setsockopt(socket.IPPROTO_ICMPV6, ICMPV6_FILTER, struct.pack("=8I", wanted, *[0xFFFFFFFF] * 7))

    @property
    def descriptors(self) -> Tuple[int, int]:
        """Those to wait on."""
        return self.tcp.fileno(), self.icmp.fileno()

    def watch(self, ports: Sequence[int]) -> None:
        """Take in only segments to these local ports from now on."""
        attach_filter(self.tcp, port_filter(self.family, ports))

    def send(self, packet: bytes, address: Tuple[object, ...]) -> None:
        """Send a whole IP packet. Raises OSError: EMSGSIZE where the link does not take its size."""
        target = (address[0], 0) if self.family == socket.AF_INET else (address[0], 0, 0, address[3])
        self.tcp.sendto(packet, target)

    def segments(self) -> Iterator[Tuple[bytes, Received]]:
        """Yield what came: the packed address of the sender, and the segment. What is malformed is left out."""
        for packet, sender in self._received(self.tcp):
            with suppress(Malformed):
                yield sender, parse_segment(without_ipv4_header(packet) if self.family == socket.AF_INET else packet)

    def errors(self) -> Iterator[Tuple[str, IcmpError]]:
        """Yield the ICMP errors about TCP segments: who sent it, and the error."""
        for packet, sender in self._received(self.icmp):
            error: Optional[IcmpError] = None
            with suppress(Malformed):
                message = without_ipv4_header(packet) if self.family == socket.AF_INET else packet
                error = parse_icmp_error(self.family, message)
            if error is not None:
                yield socket.inet_ntop(self.family, sender), error

    def _received(self, raw: socket.socket) -> List[Tuple[bytes, bytes]]:
        found: List[Tuple[bytes, bytes]] = []
        while len(found) < BATCH:
            try:
                packet, sender = raw.recvfrom(65535)
            except BlockingIOError:
                break
            except OSError:
                # An error that is pending for the socket, of a packet sent before; it is gone with this call.
                continue
            found.append((packet, socket.inet_pton(self.family, str(sender[0]).split("%", 1)[0])))
        return found

    def close(self) -> None:
        """Close both."""
        self.tcp.close()
        self.icmp.close()


def _open(family: int, protocol: int) -> socket.socket:
    raw = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    try:
        if family == socket.AF_INET:
            raw.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, INTERFACE)
        else:
            raw.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, INTERFACE)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        try:
            raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except OSError:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    except OSError:
        raw.close()
        raise
    return raw
