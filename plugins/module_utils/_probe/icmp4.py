# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Probes by ICMP over IPv4, through raw sockets that keep the kernel from learning anything.

FORWARD: a timestamp request padded to the size, with DF: its answer is 40 bytes long whatever was asked.
ROUND: an echo request of the size, with DF; the answer has the size of the request, and no DF.
BACK: an echo request of the size that we send in small fragments ourselves: only the answer has the size.

Why nothing is learned: raw_send_hdrinc() asks only the device's MTU, and with IP_PMTUDISC_INTERFACE the socket neither
uses nor accepts a path MTU (net/ipv4/raw.c: raw_err; include/net/ip.h: ip_sk_accept_pmtu); icmp_err() leaves messages
about requests to the socket that sent them (net/ipv4/icmp.c). Linux limits neither echo and timestamp replies nor
"fragmentation needed" (icmp_ratemask 0x1818; net/ipv4/icmp.c: icmpv4_mask_allow).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .fragments import FragmentWatch
from .packets import (
    DONT_FRAGMENT,
    ECHO_REPLY,
    ECHO_REQUEST,
    FRAGMENTATION_NEEDED,
    HOP_LIMIT,
    IPV4,
    IPV4_SIZE,
    MESSAGE_SIZE,
    MORE_FRAGMENTS,
    NONCE_SIZE,
    PROTOCOL_ICMP,
    TIMESTAMP,
    TIMESTAMP_REPLY,
    UNREACHABLE,
    UNREACHABLE_CODES,
    message,
    word_sum,
)
from .sockets import SO_RCVBUFFORCE, SO_SNDBUFFORCE, ask_for_buffer
from .transport import Arrived, Event, LocalLimit, Probe, Rejected, SendsAtOnce, Sent, Split, Target, TooBig, Way

ICMP_FILTER = 1
WANTED_TYPES = (ECHO_REPLY, UNREACHABLE, TIMESTAMP_REPLY)
IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE, IP_RECVFRAGSIZE = 10, 4, 25
SOL_RAW = 255
HEAD = 192
"""Bytes of a message that are looked at: two IP headers with options, two ICMP headers and the nonce."""
FRAGMENT_LIMIT, FRAGMENT_START = 1200, 576
"""Bytes of the fragments that we send: at most, and while nothing has shown what passes on the way there."""


class Icmp4(SendsAtOnce):
    """The transport; needs CAP_NET_RAW in the namespace in which it is made."""

    overhead = IPV4_SIZE + MESSAGE_SIZE + NONCE_SIZE
    ways: Sequence[Way] = (Way.ROUND, Way.FORWARD, Way.BACK)
    hears_too_big = True

    def __init__(self, targets: Mapping[int, Target]) -> None:
        """targets: by index of the path. Raises PermissionError without the right, OSError."""
        self._limits = {path: target.link_mtu for path, target in targets.items()}
        self._packed = {path: socket.inet_aton(target.address) for path, target in targets.items()}
        self._addresses = {path: (target.address, 0) for path, target in targets.items()}
        self._nonce = os.urandom(NONCE_SIZE)
        self._base = word_sum(self._nonce)
        self._next = int.from_bytes(os.urandom(4), "big")
        self._probes: Dict[int, Probe] = {}
        self._passing: Dict[int, int] = {}
        self._zeros = memoryview(bytes(65536))
        self._told: List[Event] = []
        self._buffer = bytearray(HEAD)
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW)
        try:
            self._receiver = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, PROTOCOL_ICMP)
        except OSError:
            self._sender.close()
            raise
        try:
            self._watch = FragmentWatch({packed: path for path, packed in self._packed.items()})
        except OSError:
            self._sender.close()
            self._receiver.close()
            raise
        try:
            self._prepare()
        except OSError:
            self.close()
            raise
        self.descriptors: Sequence[int] = (self._receiver.fileno(), self._watch.descriptor)

    def _prepare(self) -> None:
        for one in (self._sender, self._receiver):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE)
        self._receiver.setsockopt(socket.IPPROTO_IP, IP_RECVFRAGSIZE, 1)
        unwanted = 0xFFFFFFFF & ~sum(1 << kind for kind in WANTED_TYPES)
        self._receiver.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", unwanted))
        ask_for_buffer(self._sender, SO_SNDBUFFORCE, socket.SO_SNDBUF)
        ask_for_buffer(self._receiver, SO_RCVBUFFORCE, socket.SO_RCVBUF)

    def close(self) -> None:
        """Close all sockets."""
        self._watch.close()
        self._sender.close()
        self._receiver.close()

    # Sending

    def send(self, probes: Sequence[Probe]) -> Sent:
        """Send probes in this order. What the kernel refuses is told by receive()."""
        packets = octets = 0
        for probe in probes:
            try:
                count, more = self._send_one(probe)
            except OSError as error:
                self._refused(probe, error)
                continue
            packets += count
            octets += more
        return Sent(packets, octets)

    def cost(self, probe: Probe) -> Sent:
        """See Transport."""
        if probe.way is not Way.BACK:
            return Sent(1, probe.size)
        pieces = 2 + probe.size // self._fragment_step(probe.path)
        return Sent(pieces, probe.size + pieces * IPV4_SIZE)

    def _fragment_step(self, path: int) -> int:
        """Return how many bytes of content the fragments to a target have at most, a multiple of eight."""
        return min(FRAGMENT_LIMIT, self._passing.get(path, FRAGMENT_START)) - IPV4_SIZE & ~7

    def _send_one(self, probe: Probe) -> Tuple[int, int]:
        number = self._next = (self._next + 1) & 0xFFFFFFFF
        self._probes[number] = probe
        path, way, size, _number = probe
        kind = TIMESTAMP if way is Way.FORWARD else ECHO_REQUEST
        head = message(kind, number, self._nonce, self._base)
        if way is Way.BACK:
            return self._send_in_fragments(probe, head, number & 0xFFFF or 1)
        header = IPV4.pack(
            0x45, 0, size, 0, DONT_FRAGMENT, HOP_LIMIT, PROTOCOL_ICMP, 0, b"\0\0\0\0", self._packed[path]
        )
        parts = (header + head, self._zeros[: size - self.overhead])
        self._sender.sendmsg(parts, (), 0, self._addresses[path])
        return 1, size

    def _send_in_fragments(self, probe: Probe, head: bytes, identification: int) -> Tuple[int, int]:
        """Send one message in at least two fragments, each no larger than what has passed on the way there."""
        content = head + self._zeros[: probe.size - self.overhead]
        step = min(self._fragment_step(probe.path), (len(content) + 1) // 2 + 7 & ~7)
        packets = octets = 0
        for offset in range(0, len(content), step):
            part = content[offset : offset + step]
            flags = MORE_FRAGMENTS if offset + step < len(content) else 0
            header = IPV4.pack(
                0x45, 0, IPV4_SIZE + len(part), identification, flags | offset // 8, HOP_LIMIT, PROTOCOL_ICMP, 0,
                b"\0\0\0\0", self._packed[probe.path],
            )  # fmt: skip
            self._sender.sendto(header + part, 0, self._addresses[probe.path])
            packets += 1
            octets += len(header) + len(part)
        return packets, octets

    def _refused(self, probe: Probe, error: OSError) -> None:
        if error.errno == errno.EMSGSIZE:
            self._told.append(LocalLimit(probe.path, probe.way, probe.size, self._limits[probe.path]))
        elif error.errno not in (errno.EAGAIN, errno.ENOBUFS):
            self._told.append(Rejected(probe.path, f"the own kernel says: {error.strerror}", None, 0.0))

    # Receiving

    def receive(self, moment: float) -> List[Event]:
        """Return what came since the last call."""
        events, self._told = self._told, []
        buffer, receive = [self._buffer], self._receiver.recvmsg_into
        while True:
            try:
                length, ancillary, _flags, sender = receive(buffer, 64)
            except BlockingIOError:
                return events + [Split(path, moment) for path in self._watch.receive()]
            except OSError as error:
                if error.errno == errno.EBADF:
                    raise
                continue
            event = self._understand(length, ancillary, sender[0], moment)
            if event is not None:
                events.append(event)

    def _understand(
        self, length: int, ancillary: Sequence[Tuple[int, int, bytes]], sender: str, moment: float
    ) -> Optional[Event]:
        buffer = self._buffer
        start = (buffer[0] & 15) * 4
        if length < start + MESSAGE_SIZE:
            return None
        kind = buffer[start]
        if kind == UNREACHABLE:
            return self._unreachable(start, length, sender, moment)
        number = int.from_bytes(buffer[start + 4 : start + 8], "big")
        probe = self._probes.get(number)
        if probe is None or sender != self._addresses[probe.path][0]:
            return None
        nonce = NONCE_SIZE if kind == ECHO_REPLY else 4
        if buffer[start + 8 : start + 8 + nonce] != self._nonce[:nonce]:
            return None
        if (kind == TIMESTAMP_REPLY) != (probe.way is Way.FORWARD):
            return None
        del self._probes[number]
        size = int.from_bytes(buffer[2:4], "big")
        if kind == ECHO_REPLY and size < probe.size:
            probe = probe._replace(way=Way.FORWARD) if probe.way is Way.ROUND else None
        fragment_size = next((struct.unpack("=i", value)[0] for _l, t, value in ancillary if t == IP_RECVFRAGSIZE), 0)
        if probe is None:
            return None
        if probe.way is not Way.BACK:
            self._passing[probe.path] = max(probe.size, self._passing.get(probe.path, 0))
        return Arrived(probe, moment, fragment_size)

    def _unreachable(self, start: int, length: int, router: str, moment: float) -> Optional[Event]:
        """Understand a message that quotes a packet of ours: address, number, and the nonce if that is there."""
        buffer = self._buffer
        code = buffer[start + 1]
        (mtu,) = struct.unpack_from("!H", buffer, start + 6)
        quote = start + MESSAGE_SIZE
        inner = quote + (buffer[quote] & 15) * 4
        if min(length, HEAD) < inner + MESSAGE_SIZE or buffer[quote + 9] != PROTOCOL_ICMP:
            return None
        number = int.from_bytes(buffer[inner + 4 : inner + 8], "big")
        probe = self._probes.get(number)
        if probe is None or buffer[quote + 16 : quote + 20] != self._packed[probe.path]:
            return None
        if length >= inner + 16 and buffer[inner + 8 : inner + 16] != self._nonce:
            return None
        if code == FRAGMENTATION_NEEDED:
            if probe.way is Way.BACK:
                return None
            del self._probes[number]
            return TooBig(probe.path, Way.FORWARD, probe.size, mtu, router, moment, probe.number)
        reason = UNREACHABLE_CODES.get(code, f"unreachable, code {code}")
        return Rejected(probe.path, f"{router} says: {reason}", router, moment)
