# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making findings: what every rule shares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Optional, Sequence, Tuple

from ...module_utils._model.finding import Confidence, Evidence, Finding, Remedy, Severity, Status, Target
from ...module_utils._model.owner import Owner, OwnerKind
from .catalogue import CATALOGUE
from .policy import Policy
from .view import LinkView, NetworkView

NETLINK = "netlink"
OPEN_CONNECTIONS = "none; connections that are open keep their old segment size until they close"


@dataclass(frozen=True)
class Place:
    """Where in the cluster: the host and the owner of a namespace there, with the paths by which it is entered."""

    host: str
    owner: Owner
    paths: Tuple[str, ...] = ()

    def target(self, **what: str) -> Target:
        """Return the target of that link, key, listener or path here."""
        owner = self.owner
        if owner.kind is OwnerKind.UNKNOWN and owner.name is None and self.paths:
            owner = replace(owner, name=self.paths[0])
        return Target(host=self.host, scope=owner.kind.value, owner=owner, **what)

    @property
    def name(self) -> str:
        """Return "pod prod/gateway on n2"."""
        return f"{owner_name(self.owner, self.paths)} on {self.host}"

    @property
    def entry(self) -> Dict[str, Any]:
        """Return how the namespace can be entered: nothing for the host's own, else a path or a process id."""
        if self.owner.kind is OwnerKind.HOST:
            return {}
        if self.paths:
            return {"namespace": self.paths[0]}
        return {"pid": self.owner.pid} if self.owner.pid is not None else {"namespace": None}


def place(host: str, view: NetworkView) -> Place:
    """Return the place of a namespace."""
    return Place(host, view.owner, view.paths)


def owner_name(owner: Owner, paths: Sequence[str] = ()) -> str:
    """Return a name for people: "pod prod/gateway", "container web", "the host", "namespace /run/netns/x"."""
    if owner.kind is OwnerKind.HOST:
        return "the host"
    if owner.kind is OwnerKind.POD and owner.pod is not None:
        return f"pod {owner.pod_namespace}/{owner.pod}" if owner.pod_namespace else f"pod {owner.pod}"
    if owner.kind is OwnerKind.UNKNOWN:
        return f"namespace {owner.name or (paths[0] if paths else 'without a name')}"
    return f"{owner.kind.value} {owner.name or (owner.container_id or 'without a name')[:12]}"


def fail(
    rule: str,
    policy: Policy,
    target: Target,
    observed: str,
    expected: str,
    evidence: Iterable[Optional[Evidence]],
    remedy: Optional[Remedy],
    severity: Optional[Severity] = None,
    confidence: Confidence = Confidence.DERIVED,
) -> Finding:
    """Make a finding of a rule. severity: where the rule knows better than the catalogue; the policy wins over both."""
    entry = CATALOGUE[rule]
    return Finding(
        id=rule,
        title=entry.title,
        status=Status.FAIL,
        severity=policy.severity(rule, severity or entry.severity),
        confidence=confidence,
        target=target,
        observed=observed,
        expected=expected,
        evidence=tuple(item for item in evidence if item is not None),
        remedy=remedy,
        references=entry.references,
    )


def link_evidence(link: LinkView, where: str) -> Evidence:
    """Return the MTU of a link as evidence."""
    return Evidence(f"MTU of {link.name} ({link.kind}) in {where}", link.mtu, NETLINK)


def link_change(where: Place, link: str, mtu: int) -> Dict[str, Any]:
    """Return one change of an MTU as a remedy's variable: how to enter the namespace, link and bytes."""
    return {**where.entry, "link": link, "mtu": mtu}
