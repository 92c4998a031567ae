# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path that exists only as rules: what becomes of each packet, without time and without a kernel."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import List, Optional, Tuple

from ansible_collections.netfit.cluster.plugins.module_utils._probe.ledger import Task
from ansible_collections.netfit.cluster.plugins.module_utils._probe.patience import Round
from ansible_collections.netfit.cluster.plugins.module_utils._probe.search import Search
from ansible_collections.netfit.cluster.plugins.module_utils._probe.transport import (
    Arrived,
    Event,
    Probe,
    Split,
    TooBig,
    Way,
)

ALL_WAYS = (Way.ROUND, Way.FORWARD, Way.BACK)


@dataclass
class SimulatedPath:
    """forward, back: MTUs on the way. loss: of a packet, in each direction. icmp: whether routers send messages.

    named: the MTU that those name, where it is not the true one. fragmenting: whether answers that are too big come in
    fragments rather than not at all. split: a tunnel carries what is larger in two packets, each of which can be lost.
    ways: what the far end answers. far_link: MTU of its link; remembered: path MTU that its kernel has learned, in both
    of which it fragments its answers itself.
    """

    forward: int = 9000
    back: int = 9000
    loss: float = 0.0
    icmp: bool = True
    named: Optional[int] = None
    fragmenting: bool = False
    split: int = 65536
    ways: Tuple[Way, ...] = ALL_WAYS
    far_link: int = 9000
    remembered: int = 65535

    def outcome(self, probe: Probe, chance: random.Random) -> List[Event]:
        """Return what is heard of a probe."""
        there = probe.size if probe.way is not Way.BACK else 60
        if probe.way not in self.ways or self._lost(there, chance):
            return []
        if there > self.forward:
            if not self.icmp or self._lost(60, chance):
                return []
            mtu = self.forward if self.named is None else self.named
            return [TooBig(0, Way.FORWARD, probe.size, mtu, "192.0.2.1", 0.0, probe.number)]
        answer = probe.size if probe.way is not Way.FORWARD else 60
        own = min(self.far_link, self.remembered)
        fragments = 0 if answer <= own else in_pieces(own)
        events: List[Event] = []
        if (fragments or answer) > self.back:
            if not self.fragmenting or self._lost(60, chance):
                return []
            uneven = fragments and (fragments - 20) % (in_pieces(self.back) - 20)
            fragments = in_pieces(self.back)
            events = [Split(0, 0.0)] if uneven else []
        return events if self._lost(answer, chance) else [Arrived(probe, 0.0, fragments), *events]

    def _lost(self, size: int, chance: random.Random) -> bool:
        return any(chance.random() < self.loss for _piece in range(2 if size > self.split else 1))


def in_pieces(mtu: int) -> int:
    """Return the bytes of the fragments that a link's MTU leads to (RFC 791)."""
    return (mtu - 20) // 8 * 8 + 20


@dataclass
class Run:
    """How a search went."""

    search: Search
    packets: int
    rounds: int


def run_search(path: SimulatedPath, task: Task, seed: int, limit: int = 3000) -> Run:
    """Search a simulated path to the end."""
    chance = random.Random(seed)
    search = Search(task, chance)
    packets = rounds = 0
    chosen: Optional[Round] = search.next()
    while chosen is not None:
        rounds += 1
        for probe in chosen.probes:
            packets += 1
            for event in path.outcome(probe, chance):
                search.handle(event)
        if packets > limit:
            search.give_up("the limit is reached")
        assert rounds < 1000
        chosen = search.next()
    return Run(search, packets, rounds)
