# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU-005: what files declare against what runs."""

from __future__ import annotations

from typing import Collection, List, Optional

from ...module_utils._model.finding import Evidence, Finding, Remedy, Severity
from ...module_utils._model.owner import OwnerKind
from .drift import pod_declarations, waits_for_restart
from .making import OPEN_CONNECTIONS, fail, link_change, link_evidence, place
from .mtu import Flagged
from .policy import Policy
from .view import DeclaredView, HostView, LinkView, NetworkView


def declared(host: HostView, policy: Policy, flagged: Flagged, told: Collection[str] = ()) -> List[Finding]:
    """MTU-005. A file that is not in force and a link that does not exist are no findings.

    told: sources of declarations that another finding is about.
    """
    home = host.host_network
    if home is None:
        return []
    findings = []
    active = [one for one in host.declared if one.active and one.value > 0 and one.source not in told]
    for one in active:
        link = home.link(one.link)
        if link is not None and not waits_for_restart(one, link):
            findings.extend(_against_link(host, policy, home, one, link, flagged))
    findings.extend(_old_pods(host, policy, active, flagged))
    return findings


def expected_mtu(one: DeclaredView, link: LinkView) -> Optional[int]:
    """Return bytes that the link ought to have; None where the declaration does not determine it."""
    if one.meaning == "underlay":
        overhead = link.tunnel.overhead if link.tunnel is not None else None
        return one.value - overhead if overhead else None
    return one.value if one.meaning in ("overlay", "interface") else None


def _against_link(
    host: HostView,
    policy: Policy,
    home: NetworkView,
    one: DeclaredView,
    link: LinkView,
    flagged: Flagged,
) -> List[Finding]:
    wanted = expected_mtu(one, link)
    if wanted is None:
        return []
    if link.kind == "bridge":
        return _against_bridge(host, policy, home, one, link, wanted, flagged)
    if link.mtu == wanted:
        return []
    return [_finding(host, policy, home, link, one, wanted, _severity(one, link.mtu, wanted))]


def _severity(one: DeclaredView, live: int, wanted: int) -> Severity:
    """An overlay below its declaration is the bad way round: pods are made with the declared MTU."""
    if one.meaning == "overlay":
        return Severity.HIGH if live < wanted else Severity.LOW
    return Severity.MEDIUM if live > wanted else Severity.LOW


def _against_bridge(
    host: HostView,
    policy: Policy,
    home: NetworkView,
    one: DeclaredView,
    bridge: LinkView,
    wanted: int,
    flagged: Flagged,
) -> List[Finding]:
    """A bridge without ports has no MTU of its own yet; one with ports takes the smallest of theirs."""
    ports = [port for port in home.ports(bridge.name) if port.carries]
    odd = [port for port in ports if port.mtu != wanted]
    findings = []
    for port in odd:
        end = host.peer_of(port)
        inside = host.network(end.namespace) if end is not None else None
        if end is not None and inside is not None and (inside.inode, end.name) not in flagged:
            findings.append(_finding(host, policy, inside, end, one, wanted, _severity(one, end.mtu, wanted)))
    if ports and not odd and bridge.mtu != wanted:
        findings.append(_finding(host, policy, home, bridge, one, wanted, _severity(one, bridge.mtu, wanted)))
    return findings


def _old_pods(host: HostView, policy: Policy, active: List[DeclaredView], flagged: Flagged) -> List[Finding]:
    """Pods that were made before the file said what it says now."""
    found = pod_declarations(active)
    values = {one.value for one in found}
    findings = []
    for network in host.members if found else ():
        if network.owner.kind is not OwnerKind.POD:
            continue
        for link in network.links:
            odd = link.kind == "veth" and bool(link.addresses) and link.mtu not in values
            if odd and (network.inode, link.name) not in flagged:
                wanted = found[0].value
                findings.append(
                    _finding(host, policy, network, link, found[0], wanted, _severity(found[0], link.mtu, wanted))
                )
    return findings


def _finding(
    host: HostView,
    policy: Policy,
    network: NetworkView,
    link: LinkView,
    one: DeclaredView,
    wanted: int,
    severity: Severity,
) -> Finding:
    where, end = place(host.name, network), host.peer_of(link)
    changes = [link_change(where, link.name, wanted)]
    home = host.network(end.namespace) if end is not None else None
    if end is not None and home is not None:
        changes.append(link_change(place(host.name, home), end.name, wanted))
    less = f", less {one.value - wanted} for the encapsulation" if one.value != wanted else ""
    evidence = [
        Evidence(f"{one.stack} declares ({one.meaning} MTU{less})", one.value, one.source),
        link_evidence(link, where.name),
        None if network.is_host else Evidence("it was made before the file changed, or not by it", None, None),
    ]
    return fail(
        "MTU-005",
        policy,
        where.target(link=link.name),
        f"MTU {link.mtu}",
        f"{wanted} ({one.source})",
        evidence,
        Remedy("link_mtu", {"links": changes}, OPEN_CONNECTIONS + "; check first which of the two is meant", False),
        severity,
    )
