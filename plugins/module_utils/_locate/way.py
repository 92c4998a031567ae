# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The way of a trace's packets: every interface that they passed, and how many of each size were seen there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, FrozenSet, List, Mapping, Optional, Set, Tuple

from .._model.fact import Fact
from .._model.owner import Owner, OwnerKind
from .._model.sighting import Burst, HostTrace, Sighting, SightingKind, WatchedLink, WatchedNamespace
from .._model.trace import Spot
from .order import Passage, merge, passages, place_of

Traces = Mapping[str, HostTrace]
"""What each host saw, by its name."""


@dataclass(frozen=True)
class Step(Fact):
    """One interface on the way. passing, failing: packets of each size that were seen. tunnel: what carried them."""

    spot: Spot
    passing: int
    failing: int
    tunnel: Optional[str] = None


@dataclass(frozen=True)
class Way:
    """All interfaces in order. answered: how many packets of each size got an answer.

    seen: for each step, numbers of the larger packets and the moment of each.
    """

    steps: Tuple[Step, ...]
    seen: Tuple[Mapping[int, float], ...]
    answered: Tuple[int, int]


def find_way(traces: Traces, burst: Burst, sender: Optional[str]) -> Way:
    """Return the way of a burst. sender: name of the host that sent it."""
    relevant = {host: _of_burst(trace, burst, SightingKind.FORWARD) for host, trace in traces.items()}
    by_host = {host: passages(host, sightings) for host, sightings in relevant.items()}
    steps: List[Step] = []
    seen: List[Mapping[int, float]] = []
    for passage in merge(by_host, sender):
        here = [one for one in relevant[passage.host] if place_of(passage.host, one) == passage.place]
        moments = {number: moment for one in here for number, moment in zip(one.numbers, one.moments)}
        small, large = (set(burst.numbers(large)) & set(moments) for large in (False, True))
        spot = spot_of(traces, passage)
        steps.append(Step(spot, len(small), len(large), next((one.tunnel for one in here if one.tunnel), None)))
        seen.append({number: moments[number] for number in large})
    answered = answered_numbers(traces, burst)
    counts = [len(answered & set(burst.numbers(large))) for large in (False, True)]
    return Way(tuple(steps), tuple(seen), (counts[0], counts[1]))


def answered_numbers(traces: Traces, burst: Burst) -> FrozenSet[int]:
    """Return the numbers of packets that reached the target: it answered, or said that nobody listens."""
    numbers: Set[int] = set()
    for trace in traces.values():
        for sighting in trace.sightings:
            arrived = sighting.error is not None and sighting.error.port_unreachable
            if sighting.kind is SightingKind.REPLY or arrived:
                numbers.update(sighting.numbers)
    return frozenset(numbers & set(range(2 * burst.count)))


def spot_of(traces: Traces, passage: Passage) -> Spot:
    """Return the interface of a passage with its owner and MTU."""
    host, inode, link, direction, _wrapped = passage.place
    return make_spot(traces, host, inode, link, direction)


def make_spot(traces: Traces, host: str, inode: int, link: str, direction: Optional[str]) -> Spot:
    """Return an interface with its owner and MTU as its host told them."""
    namespace = namespace_of(traces[host], inode)
    owner = namespace.owner if namespace is not None else Owner(OwnerKind.UNKNOWN)
    found = link_of(namespace, link)
    return Spot(host, owner, inode, link, found.mtu if found is not None else None, direction)


def namespace_of(trace: HostTrace, inode: int) -> Optional[WatchedNamespace]:
    """Return what a host told of one of its namespaces."""
    return next((namespace for namespace in trace.namespaces if namespace.inode == inode), None)


def link_of(namespace: Optional[WatchedNamespace], name: str) -> Optional[WatchedLink]:
    """Return what was told of an interface."""
    links = namespace.links if namespace is not None else ()
    return next((link for link in links if link.name == name), None)


def counters_of(traces: Traces, spot: Spot) -> Dict[str, int]:
    """Return what the counters of an interface's namespace grew by."""
    namespace = namespace_of(traces[spot.host], spot.namespace)
    return dict(namespace.counters) if namespace is not None else {}


def _of_burst(trace: HostTrace, burst: Burst, kind: SightingKind) -> List[Sighting]:
    """Return the sightings of one kind; those of packets that were to die early are of no use here."""
    limit = 2 * burst.count
    found = []
    for sighting in trace.sightings:
        if sighting.kind is kind and any(number < limit for number in sighting.numbers):
            found.append(sighting)
    return found
