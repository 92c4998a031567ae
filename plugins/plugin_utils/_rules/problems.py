# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What could not be checked: AUDIT-001, AUDIT-002. Neither good nor bad, and never silent."""

from __future__ import annotations

from dataclasses import replace
from typing import List

from ...module_utils._model.finding import Confidence, Evidence, Finding, Severity, Status, Target
from ...module_utils._model.owner import Owner, OwnerKind
from .catalogue import CATALOGUE
from .policy import Policy
from .view import HostView

WHAT = {
    "netfit_mtu": "links, routes and declared MTUs",
    "netfit_sysctl": "kernel parameters",
    "netfit_listen_queues": "listeners",
}


def _error(
    rule: str, policy: Policy, target: Target, observed: str, evidence: List[Evidence], severity: Severity
) -> Finding:
    entry = CATALOGUE[rule]
    return Finding(
        id=rule,
        title=entry.title,
        status=Status.ERROR,
        severity=policy.severity(rule, severity),
        confidence=Confidence.MEASURED,
        target=target,
        observed=observed,
        expected="readable",
        evidence=tuple(evidence),
        remedy=None,
        references=entry.references,
    )


def unmeasured(target: Target, policy: Policy, observed: str, evidence: List[Evidence]) -> Finding:
    """Make the finding that a path could not be measured."""
    finding = _error("AUDIT-001", policy, target, observed, evidence, CATALOGUE["AUDIT-001"].severity)
    return replace(finding, expected="measured")


def unreadable(target: Target, policy: Policy, subject: str, reason: str) -> Finding:
    """Make the finding that something could not be read or understood."""
    return _error("AUDIT-001", policy, target, f"{subject}: {reason}", [], CATALOGUE["AUDIT-001"].severity)


def not_audited(host: str, policy: Policy, reason: str) -> Finding:
    """Make the finding that a whole host is missing from the audit (AUDIT-002)."""
    target = Target(host=host, scope="host", owner=Owner(OwnerKind.HOST, host))
    return _error("AUDIT-002", policy, target, reason, [], CATALOGUE["AUDIT-002"].severity)


def problems(host: HostView, policy: Policy) -> List[Finding]:
    """AUDIT-001 for each problem that the facts report, and for each fact that was not gathered."""
    owner = Owner(OwnerKind.HOST, host.name)
    findings = []
    for problem in host.problems:
        key = None if problem.path else problem.subject
        target = Target(host=host.name, scope="host", owner=owner, key=key, path=problem.path)
        findings.append(
            _error(
                "AUDIT-001",
                policy,
                target,
                f"{problem.subject}: {problem.reason}",
                [Evidence("reported with the facts", problem.fact, problem.path)],
                CATALOGUE["AUDIT-001"].severity,
            )
        )
    for fact in host.missing:
        target = Target(host=host.name, scope="host", owner=owner, key=fact)
        findings.append(
            _error("AUDIT-001", policy, target, f"{WHAT[fact]}: not among the facts of this host", [], Severity.INFO)
        )
    return findings
