# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a mesh for its cause: which end, or which border, explains the most broken directions. A function of a graph.

Each direction that was measured is an edge. The good ones divide the ends into groups within which everybody reaches
everybody (strongly connected components). An end that is alone, or a group that is apart, is cut off from the largest
group in one direction or both, and by all direct edges: that is where the fault is. Whatever is not explained by two
edges at least is left alone: one broken path between two ends blames neither of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

Fault = Tuple[str, Optional[int]]
"""Verdict in words, and bytes that pass: edges with the same fault can have the same cause."""


@dataclass(frozen=True)
class Edge:
    """One direction of a measured path, between ends by name. fault: None where it is in order."""

    sender: str
    receiver: str
    fault: Optional[Fault]


class CauseKind(Enum):
    """END: one end alone. BORDER: between two groups of ends. EVERYWHERE: most of what was measured."""

    END = "end"
    BORDER = "border"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Cause:
    """What explains some edges. members: the end, or the smaller group; others: the larger group of a border.

    leaving, arriving: the fault of what members send to the others, and of what they get; None where that is in order.
    """

    kind: CauseKind
    members: Tuple[str, ...]
    others: Tuple[str, ...]
    leaving: Optional[Fault]
    arriving: Optional[Fault]
    edges: Tuple[Edge, ...]


def find_causes(edges: Iterable[Edge]) -> List[Cause]:
    """Return the causes of a mesh, each edge with the first that explains it, whatever the order of the edges."""
    known = sorted(set(edges), key=_order)
    good = [edge for edge in known if edge.fault is None]
    bad = [edge for edge in known if edge.fault is not None]
    groups = components({end for edge in known for end in (edge.sender, edge.receiver)}, good)
    found: List[Cause] = []
    if groups and len(groups[0]) > 1:
        main, near = set(groups[0]), _by_end(bad)
        causes = [_between(group, main, _at(group, near)) for group in groups[1:]]
        found = _shared([cause for cause in causes if cause is not None], near)
    explained = {edge for cause in found for edge in cause.edges}
    rest = [edge for edge in bad if edge not in explained]
    return [*found, *_everywhere(rest, len(known) - len(explained))]


def _by_end(edges: Iterable[Edge]) -> Dict[str, List[Edge]]:
    """Return the edges by each of their ends, so that a culprit does not have to look at those of all others."""
    found: Dict[str, List[Edge]] = {}
    for edge in edges:
        for end in (edge.sender, edge.receiver):
            found.setdefault(end, []).append(edge)
    return found


def _at(members: Iterable[str], near: Mapping[str, Sequence[Edge]]) -> List[Edge]:
    return sorted({edge for member in members for edge in near.get(member, ())}, key=_order)


def _order(edge: Edge) -> Tuple[str, str, str]:
    return (edge.sender, edge.receiver, str(edge.fault))


def components(ends: Iterable[str], edges: Sequence[Edge]) -> List[Tuple[str, ...]]:
    """Return the strongly connected components, the largest first, then by name (Kosaraju)."""
    forth: Dict[str, List[str]] = {}
    back: Dict[str, List[str]] = {}
    for edge in edges:
        forth.setdefault(edge.sender, []).append(edge.receiver)
        back.setdefault(edge.receiver, []).append(edge.sender)
    finished: List[str] = []
    seen: Set[str] = set()
    for end in sorted(ends):
        finished.extend(_walk(end, forth, seen))
    found = []
    seen = set()
    for end in reversed(finished):
        group = _walk(end, back, seen)
        if group:
            found.append(tuple(sorted(group)))
    return sorted(found, key=lambda group: (-len(group), group))


def _walk(start: str, neighbours: Mapping[str, List[str]], seen: Set[str]) -> List[str]:
    """Return what can be reached and was not seen, in the order in which a search in depth leaves it."""
    if start in seen:
        return []
    seen.add(start)
    left: List[str] = []
    stack = [(start, iter(neighbours.get(start, ())))]
    while stack:
        end, rest = stack[-1]
        following = next((one for one in rest if one not in seen), None)
        if following is None:
            left.append(end)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(neighbours.get(following, ()))))
    return left


def _between(group: Tuple[str, ...], main: Set[str], bad: Sequence[Edge]) -> Optional[Cause]:
    members = set(group)
    out = [edge for edge in bad if edge.sender in members and edge.receiver in main]
    into = [edge for edge in bad if edge.sender in main and edge.receiver in members]
    leaving, arriving = _dominant(out), _dominant(into)
    if leaving is None and arriving is None:
        return None
    explained = [edge for edge in out if edge.fault == leaving] + [edge for edge in into if edge.fault == arriving]
    kind = CauseKind.END if len(group) == 1 else CauseKind.BORDER
    others = () if kind is CauseKind.END else tuple(sorted(main))
    return Cause(kind, group, others, leaving, arriving, tuple(sorted(explained, key=_order)))


def _dominant(edges: Sequence[Edge]) -> Optional[Fault]:
    """The fault that more than half of the edges have, two at least: one that has less may have another cause."""
    counts = Counter(edge.fault for edge in edges)
    fault, count = max(counts.items(), key=lambda entry: entry[1], default=(None, 0))
    return fault if count > 1 and 2 * count > len(edges) else None


def _shared(causes: List[Cause], near: Mapping[str, Sequence[Edge]]) -> List[Cause]:
    """Give the edges between two culprits to the first of them that has the same fault."""
    taken = {edge for cause in causes for edge in cause.edges}
    found = []
    for cause in causes:
        members, more = set(cause.members), []
        for edge in _at(cause.members, near) if cause.kind is CauseKind.END else ():
            leaves = edge.sender in members and edge.fault == cause.leaving
            arrives = edge.receiver in members and edge.fault == cause.arriving
            if edge not in taken and (leaves or arrives):
                more.append(edge)
        taken.update(more)
        edges = tuple(sorted([*cause.edges, *more], key=_order))
        found.append(Cause(cause.kind, cause.members, cause.others, cause.leaving, cause.arriving, edges))
    return found


def _everywhere(rest: Sequence[Edge], measured: int) -> List[Cause]:
    """One fault on more than half of what is not explained otherwise, on three paths at least."""
    fault = _dominant(rest)
    same = [edge for edge in rest if edge.fault == fault]
    pairs = {frozenset((edge.sender, edge.receiver)) for edge in same}
    if fault is None or len(pairs) < 3 or 2 * len(same) <= measured:
        return []
    members = tuple(sorted({end for edge in same for end in (edge.sender, edge.receiver)}))
    return [Cause(CauseKind.EVERYWHERE, members, (), fault, fault, tuple(same))]
