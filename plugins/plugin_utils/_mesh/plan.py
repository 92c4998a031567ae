# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who probes whom: a function of names and zones alone, so that every slice, batch or pull run makes the same plan."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import combinations
from typing import AbstractSet, Dict, Iterable, List, Optional, Sequence, Set, Tuple

FULL_MESH_LIMIT = 30
"""Nodes up to which each pair is probed: 435 pairs, 15 for each node."""


@dataclass(frozen=True)
class Node:
    """Somebody who can be probed. zone: for people's own division of their network; None where there is none.

    answers_only: known by its address alone, it cannot be asked to probe.
    """

    name: str
    zone: Optional[str] = None
    answers_only: bool = False


@dataclass(frozen=True)
class Pair:
    """Two nodes between which the path is measured, in both directions at once, by the prober."""

    prober: str
    peer: str

    @property
    def ends(self) -> AbstractSet[str]:
        """Both names, in no order."""
        return frozenset((self.prober, self.peer))

    @property
    def reversed(self) -> Pair:
        """The same path, measured from its other end."""
        return Pair(self.peer, self.prober)


def plan(nodes: Iterable[Node]) -> List[Pair]:
    """Return the pairs, each once, by prober and peer. Two nodes of one name count once.

    Up to FULL_MESH_LIMIT nodes everybody meets everybody. Beyond that each node meets those that are 1, 2, 4, 8 ...
    places after it in the sorted ring of names, so that any two are at most about log2 n steps apart and every node
    probes as many as any other; and of each two zones one pair meets.
    """
    known = {node.name: node for node in nodes}
    names = sorted(known)
    if len(names) <= FULL_MESH_LIMIT:
        chosen = _ring_pairs(names, range(1, len(names)))
    else:
        chosen = _ring_pairs(names, _powers_below(len(names)))
        chosen = _with_zones(chosen, known, names)
    pairs = [_by_who_can(pair, known) for pair in chosen]
    return sorted((pair for pair in pairs if pair is not None), key=lambda pair: (pair.prober, pair.peer))


def rows(pairs: Iterable[Pair], probers: AbstractSet[str]) -> List[Pair]:
    """Return what those who take part in this run have to measure.

    A pair whose prober does not take part is measured from its other end, so that a slice sees all paths of its own
    hosts; what all slices measure together is the whole plan.
    """
    found = []
    for pair in pairs:
        if pair.prober in probers:
            found.append(pair)
        elif pair.peer in probers:
            found.append(pair.reversed)
    return found


def _powers_below(limit: int) -> List[int]:
    return [1 << exponent for exponent in range(limit.bit_length()) if 1 << exponent < limit]


def _ring_pairs(names: Sequence[str], distances: Iterable[int]) -> List[Pair]:
    """Each node probes those that many places further on; of two on opposite sides of the ring, every other one."""
    size = len(names)
    found: Dict[AbstractSet[str], Pair] = {}
    for distance in distances:
        for place, name in enumerate(names):
            pair = Pair(name, names[(place + distance) % size])
            backwards = 2 * distance == size and (place + (place >= distance)) % 2 == 1
            found.setdefault(pair.ends, pair.reversed if backwards else pair)
    return list(found.values())


def _with_zones(chosen: List[Pair], known: Dict[str, Node], names: Sequence[str]) -> List[Pair]:
    """Add a pair for each two zones that share none yet."""
    members: Dict[str, List[str]] = {}
    for name in names:
        zone = known[name].zone
        if zone is not None:
            members.setdefault(zone, []).append(name)
    met: Set[Tuple[Optional[str], Optional[str]]] = set()
    for pair in chosen:
        zones = known[pair.prober].zone, known[pair.peer].zone
        met |= {zones, zones[::-1]}
    added = [
        Pair(_chosen(members[one], one, other), _chosen(members[other], one, other))
        for one, other in combinations(sorted(members), 2)
        if (one, other) not in met
    ]
    return chosen + [pair if _number(*sorted(pair.ends)) % 2 else pair.reversed for pair in added]


def _chosen(names: Sequence[str], one: str, other: str) -> str:
    """The one of a zone that speaks for it to the other zone: another for each other zone, so that the work spreads."""
    return min(names, key=lambda name: (_number(one, other, name), name))


def _number(*words: str) -> int:
    digest = hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


def _by_who_can(pair: Pair, known: Dict[str, Node]) -> Optional[Pair]:
    """Turn a pair towards the end that can probe; None where neither can."""
    if not known[pair.prober].answers_only:
        return pair
    return None if known[pair.peer].answers_only else pair.reversed
