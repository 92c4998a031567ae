# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The search of one path in both directions: which packets to send next, and when everything is decided.

Pure: it neither sends nor waits. A direction's path MTU is concluded only from what cannot be chance: the size arrived
and it is all that the own link can send; or it arrived, and one byte more was refused by a router's message about that
very probe, or came in fragments, or was lost so often between packets that arrived that chance is ruled out
(certainty.py). What is merely lost guides the search and decides nothing.

Sources: RFC 8899 (search without ICMP; this one sends several sizes at once), RFC 1191, RFC 8201.
"""

from __future__ import annotations

import random
from typing import List, Optional, Sequence, Tuple

from .ledger import Ledger, Task
from .patience import DECISION_FLOOR, HANDSHAKE_WAITS, HINT_FLOOR, LATE, SILENT_WAITS, Round
from .side import Side, Trial
from .sizes import FLOORS, LOWER_FLOORS
from .transport import Arrived, Asked, Event, LocalLimit, Probe, Rejected, Split, TooBig, Way

BURST = 5
"""Tries, and as many controls, that are sent at once."""
TRIES_LIMIT = 200
"""Tries of one size in one trial. With half of all packets lost some 40 suffice."""
ONE_WAY = "TCP measures the way there only"
PROOF_SIZES = (3100, 18500)
"""Bytes of answers that links of 1500 and of 9000 bytes do not take whole."""
PROOF_ROUNDS = 8
OWN_FRAGMENTS = (
    "larger answers come in fragments that the target itself seems to make: by its own link's MTU, or by a path MTU "
    "that its kernel remembers, be it right or not; a responder there (path_mtu_responder) would tell"
)


class Search(Ledger):
    """One path. Feed it events, ask for next() when all are answered or the wait is over, until that is None."""

    def __init__(self, task: Task, chance: random.Random) -> None:
        super().__init__(task)
        self.back.fragments_prove = Way.ROUND not in task.ways
        if Way.BACK not in task.ways and Way.ROUND not in task.ways:
            self.back.stuck = ONE_WAY
        self.rejected: Optional[Rejected] = None
        self.answered = False
        self.given_up: Optional[str] = None
        self._chance = chance
        self._silences = 0
        self._started = False
        self._waits_for_late = False

    @property
    def over(self) -> bool:
        """Whether both directions are decided, or cannot be, and nothing is waited for any more."""
        return self.forward.over and self.back.over and not (self._waits_for_late and self.waiting)

    def next(self) -> Optional[Round]:
        """Return what to send now; None when the search is over. What was sent before is no longer waited for.

        But for the last time: what seems to be lost may be late, and nothing is sent then.
        """
        self.waiting.clear()
        chosen = self._next()
        if chosen is not None or self._waits_for_late or not self.answered:
            return chosen
        self._waits_for_late = True
        self.waiting.update(self.late())
        return Round((), LATE) if self.waiting else None

    def _next(self) -> Optional[Round]:
        if not self._started:
            self._started = True
            return self._first()
        if not self.answered:
            return self._again()
        for side in (self.forward, self.back):
            side.decide()
        if self.over:
            return None
        return self._plan()

    def handle(self, event: Event) -> None:
        """Take in what came of a probe."""
        if isinstance(event, Arrived):
            self._arrived(event)
        elif isinstance(event, TooBig):
            self._too_big(event)
        elif isinstance(event, LocalLimit):
            self._local_limit(event)
        elif isinstance(event, Rejected):
            self.rejected = self.rejected or event
        elif isinstance(event, Asked):
            self.answered = True
        elif isinstance(event, Split):
            self.back.fragments_prove = True

    def give_up(self, reason: str) -> None:
        """End the search where it is: a bound has been reached."""
        self.given_up = reason
        for side in (self.forward, self.back):
            if not side.over:
                side.stuck = reason

    # What came

    def _arrived(self, event: Arrived) -> None:
        probe = event.probe
        way, size = probe.way, probe.size
        self.answered = True
        self._heard_of(probe.number)
        self.got[way, size] = self.got.get((way, size), 0) + 1
        for side in (self.forward, self.back):
            trial = side.trial
            if trial is not None and probe.number >= trial.first and (way, size) == (trial.way, trial.control):
                trial.arrived += 1
        if way is not Way.BACK:
            self._through(self.forward, size, event.forward_fragmented, 0)
        if way is not Way.FORWARD:
            self._through(self.back, size, event.fragment_size > 0, event.fragment_size)

    def _through(self, side: Side, size: int, fragmented: bool, fragment_size: int) -> None:
        if not fragmented:
            side.arrived(size)
            return
        side.refused(size, by_message=False)
        if fragment_size:
            side.fragments = fragment_size
            side.arrived(min(fragment_size, size - 1))

    def _too_big(self, event: TooBig) -> None:
        if event.number is not None:
            self._heard_of(event.number)
        side = self.back if event.way is Way.BACK else self.forward
        side.refused(event.size, by_message=True)
        side.named(event.size, event.mtu, event.router)

    def _local_limit(self, event: LocalLimit) -> None:
        side = self.back if event.way is Way.BACK else self.forward
        if event.way is Way.BACK:
            side.far_limit = event.mtu
        side.ceiling = max(min(side.ceiling, event.mtu), side.best)

    # What to send

    def _both(self, sizes: Sequence[int]) -> List[Probe]:
        """Return probes of each size for both directions: round trips, where they may be used."""
        ways = self.task.ways
        together = FLOORS[self.task.family] if self.task.apart else self.task.ceiling
        probes = []
        for size in sizes:
            wanted = [Way.ROUND] if Way.ROUND in ways and size <= together else [Way.FORWARD, Way.BACK]
            probes += [self._probe(way, size) for way in wanted if way in ways]
        return probes

    def _first(self) -> Round:
        ceiling, expected = self.task.ceiling, self.task.expected
        sizes = {min(FLOORS[self.task.family], ceiling), ceiling}
        if expected:
            sizes |= {size for size in (expected, expected + 1) if size <= ceiling}
        return Round(self._both(sorted(sizes)), SILENT_WAITS[0], whatever=False)

    def _again(self) -> Optional[Round]:
        """Ask a silent path again: an address may have had to be resolved on the way, or all was lost, or too big."""
        self._silences += 1
        waits = HANDSHAKE_WAITS if self.back.stuck == ONE_WAY else SILENT_WAITS
        if self._silences > len(waits):
            for side in (self.forward, self.back):
                side.stuck = side.stuck or "nothing came back"
            return None
        floor = min(FLOORS[self.task.family], self.task.ceiling)
        sizes = [floor, *(size for size in LOWER_FLOORS[self.task.family] if size < floor)]
        if self.forward.reported is not None and self.forward.reported[0] >= 68:
            sizes.append(min(self.forward.reported[0], self.task.ceiling))
        probes = self._both(sorted(set(sizes)) * 2)
        return Round(probes, waits[min(self._silences, len(waits) - 1)], whatever=False)

    def _plan(self) -> Optional[Round]:
        probes: List[Probe] = []
        floor = HINT_FLOOR
        for side, other in ((self.forward, self.back), (self.back, self.forward)):
            if not side.over:
                more, longer = self._plan_side(side, other)
                probes += more
                floor = max(floor, longer)
        if not probes:
            return self._plan_jointly()
        self._chance.shuffle(probes)
        return Round(probes, floor)

    def _plan_side(self, side: Side, other: Side) -> Tuple[List[Probe], float]:
        if not side.best and Way.ROUND not in self.task.ways and side.way in self.task.ways:
            return self._find_floor(side)
        if not side.proven:
            return self._prove(side), HINT_FLOOR
        if side.untold is not None:
            return self._walk_down(side, other, side.untold)
        missing = self._missing(side, other)
        sizes = side.gap(missing)
        if sizes and side.way is Way.FORWARD and self._first_reaction(side, sizes):
            return [self._probe(Way.ROUND, size) for size in sizes], HINT_FLOOR
        way = self._way(side, other, max(sizes) if sizes else side.best + 1)
        if way is None:
            return [], HINT_FLOOR
        if sizes:
            return self._explore(side, way, sizes), HINT_FLOOR
        if side.by_message and side.reported is not None and side.nudges < 2:
            side.nudges += 1
            return [self._probe(way, side.best + 1) for _copy in range(2)], HINT_FLOOR
        return self._decide(side, way, side.best + 1)

    def _walk_down(self, side: Side, other: Side, size: int) -> Tuple[List[Probe], float]:
        """Send packets of a size that is too big until a message says so, or it is certain that none will."""
        way = self._way(side, other, size)
        if way is None:
            side.unheard = True
            return [], HINT_FLOOR
        return self._decide(side, way, size)

    def _prove(self, side: Side) -> List[Probe]:
        """Ask for answers so large that the far end has to fragment them by itself: a router does it once more."""
        side.proofs += 1
        smaller, larger = PROOF_SIZES
        known = self.task.apart or (side.way, larger) in self.got or side.proofs > PROOF_ROUNDS
        if known or side.way not in self.task.ways or self._deaf(side):
            side.stuck = OWN_FRAGMENTS
            return []
        copies = 0 if side.proofs == 1 else 4 if self._loss(side) else 1
        return [self._probe(side.way, size) for size in [smaller] * 2 + [larger] * copies]

    def _find_floor(self, side: Side) -> Tuple[List[Probe], float]:
        """Look for a size that passes at all, where so far only the other direction has answered."""
        side.nudges += 1
        if side.nudges > len(SILENT_WAITS):
            side.stuck = "nothing arrives in this direction, whatever its size"
            return [], HINT_FLOOR
        family = self.task.family
        floors = [size for size in (FLOORS[family], *LOWER_FLOORS[family]) if size <= side.ceiling]
        return [self._probe(side.way, size) for size in floors for _copy in range(2)], SILENT_WAITS[side.nudges - 1]

    def _first_reaction(self, side: Side, sizes: Sequence[int]) -> bool:
        """Whether a router has just named a size: whole round trips of it test the way back as well."""
        mtu = side.reported[0] if side.reported is not None else 0
        if not mtu or mtu not in sizes or len(sizes) > 2 or self.task.apart:
            return False
        return Way.ROUND in self.task.ways and (Way.ROUND, mtu) not in self.sent

    def _explore(self, side: Side, way: Way, sizes: List[int]) -> List[Probe]:
        """Send sizes of which each may pass; with them one that does, as long as this way was not answered yet."""
        wanted = set(sizes)
        if way is side.way and not self._answers(way):
            asked = any(kind is way for kind, _size in self.sent)
            if not asked and side.too_big is None:
                wanted = {side.ceiling} if way is Way.BACK else wanted | {side.ceiling}
            if asked or way is Way.FORWARD:
                wanted.add(side.best)
        copies = 2 if self._loss(side) > 0.1 else 1
        return [self._probe(way, size) for size in wanted for _copy in range(copies)]

    def _decide(self, side: Side, way: Way, size: int) -> Tuple[List[Probe], float]:
        """Send the next part of a trial of a size."""
        trial = side.trial
        if trial is None or trial.size != size or trial.way is not way:
            trial = side.trial = Trial(way, size, side.best, self._number + 1)
        if trial.tries >= TRIES_LIMIT:
            side.stuck = f"too many packets are lost to say whether {trial.size} bytes pass"
            return [], HINT_FLOOR
        trial.tries += BURST
        trial.controls += BURST
        sizes = [trial.size, trial.control] * BURST
        return [self._probe(way, size) for size in sizes], DECISION_FLOOR if trial.tries > BURST else HINT_FLOOR

    def _plan_jointly(self) -> Optional[Round]:
        """Go on where the directions cannot be told apart: only what arrives counts, in both."""
        best = min(self.forward.best, self.back.best)
        limit = min(side.too_big or side.ceiling + 1 for side in (self.forward, self.back))
        lost = [size for way, size in self.sent if way is Way.ROUND and best < size < limit]
        tries = {size: count for (way, size), count in self.sent.items() if way is Way.ROUND}
        reported = self.forward.reported or self.back.reported
        known = Side(Way.ROUND, self.task.ceiling, best, limit, reported=reported, tries=tries)
        sizes = known.gap(min(lost) if lost else None)
        count = self.sent.get((Way.ROUND, best + 1), 0)
        if not sizes and count < 3 * BURST and best + 1 < limit:
            sizes = [best + 1] * BURST
        sizes = [size for size in sizes if self._may_go_round(size)]
        if not sizes:
            for side in (self.forward, self.back):
                if not side.over:
                    side.stuck = self._why_not_apart(side)
            return None
        return Round([self._probe(Way.ROUND, size) for size in sizes], HINT_FLOOR)

    def _why_not_apart(self, side: Side) -> str:
        if side.way is Way.FORWARD:
            return "larger packets get no answer, and nothing tells whether they or their answers are lost"
        return "only answers to packets that get there can be seen, and the target answers no fragmented requests"
