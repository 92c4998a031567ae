# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What was sent on a path and what of it arrived: how to test a size, what is missing, how much is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Sequence, Tuple

from .side import Side
from .sizes import FLOORS
from .transport import Probe, Way

DEAF_AFTER = 8
"""Packets of a size that passes: a way of asking that answers none of them is not answered at all."""


@dataclass(frozen=True)
class Task:
    """What is to be searched. ceiling: MTU of the own link. ways: those that the transport has."""

    path: int
    family: str
    ceiling: int
    ways: Sequence[Way]
    expected: Optional[int] = None
    hears_too_big: bool = True
    """Whether a router's message about the way there would be heard."""
    apart: bool = False
    """Whether round trips of more than the floor are left out: they could make the own kernel learn."""


class Ledger:
    """The books of one path. waiting: by number, what may still be answered. sent, got: packets of a way and size."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.forward = Side(Way.FORWARD, task.ceiling)
        self.back = Side(Way.BACK, task.ceiling)
        self.waiting: Dict[int, Probe] = {}
        self.sent: Dict[Tuple[Way, int], int] = {}
        self.got: Dict[Tuple[Way, int], int] = {}
        self._unanswered: Dict[int, Probe] = {}
        self._number = 0

    def _probe(self, way: Way, size: int) -> Probe:
        self._number += 1
        probe = Probe(self.task.path, way, size, self._number)
        self.waiting[self._number] = self._unanswered[self._number] = probe
        self.sent[way, size] = self.sent.get((way, size), 0) + 1
        for side in (self.forward, self.back):
            if way in (side.way, Way.ROUND):
                side.tries[size] = side.tries.get(size, 0) + 1
        return probe

    def _heard_of(self, number: int) -> None:
        self.waiting.pop(number, None)
        self._unanswered.pop(number, None)

    def late(self) -> Dict[int, Probe]:
        """Return by number what is missing of sizes that pass, asked for in ways that get answers."""
        limits = {
            Way.FORWARD: self.forward.best,
            Way.BACK: self.back.best,
            Way.ROUND: min(self.forward.best, self.back.best),
        }
        missing = self._unanswered.items()
        return {
            number: probe for number, probe in missing if probe.size <= limits[probe.way] and self._answers(probe.way)
        }

    def take_back(self, probes: Sequence[Probe]) -> None:
        """Forget probes that are not sent."""
        for probe in probes:
            self._heard_of(probe.number)
            self.sent[probe.way, probe.size] -= 1
            for side in (self.forward, self.back):
                if probe.way in (side.way, Way.ROUND):
                    side.tries[probe.size] -= 1

    def _way(self, side: Side, other: Side, size: int) -> Optional[Way]:
        """Return how to test a size in one direction alone; None where nothing would tell."""
        alone = side.way in self.task.ways and not self._deaf(side)
        together = self._may_go_round(size) and other.best >= size
        if side.way is Way.BACK and together:
            return Way.ROUND
        if alone:
            return side.way
        return Way.ROUND if together else None

    def _may_go_round(self, size: int) -> bool:
        return Way.ROUND in self.task.ways and not (self.task.apart and size > FLOORS[self.task.family])

    def _deaf(self, side: Side) -> bool:
        asked = sum(count for (way, size), count in self.sent.items() if way is side.way and size <= side.best)
        return asked >= DEAF_AFTER and not self._answers(side.way)

    def _answers(self, way: Way) -> bool:
        return any(kind is way for kind, _size in self.got)

    def _missing(self, side: Side, other: Side) -> Optional[int]:
        """Return the smallest size above best that was sent and of which nothing was heard.

        A round trip tells something about this direction where the other one is known to carry the size; as long as
        nothing was asked in this direction alone, also where it is not known to be too big for the other one.
        """
        limit = other.best if self._answers(side.way) else (other.too_big or side.ceiling + 1) - 1
        missing = [
            size
            for way, size in self.sent
            if size > side.best and (way is side.way or (way is Way.ROUND and size <= limit))
        ]
        return min(missing) if missing else None

    def counted(self, side: Side) -> Tuple[int, int]:
        """Return how many packets of sizes that pass were lost, and how many were sent."""
        other = self.back if side is self.forward else self.forward
        limits = {side.way: side.best, Way.ROUND: min(side.best, other.best)}
        passing = [(way, size) for way, size in self.sent if size <= limits.get(way, 0)]
        sent = sum(self.sent[key] for key in passing)
        return max(0, sent - sum(self.got.get(key, 0) for key in passing)), sent

    def _loss(self, side: Side) -> float:
        lost, sent = self.counted(side)
        return lost / sent if sent else 0.0
