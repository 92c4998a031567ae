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
from math import comb
from typing import List, Optional, Tuple

from ...module_utils._model.failure_rates import chance_of_more

SURE = 0.01
"""Probability below which a single node is named, once it is certain that the nodes differ."""
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
    """Nodes that fail more often than others. unclear: neither for certain.

    sizes: bytes at which that shows, smallest first."""

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


def split_nodes(
    counts: Mapping[str, Counts], significance: float, comparisons: int = 1, least: float = 0.0
) -> Optional[Split]:
    """Return which nodes fail more often than the others, None where chance may explain all of it.

    counts: by node and bytes of body. Every division of the nodes into two groups is a hypothesis; there are "n over k"
    with k nodes in the first one, and those of each k share an equal part of the significance. Of the likeliest
    division, a node counts as failing or good where it differs from the other group by itself, else as unclear.
    """
    sizes = sorted({size for one in counts.values() for size in one})
    found: List[Tuple[float, int, List[str], List[str]]] = []
    for size in sizes:
        known = {node: one[size] for node, one in counts.items() if size in one and one[size][1]}
        for failing, good in _divisions(known):
            worse, better = add([known[node] for node in failing]), add([known[node] for node in good])
            hypotheses = comb(len(known), len(failing)) * (len(known) - 1) * len(sizes) * comparisons
            chance = min(1.0, chance_of_more(*worse, *better) * hypotheses)
            if chance < significance and rate(worse) >= least:
                found.append((chance, size, failing, good))
    if not found:
        return None
    chance, size, failing, good = min(found)
    worse, better = add([counts[node][size] for node in failing]), add([counts[node][size] for node in good])
    sure_failing = [node for node in failing if chance_of_more(*counts[node][size], *better) < SURE]
    sure_good = [node for node in good if chance_of_more(*worse, *counts[node][size]) < SURE]
    shows = [one for one in sizes if _differ(counts, failing, good, one, significance)]
    return Split(
        tuple(sorted(sure_failing)),
        tuple(sorted(sure_good)),
        tuple(sorted(set(counts) - set(sure_failing) - set(sure_good))),
        tuple(sorted({*shows, size})),
        chance,
    )


def _divisions(known: Mapping[str, Count]) -> Iterator[Tuple[List[str], List[str]]]:
    """Yield the divisions in which every node of the first group fails more often than all of the second."""
    ordered = sorted(known, key=lambda node: (-rate(known[node]), node))
    for position in range(1, len(ordered)):
        if rate(known[ordered[position - 1]]) > rate(known[ordered[position]]):
            yield ordered[:position], ordered[position:]


def _differ(counts: Mapping[str, Counts], failing: List[str], good: List[str], size: int, significance: float) -> bool:
    worse, better = (add([counts[node].get(size, (0, 0)) for node in nodes]) for nodes in (failing, good))
    return rate(worse) > rate(better) and chance_of_more(*worse, *better) < significance
