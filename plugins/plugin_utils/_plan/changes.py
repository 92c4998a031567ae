# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of links and routes, and their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Iterable, List, Tuple

from .._rules.making import Place, link_change


class Level(Enum):
    """Where a link is, the uppermost first: what is above may not send more than what is below carries."""

    PAIR = "pair"
    """The end in a pod or container, and the other end of the same pair."""
    BRIDGE = "bridge"
    TUNNEL = "tunnel"
    UPLINK = "uplink"

    @property
    def rank(self) -> int:
        """0 for the uppermost."""
        return list(Level).index(self)


@dataclass(frozen=True)
class LinkChange:
    """One link that gets another MTU.

    pair: what both ends of a veth pair have in common, and inner whether it is the end in the pod or container.
    now, mtu: bytes before and after. why: in words.
    """

    where: Place
    level: Level
    link: str
    now: int
    mtu: int
    why: str
    pair: str = ""
    inner: bool = False

    @property
    def lowers(self) -> bool:
        """Whether the link gets smaller."""
        return self.mtu < self.now

    @property
    def enterable(self) -> bool:
        """Whether there is a way into its namespace."""
        return enterable(self.where)

    def as_result(self) -> Dict[str, Any]:
        """Return it as module link_mtu takes it, with what a person wants to know."""
        change = link_change(self.where, self.link, self.mtu)
        return {**change, "now": self.now, "raises": self.mtu > self.now, "why": self.why}

    def as_step(self) -> Dict[str, Any]:
        """Return the same with the level, and whose link it is."""
        return {**self.as_result(), "level": self.level.value, "owner": self.where.name}


@dataclass(frozen=True)
class RouteChange:
    """A route of a pod that limits packets and gets another MTU (bytes). destination: "default" or a range."""

    where: Place
    family: str
    destination: str
    device: str
    now: int
    mtu: int
    why: str

    @property
    def enterable(self) -> bool:
        """Whether there is a way into its namespace."""
        return enterable(self.where)

    def as_result(self) -> Dict[str, Any]:
        """Return it as plain values."""
        return {
            **self.where.entry,
            "family": self.family,
            "destination": self.destination,
            "device": self.device,
            "now": self.now,
            "mtu": self.mtu,
            "raises": self.mtu > self.now,
            "why": self.why,
            "owner": self.where.name,
        }


def enterable(where: Place) -> bool:
    """Tell whether a namespace can be entered: the host's own always, others by a path or a process."""
    return not where.entry or any(value is not None for value in where.entry.values())


def ordered(changes: Iterable[LinkChange]) -> List[LinkChange]:
    """Return the changes in the order in which no packet meets a device that is smaller than the one above it.

    First all that get smaller, from the top down; then all that get larger, from the bottom up. The ends of a pair
    stand next to each other.
    """
    return sorted(changes, key=_place)


def _place(change: LinkChange) -> Tuple[bool, int, str, bool, str, str]:
    rank = change.level.rank if change.lowers else -change.level.rank
    outer_first = change.inner if not change.lowers else not change.inner
    return (not change.lowers, rank, change.pair, outer_first, change.where.name, change.link)
