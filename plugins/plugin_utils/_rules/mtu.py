# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU rules about overlays and uplinks: MTU-001, MTU-002, MTU-007."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ...module_utils._model.finding import Evidence, Finding, Remedy, Severity
from ...module_utils._model.owner import OwnerKind
from .making import NETLINK, OPEN_CONNECTIONS, Place, fail, link_change, link_evidence, place
from .node_port import port_evidence, port_values
from .overlay import CLUSTER_STACKS, Crossing, crossing, effective_mtu
from .policy import Policy
from .shared_ports import SharedPort
from .view import DeclaredView, HostView, LinkView, NetworkView, Tunnel

Flagged = Set[Tuple[int, str]]
"""Links that already have a finding with the same cure, by namespace inode and name."""
Ports = Mapping[Tuple[str, str], Sequence[SharedPort]]
"""The NodePorts that lead to a pod, by its host and address."""
NO_PORTS: Ports = MappingProxyType({})


def exceeds_overlay(host: HostView, policy: Policy, ports: Ports = NO_PORTS) -> Tuple[List[Finding], Flagged]:
    """MTU-001. Return the findings and the links that they are about."""
    findings: List[Finding] = []
    flagged: Flagged = set()
    for network in host.members:
        for link in network.links:
            crossed = crossing(host, network, link) if _judged(link) else None
            if crossed is not None and effective_mtu(network, link) > crossed.capacity:
                finding = overlay_finding(host, policy, network, link, crossed, crossed.capacity, host.name, ports)
                findings.append(finding)
                flagged.add((network.inode, link.name))
    return findings, flagged


def _judged(link: LinkView) -> bool:
    return link.kind != "loopback" and link.tunnel is None


def overlay_finding(
    host: HostView,
    policy: Policy,
    network: NetworkView,
    link: LinkView,
    crossed: Crossing,
    limit: int,
    node: str,
    ports: Ports = NO_PORTS,
) -> Finding:
    """Make an MTU-001 finding. limit: bytes that the overlay carries on that node (the host itself, or another)."""
    where, mtu = place(host.name, network), effective_mtu(network, link)
    end = host.peer_of(link)
    changes = [link_change(where, link.name, limit)]
    if end is not None:
        home = host.network(end.namespace)
        changes.append(link_change(place(host.name, home), end.name, limit) if home is not None else {})
    declared = _declared_for(host, crossed.overlay)
    leading = [port for address, _length in link.addresses for port in ports.get((host.name, address), ())]
    variables: Dict[str, object] = {"links": [change for change in changes if change]}
    if network.owner.kind is OwnerKind.POD:
        variables.update(pod_mtu=limit, overlay=crossed.overlay.name, files=_files_above(declared, limit))
    evidence = [
        link_evidence(link, where.name),
        None if mtu == link.mtu else Evidence("MTU of its default route", mtu, NETLINK),
        None if end is None else Evidence(f"MTU of its other end {end.name}", end.mtu, NETLINK),
        *_overlay_evidence(host, crossed, limit, node),
        *[Evidence(f"{one.stack} declares ({one.meaning} MTU)", one.value, one.source) for one in declared],
        *_symptoms(host, policy, network, limit),
        *port_evidence(leading),
        _share(crossed.nodes),
    ]
    finding = fail(
        "MTU-001",
        policy,
        where.target(link=link.name),
        f"MTU {mtu}",
        f"at most {limit} ({crossed.overlay.name} on {node})",
        evidence,
        Remedy("link_mtu", variables, OPEN_CONNECTIONS, survives_restart=False),
    )
    return replace(finding, values=port_values(leading))


def _files_above(declared: List[DeclaredView], limit: int) -> List[str]:
    """Where more than the limit is declared for new pods; empty where nothing is, and they get the kernel's default."""
    return sorted({one.source for one in declared if one.meaning == "interface" and one.value > limit})


def _overlay_evidence(host: HostView, crossed: Crossing, limit: int, node: str) -> List[Evidence]:
    overlay, tunnel = crossed.overlay, crossed.overlay.tunnel
    kind = tunnel.kind if tunnel is not None else overlay.kind
    found = [
        Evidence(crossed.reason, None, crossed.source),
        Evidence(f"MTU of overlay {overlay.name} ({kind}) on {host.name}", crossed.capacity, NETLINK),
    ]
    if node != host.name:
        found.append(Evidence(f"MTU of overlay {overlay.name} on {node}", limit, NETLINK))
    if tunnel is not None and tunnel.underlay_mtu is not None:
        overhead = f", before the {tunnel.overhead} bytes of {kind}" if tunnel.overhead is not None else ""
        found.append(Evidence(f"MTU of underlay {tunnel.underlay or 'link'}{overhead}", tunnel.underlay_mtu, NETLINK))
    return found


def _declared_for(host: HostView, overlay: LinkView) -> List[DeclaredView]:
    return [
        one for one in host.declared if one.active and one.stack in CLUSTER_STACKS and one.link in (None, overlay.name)
    ]


def _symptoms(host: HostView, policy: Policy, network: NetworkView, limit: int) -> List[Evidence]:
    """Counters and learned path MTUs that show the packets being refused."""
    found = refused_packets(host, policy)
    for view in (network, host.host_network):
        for one in view.exceptions if view is not None else ():
            if one.mtu == limit:
                found.append(Evidence(f"path MTU learned towards {one.destination}", one.mtu, NETLINK))
    return found[:6]


def refused_packets(host: HostView, policy: Policy) -> List[Evidence]:
    """Return the host's own counters that rise when it refuses to forward packets that are too large."""
    found = []
    for queue in host.queues:
        for name in policy.symptom_counters("forwarding") if queue.owner.kind is OwnerKind.HOST else ():
            if queue.rates.get(name, 0) > 0:
                found.append(Evidence(f"{name} a second on {host.name}", queue.rates[name], "/proc/net/snmp"))
    return found


def _share(nodes: Optional[int]) -> Optional[Evidence]:
    if nodes is None or nodes < 2:
        return None
    percent = round(100 * (nodes - 1) / nodes)
    return Evidence(
        f"{nodes} nodes share this overlay: {nodes - 1} of {nodes} NodePort or load balancer requests "
        f"({percent} %) cross it and depend on ICMP",
        None,
        "routes through the overlay",
    )


def exceeds_underlay(host: HostView, policy: Policy) -> List[Finding]:
    """MTU-002: an overlay device that promises more than its underlay can carry."""
    findings = []
    for network in host.networks:
        for link in network.links:
            limit = _underlay_limit(network, link)
            if limit is not None and link.mtu > limit and link.tunnel is not None:
                findings.append(_underlay_finding(host, policy, network, link, link.tunnel))
    return findings


def _underlay_limit(network: NetworkView, link: LinkView) -> Optional[int]:
    """Bytes that fit; None where unknown, or where a program decides per packet what enters the tunnel."""
    tunnel = link.tunnel
    if tunnel is None or not link.up or not tunnel.underlay_mtu or not tunnel.overhead:
        return None
    fed_by_routes = any(link.name in route.devices for route in network.routes)
    if tunnel.collect_metadata and not fed_by_routes and link.master is None:
        return None
    return tunnel.underlay_mtu - tunnel.overhead


def _underlay_finding(
    host: HostView,
    policy: Policy,
    network: NetworkView,
    link: LinkView,
    tunnel: Tunnel,
) -> Finding:
    where, fragment, underlay = place(host.name, network), tunnel.dont_fragment, tunnel.underlay or "underlay"
    limit = (tunnel.underlay_mtu or 0) - (tunnel.overhead or 0)
    forbids = fragment in ("set", "inherit")
    severity = (Severity.HIGH if link.master is not None else Severity.CRITICAL) if forbids else Severity.MEDIUM
    outcome = "dropped without ICMP" if forbids and link.master is None else "refused" if forbids else "fragmented"
    evidence = [
        link_evidence(link, where.name),
        Evidence(f"MTU of its underlay {underlay}", tunnel.underlay_mtu, NETLINK),
        Evidence(f"bytes that {tunnel.kind} over {tunnel.underlay_family} takes", tunnel.overhead, NETLINK),
        Evidence(
            f"outer don't-fragment bit is {fragment or 'not configurable'}: larger packets are {outcome}", None, NETLINK
        ),
    ]
    return fail(
        "MTU-002",
        policy,
        where.target(link=link.name),
        f"MTU {link.mtu}",
        f"at most {limit} ({underlay} {tunnel.underlay_mtu} less {tunnel.overhead})",
        evidence,
        Remedy("link_mtu", {"links": [link_change(where, link.name, limit)]}, OPEN_CONNECTIONS, False),
        severity,
    )


def uplink(host: HostView) -> Optional[Tuple[LinkView, int]]:
    """Return the link of the host's best default route and the bytes that it carries (the route's MTU included)."""
    home = host.host_network
    if home is None:
        return None
    defaults = sorted(
        (route for route in home.routes if route.default),
        key=lambda route: (route.table != 254, route.family, route.priority),
    )
    for route in defaults:
        links = [link for link in (home.link(device) for device in route.devices) if link is not None]
        if links:
            narrow = min(links, key=lambda link: (link.mtu, link.name))
            return narrow, min(narrow.mtu, route.mtu or narrow.mtu)
    return None


def exceeds_uplink(host: HostView, policy: Policy, flagged: Flagged) -> Tuple[List[Finding], Flagged]:
    """MTU-007: a container's way out is wider than the host's.

    Links of kind "tun" are left out: user-mode networks (slirp4netns, pasta) end TCP on the host, whatever their MTU.
    """
    way_out = uplink(host)
    findings: List[Finding] = []
    found: Flagged = set()
    if way_out is None:
        return findings, found
    device, limit = way_out
    for network in host.members:
        for link in _ways_out(network):
            mtu = effective_mtu(network, link)
            known = (network.inode, link.name) in flagged or crossing(host, network, link) is not None
            if mtu > limit and not known:
                findings.append(_uplink_finding(host, policy, network, link, device, limit))
                found.add((network.inode, link.name))
    return findings, found


def _ways_out(network: NetworkView) -> List[LinkView]:
    devices = {device for route in network.routes if route.default for device in route.devices}
    return [
        link
        for link in network.links
        if link.name in devices and link.kind not in ("loopback", "tun") and link.tunnel is None
    ]


def _uplink_finding(
    host: HostView,
    policy: Policy,
    network: NetworkView,
    link: LinkView,
    device: LinkView,
    limit: int,
) -> Finding:
    where, end = place(host.name, network), host.peer_of(link)
    changes = [link_change(where, link.name, limit)]
    home = host.network(end.namespace) if end is not None else None
    if end is not None and home is not None:
        changes.append(link_change(Place(host.name, home.owner, home.paths), end.name, limit))
    evidence = [
        link_evidence(link, where.name),
        None if end is None else Evidence(f"MTU of its other end {end.name}", end.mtu, NETLINK),
        Evidence(f"MTU of {device.name}, by which the host's default route leaves", limit, NETLINK),
    ]
    severity = Severity.MEDIUM if network.owner.kind is OwnerKind.UNKNOWN else None
    return fail(
        "MTU-007",
        policy,
        where.target(link=link.name),
        f"MTU {effective_mtu(network, link)}",
        f"at most {limit} ({device.name} of {host.name})",
        evidence,
        Remedy("link_mtu", {"links": changes}, OPEN_CONNECTIONS, False),
        severity,
    )
