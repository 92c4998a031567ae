# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links of running pods and containers: both ends of each pair, the bridges between, and routes with an MTU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from ...module_utils._model.owner import OwnerKind
from .._rules.making import place
from .._rules.overlay import crossing
from .._rules.view import HostView, LinkView, NetworkView
from .changes import Level, LinkChange, RouteChange
from .overlays import Key, Overlay, overlay_of
from .targets import Targets

LEFT_ALONE = ("loopback", "tun")
"""User-mode networks (slirp4netns, pasta) end TCP on the host, whatever the MTU of their tun device."""


@dataclass(frozen=True)
class Member:
    """A link by which a pod or container reaches others.

    fits: bytes that its link may have; packet: that its packets may have, which is less where a route limits them.
    why: in words. port: the other end, where it is known. overlay: that its traffic crosses, None for none.
    """

    network: NetworkView
    link: LinkView
    fits: int
    packet: int
    why: str
    port: Optional[LinkView]
    overlay: Optional[Overlay] = None


def members(host: HostView, overlays: Sequence[Overlay], targets: Targets) -> List[Member]:
    """Return the links of pods and containers that the plan is about."""
    found = []
    for network in host.members:
        for link in network.links:
            if link.kind not in LEFT_ALONE and link.tunnel is None:
                one = _member(host, network, link, overlays, targets)
                if one is not None:
                    found.append(one)
    return found


def _member(
    host: HostView, network: NetworkView, link: LinkView, overlays: Sequence[Overlay], targets: Targets
) -> Optional[Member]:
    overlay = overlay_of(crossing(host, network, link), overlays)
    port = host.peer_of(link)
    if overlay is not None:
        carried = targets.devices[overlay.identity]
        packet = min(carried, targets.pod) if overlay.network.is_host else carried
        why = f"{overlay.device.name} carries {packet}"
        if packet == targets.device_fits(overlay):
            why += f": {targets.underlay} of the underlay less {overlay.words}"
        limited_by_route = overlay.by_route and any(True for _one in _limiting_routes(network, link))
        return Member(network, link, targets.underlay if limited_by_route else packet, packet, why, port, overlay)
    if not any(route.default and link.name in route.devices for route in network.routes):
        return None
    if network.owner.kind is OwnerKind.POD:
        why = f"the network between the nodes carries {targets.underlay}"
        return Member(network, link, targets.underlay, targets.underlay, why, port)
    return Member(network, link, targets.container, targets.container, f"the host sends {targets.container}", port)


def _limiting_routes(network: NetworkView, link: LinkView) -> Iterator[Tuple[str, str, int]]:
    for route in network.routes:
        if route.mtu is not None and link.name in route.devices:
            yield route.family, "default" if route.default else route.destination, route.mtu


def live_changes(host: HostView, found: Sequence[Member], targets: Targets) -> List[LinkChange]:
    """Return what becomes of the links of running pods and containers, and of the bridges that join them."""
    changes: List[LinkChange] = []
    bridges: Dict[Key, int] = {}
    for member in found:
        changes.extend(_pair(host, member, targets))
        if member.port is not None and member.port.master is not None:
            key = (member.port.namespace, member.port.master)
            bridges[key] = max(member.fits, bridges.get(key, 0))
    known = {(member.port.namespace, member.port.name) for member in found if member.port is not None}
    for (inode, name), fits in sorted(bridges.items()):
        network = host.network(inode)
        if network is not None:
            changes.extend(_segment(host, network, name, fits, known, targets))
    return changes


def _pair(host: HostView, member: Member, targets: Targets) -> List[LinkChange]:
    """Both ends get the same: a smaller end drops, without a word, what the larger one sends."""
    ends = [member.link, *([member.port] if member.port is not None else [])]
    wanted = targets.clamp(min(end.mtu for end in ends), member.fits)
    inside = place(host.name, member.network)
    pair = f"{inside.name} {member.network.inode} {member.link.name}"
    changes = []
    for end in ends:
        network = host.network(end.namespace)
        if end.mtu != wanted and network is not None:
            where, inner = place(host.name, network), end is member.link
            changes.append(LinkChange(where, Level.PAIR, end.name, end.mtu, wanted, member.why, pair, inner))
    return changes


def _segment(
    host: HostView, network: NetworkView, name: str, fits: int, known: object, targets: Targets
) -> List[LinkChange]:
    """The bridge, and ports whose other end is not among the facts: all members of a segment have to agree.

    A bridge with hardware as a port is left to the host's own links.
    """
    bridge, ports = network.link(name), network.ports(name)
    if bridge is None or any(port.kind == "physical" for port in ports):
        return []
    where, why = place(host.name, network), f"the links that {name} joins get {fits}"
    changes = []
    wanted = targets.clamp(bridge.mtu, fits)
    if bridge.mtu != wanted:
        changes.append(LinkChange(where, Level.BRIDGE, name, bridge.mtu, wanted, why))
    for port in ports:
        unknown = port.kind == "veth" and host.peer_of(port) is None and port.carries
        if unknown and port.mtu != targets.clamp(port.mtu, fits):
            pair = f"{where.name} {network.inode} {port.name}"
            changes.append(LinkChange(where, Level.PAIR, port.name, port.mtu, fits, why, pair))
    return changes


def route_changes(host: HostView, found: Sequence[Member], targets: Targets) -> List[RouteChange]:
    """Return what becomes of the routes of pods that have an MTU of their own, as Cilium gives them."""
    changes = []
    for member in found:
        where = place(host.name, member.network)
        for family, destination, mtu in _limiting_routes(member.network, member.link):
            wanted = targets.clamp(mtu, member.packet)
            if wanted != mtu:
                changes.append(RouteChange(where, family, destination, member.link.name, mtu, wanted, member.why))
    return changes
