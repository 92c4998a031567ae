# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of each node takes part in the mesh: its own address, and one pod for each network that its pods are on."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple

from ...module_utils._model.owner import Owner, OwnerKind
from .._rules.mtu import uplink
from .._rules.overlay import Crossing, carried_routes, crossing, effective_mtu
from .._rules.view import HostView, LinkView, NetworkView, RouteView
from .addresses import default_sources, is_usable
from .ranges import Ranges


@dataclass(frozen=True)
class PodEnd:
    """A pod that takes part.

    name: "namespace/pod". source: how modules on its host name it. network: name of its overlay device, None where its
    traffic crosses none that the facts show. addresses: at most one of each family. mtu: bytes, of its link and default
    route; None for a pod that is known from variables alone. crossing: its way through the overlay.
    """

    name: str
    source: Mapping[str, str]
    owner: Owner
    network: Optional[str]
    addresses: Tuple[str, ...]
    mtu: Optional[int] = None
    crossing: Optional[Crossing] = None


@dataclass(frozen=True)
class Member:
    """A node with what is known of it. addresses: its own as its peers see it, the most trusted first.

    view: None where there are no facts of it. pods: one for each network.
    """

    name: str
    addresses: Tuple[str, ...] = ()
    view: Optional[HostView] = None
    pods: Tuple[PodEnd, ...] = ()

    @property
    def address(self) -> Optional[str]:
        """Its address, None where none is known."""
        return self.addresses[0] if self.addresses else None

    @cached_property
    def own_addresses(self) -> FrozenSet[str]:
        """Every address of the host itself, as far as the facts tell."""
        home = self.view.host_network if self.view is not None else None
        links = home.links if home is not None else ()
        return frozenset(address for link in links for address, _length in link.addresses)

    @cached_property
    def way_out(self) -> Optional[Tuple[LinkView, int]]:
        """Its uplink with the MTU in bytes that the default route leaves of it; None where none is known."""
        return uplink(self.view) if self.view is not None else None

    def ranges(self, overlay: Optional[LinkView]) -> Ranges:
        """Return where its routes through an overlay lead, by the overlay's name; None: those through any gateway."""
        name = overlay.name if overlay is not None else None
        if name not in self._ranges:
            home = self.view.host_network if self.view is not None else None
            self._ranges[name] = Ranges(_routes(home, overlay) if home is not None else ())
        return self._ranges[name]

    @cached_property
    def _ranges(self) -> Dict[Optional[str], Ranges]:
        return {}


def from_facts(
    name: str, facts: Mapping[str, Any], view: HostView, stated: Optional[str], login: Optional[str]
) -> Member:
    """Return the member that a host is by its facts. stated: netfit_address; login: where Ansible finds it."""
    candidates = [stated] if stated else [*default_sources(facts), *([login] if login else [])]
    return Member(name, tuple(dict.fromkeys(one for one in candidates if is_usable(one))), view, tuple(_pods(view)))


def from_variables(
    name: str, stated: Optional[str], login: Optional[str], pods: Iterable[Mapping[str, Any]] = ()
) -> Member:
    """Return the member that a node without facts is. pods: with name, address and, where known, network."""
    candidates = [one for one in (stated or login,) if one is not None and is_usable(one)]
    found = []
    for pod in pods:
        owner = Owner(OwnerKind.POD, str(pod["name"]))
        found.append(PodEnd(str(pod["name"]), {}, owner, pod.get("network"), (str(pod["address"]),)))
    return Member(name, tuple(candidates), None, tuple(found))


def with_distinct_addresses(members: Iterable[Member]) -> List[Member]:
    """Leave each member the first of its addresses that no other member claims; none where all are claimed.

    Virtual machines behind a translating network often have all the same address on their default route.
    """
    known = list(members)
    claims = Counter(address for member in known for address in set(member.addresses))
    return [
        replace(member, addresses=tuple(one for one in member.addresses if claims[one] == 1)[:1]) for member in known
    ]


def meet(one: Member, pod: PodEnd, other: Member, peer: PodEnd) -> bool:
    """Tell whether two pods are on the same network, so that one should reach the other."""
    if one.view is None or other.view is None:
        return pod.network is None or peer.network is None or pod.network == peer.network
    if pod.network != peer.network:
        return False
    return leads_to(one, pod.crossing, peer) or leads_to(other, peer.crossing, pod)


def leads_to(host: Member, crossed: Optional[Crossing], peer: PodEnd) -> bool:
    """Tell whether a host has a route to a pod elsewhere. crossed: the overlay that it has to go through, if any.

    Two clusters may have overlays of the same name: their pods have no routes to each other. An overlay without routes
    joins its members by its bridge alone.
    """
    home = host.view.host_network if host.view is not None else None
    if home is None:
        return host.view is None
    ranges = host.ranges(crossed.overlay if crossed is not None else None)
    return (crossed is not None and not ranges.known) or any(map(ranges.hold, peer.addresses))


def _routes(home: NetworkView, overlay: Optional[LinkView]) -> List[RouteView]:
    if overlay is not None:
        return carried_routes(home, overlay)
    return [route for route in home.routes if not route.default and route.gateways]


def _pods(view: HostView) -> List[PodEnd]:
    """One for each network, the first by name that runs and has an address there."""
    found: Dict[Optional[str], PodEnd] = {}
    names = Counter(network.owner.name for network in view.members)
    running = [one for one in view.members if one.owner.kind is OwnerKind.POD and one.owner.pid is not None]
    for network in sorted(running, key=lambda one: (one.owner.name or "", one.inode)):
        for link in network.links:
            pod = _pod(view, network, link, unique=names[network.owner.name] == 1)
            if pod is not None:
                found.setdefault(pod.network, pod)
    return [found[key] for key in sorted(found, key=lambda key: key or "")]


def _pod(view: HostView, network: NetworkView, link: LinkView, unique: bool) -> Optional[PodEnd]:
    name = network.owner.name
    addresses: Dict[int, str] = {}
    for text, _length in link.addresses:
        if is_usable(text):
            addresses.setdefault(ipaddress.ip_address(text).version, text)
    if name is None or not addresses or not link.carries or link.kind == "loopback" or link.tunnel is not None:
        return None
    crossed = crossing(view, network, link)
    return PodEnd(
        name=name,
        source={"pod": name} if unique else {"namespace": str(network.inode)},
        owner=network.owner,
        network=crossed.overlay.name if crossed is not None else None,
        addresses=tuple(addresses[version] for version in sorted(addresses)),
        mtu=effective_mtu(network, link),
        crossing=crossed,
    )
