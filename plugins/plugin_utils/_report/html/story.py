# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture of a request's way tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from .words import listed, plural


@dataclass(frozen=True)
class Hop:
    """A station of the way. mtu: bytes, None where it is not known. detail: more about it, in a few words."""

    role: str
    name: str
    mtu: Optional[int] = None
    detail: str = ""


@dataclass(frozen=True)
class Lane:
    """What happens to the requests through some of the nodes.

    nodes: their names, empty where they are only counted. count: of nodes. hops: from the node to the pod.
    dies_at: position in hops of the one that a full-size packet does not get through; None where all pass.
    carries: bytes that pass. outcome: in a few words. share: of the requests, 0 to 1; None where it is that of the
    nodes.
    """

    nodes: Tuple[str, ...]
    count: int
    hops: Tuple[Hop, ...]
    dies_at: Optional[int]
    carries: Optional[int]
    outcome: str
    share: Optional[float] = None


@dataclass(frozen=True)
class Story:
    """targets: the ports, or the pods, that lead to the same. sender: in words, empty where nothing was measured.

    senders: from the client to the load balancer. full: bytes of a full-size packet. lanes: worst first.
    leads: where the ports lead, by kube-proxy's rules, in a sentence each.
    """

    targets: Tuple[str, ...]
    sender: str
    senders: Tuple[Hop, ...]
    lanes: Tuple[Lane, ...]
    full: Optional[int]
    measured: bool
    leads: Tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the story is about."""
        ports = f"{'port' if len(self.targets) == 1 else 'ports'} {listed(self.targets)}"
        return (
            f"{ports} of {plural(self.total, 'node')}, asked from {self.sender}"
            if self.measured
            else (f"requests to {listed(self.targets)}")
        )

    @property
    def total(self) -> int:
        """Nodes that the requests are spread over."""
        return sum(lane.count for lane in self.lanes)

    @property
    def broken(self) -> Tuple[Lane, ...]:
        """Lanes in which full-size packets die."""
        return tuple(lane for lane in self.lanes if lane.dies_at is not None)

    @property
    def hit(self) -> int:
        """Nodes through which full-size packets die."""
        return sum(lane.count for lane in self.broken)
