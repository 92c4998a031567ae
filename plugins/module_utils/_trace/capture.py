# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Watch packets of a trace at every interface of many network namespaces.

One AF_PACKET socket per namespace sees all of its interfaces; the kernel's filter lets through only packets of the
trace. Source: packet(7); net/packet/af_packet.c (packet_rcv: with SOCK_DGRAM the filter begins at the IP header, in
both directions); net/core/dev.c (dev_queue_xmit_nit, __netif_receive_skb_core).
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .._kernel.advice import how_to_enter_namespaces
from .._kernel.visiting import visit
from .._model.fact import Problem
from .._model.owner import Namespace
from .._model.sighting import IcmpMessage, Sighting, SightingKind
from .assembler import INSTRUCTION
from .dissect import Dissection, dissect
from .packet_filter import SNAP_LENGTH, TunnelPorts, build_filter
from .tag import Tag

ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
SO_TIMESTAMPNS = 35
SOL_PACKET, PACKET_STATISTICS = 263, 6
PACKET_OUTGOING = 4
STATISTICS = struct.Struct("=II")
MOMENT = struct.Struct("@ll")
RECEIVE_BUFFER = 4 << 20
MAX_SIGHTINGS = 2048
"""Different rows that are kept; a trace along a real path has some dozens."""
MAX_SOCKETS = 1024
CLOSERS = 16


@dataclass(frozen=True)
class _Row:
    """What packets that are counted together have in common."""

    kind: SightingKind
    namespace: int
    link: str
    direction: str
    size: Optional[int]
    length: int
    time_to_live: int
    tunnel: Optional[str]
    outer_time_to_live: Optional[int]
    source: str
    destination: str
    error: Optional[IcmpMessage]


class Capture:
    """The sockets of one trace, and what they saw. ``problems`` tells of namespaces that are not watched."""

    def __init__(self, namespaces: Sequence[Namespace], tag: Tag, ports: TunnelPorts) -> None:
        self._tag = tag
        self._ports = ports
        self._sockets: Dict[int, Tuple[int, socket.socket]] = {}
        self._rows: Dict[_Row, Dict[int, float]] = {}
        self._clock_offset = time.time() - time.monotonic()
        self._epoll = select.epoll()
        self.problems: List[Problem] = []
        self.missed = 0
        program = build_filter(tag, ports)
        watched = namespaces[:MAX_SOCKETS]
        if len(watched) < len(namespaces):
            reason = f"only the first {MAX_SOCKETS} of {len(namespaces)} are watched"
            self.problems.append(Problem("network namespaces", reason))
        for namespace, opened in visit(watched, lambda _namespace: open_socket(program)):
            if isinstance(opened, Problem):
                self._note(opened)
                continue
            self._sockets[opened.fileno()] = (namespace.inode, opened)
            self._epoll.register(opened, select.EPOLLIN)

    @property
    def watched(self) -> int:
        """Number of namespaces that are watched."""
        return len(self._sockets)

    @property
    def inodes(self) -> List[int]:
        """Namespaces in which something of the trace was seen."""
        return sorted({row.namespace for row in self._rows})

    def wait(self, seconds: float) -> bool:
        """Take what comes within the time; tell whether something came."""
        found = False
        for descriptor, _events in self._epoll.poll(max(0.0, seconds), 256):
            found = True
            self._drain(*self._sockets[descriptor])
        return found

    def sightings(self) -> List[Sighting]:
        """Return what was seen, in the order in which it was."""
        rows = [self._sighting(row, moments) for row, moments in self._rows.items()]
        return sorted(rows, key=lambda sighting: sighting.first)

    def close(self) -> None:
        """Close all sockets and count what they lost."""
        self._epoll.close()
        opened = [one for _inode, one in self._sockets.values()]
        self._sockets.clear()
        for one in opened:
            self.missed += STATISTICS.unpack(one.getsockopt(SOL_PACKET, PACKET_STATISTICS, STATISTICS.size))[1]
        # To close one the kernel waits some milliseconds (synchronize_net), for many at the same time not longer.
        with ThreadPoolExecutor(CLOSERS) as closers:
            list(closers.map(socket.socket.close, opened))

    def _note(self, problem: Problem) -> None:
        """Tell of the same trouble once, however many namespaces have it."""
        if all(known.reason != problem.reason for known in self.problems):
            self.problems.append(problem)

    def _drain(self, inode: int, opened: socket.socket) -> None:
        while True:
            try:
                packet, ancillary, _flags, address = opened.recvmsg(SNAP_LENGTH, 64)
            except BlockingIOError:
                return
            except OSError:
                # An interface went down meanwhile: the socket tells it once and goes on.
                continue
            found = dissect(packet, self._tag, self._ports)
            if found is not None:
                self._add(inode, found, address, self._moment(ancillary))

    def _moment(self, ancillary: Sequence[Tuple[int, int, bytes]]) -> float:
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(content) >= MOMENT.size:
                seconds, nanoseconds = MOMENT.unpack_from(content)
                return float(seconds - self._clock_offset + nanoseconds / 1e9)
        return time.monotonic()

    def _add(self, inode: int, found: Dissection, address: Any, moment: float) -> None:
        link, _protocol, packet_type = address[:3]
        row = _Row(
            kind=found.kind,
            namespace=inode,
            link=link,
            direction="out" if packet_type == PACKET_OUTGOING else "in",
            size=found.size,
            length=found.length,
            time_to_live=found.time_to_live,
            tunnel=found.tunnel,
            outer_time_to_live=found.outer_time_to_live,
            source=found.source,
            destination=found.destination,
            error=found.error,
        )
        if row in self._rows or len(self._rows) < MAX_SIGHTINGS:
            self._rows.setdefault(row, {}).setdefault(found.number, moment)
        else:
            self.missed += 1

    @staticmethod
    def _sighting(row: _Row, moments: Dict[int, float]) -> Sighting:
        numbers = tuple(sorted(moments))
        times = tuple(round(moments[number], 9) for number in numbers)
        return Sighting(numbers=numbers, moments=times, **vars(row))


def open_socket(program: bytes) -> socket.socket:
    """Return a socket that sees all interfaces of the calling thread's namespace through a filter.

    Raises PermissionError without CAP_NET_RAW.
    """
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    # What comes before the filter is there is sorted out by the dissection.
    opened = socket.socket(socket.AF_PACKET, kind, socket.htons(ETH_P_ALL))
    try:
        attach_filter(opened, program)
        opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    except OSError:
        opened.close()
        raise
    return opened


def attach_filter(opened: socket.socket, program: bytes) -> None:
    """Let the kernel run a program on what a socket receives. Raises OSError."""
    buffer = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("@HP", len(program) // INSTRUCTION.size, ctypes.addressof(buffer))
    opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)


def how_to_capture() -> str:
    """Say what is missing to watch packets."""
    return how_to_enter_namespaces() if os.geteuid() != 0 else "it takes CAP_NET_RAW"
