# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Probes as single TCP segments to open ports: only the way forward, and no trace in either kernel.

See tcp_connection for how. A connection carries a bounded number of segments; then it is reset and another one takes
its place, so that no target ever has more than a few of them.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Deque, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from .raw_sockets import RawSockets
from .segment import Complaint, IcmpError, smallest_size
from .tcp_connection import NO_ANSWER, Connection, Outstanding, State
from .transport import Arrived, Event, LocalLimit, Probe, Rejected, Sent, Target, TooBig, Way

Address = Tuple[object, ...]
HURRY_EVERY = 8
"""Segments, between two that make the far end acknowledge at once. Linux then does so for up to 16."""
GRACE = 0.2
"""Seconds that a used up connection is kept at least for what may still be acknowledged; and four round trips."""
CONNECTIONS_AT_MOST = 64
"""In total for one target."""
HANDSHAKE_BYTES: Dict[int, int] = {socket.AF_INET: 60 + 52, socket.AF_INET6: 80 + 72}
"""Of the IP packets of a SYN and of the ACK after it, with the options that Linux sends."""
RESET_BYTES: Dict[int, int] = {socket.AF_INET: 40, socket.AF_INET6: 60}


@dataclass
class TcpTarget:
    """One target of the transport, and what is known about it. size: of the largest segments to expect, bytes.

    first: the first connection whose handshake succeeded. repeats: SYN-ACKs that came again, on connections that are
    closed. opened: connections. round_trips: seconds, the shortest for each size; slowest: the longest of all.
    """

    address: Address
    size: int
    connections: List[Connection] = field(default_factory=list)
    waiting: Deque[Probe] = field(default_factory=deque)
    first: Optional[Connection] = None
    reason: Optional[str] = None
    repeats: int = 0
    opened: int = 0
    round_trips: Dict[int, float] = field(default_factory=dict)
    slowest: Optional[float] = None
    packets: int = 0
    octets: int = 0

    def ready(self) -> Iterator[Connection]:
        """Yield the connections that segments can be sent on."""
        return (one for one in self.connections if one.state is State.READY)

    @property
    def connecting(self) -> bool:
        """Whether a handshake is under way."""
        return any(one.state is State.CONNECTING for one in self.connections)


class TcpTransport:
    """A Transport (see transport.py) for TCP ports of one family."""

    ways: Sequence[Way] = (Way.FORWARD,)
    hears_too_big = True

    def __init__(self, family: int, targets: Mapping[int, Target], connections: int = 4) -> None:
        """Open the raw sockets in the thread's network namespace. targets: by path.

        connections: at once for each target. Raises PermissionError without CAP_NET_RAW.
        """
        self.family = family
        self.overhead = smallest_size(family, timestamps=True)
        self.targets = {path: TcpTarget(_address(target), target.link_mtu) for path, target in targets.items()}
        self._connections = connections
        self._raw = RawSockets(family)
        self.descriptors: Sequence[int] = self._raw.descriptors
        self._by_port: Dict[int, Tuple[int, Connection]] = {}
        self._events: List[Event] = []
        # A thread stays in the network namespace that it was made in; the one which sends may be in another.
        self._maker = ThreadPoolExecutor(max_workers=1)
        self._maker.submit(int).result()

    def open(self, deadline: float) -> List[Event]:
        """Make the first connection to each target; return Rejected for those where that failed.

        deadline: of the monotonic clock.
        """
        events: List[Event] = []
        self._begin(list(self.targets))
        waiting = select.poll()
        for descriptor in self.descriptors:
            waiting.register(descriptor, select.POLLIN)
        while any(target.first is None and target.reason is None for target in self.targets.values()):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            waiting.poll(min(left, 0.05) * 1000)
            events += self.receive(time.monotonic())
        for path, target in self.targets.items():
            if target.first is None and target.reason is None:
                target.reason = NO_ANSWER
                events.append(Rejected(path, target.reason, None, time.monotonic()))
        return events

    def send(self, probes: Sequence[Probe]) -> Sent:
        """Send probes in this order; those for which no connection has room wait until one has."""
        packets, octets = self._totals()
        wanted: List[int] = []
        for path in dict.fromkeys(probe.path for probe in probes):
            self.targets[path].waiting.extend(probe for probe in probes if probe.path == path)
            self._flush(path)
            wanted += self._more(path)
        self._begin(wanted)
        after, octets_after = self._totals()
        return Sent(after - packets, octets_after - octets)

    def cost(self, probe: Probe) -> Sent:
        """See Transport. As much again for handshakes, resets and the segments that hurry the far end."""
        return Sent(2, probe.size + HANDSHAKE_BYTES[self.family])

    def pending(self, path: int) -> int:
        """Return how many probes of a path wait for a connection; 0 where none can be had any more."""
        target = self.targets[path]
        exhausted = target.opened >= CONNECTIONS_AT_MOST and not target.connecting
        return 0 if exhausted or target.reason is not None else len(target.waiting)

    def _totals(self) -> Tuple[int, int]:
        targets = self.targets.values()
        return sum(one.packets for one in targets), sum(one.octets for one in targets)

    def _flush(self, path: int) -> None:
        """Send what waits, as far as connections have room."""
        target = self.targets[path]
        used: Dict[int, Tuple[Connection, int]] = {}
        while target.waiting:
            connection = next((one for one in target.ready() if one.room_for(target.waiting[0].size)), None)
            if connection is None:
                break
            count = used.get(connection.port, (connection, 0))[1]
            if count % HURRY_EVERY == 0:
                self._hurry(target, connection)
            used[connection.port] = connection, count + 1
            if not self._send_one(target, connection, target.waiting.popleft()):
                break
        for connection, _count in used.values():
            self._hurry(target, connection)

    def _hurry(self, target: TcpTarget, connection: Connection) -> None:
        packet = connection.hurry(time.monotonic())
        if packet is not None:
            with suppress(OSError):
                self._raw.send(packet, target.address)
                target.packets += 1
                target.octets += len(packet)

    def _send_one(self, target: TcpTarget, connection: Connection, probe: Probe) -> bool:
        """Send a probe; False when the socket's buffer is full, and it waits again."""
        packet, place = connection.prepare(probe, time.monotonic())
        try:
            self._raw.send(packet, target.address)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                self._events.append(LocalLimit(probe.path, Way.FORWARD, probe.size, target.size))
            elif error.errno in (errno.EAGAIN, errno.ENOBUFS):
                target.waiting.appendleft(probe)
                return False
            else:
                self._events.append(Rejected(probe.path, f"cannot send: {error.strerror}", None, place.moment))
            return True
        connection.enter(place)
        target.packets += 1
        target.octets += len(packet)
        return True

    def _more(self, path: int) -> List[int]:
        """Return the path where one more connection should be begun now, after used up ones made place for it."""
        target = self.targets[path]
        room = sum(1 for one in target.ready() if one.room_for(target.size))
        if target.reason is not None or target.connecting or target.opened >= CONNECTIONS_AT_MOST:
            return []
        if not target.waiting and (room or not target.opened):
            return []
        self._retire(target)
        return [path] if len(target.connections) < self._connections else []

    def _retire(self, target: TcpTarget) -> None:
        """Close connections that are used up and from which nothing is to be expected any more."""
        grace = max(GRACE, 4 * (target.slowest or 0.0))
        for connection in list(target.connections):
            silent = time.monotonic() - connection.last_sent > grace
            failed = connection.state is State.FAILED
            used_up = connection.state is State.READY and connection.sent > 0 and not connection.room_for(target.size)
            if failed or (used_up and (silent or not connection.outstanding)):
                self._close(target, connection)

    def _close(self, target: TcpTarget, connection: Connection) -> None:
        if connection.state is State.READY:
            target.packets += 1
            target.octets += RESET_BYTES[self.family]
        self._by_port.pop(connection.port, None)
        target.connections.remove(connection)
        target.repeats += connection.handshake_repeats
        if connection is target.first:
            connection.read_info()
        connection.close()

    def _begin(self, wanted: Sequence[int]) -> None:
        """Begin connections; the raw socket knows all their ports before the first SYN leaves."""
        begun: List[Tuple[int, Connection]] = []
        for path, target in [(path, self.targets[path]) for path in wanted]:
            try:
                connection = self._maker.submit(Connection, self.family, target.address).result()
            except OSError as error:
                target.reason = f"cannot open a socket: {error.strerror}"
                self._events.append(Rejected(path, target.reason, None, time.monotonic()))
                continue
            target.connections.append(connection)
            target.opened += 1
            self._by_port[connection.port] = (path, connection)
            begun.append((path, connection))
        if begun:
            self._raw.watch(list(self._by_port))
        for path, connection in begun:
            connection.begin()
            self.targets[path].packets += 2
            self.targets[path].octets += HANDSHAKE_BYTES[self.family]

    def receive(self, moment: float) -> List[Event]:
        """Return what came; send what waited for it."""
        events: List[Event] = []
        for sender, segment in self._raw.segments():
            path, connection = self._by_port.get(segment.target_port, (-1, None))
            if connection is None or connection.flow.target not in (sender, b""):
                continue
            if segment.source_port == connection.flow.target_port:
                events += self._arrived(path, connection.take_in(segment, moment), moment)
        for router, error in self._raw.errors():
            events += self._complaint(router, error, moment)
        for path in self.targets:
            self._look_after(path, moment)
        events += self._events
        self._events = []
        return events

    def _arrived(self, path: int, places: Sequence[Outstanding], moment: float) -> Iterator[Event]:
        target = self.targets[path]
        for place in places:
            took = moment - place.moment
            target.round_trips[place.probe.size] = min(took, target.round_trips.get(place.probe.size, took))
            target.slowest = max(took, target.slowest or 0.0)
            yield Arrived(place.probe, moment)

    def _complaint(self, router: str, error: IcmpError, moment: float) -> Iterator[Event]:
        """An error counts only when it quotes a segment that we sent: its ports, its sequence number."""
        path, connection = self._by_port.get(error.flow.source_port, (-1, None))
        if connection is None or error.flow != connection.flow:
            return
        for place in connection.outstanding:
            if place.begin % (1 << 32) != error.sequence:
                continue
            if error.complaint is Complaint.TOO_BIG:
                yield TooBig(path, Way.FORWARD, place.probe.size, error.mtu, router, moment, place.probe.number)
            elif error.complaint is Complaint.UNREACHABLE:
                yield Rejected(path, f"unreachable (ICMP code {error.code})", router, moment)

    def _look_after(self, path: int, moment: float) -> None:
        target = self.targets[path]
        for connection in target.connections:
            connection.check()
            if connection.state is State.READY and target.first is None:
                target.first = connection
            if connection.state is State.FAILED and target.first is None and target.reason is None:
                target.reason = connection.reason
                self._events.append(Rejected(path, connection.reason or "failed", None, moment))
        if target.waiting:
            self._flush(path)
            self._begin(self._more(path))

    def close(self) -> None:
        """Reset all connections and close all sockets."""
        self._maker.shutdown()
        for target in self.targets.values():
            for connection in list(target.connections):
                with suppress(OSError):
                    self._close(target, connection)
        self._raw.close()


def _address(target: Target) -> Address:
    """Return what connect() takes."""
    return (target.address, target.port or 0, 0, 0) if ":" in target.address else (target.address, target.port or 0)
