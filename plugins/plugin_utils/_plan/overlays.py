# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which overlays are in use on a host, and how many bytes each takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Set, Tuple

from ...module_utils._model.encapsulation import overhead
from .._rules.overlay import CLUSTER_TUNNELS, Crossing, carried_routes, crossing
from .._rules.view import HostView, LinkView, NetworkView, Tunnel

CLUSTER_DEVICES = (
    "flannel",
    "vxlan.calico",
    "vxlan-v6.calico",
    "tunl0",
    "wireguard.cali",
    "wg-v6.cali",
    "cilium_",
    "antrea-",
    "vxlan-6784",
    "tun-",
)
"""Beginnings of names that the stacks give to the devices which join nodes."""
WIREGUARD = 80
"""What flannel and Cilium take off for WireGuard, whatever the family: the overhead over IPv6."""
CILIUM_ENCRYPTION = "cilium_wg0"

Key = Tuple[int, str]
"""Inode of a network namespace and the name of a device in it."""
Identity = Tuple[str, str, int]
"""What the ends of one overlay on several hosts have in common: name, kind and identifier of the device."""


@dataclass(frozen=True)
class Overlay:
    """An overlay device in use. network: the namespace that it is in. reserve: bytes between underlay and packet."""

    network: NetworkView
    device: LinkView
    tunnel: Tunnel
    reserve: int

    @property
    def key(self) -> Key:
        """What names it on its host."""
        return self.network.inode, self.device.name

    @property
    def identity(self) -> Identity:
        """What names it among hosts. A device in a namespace of its own is named by its kind and identifier alone."""
        name = self.device.name if self.network.is_host else ""
        return name, self.tunnel.kind, self.tunnel.identifier or 0

    @property
    def joins_by_bridge(self) -> bool:
        """Whether no route says which other nodes it reaches, because a bridge or a program feeds it."""
        if not self.network.is_host:
            return True
        fed = self.device.master is not None or self.tunnel.collect_metadata
        return fed and not carried_routes(self.network, self.device)

    @property
    def by_route(self) -> bool:
        """Whether its stack limits packets by an MTU of the pods' routes and leaves their links as wide as the
        underlay."""
        return self.device.name.startswith("cilium_")

    @property
    def limits(self) -> bool:
        """Whether the device's own MTU decides; it does not where a program chooses packet by packet what enters."""
        fed = any(self.device.name in route.devices for route in self.network.routes)
        return not self.tunnel.collect_metadata or fed or self.device.master is not None

    @property
    def words(self) -> str:
        """Return "50 bytes of vxlan over ipv4"."""
        return f"{self.reserve} bytes of {self.tunnel.kind} over {self.tunnel.underlay_family}"


def overlays_in_use(host: HostView) -> List[Overlay]:
    """Return the overlays that carry traffic of pods or containers; the one that takes most comes first.

    An overlay is in use when a pod's or container's traffic crosses it, or when routes to other nodes lead through it.
    """
    crossed = _crossed(host)
    found = []
    for network in host.networks:
        for link in network.links:
            tunnel = link.tunnel
            if tunnel is None or not link.up or _is_inner(network, link):
                continue
            routed = network.is_host and _of_cluster(link, tunnel) and bool(carried_routes(network, link))
            if routed or (network.inode, link.name) in crossed:
                found.append(Overlay(network, link, tunnel, _reserve(network, link, tunnel)))
    return sorted(found, key=lambda one: (not one.network.is_host, -one.reserve, one.device.name))


def _crossed(host: HostView) -> Set[Key]:
    ways = [crossing(host, network, link) for network in host.members for link in network.links]
    return {(way.network.inode, way.overlay.name) for way in ways if way is not None}


def overlay_of(way: Optional[Crossing], overlays: Sequence[Overlay]) -> Optional[Overlay]:
    """Return which of the overlays a crossing is about; for an inner one, that which it is inside of."""
    if way is None:
        return None
    same = [one for one in overlays if one.key == (way.network.inode, way.overlay.name)]
    outer = [one for one in overlays if one.by_route and _is_inner(way.network, way.overlay)]
    return next(iter([*same, *outer]), None)


def _is_inner(network: NetworkView, link: LinkView) -> bool:
    """Whether it only encrypts what another device of Cilium encapsulates: its bytes are then counted with that one."""
    others = [one for one in network.links if one.name.startswith("cilium_") and one.tunnel is not None and one.up]
    return link.name == CILIUM_ENCRYPTION and any(one.name != link.name for one in others)


def _of_cluster(link: LinkView, tunnel: Tunnel) -> bool:
    return tunnel.kind in CLUSTER_TUNNELS or link.name.startswith(CLUSTER_DEVICES)


def _reserve(network: NetworkView, link: LinkView, tunnel: Tunnel) -> int:
    own = tunnel.overhead if tunnel.overhead is not None else _arithmetic(tunnel)
    if link.name.startswith("flannel-wg") or link.name == CILIUM_ENCRYPTION:
        return max(own, WIREGUARD)
    inner = network.link(CILIUM_ENCRYPTION) if link.name.startswith("cilium_") else None
    return own + (WIREGUARD if inner is not None and inner.up else 0)


def _arithmetic(tunnel: Tunnel) -> int:
    try:
        return overhead(tunnel.kind, tunnel.underlay_family)
    except ValueError:
        return 0


def main_overlay(overlays: List[Overlay]) -> Optional[Overlay]:
    """Return the overlay of the host itself that takes most; None where pods are reached by plain routes."""
    return next((one for one in overlays if one.network.is_host), None)
