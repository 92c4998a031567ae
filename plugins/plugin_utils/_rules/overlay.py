# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which overlay the traffic of a pod or container crosses, decided by evidence."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import List, Optional, Set, Tuple, Union

from ...module_utils._model.owner import OwnerKind
from .view import DeclaredView, HostView, LinkView, NetworkView, RouteView

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

CLUSTER_STACKS = ("flannel", "canal", "calico", "cni", "cilium")
CLUSTER_TUNNELS = ("vxlan", "geneve", "ipip")
"""Kinds that join the nodes of a cluster; others (wireguard, gre) as often join offices."""
MOST_REMEMBERED = 1 << 14
WIDEST_SPAN = {4: 8, 6: 16}
"""Prefix lengths below which the span of an overlay's routes says nothing about who is in it."""


@dataclass(frozen=True)
class Crossing:
    """That a link's traffic crosses an overlay. reason: how that is known, in words; source: where it was read.

    network: the namespace of the overlay device. nodes: that the overlay joins, this one included; None where that
    is not known.
    """

    overlay: LinkView
    network: NetworkView
    reason: str
    source: str
    nodes: Optional[int] = None

    @property
    def capacity(self) -> int:
        """Bytes of IP packet that fit through the overlay device."""
        tunnel, mtu = self.overlay.tunnel, self.overlay.mtu
        if tunnel is not None and tunnel.collect_metadata and tunnel.underlay_mtu and tunnel.overhead:
            return min(mtu, tunnel.underlay_mtu - tunnel.overhead)
        return mtu


@lru_cache(maxsize=MOST_REMEMBERED)
def parse_network(text: Optional[str]) -> Optional[Network]:
    """Return the range, None where the text is none. Remembered: every node of a cluster has the same routes."""
    try:
        return ipaddress.ip_network(text, strict=False) if text else None
    except ValueError:
        return None


def effective_mtu(network: NetworkView, link: LinkView) -> int:
    """Return bytes: what senders to this link learn from its MSS. The MTU of its default route lowers the link's."""
    limits = [route.mtu for route in network.routes if route.default and link.name in route.devices and route.mtu]
    return min([link.mtu, *limits])


def carried_routes(network: NetworkView, overlay: LinkView) -> List[RouteView]:
    """Return the routes to other nodes' pods: through the overlay device, or the device that feeds it."""
    devices = {overlay.name}
    if overlay.name.startswith("cilium_"):
        devices.add("cilium_host")
    return [route for route in network.routes if not route.default and devices & set(route.devices)]


def node_count(network: NetworkView, overlay: LinkView) -> Optional[int]:
    """Return how many nodes the overlay joins, by the gateways of its routes; None where there are no routes."""
    routes = carried_routes(network, overlay)
    gateways = {gateway for route in routes for gateway in route.gateways}
    others = gateways or {route.destination for route in routes}
    return len(others) + 1 if others else None


def crossing(host: HostView, network: NetworkView, link: LinkView) -> Optional[Crossing]:
    """Return the overlay that the traffic of a pod's or container's link crosses, None where nothing shows one."""
    return _bridged(host, link) or _addressed(host, network, link)


def _bridged(host: HostView, link: LinkView) -> Optional[Crossing]:
    """The other end of the veth is a port of a bridge that has a tunnel as another port."""
    end = host.peer_of(link)
    home = host.network(end.namespace) if end is not None else None
    if end is None or end.master is None or home is None:
        return None
    tunnels = [port for port in home.ports(end.master) if port.tunnel is not None and port.up]
    if not tunnels:
        return None
    overlay = min(tunnels, key=lambda port: (port.mtu, port.name))
    reason = f"{end.name}, its other end, and {overlay.name} are ports of {end.master}"
    return Crossing(overlay, home, reason, "netlink")


def _addressed(host: HostView, network: NetworkView, link: LinkView) -> Optional[Crossing]:
    """One of the link's addresses lies in a range that an overlay of the host serves."""
    home = host.host_network
    if home is None:
        return None
    found = []
    for overlay in home.links:
        if overlay.tunnel is None or not overlay.up:
            continue
        for text, _length in link.addresses:
            place = _place_of(host, home, overlay, network, text)
            if place is not None:
                reason, source = place
                found.append(Crossing(overlay, home, reason, source, node_count(home, overlay)))
                break
    return min(found, key=lambda one: (one.capacity, one.overlay.name), default=None)


def _place_of(
    host: HostView,
    home: NetworkView,
    overlay: LinkView,
    network: NetworkView,
    text: str,
) -> Optional[Tuple[str, str]]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.is_link_local or address.is_loopback:
        return None
    for declared in host.declared:
        serves = parse_network(declared.network)
        if serves is not None and address in serves and declares_for(declared, home, overlay):
            return f"address {text} lies in {declared.network}, the network of {declared.stack}", declared.source
    span = overlay_span(home, overlay)
    kind = overlay.tunnel.kind if overlay.tunnel is not None else None
    known = network.owner.kind is OwnerKind.POD or kind in CLUSTER_TUNNELS
    if known and span is not None and address in span:
        return f"address {text} lies in {span}, which the routes through {overlay.name} span", "netlink"
    return None


def declares_for(declared: DeclaredView, home: NetworkView, overlay: LinkView) -> bool:
    """Tell whether a declared network is the one that this overlay device serves."""
    if declared.stack not in CLUSTER_STACKS or not declared.active:
        return False
    if declared.link is not None:
        return declared.link == overlay.name
    serves = parse_network(declared.network)
    routed = [parse_network(route.destination) for route in carried_routes(home, overlay)]
    return serves is not None and any(_inside(network, serves) for network in routed)


def overlay_span(home: NetworkView, overlay: LinkView) -> Optional[Network]:
    """Return the smallest range that holds the overlay's routes and its own addresses; None where it is too wide."""
    routed = [parse_network(route.destination) for route in carried_routes(home, overlay)]
    own = [parse_network(f"{address}/{length}") for address, length in overlay.addresses]
    for version in (4, 6):
        remote = [network for network in routed if network is not None and network.version == version]
        if not remote:
            continue
        local = [one for one in own if one is not None and one.version == version and not one.is_link_local]
        return _smallest({*remote, *local}, WIDEST_SPAN[version])
    return None


def _smallest(networks: Set[Network], widest: int) -> Optional[Network]:
    span = min(networks, key=lambda network: (network.prefixlen, str(network)))
    while span.prefixlen > widest and not all(_inside(network, span) for network in networks):
        span = span.supernet()
    return span if span.prefixlen >= widest and all(_inside(network, span) for network in networks) else None


def _inside(network: Optional[Network], outer: Network) -> bool:
    if isinstance(network, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return network.subnet_of(outer)
    if isinstance(network, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return network.subnet_of(outer)
    return False
