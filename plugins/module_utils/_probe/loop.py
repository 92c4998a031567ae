# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One event loop for all paths of a run: it sends what the searches want, and feeds them what comes.

Everything happens in the caller's thread, whatever network namespaces the sockets belong to.
"""

from __future__ import annotations

import heapq
import random
import selectors
import time
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from .patience import Round
from .search import Search
from .transport import Arrived, Event, Probe, Transport

CHUNK = 32
"""Packets between two looks at what has arrived, so that no receive buffer runs over."""
LONGEST_SLEEP = 1.0
SHORTEN = 0.005
"""Seconds: a wait that ends so much later is set anew when something arrives; others only when they are over."""


@dataclass(frozen=True)
class Bounds:
    """What a run, and each path of it, may use at most: packets, bytes, seconds."""

    packets: int = 1000000
    octets: int = 1 << 30
    seconds: float = 60.0
    path_packets: int = 2000
    path_octets: int = 8 << 20
    path_seconds: float = 15.0


@dataclass
class Track:
    """One path while it is measured. Moments are those of the monotonic clock, round trips are in seconds."""

    search: Search
    transport: Transport
    started: float = 0.0
    ended: float = 0.0
    last: float = 0.0
    deadline: float = 0.0
    round: Optional[Round] = None
    shortest: Optional[float] = None
    longest: float = 0.0
    """Of the last round and this one only: the first answer may have waited until an address was resolved."""
    longest_now: float = 0.0
    packets: int = 0
    octets: int = 0
    received: int = 0
    sent_at: Dict[int, float] = field(default_factory=dict)


class Loop:
    """Runs the tracks, keyed by the index of their path, to their end."""

    def __init__(
        self,
        tracks: Dict[int, Track],
        bounds: Bounds,
        chance: random.Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tracks = tracks
        self._bounds = bounds
        self._chance = chance
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._transports: List[Transport] = []
        self._timers: List[Tuple[float, int]] = []
        self._running = 0
        self.packets = 0
        self.octets = 0
        self.seconds = 0.0

    def run(self) -> None:
        """Send and receive until every search is over or a bound is reached; the transports stay open."""
        self._transports = list({id(track.transport): track.transport for track in self._tracks.values()}.values())
        began = self._clock()
        try:
            for transport in self._transports:
                for descriptor in transport.descriptors:
                    self._selector.register(descriptor, selectors.EVENT_READ, transport)
            self._run()
        finally:
            self._selector.close()
            self.seconds = self._clock() - began

    def _run(self) -> None:
        began = self._clock()
        due = list(self._tracks)
        self._running = len(due)
        while self._running:
            self._chance.shuffle(due)
            self._advance(due)
            if not self._running:
                return
            now = self._clock()
            if now - began > self._bounds.seconds:
                self._stop(f"the limit of {self._bounds.seconds:g} seconds for the run is reached")
                return
            self._wait(now)
            due = self._ready()

    def _advance(self, due: Sequence[int]) -> None:
        since = 0
        used: Dict[int, Transport] = {}
        for path in due:
            track = self._tracks[path]
            if track.ended:
                continue
            since += self._step(track)
            used[id(track.transport)] = track.transport
            if since >= CHUNK:
                self._receive(list(used.values()))
                since = 0
                used = {}
        self._receive(list(used.values()))

    def _step(self, track: Track) -> int:
        """Ask a search what is next and send it; return how many packets."""
        search = track.search
        chosen = None if self._stopped(track) else search.next()
        if chosen is not None and self._too_much(track, chosen):
            search.take_back(chosen.probes)
            chosen = None
        now = self._clock()
        if chosen is None:
            self._end(track, now)
            return 0
        track.started = track.started or now
        for probe in chosen.probes:
            track.sent_at[probe.number] = now
        sent = track.transport.send(chosen.probes)
        track.packets += sent.packets
        track.octets += sent.octets
        self.packets += sent.packets
        self.octets += sent.octets
        track.round, track.last = chosen, now
        if track.transport.pending(search.task.path):
            # How long these wait for room says nothing about the path.
            track.sent_at.clear()
        if track.longest_now:
            track.longest, track.longest_now = track.longest_now, 0.0
        self._set_timer(track)
        return sent.packets

    def _end(self, track: Track, now: float) -> None:
        track.ended = now
        track.started = track.started or now
        track.sent_at.clear()
        self._running -= 1

    def _stopped(self, track: Track) -> bool:
        """Give up a search that has used what it may."""
        bounds = self._bounds
        reason = None
        if self.packets >= bounds.packets or self.octets >= bounds.octets:
            reason = f"the limit of {bounds.packets} packets or {bounds.octets} bytes for the run is reached"
        elif track.packets >= bounds.path_packets or track.octets >= bounds.path_octets:
            reason = f"the limit of {bounds.path_packets} packets or {bounds.path_octets} bytes for a path is reached"
        elif track.started and self._clock() - track.started > bounds.path_seconds:
            reason = f"the limit of {bounds.path_seconds:g} seconds for a path is reached"
        if reason is not None:
            track.search.give_up(reason)
        return reason is not None

    def _too_much(self, track: Track, chosen: Round) -> bool:
        """Give up a search whose next round could exceed what it may use, before anything of it is sent."""
        bounds = self._bounds
        costs = [track.transport.cost(probe) for probe in chosen.probes]
        packets, octets = sum(cost.packets for cost in costs), sum(cost.octets for cost in costs)
        reason = None
        if self.packets + packets > bounds.packets or self.octets + octets > bounds.octets:
            reason = f"the limit of {bounds.packets} packets or {bounds.octets} bytes for the run does not suffice"
        elif track.packets + packets > bounds.path_packets or track.octets + octets > bounds.path_octets:
            reason = (
                f"the limit of {bounds.path_packets} packets or {bounds.path_octets} bytes for a path does not suffice"
            )
        if reason is not None:
            track.search.give_up(reason)
        return reason is not None

    def _stop(self, reason: str) -> None:
        now = self._clock()
        for track in self._tracks.values():
            if not track.ended:
                track.search.give_up(reason)
                self._end(track, now)

    def _set_timer(self, track: Track) -> None:
        if track.round is None:
            return
        patience = track.round.patience(track.search.answered, max(track.longest, track.longest_now))
        track.deadline = track.last + patience
        heapq.heappush(self._timers, (track.deadline, track.search.task.path))

    def _wait(self, now: float) -> None:
        """Sleep until something arrives or the first wait is over, and take in what came."""
        pause = min(LONGEST_SLEEP, max(0.0, self._timers[0][0] - now)) if self._timers else LONGEST_SLEEP
        ready = self._selector.select(pause)
        self._receive(list({id(key.data): key.data for key, _mask in ready}.values()))

    def _receive(self, transports: Sequence[Transport]) -> None:
        for transport in transports:
            moment = self._clock()
            for event in transport.receive(moment):
                self._handle(event, moment)

    def _handle(self, event: Event, moment: float) -> None:
        path = event.probe.path if isinstance(event, Arrived) else event.path
        track = self._tracks.get(path)
        if track is None or track.ended:
            return
        if isinstance(event, Arrived):
            self._time(track, event.probe, moment)
        track.received += 1
        track.last = moment
        track.search.handle(event)
        if not track.search.waiting or track.search.over:
            track.deadline = moment
            heapq.heappush(self._timers, (moment, path))
        elif track.deadline - moment > SHORTEN:
            self._set_timer(track)

    def _time(self, track: Track, probe: Probe, moment: float) -> None:
        sent = track.sent_at.get(probe.number)
        if sent is not None:
            took = moment - sent
            track.longest_now = max(track.longest_now, took)
            track.shortest = took if track.shortest is None else min(track.shortest, took)

    def _must_wait(self, track: Track, now: float) -> bool:
        """Set the timer anew where something has arrived since it was set."""
        self._set_timer(track)
        return track.deadline > now

    def _send_waiting(self, track: Track, now: float) -> None:
        """Send what waits for room in the transport. What was not sent cannot be lost: the wait begins anew."""
        late = now - track.started > self._bounds.path_seconds
        if track.search.answered and not late and track.transport.pending(track.search.task.path):
            self._receive([track.transport])
            track.last = now

    def _ready(self) -> List[int]:
        """Return the paths whose wait is over: nothing has come for long enough, or everything has."""
        now = self._clock()
        due: List[int] = []
        while self._timers and self._timers[0][0] <= now:
            moment, path = heapq.heappop(self._timers)
            track = self._tracks[path]
            if track.ended or moment != track.deadline:
                continue
            self._send_waiting(track, now)
            if track.search.waiting and not track.search.over and self._must_wait(track, now):
                continue
            track.deadline = 0.0
            due.append(path)
        return due
