# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the whole cluster shows: MTU-006, and MTU-001 between nodes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Dict, List, Sequence, Set, Tuple

from ...module_utils._model.finding import Evidence, Finding, Remedy
from .making import NETLINK, OPEN_CONNECTIONS, fail, link_change, link_evidence, place
from .mtu import exceeds_overlay, overlay_finding, refused_packets, uplink
from .overlay import Crossing, carried_routes, crossing, effective_mtu
from .policy import Policy
from .view import HostView, LinkView, NetworkView


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


def overlays(hosts: Sequence[HostView]) -> Dict[Overlay, List[Node]]:
    """Return the overlays that at least two of the hosts share, each with its nodes by name."""
    found: Dict[Overlay, List[Node]] = {}
    for host in sorted(hosts, key=lambda one: one.name):
        home = host.host_network
        for link in home.links if home is not None else ():
            if home is not None and link.tunnel is not None and link.up and carried_routes(home, link):
                key = (link.name, link.tunnel.kind, link.tunnel.identifier or 0)
                found.setdefault(key, []).append(Node(host, home, link))
    return {key: nodes for key, nodes in sorted(found.items()) if len(nodes) > 1}


def cluster_rules(hosts: Sequence[HostView], policy: Policy) -> List[Finding]:
    """Return what holds between the hosts. Hosts that share no overlay are no cluster, and may well differ."""
    findings: List[Finding] = []
    differing: Set[str] = set()
    shared = overlays(hosts)
    for nodes in shared.values():
        outliers = _outliers({node.host.name: node.capacity for node in nodes})
        differing |= set(outliers)
        for node in nodes:
            if node.host.name in outliers:
                findings.append(
                    _disagreement(
                        policy,
                        node.host,
                        node.home,
                        node.overlay,
                        {one.host.name: one.capacity for one in nodes},
                        "overlay",
                    )
                )
        findings.extend(_pods_between_nodes(policy, nodes))
        findings.extend(_seen_elsewhere(policy, nodes))
    findings.extend(_uplinks(policy, shared, differing))
    return findings


def _outliers(mtus: Dict[str, int]) -> List[str]:
    """Return the names that differ from the most frequent MTU; where two are as frequent, from the smaller one."""
    counts = Counter(mtus.values())
    usual = min(counts, key=lambda mtu: (-counts[mtu], mtu))
    return sorted(name for name, mtu in mtus.items() if mtu != usual)


def _uplinks(policy: Policy, shared: Dict[Overlay, List[Node]], differing: Set[str]) -> List[Finding]:
    """Uplinks of the nodes of one overlay; a difference that already shows in the overlay is not told again."""
    findings: Dict[str, Finding] = {}
    for nodes in shared.values():
        ways = {node.host.name: (node, uplink(node.host)) for node in nodes}
        mtus = {name: way[1] for name, (_node, way) in ways.items() if way is not None}
        for name in _outliers(mtus) if mtus and not differing else ():
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
    evidence = [
        link_evidence(link, where.name),
        Evidence(f"MTU of the {kind} on the other nodes", ", ".join(others), NETLINK),
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


def _seen_elsewhere(policy: Policy, nodes: List[Node]) -> List[Finding]:
    """MTU-001 once more, where another node refuses packets: that is where the requests come in.

    The finding has the fingerprint of the host's own and takes its place in the report.
    """
    findings = []
    for node in nodes:
        refused = [
            one for other in nodes if other.host.name != node.host.name for one in refused_packets(other.host, policy)
        ]
        for finding in exceeds_overlay(node.host, policy)[0] if refused else ():
            findings.append(replace(finding, evidence=(*finding.evidence, *refused[:6])))
    return findings


def _pods_between_nodes(policy: Policy, nodes: List[Node]) -> List[Finding]:
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
                        overlay_finding(node.host, policy, network, link, crossed, narrow.capacity, narrow.host.name)
                    )
    return findings
