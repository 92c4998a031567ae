# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One TCP connection over which single segments of exact sizes are sent beside the kernel.

The kernel makes the connection, so that handshake, NAT and connection tracking are real. The segments are our own and
leave a hole behind the last byte that the kernel has sent: the far end keeps them out of its application's sight and
acknowledges each with a SACK block of just its bytes (RFC 2018, 4), which proves that it arrived. To our kernel that
block is about bytes never sent, and an ICMP error that quotes such a segment is outside its window: it ignores both
(net/ipv4/tcp_input.c, tcp_is_sackblock_valid; net/ipv4/tcp_ipv4.c, tcp_v4_err), so that no path MTU is learned.

Between two segments a byte is left out: neighbours without a hole would be joined by a receiving network card or
router (GRO), and a joined pair passes bridges that a single one of them does not pass.

Linux delays all but the first three acknowledgements of segments out of order, and joins them (tcp_comp_sack_nr). A
byte that it has already, the number of the SYN, makes it answer at once, and the next ones too (tcp_input.c,
tcp_enter_quickack_mode): that is what hurry() is for.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from dataclasses import dataclass
from enum import Enum
from typing import List, NamedTuple, Optional, Tuple

from .segment import ACK, PSH, RST, SYN, Flow, Received, build_segment, distance, smallest_size
from .tcp_info import STATE_ESTABLISHED, TcpInfo, read_tcp_info, read_timestamp
from .transport import Probe

HOLE = 1
OUR_WINDOW = 502
"""As a header has it; what the far end may send is of no interest."""
SEGMENTS_AT_MOST = 24
"""On one connection. The far kernel keeps up to 4 KiB of memory for each, and has 128 KiB for all by default."""
ESTABLISHED_WAIT = 20
"""Milliseconds: a raw socket sees the SYN-ACK shortly before the kernel has made the connection of it."""
NO_ANSWER = "no answer to the SYN: the port is filtered, the host is not there, or its accept queue is full"
REFUSALS = {
    errno.ECONNREFUSED: "connection refused: nobody listens on this port",
    errno.ETIMEDOUT: NO_ANSWER,
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "no route to the network",
    errno.EACCES: "a firewall or route of this host prohibits it",
    errno.EPERM: "a firewall or route of this host prohibits it",
    errno.EADDRNOTAVAIL: "no local address or port is left for it",
    errno.ECONNRESET: "the connection was reset during the handshake",
}


class State(Enum):
    """Of a connection."""

    CONNECTING = "connecting"
    READY = "ready"
    FAILED = "failed"


class Outstanding(NamedTuple):
    """A segment that was sent: its probe, its sequence numbers (end exclusive), when."""

    probe: Probe
    begin: int
    end: int
    moment: float


@dataclass(frozen=True)
class Handshake:
    """What the SYN-ACK said. mss: bytes of its option, None without one. window: bytes, not scaled."""

    next_sequence: int
    acknowledgement: int
    mss: Optional[int]
    window: int
    selective: bool
    timestamp: Optional[Tuple[int, int]]
    moment: float


class Connection:
    """A connection of the kernel, and the segments that were sent beside it."""

    def __init__(self, family: int, address: Tuple[object, ...]) -> None:
        """Bind a socket to a port; begin() connects. address: as getaddrinfo() gives it. Raises OSError."""
        self.family = family
        self.address = address
        self.state = State.CONNECTING
        self.reason: Optional[str] = None
        self.handshake: Optional[Handshake] = None
        self.handshake_repeats = 0
        self.info: Optional[TcpInfo] = None
        self.outstanding: List[Outstanding] = []
        self.last_sent = 0.0
        self.bytes_used = 0
        self.sent = 0
        self.acknowledged = 0
        self.socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
            self.socket.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))
        except OSError:
            self.socket.close()
            raise
        self.port = int(self.socket.getsockname()[1])
        self.flow = Flow(family, b"", self.port, b"", int(str(address[1])))

    def begin(self) -> None:
        """Send the SYN."""
        number = self.socket.connect_ex(self.address)
        if number not in (0, errno.EINPROGRESS):
            self._fail(number)
            return
        names = (self.socket.getsockname()[0], str(self.address[0]))
        local, remote = (socket.inet_pton(self.family, name.split("%")[0]) for name in names)
        self.flow = Flow(self.family, local, self.port, remote, self.flow.target_port)

    def check(self) -> None:
        """Look how far the kernel has come with the handshake."""
        if self.state is not State.CONNECTING:
            return
        waiting = select.poll()
        waiting.register(self.socket, select.POLLOUT)
        if waiting.poll(ESTABLISHED_WAIT if self.handshake else 0):
            number = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._fail(number)
            elif self.handshake is not None:
                self.info = read_tcp_info(self.socket)
                self.state = State.READY if self.info.state == STATE_ESTABLISHED else State.CONNECTING

    def _fail(self, number: int) -> None:
        self.state = State.FAILED
        self.reason = REFUSALS.get(number, os.strerror(number))

    @property
    def selective(self) -> bool:
        """Whether the far end acknowledges single segments by SACK."""
        return self.handshake is not None and self.handshake.selective

    @property
    def smallest(self) -> int:
        """Bytes of the smallest IP packet that it can send."""
        return smallest_size(self.family, self._has_timestamps)

    @property
    def _has_timestamps(self) -> bool:
        return self.handshake is not None and self.handshake.timestamp is not None

    def room_for(self, size: int) -> bool:
        """Whether a segment of that size fits into the far end's window, and is one that the connection may carry.

        Without SACK an acknowledgement does not tell which segment it is for: then one connection carries one size.
        """
        if self.state is not State.READY or self.handshake is None or self.sent >= SEGMENTS_AT_MOST:
            return False
        if not self.selective and any(one.probe.size != size for one in self.outstanding):
            return False
        payload = size - self.smallest + 1
        if self.bytes_used == 0:
            return payload + HOLE <= self.handshake.window
        return self.bytes_used + payload + HOLE <= self.handshake.window * 3 // 4

    def prepare(self, probe: Probe, moment: float) -> Tuple[bytes, Outstanding]:
        """Return the packet for a probe and its place; sent() enters it. Needs room_for() its size."""
        handshake = self.handshake
        if handshake is None:
            raise RuntimeError("a segment before the handshake")
        begin = handshake.next_sequence + self.bytes_used + HOLE
        payload = bytes(probe.size - self.smallest + 1)
        stamp = self._stamp(handshake, moment)
        packet = build_segment(self.flow, begin, handshake.acknowledgement, OUR_WINDOW, payload, stamp, flags=ACK | PSH)
        return packet, Outstanding(probe, begin, begin + len(payload), moment)

    def hurry(self, moment: float) -> Optional[bytes]:
        """Return a packet that makes the far end acknowledge without delay; None where that could be misread."""
        handshake = self.handshake
        if handshake is None or not handshake.selective:
            return None
        before = handshake.next_sequence - 1
        stamp = self._stamp(handshake, moment)
        return build_segment(self.flow, before, handshake.acknowledgement, OUR_WINDOW, b"\0", stamp)

    def _stamp(self, handshake: Handshake, moment: float) -> Optional[Tuple[int, int]]:
        return None if handshake.timestamp is None else (self._clock(handshake, moment), handshake.timestamp[0])

    def _clock(self, handshake: Handshake, moment: float) -> int:
        """Return a timestamp value that is not behind the kernel's own (RFC 7323, 5: PAWS)."""
        value = read_timestamp(self.socket)
        if value is not None or handshake.timestamp is None:
            return value or 0
        return (handshake.timestamp[1] + int((moment - handshake.moment) * 1000)) % (1 << 32)

    def enter(self, sent: Outstanding) -> None:
        """Note that a prepared segment has left."""
        self.outstanding.append(sent)
        self.sent += 1
        self.last_sent = sent.moment
        self.bytes_used += sent.end - sent.begin + HOLE

    def take_in(self, segment: Received, moment: float) -> List[Outstanding]:
        """Return the segments that an incoming one proves to have arrived. Each is returned once."""
        if segment.flags & SYN:
            if segment.flags & ACK:
                self._shake_hands(segment, moment)
            return []
        if segment.flags & RST:
            if self.state is State.READY:
                self.state, self.reason = State.FAILED, "the far end, or a middlebox, reset the connection"
            return []
        if self.handshake is None or not segment.flags & ACK or segment.acknowledgement != self.handshake.next_sequence:
            return []
        arrived = self._covered(segment) if self.selective else self._counted(segment)
        self.outstanding = [one for one in self.outstanding if one not in arrived]
        self.acknowledged += len(arrived)
        return arrived

    def _shake_hands(self, segment: Received, moment: float) -> None:
        if self.handshake is not None:
            self.handshake_repeats += 1
            return
        self.handshake = Handshake(
            next_sequence=segment.acknowledgement,
            acknowledgement=(segment.sequence + 1) % (1 << 32),
            mss=segment.options.mss,
            window=segment.window,
            selective=segment.options.selective_permitted,
            timestamp=segment.options.timestamp,
            moment=moment,
        )

    def _covered(self, segment: Received) -> List[Outstanding]:
        """By SACK: a block may hold several neighbours' bytes only when it holds those between them, so none."""
        return [
            one
            for one in self.outstanding
            if any(
                distance(begin, one.begin) >= 0 <= distance(one.end, end) for begin, end in segment.options.selective
            )
        ]

    def _counted(self, segment: Received) -> List[Outstanding]:
        """By duplicate acknowledgements: all segments of the connection are of one size, so that any will do."""
        return self.outstanding[:1] if segment.payload == 0 else []

    def read_info(self) -> Optional[TcpInfo]:
        """Return TCP_INFO as of now, or as of before where the connection is gone."""
        try:
            self.info = read_tcp_info(self.socket)
        except OSError:
            return self.info
        return self.info

    def close(self) -> None:
        """Reset the connection: nothing of it stays, on either side."""
        self.socket.close()
