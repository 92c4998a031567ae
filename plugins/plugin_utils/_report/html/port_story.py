# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories that follow from what was read: a pod too large for its overlay, and the NodePorts that lead to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Optional, Sequence, Tuple

from .hints import LargePod, Overlay
from .port_facts import PortFact, PortWay
from .story import Hop, Lane, Story
from .words import in_order, listed, plural

SENDERS = (Hop("client", "any client"), Hop("load balancer", "in front of the nodes", None, "not measured"))


def derived(pods: Sequence[LargePod]) -> List[Story]:
    """What follows from a pod that is too large for its overlay, for whoever comes in by another node."""
    groups: Dict[Tuple[Overlay, int, Optional[int]], List[LargePod]] = {}
    for one in pods:
        if one.scope == "pod" and not one.ports:
            groups.setdefault((one.overlay, one.mtu, one.nodes), []).append(one)
    return [*_port_stories(pods), *[_derived_story(group) for group in groups.values()]]


def _port_stories(pods: Sequence[LargePod]) -> List[Story]:
    groups: Dict[Tuple[PortFact, Overlay, int], List[LargePod]] = {}
    for one in pods:
        for port in one.ports:
            groups.setdefault((port, one.overlay, one.mtu), []).append(one)
    return [_port_story(port, group) for (port, _overlay, _mtu), group in groups.items()]


def _port_story(port: PortFact, group: Sequence[LargePod]) -> Story:
    """The way to some of the pods behind a port, all too large for the same overlay; the others are in order."""
    first, total = group[0], port.total
    below = first.overlay.underlay_mtu
    pod = Hop("pod", listed([one.name for one in group], 3), first.mtu, f"on {listed(_hosts(group), 3)}")
    large = len(group) / max(len(port.pods), len(group))
    crossing = sum(way.count * (way.crossing or 0) for way in port.ways) / total
    dropped = sum(way.count for way in port.ways if way.crossing is None) / total
    outcome = f"packets over {first.overlay.mtu} bytes come through only if ICMP reaches their sender"
    lanes: List[Lane] = []
    far = [way for way in port.ways if way.crossing]
    if far:
        hops = (_node_hop(far, below), overlay_hop(first.overlay), pod)
        lanes.append(_port_lane(far, hops, 1, first.overlay.mtu, outcome, crossing * large))
    if crossing * large + dropped < 1:
        near = [way for way in port.ways if way.crossing is not None and (way.crossing < 1 or large < 1)]
        words = "no overlay on the way" + (", or a pod that fits it" if large < 1 else "")
        hops_near = (_node_hop(near, below), pod)
        lane = _port_lane(near, hops_near, None, first.mtu, words, 1 - crossing * large - dropped)
        lanes.append(replace(lane, count=sum(way.count for way in near if way not in far)))
    dropping = [way for way in port.ways if way.crossing is None]
    if dropping:
        words = "refused, whatever the size: no pod here, and externalTrafficPolicy is Local"
        lanes.append(_port_lane(dropping, (_node_hop(dropping, below), pod), None, None, words, dropped))
    return Story((f"NodePort {port.port}",), "", SENDERS, tuple(lanes), first.mtu, False, (port.sentence,))


def _port_lane(
    ways: Sequence[PortWay],
    hops: Tuple[Hop, ...],
    dies_at: Optional[int],
    carries: Optional[int],
    outcome: str,
    share: float,
) -> Lane:
    names = tuple(in_order([name for way in ways for name in way.nodes]))
    return Lane(names, sum(way.count for way in ways), hops, dies_at, carries, outcome, round(share, 4))


def _node_hop(ways: Sequence[PortWay], below: Optional[int]) -> Hop:
    names = in_order([name for way in ways for name in way.nodes])
    count = sum(way.count for way in ways)
    if not names:
        return Hop("node", plural(count, "other node"), below, "not audited")
    more = f"{plural(count, 'node')}, {count - len(names)} not named" if count > len(names) else plural(count, "node")
    if len(names) <= 3:
        return Hop("node", listed(names, 3), below, more if count > 1 else "")
    return Hop("node", plural(count, "node"), below, listed(names, 3))


def _hosts(group: Sequence[LargePod]) -> List[str]:
    return in_order([one.host for one in group])


def overlay_hop(overlay: Overlay) -> Hop:
    """Return the station at which a node encapsulates."""
    below = f"on {overlay.underlay} {overlay.underlay_mtu}" if overlay.underlay and overlay.underlay_mtu else ""
    return Hop("overlay", overlay.label, overlay.mtu, below)


def _derived_story(group: Sequence[LargePod]) -> Story:
    first = group[0]
    hosts = _hosts(group)
    many = len(group) > 1
    pod = Hop("pod", listed([one.name for one in group], 3), first.mtu, f"on {listed(hosts, 3)}")
    below = first.overlay.underlay_mtu
    home = Hop("node", "the pod's own node" if many else first.host, below)
    others = (first.nodes or 0) - 1
    away = Hop("node", "any other node", below, plural(others, "node") if others > 0 else "")
    outcome = f"packets over {first.overlay.mtu} bytes come through only if ICMP reaches their sender"
    far = Lane((), max(others, 0), (away, overlay_hop(first.overlay), pod), 1, first.overlay.mtu, outcome)
    near = Lane(tuple(hosts[:1]), 1, (home, pod), None, first.mtu, "no overlay on the way")
    what = plural(len(group), "pod") if many else f"pod {first.name} on {first.host}"
    return Story((what,), "", SENDERS, (far, near), first.mtu, False)
