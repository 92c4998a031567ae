# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU rules about one segment: MTU-003 (bridge and ports), MTU-004 (the ends of a veth pair)."""

from __future__ import annotations

from typing import List, Optional, Set, Tuple

from ...module_utils._model.finding import Evidence, Finding, Remedy, Severity
from .making import NETLINK, OPEN_CONNECTIONS, fail, link_change, link_evidence, place
from .mtu import Flagged
from .policy import Policy
from .view import HostView, LinkView, NetworkView


def segments(host: HostView, policy: Policy, flagged: Flagged) -> List[Finding]:
    """MTU-003: one finding per bridge whose own MTU and that of its working ports are not all the same."""
    findings = []
    for network in host.networks:
        for bridge in network.links:
            if bridge.kind != "bridge" or not bridge.up:
                continue
            ports = [port for port in network.ports(bridge.name) if port.carries]
            explained = any(_is_flagged(host, port, flagged) for port in ports)
            if not explained and any(port.mtu != bridge.mtu for port in ports):
                findings.append(_segment_finding(host, policy, network, bridge, ports))
    return findings


def _is_flagged(host: HostView, port: LinkView, flagged: Flagged) -> bool:
    end = host.peer_of(port)
    return end is not None and (end.namespace, end.name) in flagged


def _segment_finding(
    host: HostView,
    policy: Policy,
    network: NetworkView,
    bridge: LinkView,
    ports: List[LinkView],
) -> Finding:
    where = place(host.name, network)
    small = min([bridge.mtu, *[port.mtu for port in ports]])
    odd = sorted((port for port in ports if port.mtu != bridge.mtu), key=lambda port: port.name)
    larger = [port for port in odd if port.mtu > bridge.mtu]
    only_hardware = len(larger) == len(odd) and all(port.kind == "physical" for port in odd)
    names = ", ".join(f"{port.name} {port.mtu}" for port in odd[:4]) + (" ..." if len(odd) > 4 else "")
    evidence = [
        link_evidence(bridge, where.name),
        *[Evidence(f"MTU of port {port.name} ({port.kind}){_member(host, port)}", port.mtu, NETLINK) for port in odd],
        Evidence(_who_drops(bridge, odd, larger), None, "Linux net/bridge/br_forward.c"),
    ]
    changes = [link_change(where, port.name, small) for port in larger] or [link_change(where, bridge.name, small)]
    return fail(
        "MTU-003",
        policy,
        where.target(link=bridge.name),
        f"{bridge.name} {bridge.mtu}, {names}",
        f"one MTU on the bridge and all of its ports (the smallest is {small})",
        evidence,
        Remedy("link_mtu", {"links": changes}, OPEN_CONNECTIONS, False),
        Severity.LOW if only_hardware else None,
    )


def _member(host: HostView, port: LinkView) -> str:
    end = host.peer_of(port)
    home = host.network(end.namespace) if end is not None else None
    if end is None or home is None or home.is_host:
        return ""
    return f", {end.name} of {place(host.name, home).name}"


def _who_drops(bridge: LinkView, odd: List[LinkView], larger: List[LinkView]) -> str:
    if len(larger) == len(odd):
        return f"{bridge.name} silently drops what its larger ports send beyond {bridge.mtu} bytes"
    return f"ports that are smaller than {bridge.name} silently drop what others send beyond their MTU"


def pairs(host: HostView, policy: Policy, flagged: Flagged) -> List[Finding]:
    """MTU-004: one finding per veth pair whose ends differ, told from the end in the container."""
    findings = []
    seen: Set[Tuple[Tuple[int, str], ...]] = set()
    for network in (*host.members, *[one for one in host.networks if one.is_host]):
        for link in network.links:
            other = _other_end(host, link)
            if other is None or other[1] == link.mtu:
                continue
            end = host.peer_of(link)
            ends = {(one.namespace, one.name) for one in (link, end) if one is not None}
            key = tuple(sorted(ends))
            if key not in seen and not flagged & ends:
                findings.append(_pair_finding(host, policy, network, link, other, end))
            seen.add(key)
    return findings


def _other_end(host: HostView, link: LinkView) -> Optional[Tuple[str, int]]:
    end = host.peer_of(link)
    if end is not None:
        return end.name, end.mtu
    if link.peer is not None and link.peer.mtu is not None:
        return link.peer.name or "unnamed", link.peer.mtu
    return None


def _pair_finding(
    host: HostView,
    policy: Policy,
    network: NetworkView,
    link: LinkView,
    other: Tuple[str, int],
    end: Optional[LinkView],
) -> Finding:
    where, (name, mtu) = place(host.name, network), other
    small = min(link.mtu, mtu)
    home = host.network(end.namespace) if end is not None else None
    elsewhere = place(host.name, home) if home is not None else where
    lost = f"what {link.name} sends" if link.mtu > mtu else f"what {name} sends towards {link.name}"
    change = link_change(where, link.name, small) if link.mtu > mtu else link_change(elsewhere, name, small)
    evidence = [
        link_evidence(link, where.name),
        Evidence(f"MTU of its other end {name} in {elsewhere.name}", mtu, NETLINK),
        Evidence(f"{lost} beyond {small} bytes is dropped without ICMP", None, "Linux net/core/dev.c"),
    ]
    return fail(
        "MTU-004",
        policy,
        where.target(link=link.name),
        f"{link.name} {link.mtu}, its other end {name} {mtu}",
        f"{small} on both ends",
        evidence,
        Remedy("link_mtu", {"links": [change]}, OPEN_CONNECTIONS, False),
    )
