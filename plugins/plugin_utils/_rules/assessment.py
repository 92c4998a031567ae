# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The assessment of one host as plain values: what an audit keeps of it, and what a merge makes anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, Iterable, List, Optional, Tuple

from ...module_utils._model.finding import Finding
from . import plain
from .assess import finish, host_rules
from .assess_mesh import mesh_rules
from .cluster import cluster_rules
from .path_view import Measured
from .policy import Policy
from .problems import not_audited
from .read_paths import read_measured
from .read_view import FACT_NAMES, view_host
from .view import HostView

MEASURED = ("paths", "tcp_paths", "traces", "http_requests", "keepalive")
"""What is measured from a host, beside its facts."""
AUDITED = "audited"
AUDIT = "netfit_audit"
"""Variable of each host, new in each run of a playbook, and the field of an assessment that says whose it is."""


def assess_one(
    name: str, facts: plain.Record, results: plain.Record, policy: Policy, status: str, reason: Optional[str]
) -> Dict[str, Any]:
    """Return what is kept of a host. results: what was measured from it, by MEASURED.

    status, reason: "audited", or why there are no facts. Then there is one finding, that it is missing.
    """
    measured = {option: plain.records(results, option) for option in MEASURED}
    kernel: Optional[str] = None
    namespaces: Optional[int] = None
    if status == AUDITED:
        host = view_host(name, facts)
        kernel, namespaces = host.kernel or None, len(host.inodes)
        findings = host_rules(host, policy, read_measured(name, **measured))
    else:
        findings = finish(policy, [not_audited(name, policy, reason or "no reason given")])
    return {
        "status": status,
        "reason": reason,
        "kernel": kernel,
        "namespaces": namespaces,
        "findings": as_facts(findings),
        **measured,
    }


def assess_together(hosts: Iterable[Tuple[str, plain.Record, plain.Record]], policy: Policy) -> Dict[str, Any]:
    """Return what only several hosts together show: findings, and fingerprints of those that they tell instead.

    hosts: of each its name, its facts, {} where it was not audited, and what was measured from it, by MEASURED.
    """
    views: Dict[str, HostView] = {}
    measured: Dict[str, Measured] = {}
    for name, gathered, results in hosts:
        measured[name] = read_measured(name, **{option: results.get(option) for option in MEASURED})
        if gathered:
            views[name] = view_host(name, gathered)
    known = [views[name] for name in sorted(views)]
    mesh = mesh_rules(measured, known, policy)
    findings = finish(policy, [*cluster_rules(known, policy), *mesh.findings])
    return {"findings": as_facts(findings), "explained": list(mesh.explained)}


def as_facts(findings: List[Finding]) -> List[Dict[str, Any]]:
    """Return findings as plain values."""
    return [finding.as_fact() for finding in findings]


def is_current(assessment: Mapping[str, Any], variables: Mapping[str, Any]) -> bool:
    """Tell whether an assessment was made in this run. variables: of the host that it is of.

    Where no playbook named its run, every assessment counts.
    """
    return AUDIT not in variables or str(assessment.get(AUDIT)) == str(variables[AUDIT])


def kept_assessment(variables: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
    """Return the assessment that this run made of a host, as it came; None where there is none, or only a cache's."""
    kept = variables.get("ansible_facts", {}).get("netfit_assessment")
    return kept if isinstance(kept, Mapping) and is_current(kept, variables) else None


def current_assessment(variables: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """Return the same as plain values."""
    kept: Optional[Dict[str, Any]] = plain.plain_copy(kept_assessment(variables))
    return kept


def reported_assessment(variables: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """Return the same for a report: plain values but for what was measured, which a report reads field by field."""
    kept = kept_assessment(variables)
    if kept is None:
        return None
    return {str(name): value if name in MEASURED else plain.plain_copy(value) for name, value in kept.items()}


def kept_facts(variables: Mapping[str, Any], assessment: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """Return the facts of a host that its assessment is about, as they came: the views copy what they take of them.

    Where the host could not be asked, a cache's facts are none.
    """
    if (assessment or {}).get("status", AUDITED) != AUDITED:
        return {}
    gathered = variables.get("ansible_facts", {})
    return {name: gathered[name] for name in FACT_NAMES if name in gathered}


def current_facts(variables: Mapping[str, Any], assessment: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """Return the same as plain values."""
    facts: Dict[str, Any] = plain.plain_copy(kept_facts(variables, assessment))
    return facts
