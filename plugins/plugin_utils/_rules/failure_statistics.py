# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts of failed requests show: arithmetic alone, and nothing that chance explains.

Counts are pairs (failed, sent). Every comparison is Fisher's exact test, one-sided, with its probability multiplied by
the number of comparisons (Bonferroni), so that among all of them chance fires more seldom than the significance says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Dict, List, Optional, Set, Tuple

from ...module_utils._model.failure_rates import chance_of_more

Count = Tuple[int, int]
Counts = Mapping[int, Count]


@dataclass(frozen=True)
class Growth:
    """Where failures begin to grow. largest_small, smallest_large: bytes of bodies. chance: after the correction."""

    largest_small: int
    smallest_large: int
    small: Count
    large: Count
    chance: float


@dataclass(frozen=True)
class Split:
    """Nodes that fail more often than others. unclear: neither. sizes: bytes at which that shows, smallest first."""

    failing: Tuple[str, ...]
    good: Tuple[str, ...]
    unclear: Tuple[str, ...]
    sizes: Tuple[int, ...]
    chance: float


def rate(count: Count) -> float:
    """Return the share that failed, 0 where nothing was sent."""
    return count[0] / count[1] if count[1] else 0.0


def add(counts: List[Count]) -> Count:
    """Return their sum."""
    return sum(failed for failed, _sent in counts), sum(sent for _failed, sent in counts)


def growth(counts: Counts, significance: float, comparisons: int = 1, least: float = 0.0) -> Optional[Growth]:
    """Return the size at which failures grow the most surely, None where chance may explain all of it.

    counts: by bytes of body. comparisons: how many services are looked at. least: rate, 0 to 1, that the larger ones
    have to reach.
    """
    sizes = sorted(size for size, (_failed, sent) in counts.items() if sent)
    found: List[Growth] = []
    for position in range(1, len(sizes)):
        small = add([counts[size] for size in sizes[:position]])
        large = add([counts[size] for size in sizes[position:]])
        chance = min(1.0, chance_of_more(*large, *small) * (len(sizes) - 1) * comparisons)
        if chance < significance and rate(large) > rate(small) and rate(large) >= least:
            found.append(Growth(sizes[position - 1], sizes[position], small, large, chance))
    return min(found, key=lambda one: (one.chance, one.smallest_large), default=None)


def _worse(known: Mapping[str, Count], least: float) -> Iterator[Tuple[Tuple[str, str], float]]:
    """Yield each node with a node that fails less often, and the chance of that difference. Many have equal counts."""
    chances: Dict[Tuple[Count, Count], float] = {}
    for node, count in known.items():
        for other, compared in known.items():
            if rate(count) > rate(compared) and rate(count) >= least:
                pair = (count, compared)
                if pair not in chances:
                    chances[pair] = chance_of_more(*count, *compared)
                yield (node, other), chances[pair]


def split_nodes(
    counts: Mapping[str, Counts], significance: float, comparisons: int = 1, least: float = 0.0
) -> Optional[Split]:
    """Return which nodes fail more often than others at the same size, None where chance may explain all of it.

    counts: by node and bytes of body. A node fails where it is surely worse than some other node; one is good where a
    node that fails is surely worse than it, at no size the other way round.
    """
    sizes = sorted({size for one in counts.values() for size in one})
    tests = max(1, len(counts) * (len(counts) - 1) * len(sizes) * comparisons)
    worse: Set[Tuple[str, str]] = set()
    showing: Set[int] = set()
    chances: List[float] = []
    for size in sizes:
        known = {node: one[size] for node, one in counts.items() if size in one and one[size][1]}
        for (node, other), chance in _worse(known, least):
            if chance * tests < significance:
                worse.add((node, other))
                showing.add(size)
                chances.append(min(1.0, chance * tests))
    if not worse:
        return None
    failing = sorted({node for node, _other in worse})
    good = sorted({other for _node, other in worse} - set(failing))
    unclear = sorted(set(counts) - set(failing) - set(good))
    return Split(tuple(failing), tuple(good), tuple(unclear), tuple(sorted(showing)), min(chances))
