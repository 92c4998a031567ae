# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the whole cluster shows: MTU-006, and MTU-001 between nodes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import Dict, List, Sequence, Set, Tuple

from ...module_utils._model.finding import Evidence, Finding, Remedy
from .making import NETLINK, OPEN_CONNECTIONS, fail, link_change, link_evidence, place
from .mtu import Ports, exceeds_overlay, overlay_finding, refused_packets, uplink
from .node_port import crossing_ports
from .overlay import Crossing, carried_routes, crossing, effective_mtu
from .policy import Policy
from .shared_ports import by_address, shared_ports
from .view import HostView, LinkView, NetworkView

MOST_REFUSALS = 6
MOST_NODES = 20


@dataclass(frozen=True)
class Node:
    """A host with its end of an overlay."""

    host: HostView
    home: NetworkView
    overlay: LinkView

    @property
    def capacity(self) -> int:
        """Bytes of IP packet that fit through the overlay device."""
        return Crossing(self.overlay, self.home, "", "").capacity


Overlay = Tuple[str, str, int]
"""What the ends of one overlay have in common: name, kind and identifier of the device."""


def overlays(hosts: Sequence[HostView]) -> List[List[Node]]:
    """Return the nodes, by name, of each overlay that at least two of the hosts share."""
    found: Dict[Overlay, List[Node]] = {}
    for host in sorted(hosts, key=lambda one: one.name):
        home = host.host_network
        for link in home.links if home is not None else ():
            if home is not None and link.tunnel is not None and link.up and carried_routes(home, link):
                key = (link.name, link.tunnel.kind, link.tunnel.identifier or 0)
                found.setdefault(key, []).append(Node(host, home, link))
    return [nodes for _key, alike in sorted(found.items()) for nodes in _joined(alike) if len(nodes) > 1]


def _joined(nodes: List[Node]) -> List[List[Node]]:
    """Split nodes of several clusters whose overlays are called the same: by the gateways of their routes through it.

    Nodes belong together where one is a gateway of the other, or where they have a gateway in common, audited or not,
    directly or through others. All count as one overlay where the routes of any of them name no other node.
    """
    users = _users(nodes)
    if len({position for positions in users.values() for position in positions}) < len(nodes):
        return [nodes]
    leaders = list(range(len(nodes)))

    def leader(position: int) -> int:
        while leaders[position] != position:
            leaders[position] = leaders[leaders[position]]
            position = leaders[position]
        return position

    for positions in users.values():
        first, *others = positions
        for other in others:
            one, two = sorted((leader(first), leader(other)))
            leaders[two] = one
    found: Dict[int, List[Node]] = {}
    for position, node in enumerate(nodes):
        found.setdefault(leader(position), []).append(node)
    return list(found.values())


def _users(nodes: List[Node]) -> Dict[str, List[int]]:
    """Return by address of a gateway the positions of those who send through it, and of those whose address it is.

    A gateway that is the node's own address (Cilium's routes have such) says nothing about other nodes.
    """
    own = [{address for link in node.home.links for address, _length in link.addresses} for node in nodes]
    users: Dict[str, List[int]] = {}
    for position, node in enumerate(nodes):
        gateways = {one for route in carried_routes(node.home, node.overlay) for one in route.gateways}
        for gateway in gateways - own[position]:
            users.setdefault(gateway, []).append(position)
    for position, addresses in enumerate(own):
        for address in addresses & users.keys():
            users[address].append(position)
    return users


def cluster_rules(hosts: Sequence[HostView], policy: Policy) -> List[Finding]:
    """Return what holds between the hosts. Hosts that share no overlay are no cluster, and may well differ."""
    findings: List[Finding] = []
    differing: Set[str] = set()
    shared = overlays(hosts)
    node_ports = shared_ports(hosts)
    ports = by_address(node_ports)
    for nodes in shared:
        capacities = {node.host.name: node.capacity for node in nodes}
        outliers = _outliers(capacities)
        differing |= outliers
        for node in nodes:
            if node.host.name in outliers:
                findings.append(_disagreement(policy, node.host, node.home, node.overlay, capacities, "overlay"))
        findings.extend(_pods_between_nodes(policy, nodes, ports))
    findings.extend(_seen_elsewhere(policy, hosts, shared, ports))
    findings.extend(crossing_ports(node_ports, policy))
    findings.extend(_uplinks(policy, shared, differing))
    return findings


def _outliers(mtus: Dict[str, int]) -> Set[str]:
    """Return the names that differ from the most frequent MTU; where two are as frequent, from the smaller one."""
    counts = Counter(mtus.values())
    usual = min(counts, key=lambda mtu: (-counts[mtu], mtu))
    return {name for name, mtu in mtus.items() if mtu != usual}


def _uplinks(policy: Policy, shared: List[List[Node]], differing: Set[str]) -> List[Finding]:
    """Uplinks of the nodes of one overlay; a difference that already shows in the overlay is not told again."""
    findings: Dict[str, Finding] = {}
    for nodes in shared:
        ways = {node.host.name: (node, uplink(node.host)) for node in nodes}
        mtus = {name: way[1] for name, (_node, way) in ways.items() if way is not None}
        for name in sorted(_outliers(mtus)) if mtus and not differing & set(ways) else ():
            node, way = ways[name]
            if way is not None:
                findings[name] = _disagreement(policy, node.host, node.home, way[0], mtus, "uplink")
    return list(findings.values())


def _disagreement(
    policy: Policy,
    host: HostView,
    home: NetworkView,
    link: LinkView,
    mtus: Dict[str, int],
    kind: str,
) -> Finding:
    where, smallest, mine = place(host.name, home), min(mtus.values()), mtus[host.name]
    others = [f"{name} {mtu}" for name, mtu in sorted(mtus.items()) if name != host.name]
    shown = ", ".join(others[:MOST_NODES]) + (f" and {len(others) - MOST_NODES} more" if others[MOST_NODES:] else "")
    evidence = [
        link_evidence(link, where.name),
        Evidence(f"MTU of the {kind} on the other nodes", shown, NETLINK),
    ]
    usual = Counter(mtus.values()).most_common()
    expected = f"{min(mtu for mtu, count in usual if count == usual[0][1])} as on the other nodes"
    if mine > smallest:
        remedy = Remedy("link_mtu", {"links": [link_change(where, link.name, smallest)]}, OPEN_CONNECTIONS, False)
    else:
        changes = {"links": [{"link": link.name, "mtu": mine}], "hosts": sorted(n for n in mtus if mtus[n] > mine)}
        remedy = Remedy("link_mtu", changes, OPEN_CONNECTIONS, False)
    target = where.target(link=link.name)
    return fail("MTU-006", policy, target, f"{kind} {link.name} {mine}", expected, evidence, remedy)


def _seen_elsewhere(
    policy: Policy, hosts: Sequence[HostView], shared: Sequence[List[Node]], ports: Ports
) -> List[Finding]:
    """MTU-001 once more, where other nodes know more: they refuse packets, or their NodePorts lead to the pod.

    The finding has the fingerprint of the host's own and takes its place in the report.
    """
    refused = _refused(policy, shared)
    leading = {host for host, _address in ports}
    findings = []
    for host in hosts:
        evidence = refused.get(host.name, [])
        if evidence or host.name in leading:
            for finding in exceeds_overlay(host, policy, ports)[0]:
                if evidence or finding.values:
                    findings.append(replace(finding, evidence=(*finding.evidence, *evidence[:MOST_REFUSALS])))
    return findings


def _refused(policy: Policy, shared: Sequence[List[Node]]) -> Dict[str, List[Evidence]]:
    """Return for each node what the other nodes of its overlays refuse: that is where the requests come in."""
    found: Dict[str, List[Evidence]] = {}
    for nodes in shared:
        told = [(node.host.name, one) for node in nodes for one in refused_packets(node.host, policy)]
        for node in nodes if told else ():
            known = found.setdefault(node.host.name, [])
            elsewhere = (one for name, one in told if name != node.host.name)
            known.extend(one for one in islice(elsewhere, MOST_REFUSALS) if one not in known)
    return found


def _pods_between_nodes(policy: Policy, nodes: List[Node], ports: Ports) -> List[Finding]:
    """MTU-001 where the pod fits its own node's overlay and not that of another node."""
    narrow = min(nodes, key=lambda node: (node.capacity, node.host.name))
    findings = []
    for node in nodes:
        for network in node.host.members:
            for link in network.links:
                crossed = crossing(node.host, network, link) if link.kind != "loopback" else None
                if crossed is None or crossed.overlay.name != narrow.overlay.name:
                    continue
                if narrow.capacity < effective_mtu(network, link) <= crossed.capacity:
                    findings.append(
                        overlay_finding(
                            node.host, policy, network, link, crossed, narrow.capacity, narrow.host.name, ports
                        )
                    )
    return findings
