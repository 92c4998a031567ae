# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Measures the paths to open TCP ports, many at once, from the network namespace that the thread is in."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence

from .tcp_connection import Connection
from .tcp_search import SizeSearch
from .tcp_transport import Address, TcpTarget, TcpTransport
from .transport import Arrived, Event, LocalLimit, Probe, Rejected, Target, TooBig, Way

FLOOR: Dict[int, int] = {socket.AF_INET: 576, socket.AF_INET6: 1280}
"""Bytes that every link carries: RFC 791 (3.1: what a host must accept), RFC 8200 (5)."""
HEADERS: Dict[int, int] = {socket.AF_INET: 40, socket.AF_INET6: 60}
"""Bytes of the headers without options: an MSS is a packet's size less these (RFC 6691)."""
DEFAULT_MSS: Dict[int, int] = {socket.AF_INET: 536, socket.AF_INET6: 1220}
"""Without an option (RFC 9293, 3.7.1)."""
WAIT = 0.04
"""Seconds that a round waits at least for what is late, besides four round trips."""

WAIT_IN_SILENCE = 0.7
"""Seconds: a far end whose accept queue is full repeats its SYN-ACK after one second, which is worth seeing."""
LONG = 0.25
"""Seconds: a long round trip."""


@dataclass(frozen=True)
class Bounds:
    """connections: at once for one target. packets: segments for one target. handshake, total: seconds."""

    connections: int = 4
    packets: int = 300
    handshake: float = 5.0
    total: float = 15.0


@dataclass
class Aim:
    """A target: where, the MTU of the link to it, and the sizes that are of interest beforehand."""

    address: Address
    link_mtu: int
    sizes: Sequence[int] = ()

    @property
    def target(self) -> Target:
        """As transports take it."""
        return Target(str(self.address[0]), self.link_mtu, int(str(self.address[1])))


@dataclass
class Run:
    """What became of a target.

    reason: why it could not be had. offered: bytes of the largest packet that the link and the advertised MSS allow.
    rejection: an ICMP message that said that it cannot be had. open_probes: of the round, by number; rounds: in which
    round each was sent. decided: when the last round began, on the monotonic clock.
    """

    target: TcpTarget
    aim: Aim
    search: Optional[SizeSearch] = None
    advertised_mss: Optional[int] = None
    offered: int = 0
    reason: Optional[str] = None
    rejection: Optional[str] = None
    open_probes: Dict[int, Probe] = field(default_factory=dict)
    rounds: Dict[int, int] = field(default_factory=dict)
    due: float = 0.0
    first_sent: Optional[float] = None
    decided: float = 0.0

    @property
    def connection(self) -> Optional[Connection]:
        """The first whose handshake was complete; its TCP_INFO is the last that was read."""
        return self.target.first

    @property
    def repeats(self) -> int:
        """SYN-ACKs that came again on connections that were complete for us: the far end was not ready for them."""
        return sum(one.handshake_repeats for one in self.target.connections) + self.target.repeats

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.search is None or self.search.end is not None


def measure(family: int, aims: Sequence[Aim], bounds: Bounds) -> List[Run]:
    """Measure all targets of one family at once. Raises PermissionError without CAP_NET_RAW."""
    targets = {path: aim.target for path, aim in enumerate(aims)}
    transport = TcpTransport(family, targets, bounds.connections)
    try:
        loop = _Loop(transport, family, aims, bounds)
        loop.work()
        return loop.runs
    finally:
        transport.close()


class _Loop:
    """The rounds of all paths, each with a clock of its own."""

    def __init__(self, transport: TcpTransport, family: int, aims: Sequence[Aim], bounds: Bounds) -> None:
        self._transport = transport
        self._family = family
        self._bounds = bounds
        self._numbers = 0
        self.runs = [Run(target, aim) for target, aim in zip(transport.targets.values(), aims)]

    def work(self) -> None:
        """Connect, then send rounds until every search has ended or time is up."""
        start = time.monotonic()
        self._transport.open(start + self._bounds.handshake)
        for run in self.runs:
            self._begin(run)
        deadline = start + self._bounds.total
        waiting = select.poll()
        for descriptor in self._transport.descriptors:
            waiting.register(descriptor, select.POLLIN)
        moment = time.monotonic()
        while moment < deadline:
            self._advance(moment)
            active = [run.due for run in self.runs if not run.finished]
            if not active:
                break
            waiting.poll(max(1, int((min([*active, deadline]) - time.monotonic()) * 1000) + 1))
            moment = time.monotonic()
            for event in self._transport.receive(moment):
                self._take(event)
        for run in self.runs:
            if run.connection is not None:
                run.connection.read_info()
            if not run.finished:
                run.reason = f"not decided within {self._bounds.total:g} seconds"

    def _begin(self, run: Run) -> None:
        """Make the search, now that the advertised MSS is known."""
        run.reason = run.target.reason
        connection = run.target.first
        if connection is None or connection.handshake is None:
            return
        run.advertised_mss = connection.handshake.mss
        told = run.advertised_mss or DEFAULT_MSS[self._family]
        run.offered = min(run.aim.link_mtu, told + HEADERS[self._family])
        sizes = [*run.aim.sizes, run.offered, run.offered + 1]
        floor = max(connection.smallest, min(FLOOR[self._family], run.offered))
        run.search = SizeSearch(floor, run.aim.link_mtu, sizes, self._bounds.packets)

    def _advance(self, moment: float) -> None:
        """Send the next round of every path that has nothing to wait for."""
        probes: List[Probe] = []
        for path, run in enumerate(self.runs):
            if run.search is None or run.finished:
                continue
            if self._transport.pending(path) and run.rejection is None:
                run.due = moment + self._wait(run)
            elif not run.open_probes or moment >= run.due:
                probes += self._next_round(path, run, run.search, moment)
        if probes:
            self._transport.send(probes)

    def _next_round(self, path: int, run: Run, search: SizeSearch, moment: float) -> List[Probe]:
        probes = []
        for size in search.next_round():
            self._numbers += 1
            probes.append(Probe(path, Way.FORWARD, size, self._numbers))
            run.rounds[self._numbers] = search.rounds
        run.open_probes = {probe.number: probe for probe in probes}
        run.due = moment + self._wait(run)
        run.decided = moment
        if run.first_sent is None:
            run.first_sent = moment
        return probes

    def _wait(self, run: Run) -> float:
        slowest = run.target.slowest
        if slowest is None:
            info = run.connection.info if run.connection else None
            # With a repeated SYN the kernel's first estimate may contain the second that it waited.
            slowest = 0.0 if info is None else min(info.round_trip_ms / 1000, LONG if info.retransmits else 10.0)
        if run.search is not None and not run.search.best and run.search.rounds > 1:
            return WAIT_IN_SILENCE + 4 * slowest
        return WAIT + 4 * slowest

    def _take(self, event: Event) -> None:
        if isinstance(event, Arrived):
            self._arrived(self.runs[event.probe.path], event.probe)
        elif isinstance(event, (TooBig, LocalLimit)):
            self._settle(self.runs[event.path], event.size, event)
        elif isinstance(event, Rejected):
            self.runs[event.path].rejection = event.reason + (f", says {event.router}" if event.router else "")

    def _arrived(self, run: Run, probe: Probe) -> None:
        if run.search is not None:
            run.search.arrive(probe.size, run.rounds[probe.number])
            run.open_probes.pop(probe.number, None)

    def _settle(self, run: Run, size: int, event: Event) -> None:
        """All segments of a size that somebody calls too big are answered."""
        if run.search is None:
            return
        if isinstance(event, TooBig):
            run.search.report(size, event.mtu, event.router)
        else:
            run.search.refuse(size)
        run.open_probes = {number: probe for number, probe in run.open_probes.items() if probe.size != size}
