# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which sizes of single segments to send next, and what may be concluded: pure.

"Size s does not pass" is concluded only from an ICMP message about a segment of ours that names m with m itself seen to
arrive, or when s was tried so often in vain, turn about with a size that passes, that chance is ruled out: if both
sizes were lost with the same probability, that k controls of c and none of n tries arrive has at most the probability
C(c, k) / C(c + n, k) (Fisher's exact test), which must be below DOUBT.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from math import factorial
from typing import Counter as CounterType
from typing import Dict, Iterable, List, Optional, Sequence, Set, Tuple

DOUBT = 1e-5
TRIES = 10
"""Of the first size that seems not to pass, and of its control, at first: 1 / C(20, 10) is below DOUBT."""
CONTROL_TRIES_AT_MOST = 60
SPREAD = 20
"""Sizes of one round."""
STEPS_BELOW_LINK = (20, 28, 30, 40, 50, 58, 60, 70, 80, 100)
"""Bytes that tunnels and their like take: IPIP, GRE, VXLAN and Geneve over IPv4 and IPv6, WireGuard ..."""
SILENT_ROUNDS = 4


class End(Enum):
    """Why a search ended."""

    LINK = "the link's own MTU arrived"
    REPORTED = "an ICMP message named the limit, and it arrived"
    SILENT = "the next larger size was lost too often for chance"
    NOTHING = "nothing arrived"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Report:
    """What an ICMP message said about segments of one size. router: None where only the kernel saw the message."""

    mtu: int
    router: Optional[str]


def chance(control_arrived: int, controls: int, tries: int) -> float:
    """Return the probability that no try arrives, given how many of all did, if sizes made no difference.

    >>> chance(10, 10, 10) < 1e-5 < chance(9, 9, 9)
    True
    """
    if control_arrived == 0:
        return 1.0
    return _combinations(controls, control_arrived) / _combinations(controls + tries, control_arrived)


def _combinations(total: int, chosen: int) -> int:
    return factorial(total) // (factorial(chosen) * factorial(total - chosen))


class SizeSearch:
    """The state of one path's search."""

    def __init__(self, floor: int, link_mtu: int, first: Iterable[int], packets: int) -> None:
        """floor: bytes of a size that any path carries. first: sizes to begin with. packets: how many to send at most.

        All sizes are those of IP packets in bytes.
        """
        self.floor = min(floor, link_mtu)
        self.link_mtu = link_mtu
        self.sent: CounterType[int] = Counter()
        self.arrived: CounterType[int] = Counter()
        self.reports: Dict[int, Report] = {}
        self.refused: Set[int] = set()
        self.end: Optional[End] = None
        self._first = sorted({size for size in first if self.floor <= size <= link_mtu} | {link_mtu})
        self._left = packets
        self._rounds = 0
        self._paired_since: Dict[int, int] = {}
        self._controls: CounterType[int] = Counter()
        self._controls_arrived: CounterType[int] = Counter()

    @property
    def best(self) -> int:
        """Bytes of the largest size that arrived; 0 for none."""
        return max((size for size, count in self.arrived.items() if count), default=0)

    @property
    def named(self) -> Optional[Report]:
        """The smallest limit that an ICMP message named and that nothing which arrived contradicts."""
        fitting = [one for size, one in self.reports.items() if self.best <= one.mtu < size]
        return min(fitting, key=lambda one: one.mtu, default=None)

    @property
    def doubt(self) -> float:
        """The probability that a size which passes was taken for one that doesn't."""
        if self.end in (End.LINK, End.REPORTED):
            return 0.0
        return self._chance(self.best) if self.best else 1.0

    @property
    def rounds(self) -> int:
        """How many there were: the number of the current one."""
        return self._rounds

    def arrive(self, size: int, in_round: int) -> None:
        """Note that a segment of that size arrived, which was sent in that round."""
        self.arrived[size] += 1
        if in_round >= self._paired_since.get(size, in_round + 1):
            self._controls_arrived[size] += 1

    def report(self, size: int, mtu: int, router: Optional[str]) -> None:
        """Note an ICMP message about a segment of that size."""
        self.reports[size] = Report(mtu, router)

    def refuse(self, size: int) -> None:
        """Note that this host cannot send that size."""
        self.refused.add(size)
        self.link_mtu = min(self.link_mtu, size - 1)

    def next_round(self) -> List[int]:
        """Return the sizes to send now, in this order; nothing when the search has ended."""
        if self.end is None:
            self.end = self._ended()
        if self.end is not None:
            return []
        sizes = self._sizes()
        if len(sizes) > self._left:
            sizes = []
            self.end = End.UNDECIDED if self.best else End.NOTHING
        self._left -= len(sizes)
        self._rounds += 1
        self.sent.update(sizes)
        return sizes

    def _ended(self) -> Optional[End]:
        if self.best and self.best >= self.link_mtu:
            return End.LINK
        if not self.best:
            return End.NOTHING if self._rounds >= SILENT_ROUNDS else None
        if self.named is not None and self.named.mtu == self.best:
            return End.REPORTED
        if self._chance(self.best) < DOUBT:
            return End.SILENT
        return End.UNDECIDED if self._controls[self.best] >= CONTROL_TRIES_AT_MOST else None

    def _sizes(self) -> List[int]:
        best = self.best
        if self._rounds == 0:
            return [self.floor, *self._first]
        if not best:
            return [self.floor, self.floor]
        named = self.named
        if named is not None and named.mtu > best and self.sent[named.mtu] < TRIES:
            return [named.mtu, named.mtu, best]
        above = self._suspect()
        if above == best + 1:
            return self._pair_up(best)
        return [best, *self._between(best, above)]

    def _suspect(self) -> int:
        """Return the smallest size above all that arrived and of those that were sent; else that above the link."""
        return min((size for size in self.sent if size > self.best), default=self.link_mtu + 1)

    def _between(self, best: int, above: int) -> List[int]:
        """Return sizes in the gap: those that tunnels leave, with their successors, or evenly spread ones."""
        gap = above - best - 1
        if gap <= SPREAD:
            return list(range(best + 1, above))
        steps = (
            {self.link_mtu - step + more for step in STEPS_BELOW_LINK for more in (0, 1)}
            if self._rounds == 1
            else set()
        )
        known = sorted(size for size in steps if best < size < above)
        count = max(4, SPREAD - len(known))
        even = {best + 1 + gap * place // count for place in range(count)}
        return sorted(even | set(known))

    def _pair_up(self, best: int) -> List[int]:
        """Return tries and controls, turn about; a control is the size that passes.

        What arrived of that size before does not count: only controls among the tries share their luck.
        """
        count = TRIES // 2 if best in self._paired_since else TRIES
        self._paired_since.setdefault(best, self._rounds + 1)
        self._controls[best] += count
        return [best + 1, best] * count

    def _chance(self, best: int) -> float:
        """As many controls as tries were sent; tries from before that are left out."""
        count = self._controls[best]
        return chance(self._controls_arrived[best], count, count) if count else 1.0


def outcomes(search: SizeSearch) -> Sequence[Tuple[int, str, Optional[Report]]]:
    """Return what came of each size that was sent: its outcome in the words of _model.path.Segment."""
    found: List[Tuple[int, str, Optional[Report]]] = []
    for size in sorted(search.sent):
        report = search.reports.get(size)
        if search.arrived[size]:
            found.append((size, "arrived", None))
        elif size in search.refused:
            found.append((size, "refused", None))
        else:
            found.append((size, "too big" if report else "lost", report))
    return found
