# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop that measures, with a transport that has room for a few packets at a time."""

from __future__ import annotations

import os
import random
import time
from collections import deque
from typing import Deque, Iterator, List, Optional, Sequence, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._probe.ledger import Task
from ansible_collections.netfit.cluster.plugins.module_utils._probe.loop import Bounds, Loop, Track
from ansible_collections.netfit.cluster.plugins.module_utils._probe.patience import LATE
from ansible_collections.netfit.cluster.plugins.module_utils._probe.search import Search
from ansible_collections.netfit.cluster.plugins.module_utils._probe.transport import Arrived, Event, Probe, Sent, Way

PATH_MTU = 1311
ROOM = 10
PAUSE = 0.06
"""Seconds until there is room again: longer than any wait for an answer on this path."""


class NarrowDoor:
    """Sends ROOM probes, then nothing for PAUSE seconds, and so on, as connections do that are used up."""

    overhead = 60
    ways: Sequence[Way] = (Way.FORWARD,)
    hears_too_big = True

    def __init__(self, descriptor: int) -> None:
        self.descriptors: Sequence[int] = (descriptor,)
        self.sent = 0
        self._waiting: Deque[Probe] = deque()
        self._answers: List[Event] = []
        self._room = ROOM
        self._reopens = 0.0

    def send(self, probes: Sequence[Probe]) -> Sent:
        """Take all, and send what there is room for."""
        self._waiting.extend(probes)
        return self._flush()

    def cost(self, probe: Probe) -> Sent:
        """One packet each."""
        return Sent(1, probe.size)

    def pending(self, path: int) -> int:
        """How many wait."""
        return len(self._waiting)

    def receive(self, moment: float) -> List[Event]:
        """Return the answers, and send more when it is time."""
        if not self._room and moment >= self._reopens:
            self._room = ROOM
        self._flush()
        answers, self._answers = self._answers, []
        return answers

    def close(self) -> None:
        """Nothing is open."""

    def _flush(self) -> Sent:
        count = min(self._room, len(self._waiting))
        for _turn in range(count):
            probe = self._waiting.popleft()
            if probe.size <= PATH_MTU:
                self._answers.append(Arrived(probe, time.monotonic()))
        if count and count == self._room:
            self._reopens = time.monotonic() + PAUSE
        self._room -= count
        self.sent += count
        return Sent(count, 1500 * count)


@pytest.fixture
def silent() -> Iterator[int]:
    """A descriptor that is never readable."""
    reading, writing = os.pipe()
    yield reading
    os.close(reading)
    os.close(writing)


@pytest.fixture
def ticking() -> Iterator[int]:
    """A descriptor that is always readable, so that the transport is asked all the time."""
    reading, writing = os.pipe()
    os.write(writing, b"x")
    yield reading
    os.close(reading)
    os.close(writing)


def test_what_waits_for_room_is_neither_lost_nor_sent_again_nor_timed(silent: int) -> None:
    door = NarrowDoor(silent)
    search = Search(Task(0, "ipv4", 1500, door.ways), random.Random(1))
    track = Track(search, door)
    Loop({0: track}, Bounds(seconds=10.0), random.Random(1)).run()
    assert (search.forward.best, search.forward.too_big) == (PATH_MTU, PATH_MTU + 1)
    assert search.counted(search.forward)[0] == 0
    assert door.sent == sum(search.sent.values()) < 100
    assert track.longest < PAUSE


class LateAnswers(NarrowDoor):
    """Answers at once, but every third probe only after that many seconds; None: never."""

    ways: Sequence[Way] = (Way.ROUND,)

    def __init__(self, descriptor: int, late: Optional[float]) -> None:
        super().__init__(descriptor)
        self._late = late
        self._later: List[Tuple[float, Event]] = []

    def send(self, probes: Sequence[Probe]) -> Sent:
        """All are sent at once."""
        for probe in probes:
            self.sent += 1
            if probe.size > PATH_MTU:
                continue
            if probe.number % 3:
                self._answers.append(Arrived(probe, time.monotonic()))
            elif self._late is not None:
                self._later.append((time.monotonic() + self._late, Arrived(probe, time.monotonic())))
        return Sent(len(probes), 1500 * len(probes))

    def receive(self, moment: float) -> List[Event]:
        """Return what has come until then."""
        answers = [*self._answers, *(event for when, event in self._later if when <= moment)]
        self._later = [entry for entry in self._later if entry[0] > moment]
        self._answers = []
        return answers


@pytest.mark.parametrize("late", [0.03, 0.4])
def test_what_is_answered_late_is_not_lost(ticking: int, late: float) -> None:
    door = LateAnswers(ticking, late)
    search = Search(Task(0, "ipv4", 1500, door.ways), random.Random(1))
    Loop({0: Track(search, door)}, Bounds(seconds=10.0), random.Random(1)).run()
    assert search.forward.best == PATH_MTU and sum(search.sent.values()) == door.sent
    assert search.counted(search.forward)[0] == search.counted(search.back)[0] == 0


def test_what_never_comes_is_lost_and_not_waited_for_twice(ticking: int) -> None:
    door = LateAnswers(ticking, None)
    search = Search(Task(0, "ipv4", 1500, door.ways), random.Random(1))
    track = Track(search, door)
    Loop({0: track}, Bounds(seconds=10.0), random.Random(1)).run()
    lost, sent = search.counted(search.forward)
    assert 0.2 < lost / sent < 0.5 and LATE < track.ended - track.started < 2 * LATE
