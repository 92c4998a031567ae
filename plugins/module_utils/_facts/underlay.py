# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Finds the link that carries a tunnel's outer packets."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import List, Mapping, NamedTuple, Optional, Sequence

from .._model.link import Encapsulation, Link
from .._model.route import Route

MAIN_TABLE = 254
ANYWHERE = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}


class Underlay(NamedTuple):
    """A link that carries outer packets, and how it was found: device, route or address."""

    link: Link
    source: str


class NamespaceView(NamedTuple):
    """What of a namespace is needed to find an underlay in it."""

    links: Sequence[Link]
    routes: Sequence[Route]


def with_underlays(views: Mapping[int, NamespaceView]) -> Mapping[int, List[Link]]:
    """Return each namespace's links, those with an encapsulation completed with underlay, its namespace and MTU.

    views: inode of a namespace -> its links (already connected, see neighbours.connect) and routes.
    """
    return {inode: [_completed(views, inode, link) for link in view.links] for inode, view in views.items()}


def _completed(views: Mapping[int, NamespaceView], inode: int, link: Link) -> Link:
    if link.encapsulation is None:
        return link
    # The outer socket lives where the device was made, also after the device moved to another namespace.
    home = link.lower_namespace if link.link_netnsid is not None else inode
    if home is None or home not in views:
        return link
    underlay = _underlay(views[home], link, link.encapsulation)
    if underlay is None:
        return link
    encapsulation = replace(
        link.encapsulation,
        underlay=underlay.link.name,
        underlay_namespace=home,
        underlay_mtu=underlay.link.mtu,
        underlay_source=underlay.source,
    )
    return replace(link, encapsulation=encapsulation)


def _underlay(view: NamespaceView, link: Link, encapsulation: Encapsulation) -> Optional[Underlay]:
    if link.lower_index is not None:
        lower = next((other for other in view.links if other.index == link.lower_index), None)
        return Underlay(lower, "device") if lower else None
    if encapsulation.local:
        for other in view.links:
            if any(address.address == encapsulation.local for address in other.addresses):
                return Underlay(other, "address")
    target = encapsulation.remote
    route = best_route(view.routes, target) if target else default_route(view.routes, encapsulation.underlay_family)
    name = route_device(route) if route else None
    carrier = next((other for other in view.links if other.name == name), None)
    # A default route through the tunnel itself (a full VPN) says nothing about what carries it.
    return Underlay(carrier, "route") if carrier and carrier.index != link.index else None


def best_route(routes: Sequence[Route], address: str) -> Optional[Route]:
    """The unicast route of the main table with the longest matching prefix, then the lowest priority.

    Rules for policy routing are not looked at.
    """
    target = ip_address(address)
    family = "ipv4" if target.version == 4 else "ipv6"
    matching = [route for route in _main_unicast(routes, family) if target in ip_network(route.destination)]
    return min(matching, key=_preference) if matching else None


def default_route(routes: Sequence[Route], family: str) -> Optional[Route]:
    """The default route of the main table with the lowest priority; family: ipv4 or ipv6."""
    matching = [route for route in _main_unicast(routes, family) if route.destination == ANYWHERE[family]]
    return min(matching, key=_preference) if matching else None


def route_device(route: Route) -> Optional[str]:
    """The device of a route; of its first leg where it has several."""
    if route.device is None and route.next_hops:
        return route.next_hops[0].device
    return route.device


def _main_unicast(routes: Sequence[Route], family: str) -> List[Route]:
    return [
        route for route in routes if route.family == family and route.table == MAIN_TABLE and route.type == "unicast"
    ]


def _preference(route: Route) -> tuple[int, int]:
    return -ip_network(route.destination).prefixlen, route.priority or 0
