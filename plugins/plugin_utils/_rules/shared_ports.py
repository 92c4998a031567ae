# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NodePorts of a cluster: what its nodes together show of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ...module_utils._model.node_port import NodePort, TrafficPolicy, crossing_share, mean_crossing
from ...module_utils._model.owner import OwnerKind
from .overlay import node_count
from .view import HostView, LinkView, NetworkView


@dataclass(frozen=True)
class PortPod:
    """What answers behind a NodePort. host, name: None where no audited host knows the address."""

    address: str
    port: int
    host: Optional[str]
    name: Optional[str]


@dataclass(frozen=True)
class PortNode:
    """A node that was audited. crossing: part of its requests that crosses the overlay, None where it drops them."""

    host: str
    crossing: Optional[float]


@dataclass(frozen=True)
class SharedPort:
    """A NodePort of a cluster.

    nodes: by name. unseen: nodes of the overlay that were not audited; they count as holding none of the pods.
    share: part of the answered requests that crosses, where every node gets as many; None where all are dropped.
    overlays: names of the devices that they cross. source: where the first node was read.
    """

    family: str
    protocol: str
    port: int
    service: Optional[str]
    policy: TrafficPolicy
    nodes: Tuple[PortNode, ...]
    unseen: int
    share: Optional[float]
    pods: Tuple[PortPod, ...]
    overlays: Tuple[str, ...]
    source: str

    @property
    def label(self) -> str:
        """Return "NodePort tcp 30004", and that it is one of IPv6."""
        return f"NodePort {self.protocol} {self.port}" + (" by IPv6" if self.family == "ipv6" else "")

    @property
    def name(self) -> str:
        """Return the label with the service, where that is known."""
        return f"{self.label} ({self.service})" if self.service is not None else self.label

    @property
    def crossing(self) -> List[str]:
        """Nodes of whose requests some cross."""
        return [node.host for node in self.nodes if node.crossing]

    @property
    def dropping(self) -> List[str]:
        """Nodes that drop what they are asked."""
        return [node.host for node in self.nodes if node.crossing is None]


@dataclass(frozen=True)
class _Seen:
    """One node's part of a NodePort. ends: share and overlay (None where none is crossed) of each endpoint."""

    host: HostView
    home: NetworkView
    port: NodePort
    ends: Tuple[Tuple[float, Optional[LinkView]], ...]


def shared_ports(hosts: Sequence[HostView]) -> List[SharedPort]:
    """Return the NodePorts of all clusters among the hosts, by port.

    Nodes with the same port and service belong together where they lead to a common pod; with externalTrafficPolicy
    Local each leads to its own pods, and the name has to do.
    """
    groups: Dict[Tuple[str, int, str, str], List[_Seen]] = {}
    for host in sorted(hosts, key=lambda one: one.name):
        for seen in _seen(host):
            port = seen.port
            groups.setdefault((port.protocol, port.port, port.family, port.service or ""), []).append(seen)
    if not groups:
        return []
    pods = _pods(hosts)
    return [_shared(part, pods) for key in sorted(groups) for part in _clusters(groups[key])]


def by_address(ports: Iterable[SharedPort]) -> Mapping[Tuple[str, str], Sequence[SharedPort]]:
    """Return the ports that lead to a pod, by its host and address."""
    found: Dict[Tuple[str, str], List[SharedPort]] = {}
    for port in ports:
        for pod in port.pods:
            if pod.host is not None:
                found.setdefault((pod.host, pod.address), []).append(port)
    return found


def _seen(host: HostView) -> Iterable[_Seen]:
    home = host.host_network
    overlays: Dict[Optional[str], Optional[LinkView]] = {}
    for port in host.node_ports if home is not None else ():
        ends = []
        for end in port.endpoints:
            if end.device not in overlays:
                overlays[end.device] = _overlay(home, end.device)
            ends.append((end.share, None if end.local else overlays[end.device]))
        if home is not None:
            yield _Seen(host, home, port, tuple(ends))


def _overlay(home: Optional[NetworkView], device: Optional[str]) -> Optional[LinkView]:
    """Return the overlay that a device sends by: itself, or the one that Cilium's device feeds."""
    link = home.link(device) if home is not None else None
    if home is None or link is None or link.tunnel is not None:
        return link
    if link.name != "cilium_host":
        return None
    return next((one for one in home.links if one.name.startswith("cilium_") and one.tunnel is not None), None)


def _clusters(nodes: Sequence[_Seen]) -> List[List[_Seen]]:
    """Part the nodes into those that have a pod in common, directly or through others."""
    if any(one.port.external_traffic_policy is TrafficPolicy.LOCAL for one in nodes):
        return [list(nodes)]
    leaders: Dict[str, str] = {}

    def leader(address: str) -> str:
        while leaders.setdefault(address, address) != address:
            leaders[address] = leaders[leaders[address]]
            address = leaders[address]
        return address

    for one in nodes:
        for end in one.port.endpoints:
            leaders[leader(end.address)] = leader(one.port.endpoints[0].address)
    parts: Dict[str, List[_Seen]] = {}
    for one in nodes:
        parts.setdefault(leader(one.port.endpoints[0].address) if one.port.endpoints else "", []).append(one)
    return list(parts.values())


_Pods = Mapping[str, Set[Tuple[str, str]]]
"""Address -> the pods that have it, by host and name. Two clusters may use the same addresses."""


def _pods(hosts: Sequence[HostView]) -> _Pods:
    found: Dict[str, Set[Tuple[str, str]]] = {}
    for host in hosts:
        for network in host.members:
            if network.owner.kind is OwnerKind.POD:
                for link in network.links:
                    for address, _length in link.addresses:
                        found.setdefault(address, set()).add((host.name, network.owner.name or ""))
    return found


def _shared(nodes: Sequence[_Seen], pods: _Pods) -> SharedPort:
    first = nodes[0].port
    policies = {one.port.external_traffic_policy for one in nodes}
    policy = policies.pop() if len(policies) == 1 else TrafficPolicy.UNKNOWN
    crossings = {
        one.host.name: crossing_share([(share, overlay is not None) for share, overlay in one.ends]) for one in nodes
    }
    ways = _overlays(nodes)
    overlays = sorted({overlay.name for _home, overlay in ways})
    spread = policy is TrafficPolicy.CLUSTER and all(map(_reaches_others_by_overlay, nodes))
    unseen = _unseen(nodes, ways) if spread else 0
    return SharedPort(
        family=first.family,
        protocol=first.protocol,
        port=first.port,
        service=first.service,
        policy=policy,
        nodes=tuple(PortNode(name, crossing) for name, crossing in crossings.items()),
        unseen=unseen,
        share=mean_crossing(crossings, len(crossings) + unseen, spread),
        pods=_behind(nodes, pods),
        overlays=tuple(overlays),
        source=first.source,
    )


def _reaches_others_by_overlay(node: _Seen) -> bool:
    return all(end.local or overlay is not None for end, (_share, overlay) in zip(node.port.endpoints, node.ends))


_Way = Tuple[NetworkView, LinkView]


def _overlays(nodes: Sequence[_Seen]) -> List[_Way]:
    """Return the overlays on the way to the pods; where all of them are here, the only one that others can come by."""
    crossed = [(one.home, overlay) for one in nodes for _share, overlay in one.ends if overlay is not None]
    if crossed or not all(end.local for one in nodes for end in one.port.endpoints):
        return crossed
    found = [(one.home, link) for one in nodes for link in one.home.links if link.tunnel is not None and link.up]
    found = [(home, link) for home, link in found if node_count(home, link) is not None]
    return found if len({link.name for _home, link in found}) == 1 else []


def _unseen(nodes: Sequence[_Seen], ways: Sequence[_Way]) -> int:
    """Return how many nodes the overlay has beside those that were audited, by the routes through it."""
    return max(0, max((node_count(home, overlay) or 0 for home, overlay in ways), default=0) - len(nodes))


def _behind(nodes: Sequence[_Seen], pods: _Pods) -> Tuple[PortPod, ...]:
    holders: Dict[Tuple[str, int], Optional[str]] = {}
    names = {one.host.name for one in nodes}
    for one in nodes:
        for end in one.port.endpoints:
            place = (end.address, end.port)
            holders[place] = one.host.name if end.local else holders.get(place)
    found = []
    for (address, port), holder in sorted(holders.items()):
        known = {pod for pod in pods.get(address, ()) if pod[0] == holder or (holder is None and pod[0] in names)}
        host, name = next(iter(known)) if len(known) == 1 else (holder, "")
        found.append(PortPod(address, port, host, name or None))
    return tuple(found)
