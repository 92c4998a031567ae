# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Probes over IPv6, through raw sockets, in such a shape that the kernel learns nothing.

Every "packet too big" that quotes ICMPv6 makes the kernel learn (net/ipv6/icmp.c: icmpv6_err), whoever sent it. So:

FORWARD: a bare TCP ACK of the size to a port where nobody listens: it is answered by a RST of 60 bytes (RFC 9293
section 3.10.7.1), and a message that quotes it belongs to no socket, from which nothing is learned
(net/ipv6/tcp_ipv6.c: tcp_v6_err).
BACK: an echo request of the size that we send in fragments of at most 1280 bytes: only the answer has the size.
ROUND: up to 1280 bytes a plain echo request. Beyond that its first fragment holds the head and the second, which has
the size, all the rest: a quote of it is not taken for ICMPv6, unless a router that tracks connections quotes the whole.
The search leaves the latter out (search.py, Task.apart); ``learning`` tells for which paths it was used all the same.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from .packets import (
    FRAGMENT,
    FRAGMENT_SIZE,
    HOP_LIMIT,
    IPV6,
    IPV6_SIZE,
    MESSAGE_SIZE,
    NONCE_SIZE,
    PROTOCOL_FRAGMENT,
    PROTOCOL_ICMPV6,
    PROTOCOL_TCP,
    TCP,
    TCP_ACK,
    TCP_RST,
    TCP_SIZE,
    V6_ECHO_REPLY,
    V6_ECHO_REQUEST,
    V6_TOO_BIG,
    V6_UNREACHABLE,
    V6_UNREACHABLE_CODES,
    folded,
    message,
    word_sum,
)
from .sockets import SO_RCVBUFFORCE, SO_SNDBUFFORCE, accept_only_port, ask_for_buffer
from .transport import Arrived, Event, LocalLimit, Probe, Rejected, SendsAtOnce, Sent, Target, TooBig, Way

ICMPV6_FILTER = 1
IPV6_MTU_DISCOVER, IPV6_PMTUDISC_INTERFACE, IPV6_HDRINCL, IPV6_RECVFRAGSIZE = 23, 4, 36, 77
SMALLEST_MTU = 1280
"""RFC 8200 section 5: every link carries it."""
FRAGMENT_STEP = 1184
"""Bytes of content in the fragments that we send, a multiple of eight: packets of 1232 bytes."""
CLOSED_PORT = 1
"""tcpmux (RFC 1078), which nobody runs. Where somebody does, a stray ACK is answered by a RST as well."""
HEAD = 192
MSG_TRUNC = int(socket.MSG_TRUNC)


class Icmp6(SendsAtOnce):
    """The transport; needs CAP_NET_RAW in the namespace in which it is made."""

    overhead = IPV6_SIZE + TCP_SIZE
    ways: Sequence[Way] = (Way.ROUND, Way.FORWARD, Way.BACK)
    hears_too_big = True

    def __init__(self, targets: Mapping[int, Target]) -> None:
        """targets: by index of the path. Raises PermissionError without the right, OSError."""
        self._limits = {path: target.link_mtu for path, target in targets.items()}
        self._addresses = {path: (target.address, 0) for path, target in targets.items()}
        self._packed = {path: socket.inet_pton(socket.AF_INET6, target.address) for path, target in targets.items()}
        self._sources = {path: _source_for(target.address) for path, target in targets.items()}
        self._sums = {path: word_sum(self._sources[path] + self._packed[path]) for path in targets}
        self._nonce = os.urandom(NONCE_SIZE)
        self._nonce_sum = word_sum(self._nonce)
        self._next = int.from_bytes(os.urandom(4), "big")
        self._probes: Dict[int, Probe] = {}
        self._zeros = memoryview(bytes(65536))
        self._told: List[Event] = []
        self._buffer = bytearray(HEAD)
        self.learning: Set[int] = set()
        self._sockets: List[socket.socket] = []
        try:
            self._open()
        except OSError:
            self.close()
            raise
        self.descriptors: Sequence[int] = (self._icmp.fileno(), self._tcp.fileno())

    def _open(self) -> None:
        self._sender = self._raw(socket.IPPROTO_RAW)
        self._icmp = self._raw(PROTOCOL_ICMPV6)
        self._tcp = self._raw(PROTOCOL_TCP)
        reserved = socket.socket(socket.AF_INET6, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._sockets.append(reserved)
        reserved.bind(("::", 0))
        self._port = int(reserved.getsockname()[1])
        self._sender.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
        self._icmp.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1)
        blocked = bytearray(b"\xff" * 32)
        for kind in (V6_UNREACHABLE, V6_TOO_BIG, V6_ECHO_REPLY):
            word, bit = divmod(kind, 32)
            (value,) = struct.unpack_from("=I", blocked, word * 4)
            struct.pack_into("=I", blocked, word * 4, value & ~(1 << bit))
        self._icmp.setsockopt(PROTOCOL_ICMPV6, ICMPV6_FILTER, bytes(blocked))
        accept_only_port(self._tcp, self._port)
        ask_for_buffer(self._sender, SO_SNDBUFFORCE, socket.SO_SNDBUF)
        ask_for_buffer(self._icmp, SO_RCVBUFFORCE, socket.SO_RCVBUF)
        ask_for_buffer(self._tcp, SO_RCVBUFFORCE, socket.SO_RCVBUF)

    def _raw(self, protocol: int) -> socket.socket:
        one = socket.socket(socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._sockets.append(one)
        one.setblocking(False)
        one.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_INTERFACE)
        return one

    def close(self) -> None:
        """Close all sockets."""
        for one in self._sockets:
            one.close()

    # Sending

    def send(self, probes: Sequence[Probe]) -> Sent:
        """Send probes in this order. What the kernel refuses is told by receive()."""
        packets = octets = 0
        for probe in probes:
            number = self._next = (self._next + 1) & 0xFFFFFFFF
            self._probes[number] = probe
            try:
                for protocol, content in self._contents(probe, number):
                    self._send(probe.path, protocol, content)
                    packets += 1
                    octets += IPV6_SIZE + len(content)
            except OSError as error:
                self._refused(probe, error)
        return Sent(packets, octets)

    def cost(self, probe: Probe) -> Sent:
        """See Transport."""
        if probe.way is Way.FORWARD:
            return Sent(1, probe.size)
        pieces = 2 + probe.size // FRAGMENT_STEP
        return Sent(pieces, probe.size + pieces * (IPV6_SIZE + FRAGMENT_SIZE))

    def _contents(self, probe: Probe, number: int) -> List[Tuple[int, bytes]]:
        """Return what follows the IPv6 header of each packet of a probe, and its protocol."""
        path, way, size, _number = probe
        if way is Way.FORWARD:
            return [(PROTOCOL_TCP, self._acknowledgement(path, size, number))]
        length = size - IPV6_SIZE
        base = self._nonce_sum + self._sums[path] + length + PROTOCOL_ICMPV6
        content = message(V6_ECHO_REQUEST, number, self._nonce, base)
        content += self._zeros[: length - len(content)]
        if way is Way.ROUND and size <= SMALLEST_MTU:
            return [(PROTOCOL_ICMPV6, content)]
        if way is Way.ROUND:
            self.learning.add(path)
            parts = [content[:MESSAGE_SIZE], content[MESSAGE_SIZE:]]
        else:
            step = min(FRAGMENT_STEP, (len(content) + 1) // 2 + 7 & ~7)
            parts = [content[offset : offset + step] for offset in range(0, len(content), step)]
        return [(PROTOCOL_FRAGMENT, part) for part in _fragments(parts, number)]

    def _acknowledgement(self, path: int, size: int, number: int) -> bytes:
        """Return a TCP segment with nothing but ACK set; the RST repeats its acknowledgement number."""
        length = size - IPV6_SIZE
        nonce = int.from_bytes(self._nonce[:4], "big")
        head = TCP.pack(self._port, CLOSED_PORT, nonce, number, 0x50, TCP_ACK, 1024, 0, 0)
        checksum = folded(word_sum(head) + self._sums[path] + length + PROTOCOL_TCP)
        head = TCP.pack(self._port, CLOSED_PORT, nonce, number, 0x50, TCP_ACK, 1024, checksum, 0)
        return head + self._zeros[: length - TCP_SIZE]

    def _send(self, path: int, protocol: int, content: bytes) -> None:
        source, target = self._sources[path], self._packed[path]
        header = IPV6.pack(6 << 28, len(content), protocol, HOP_LIMIT, source, target)
        self._sender.sendmsg((header, content), (), 0, self._addresses[path])

    def _refused(self, probe: Probe, error: OSError) -> None:
        if error.errno == errno.EMSGSIZE:
            self._told.append(LocalLimit(probe.path, probe.way, probe.size, self._limits[probe.path]))
        elif error.errno not in (errno.EAGAIN, errno.ENOBUFS):
            self._told.append(Rejected(probe.path, f"the own kernel says: {error.strerror}", None, 0.0))

    # Receiving

    def receive(self, moment: float) -> List[Event]:
        """Return what came since the last call."""
        events, self._told = self._told, []
        for one, understand in ((self._icmp, self._icmp_event), (self._tcp, self._reset)):
            while True:
                try:
                    length, ancillary, _flags, sender = one.recvmsg_into([self._buffer], 64, MSG_TRUNC)
                except BlockingIOError:
                    break
                except OSError as error:
                    if error.errno == errno.EBADF:
                        raise
                    continue
                event = understand(length, ancillary, sender[0], moment)
                if event is not None:
                    events.append(event)
        return events

    def _reset(
        self, length: int, _ancillary: Sequence[Tuple[int, int, bytes]], sender: str, moment: float
    ) -> Optional[Event]:
        if length < TCP_SIZE:
            return None
        _source, _target, number, _acknowledged, _offset, flags, _window, _sum, _urgent = TCP.unpack_from(self._buffer)
        probe = self._probes.get(number)
        if probe is None or not flags & TCP_RST or probe.way is not Way.FORWARD:
            return None
        if sender != self._addresses[probe.path][0]:
            return None
        del self._probes[number]
        return Arrived(probe, moment)

    def _icmp_event(
        self, length: int, ancillary: Sequence[Tuple[int, int, bytes]], sender: str, moment: float
    ) -> Optional[Event]:
        buffer = self._buffer
        if length < MESSAGE_SIZE:
            return None
        if buffer[0] != V6_ECHO_REPLY:
            return self._told_by_router(min(length, HEAD), sender, moment)
        number = int.from_bytes(buffer[4:8], "big")
        probe = self._probes.get(number)
        if probe is None or probe.way is Way.FORWARD or sender != self._addresses[probe.path][0]:
            return None
        if buffer[MESSAGE_SIZE : MESSAGE_SIZE + NONCE_SIZE] != self._nonce:
            return None
        del self._probes[number]
        if IPV6_SIZE + length < probe.size:
            return Arrived(probe._replace(way=Way.FORWARD), moment) if probe.way is Way.ROUND else None
        sizes = [struct.unpack("=i", value)[0] for _level, kind, value in ancillary if kind == IPV6_RECVFRAGSIZE]
        return Arrived(probe, moment, sizes[0] if sizes else 0)

    def _told_by_router(self, length: int, router: str, moment: float) -> Optional[Event]:
        """Understand a message that quotes a packet of ours."""
        buffer = self._buffer
        inner = MESSAGE_SIZE + IPV6_SIZE
        if length < inner + MESSAGE_SIZE:
            return None
        number = self._quoted_number(buffer[MESSAGE_SIZE + 6], inner, length)
        probe = self._probes.get(number) if number is not None else None
        if number is None or probe is None or buffer[inner - 16 : inner] != self._packed[probe.path]:
            return None
        if buffer[0] == V6_TOO_BIG:
            if probe.way is Way.BACK:
                return None
            del self._probes[number]
            mtu = int.from_bytes(buffer[4:8], "big")
            return TooBig(probe.path, Way.FORWARD, probe.size, mtu, router, moment, probe.number)
        reason = V6_UNREACHABLE_CODES.get(buffer[1], f"unreachable, code {buffer[1]}")
        return Rejected(probe.path, f"{router} says: {reason}", router, moment)

    def _quoted_number(self, protocol: int, start: int, length: int) -> Optional[int]:
        """Return the number of the quoted probe; None for a quote that is not ours, or too short to tell."""
        buffer = self._buffer
        if protocol == PROTOCOL_FRAGMENT:
            return int.from_bytes(buffer[start + 4 : start + 8], "big")
        if protocol == PROTOCOL_ICMPV6 and length >= start + MESSAGE_SIZE + NONCE_SIZE:
            nonce = buffer[start + MESSAGE_SIZE : start + MESSAGE_SIZE + NONCE_SIZE]
            return int.from_bytes(buffer[start + 4 : start + 8], "big") if nonce == self._nonce else None
        if protocol == PROTOCOL_TCP and length >= start + 12 and buffer[start + 4 : start + 8] == self._nonce[:4]:
            return int.from_bytes(buffer[start + 8 : start + 12], "big")
        return None


def _fragments(parts: Sequence[bytes], number: int) -> List[bytes]:
    """Return the parts of an ICMPv6 message, each but the last a multiple of eight bytes, with a fragment header."""
    found = []
    offset = 0
    for index, part in enumerate(parts):
        more = 1 if index < len(parts) - 1 else 0
        found.append(FRAGMENT.pack(PROTOCOL_ICMPV6, 0, offset | more, number) + part)
        offset += len(part)
    return found


def _source_for(address: str) -> bytes:
    """Return the source address that the kernel chooses. Raises OSError where there is none."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
        one.connect((address, 9))
        return socket.inet_pton(socket.AF_INET6, one.getsockname()[0])
