# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU-009: what files declare and will break at the next restart or the next pod, though all is right now."""

from __future__ import annotations

from typing import Collection, List, Optional, Sequence, Tuple

from ...module_utils._model.finding import Confidence, Evidence, Finding, Remedy, Severity
from ...module_utils._model.owner import OwnerKind
from .making import fail, link_change, link_evidence, place
from .mtu import Flagged
from .overlay import CLUSTER_STACKS, carried_routes
from .path_view import PathView
from .policy import Policy
from .view import DeclaredView, HostView, LinkView, NetworkView

LINK_MANAGERS = ("networkd", "netplan", "network_manager", "ifupdown", "ifcfg", "wicked")
"""Stacks that give hosts' own links their MTU when they come up."""


def waiting(
    host: HostView, policy: Policy, flagged: Flagged, paths: Sequence[PathView], told: Collection[str]
) -> List[Finding]:
    """MTU-009. paths: measured from the host. told: sources of declarations that another finding is about."""
    home = host.host_network
    if home is None:
        return []
    active = [one for one in host.declared if one.active and one.value > 0 and one.source not in told]
    return [*_new_pods(host, policy, home, active, flagged), *_links(host, policy, home, active, paths)]


def waits_for_restart(one: DeclaredView, link: LinkView) -> bool:
    """Tell whether a declaration makes a host's own link larger than it is now, when it comes up again."""
    return one.stack in LINK_MANAGERS and one.meaning == "interface" and one.value > link.mtu


def pod_declarations(active: Sequence[DeclaredView]) -> List[DeclaredView]:
    """Return the declarations that new pods are made by."""
    return [one for one in active if one.meaning == "interface" and one.link is None and one.stack in CLUSTER_STACKS]


def _new_pods(
    host: HostView, policy: Policy, home: NetworkView, active: Sequence[DeclaredView], flagged: Flagged
) -> List[Finding]:
    """The file that new pods are made by declares more than the overlay carries, though no pod shows it yet."""
    overlays = [
        link
        for link in home.links
        if link.tunnel is not None and not link.tunnel.collect_metadata and carried_routes(home, link)
    ]
    too_large = [one for one in pod_declarations(active) for link in overlays if one.value > link.mtu]
    if flagged or not too_large:
        return []
    one, overlay = too_large[0], min(overlays, key=lambda link: (link.mtu, link.name))
    where = place(host.name, home)
    evidence = [
        Evidence(f"{one.stack} declares (interface MTU)", one.value, one.source),
        link_evidence(overlay, where.name),
        Evidence("no pod has that MTU yet; the next one that starts will", None, None),
    ]
    return [
        fail(
            "MTU-009",
            policy,
            where.target(path=one.path) if one.path else where.target(link=overlay.name),
            f"{one.source} declares {one.value} for new pods",
            f"at most {overlay.mtu} ({overlay.name} of {host.name})",
            evidence,
            Remedy("cni_mtu", {"pod_mtu": overlay.mtu, "files": [one.source]}, "none; new pods only", True),
        )
    ]


def _links(
    host: HostView, policy: Policy, home: NetworkView, active: Sequence[DeclaredView], paths: Sequence[PathView]
) -> List[Finding]:
    """One finding for a link: what netplan declares, networkd's files that it makes declare as well."""
    findings = []
    for link in home.links:
        found = [one for one in active if one.link == link.name and waits_for_restart(one, link)]
        if found:
            findings.append(_link_finding(host, policy, home, found, link, _narrowest(link, paths)))
    return findings


def _link_finding(
    host: HostView,
    policy: Policy,
    home: NetworkView,
    found: Sequence[DeclaredView],
    link: LinkView,
    measured: Optional[Tuple[int, str]],
) -> Finding:
    where, one = place(host.name, home), max(found, key=lambda entry: (entry.value, entry.source))
    too_much = measured is not None and one.value > measured[0]
    evidence = [
        *[
            Evidence(f"{each.stack} declares (interface MTU)", each.value, each.source)
            for each in sorted(found, key=lambda entry: entry.source)
        ],
        link_evidence(link, where.name),
        None if measured is None else Evidence(f"measured on {measured[1]}", measured[0], "path_mtu_info"),
        Evidence(f"the next time that {link.name} comes up, at the latest at the next boot, it has it", None, None),
    ]
    variables = {"links": [link_change(where, link.name, link.mtu)], "persist": True}
    return fail(
        "MTU-009",
        policy,
        where.target(link=link.name),
        f"{one.source} declares {one.value}",
        f"{link.mtu}, as {link.name} has now",
        evidence,
        Remedy("link_mtu", variables, "none; what is live stays", True),
        None if too_much else Severity.MEDIUM,
        Confidence.MEASURED if too_much else Confidence.DERIVED,
    )


def _narrowest(link: LinkView, paths: Sequence[PathView]) -> Optional[Tuple[int, str]]:
    """The least that a path from the host by that link is known to carry while the link itself could send more, or is
    as large: a path that only the link limits says nothing about larger packets."""
    found: List[Tuple[int, str]] = []
    for path in paths:
        own = path.source.owner is not None and path.source.owner.kind is OwnerKind.HOST
        if own and not path.tcp and path.device == link.name:
            found.extend(
                (direction.path_mtu, f"the path from {direction.sender.name} to {direction.receiver.name}")
                for _way, direction in path.ways
                if direction.path_mtu is not None and direction.link_mtu is None
            )
    return min(found, default=None)
