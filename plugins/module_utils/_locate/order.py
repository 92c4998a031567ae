# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Bring what several hosts saw of the same packets into the order of the way that they took.

Clocks of hosts differ: moments count within a host only. Between hosts the time to live tells, which every router
lowers: that of the packet itself, and within a tunnel also that of the outer packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .._model.sighting import Sighting

Place = Tuple[str, int, str, str, bool]
"""Host, inode, link, direction, and whether the packet was in a tunnel there."""


@dataclass(frozen=True)
class Passage:
    """A place on the way. delay: seconds since the packet was seen first on the host. Times to live: as seen there."""

    place: Place
    delay: float
    time_to_live: int
    outer_time_to_live: Optional[int] = None

    @property
    def host(self) -> str:
        """The host whose interface it is."""
        return self.place[0]

    @property
    def height(self) -> Tuple[int, int]:
        """Falls along the way."""
        return self.time_to_live, -1 if self.outer_time_to_live is None else self.outer_time_to_live


def place_of(host: str, sighting: Sighting) -> Place:
    """Return where a sighting was."""
    return host, sighting.namespace, sighting.link, sighting.direction, sighting.tunnel is not None


def passages(host: str, sightings: Sequence[Sighting]) -> List[Passage]:
    """Return the places of a host in its own order, each once.

    Order is that of one packet, the one seen at most places; a place that it did not reach is put where those that did
    came through, counted from when each was seen first.
    """
    moments: Dict[Place, Dict[int, float]] = {}
    heights: Dict[Place, Tuple[int, Optional[int]]] = {}
    for sighting in sightings:
        place = place_of(host, sighting)
        heights.setdefault(place, (sighting.time_to_live, sighting.outer_time_to_live))
        known = moments.setdefault(place, {})
        for number, moment in zip(sighting.numbers, sighting.moments):
            known[number] = min(moment, known.get(number, moment))
    firsts: Dict[int, float] = {}
    places_of: Dict[int, int] = {}
    for known in moments.values():
        for number, moment in known.items():
            firsts[number] = min(moment, firsts.get(number, moment))
            places_of[number] = places_of.get(number, 0) + 1
    guide = max(places_of, key=lambda number: (places_of[number], -number), default=-1)
    found = []
    for place, known in moments.items():
        numbers = [guide] if guide in known else sorted(known)
        delay = median(known[number] - firsts[number] for number in numbers) if numbers else 0.0
        found.append(Passage(place, delay, *heights[place]))
    return sorted(found, key=_local_order)


def _local_order(passage: Passage) -> Tuple[float, int]:
    """Leaving a tunnel gives a packet no new moment: what is wrapped comes in first and goes out last."""
    _host, _namespace, _link, direction, wrapped = passage.place
    ranks = {("out", False): 0, ("out", True): 1, ("in", True): 2, ("in", False): 3}
    return round(passage.delay, 9), ranks[direction, wrapped]


def merge(by_host: Mapping[str, Sequence[Passage]], first: Optional[str]) -> List[Passage]:
    """Return all places in the order of the way. first: the host that sent, where it is known.

    Each host's own order is kept. The way stays on a host as long as the time to live allows, then goes on with the
    host that is next by time to live; of several, with the one that hands the packet on.
    """
    waiting = {host: list(places) for host, places in by_host.items() if places}
    way: List[Passage] = []
    current = first
    while waiting:
        current = _next_host(waiting, current, way[-1] if way else None)
        way.append(waiting[current].pop(0))
        if not waiting[current]:
            del waiting[current]
    return way


def _next_host(waiting: Mapping[str, List[Passage]], current: Optional[str], last: Optional[Passage]) -> str:
    if last is None and current in waiting:
        return str(current)
    if current in waiting and last is not None and _follows_at_once(last, waiting[str(current)][0], waiting):
        return str(current)

    def rank(host: str) -> Tuple[int, bool, int, int, bool, str]:
        places = waiting[host]
        head, end = places[0], places[-1]
        # What left in a tunnel arrives in it, and what left plain arrives plain, unless a router came in between.
        wrapped = last is not None and last.place[4]
        other = head.place[3] == "in" if last is None else head.place[4] != wrapped
        # Of two at the same height, the one that lowers it later, or hands it on, comes first.
        return -head.time_to_live, other, -head.height[1], -end.time_to_live, end.place[3] == "in", host

    return min(waiting, key=rank)


def _follows_at_once(last: Passage, following: Passage, waiting: Mapping[str, List[Passage]]) -> bool:
    """Tell whether the way stays on the host: not, where another one must come in between.

    A packet that went out and comes in again at the same host was elsewhere meanwhile, unless nobody else saw it at a
    height in between; within a host it goes from namespace to namespace over pairs of veth.
    """
    if last.place[3] == "in" or following.place[3] == "out":
        return True
    between = [
        places[0]
        for host, places in waiting.items()
        if host != last.host and last.time_to_live >= places[0].time_to_live >= following.time_to_live
    ]
    lower = [passage for passage in between if _is_between(last, passage, following)]
    return not lower


def _is_between(last: Passage, passage: Passage, following: Passage) -> bool:
    if passage.time_to_live != following.time_to_live:
        return passage.time_to_live > following.time_to_live
    # At the same height: elsewhere only if that host hands the packet back, or it travels in a tunnel's outer packet.
    if passage.outer_time_to_live is not None and following.outer_time_to_live is not None:
        return passage.outer_time_to_live > following.outer_time_to_live
    return False
