# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a path ought to carry by the facts of both its ends. All sizes are those of whole IP packets in bytes.

There are two answers. What is carried: the narrowest link that the facts know on the way, overlays included; a path
that measures less has a fault that the facts don't show. What is promised: the ends announce the MTU of their own
links to each other (as MSS, RFC 9293 section 3.7.1) and know nothing of overlays; a path that carries less works only
as long as ICMP arrives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Tuple

from .._rules.overlay import Crossing
from .members import Member, PodEnd, leads_to

Limit = Tuple[int, str]
"""Bytes, and whose limit it is, in words."""


@dataclass(frozen=True)
class Expectation:
    """mtu: None where no fact says anything. because: every limit that was looked at, the narrowest first."""

    mtu: Optional[int]
    because: str


def between_hosts(one: Member, other: Member) -> Expectation:
    """Return what the path between two hosts' own addresses carries: the narrower of their links."""
    return _narrowest([_outlet(one), _outlet(other)])


def between_pods(one: Member, pod: PodEnd, other: Member, peer: PodEnd, promised: bool = False) -> Expectation:
    """Return what the path between two pods carries: both pods' links, and the overlay at both ends."""
    links = [_link(one, pod), _link(other, peer)]
    return _narrowest(links if promised else [*links, *_way(one, pod.crossing), *_way(other, peer.crossing)])


def host_to_pod(one: Member, other: Member, peer: PodEnd, promised: bool = False) -> Expectation:
    """Return what the path from a host to a pod of another node carries: the pod's link, and the overlay's ends.

    It is promised to those who come in by this host, through a node port, and go on to the pod: they know their own
    link, and what the pod announces.
    """
    if promised:
        return _narrowest([_link(other, peer), _outlet(one)])
    return _narrowest([_link(other, peer), *_way(one, own_end(one, peer)), *_way(other, peer.crossing)])


def own_end(host: Member, peer: PodEnd) -> Optional[Crossing]:
    """Return the host's own end of the overlay that a pod elsewhere is on; None where it has none."""
    home = host.view.host_network if host.view is not None else None
    if home is None:
        return None
    ends = [Crossing(link, home, "", "") for link in home.links if link.tunnel is not None and link.up]
    if peer.network is not None:
        return next((end for end in ends if end.overlay.name == peer.network), None)
    routed = [end for end in ends if host.ranges(end.overlay).known]
    return next((end for end in routed if peer.mtu is None and leads_to(host, end, peer)), None)


def reaches(host: Member, peer: PodEnd) -> bool:
    """Tell whether a host can be expected to reach a pod of another node by its own routes."""
    if host.view is None or peer.mtu is None:
        return True
    end = own_end(host, peer)
    if peer.crossing is None:
        return leads_to(host, None, peer)
    if end is None or not leads_to(host, end, peer):
        return False
    return bool(host.ranges(end.overlay).known or end.overlay.addresses)


def _outlet(member: Member) -> Optional[Limit]:
    """The link that has the member's address; the uplink where that is another one, or an address of a loopback."""
    home = member.view.host_network if member.view is not None else None
    if member.view is None or home is None:
        return None
    way_out = member.way_out
    for link in home.links:
        if member.address in [address for address, _length in link.addresses] and link.kind != "loopback":
            same = way_out is not None and way_out[0].name == link.name
            mtu = way_out[1] if same and way_out is not None else link.mtu
            return mtu, f"{link.name} of {member.name}"
    return (way_out[1], f"{way_out[0].name} of {member.name}") if way_out is not None else None


def _link(member: Member, pod: PodEnd) -> Optional[Limit]:
    return (pod.mtu, f"pod {pod.name} on {member.name}") if pod.mtu is not None else None


def _way(member: Member, crossed: Optional[Crossing]) -> List[Optional[Limit]]:
    """The overlay's end on a node; without an overlay, the node's uplink."""
    if crossed is not None:
        return [(crossed.capacity, f"{crossed.overlay.name} on {member.name}")]
    return [_outlet(member)]


def _narrowest(limits: List[Optional[Limit]]) -> Expectation:
    known = sorted({limit for limit in limits if limit is not None})
    if not known:
        return Expectation(None, "no facts of either end tell its MTU")
    return Expectation(known[0][0], ", ".join(f"{what} {mtu}" for mtu, what in known))
