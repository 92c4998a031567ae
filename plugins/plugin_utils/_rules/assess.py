# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From facts and policy to findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Dict, Iterable, List

from ...module_utils._model.finding import Evidence, Finding, Severity, Status
from .cluster import cluster_rules
from .confused import confused
from .declared import declared
from .drift import waiting
from .guarded import rolled_back
from .http_requests import http_rules
from .icmp_filter import black_holes, filtered_by_counters, filtered_by_rule
from .idle_connections import idle_rules
from .mtu import exceeds_overlay, exceeds_underlay, exceeds_uplink
from .path_view import Measured
from .paths import path_rules
from .plain import Record
from .policy import Policy
from .problems import problems
from .queue import queue_rules
from .read_view import view_host
from .segment import pairs, segments
from .sysctl import sysctl_rules
from .sysctl_breaking import breaking_rules
from .sysctl_files import sysctl_file_rules
from .view import HostView

NOTHING_MEASURED = Measured()


def assess_host(name: str, facts: Record, policy: Policy, measured: Measured = NOTHING_MEASURED) -> List[Finding]:
    """Return what one host's ``ansible_facts`` and the paths that were measured from it show, worst first."""
    return host_rules(view_host(name, facts), policy, measured)


def host_rules(host: HostView, policy: Policy, measured: Measured = NOTHING_MEASURED) -> List[Finding]:
    """Return the same for a host whose facts have been read already."""
    name = host.name
    overlay, flagged = exceeds_overlay(host, policy)
    way_out, more = exceeds_uplink(host, policy, flagged)
    flagged = flagged | more
    meanings, told = confused(host, policy, measured.paths)
    return finish(
        policy,
        [
            *overlay,
            *way_out,
            *exceeds_underlay(host, policy),
            *segments(host, policy, flagged),
            *pairs(host, policy, flagged),
            *declared(host, policy, flagged, told),
            *waiting(host, policy, flagged, measured.paths, told),
            *meanings,
            *rolled_back(host, policy),
            *queue_rules(host, policy),
            *sysctl_rules(host, policy),
            *sysctl_file_rules(host, policy),
            *breaking_rules(host, policy),
            *problems(host, policy),
            *[one.finding for one in path_rules(host, measured.paths, policy, measured.drops)],
            *filtered_by_rule(name, measured.drops, policy),
            *filtered_by_counters(host, black_holes(measured.paths), policy),
            *http_rules(name, measured.http, policy),
            *idle_rules(name, measured.idle, policy),
        ],
    )


def assess_cluster(facts: Mapping[str, Record], policy: Policy) -> List[Finding]:
    """Return what only the facts of several hosts together show, worst first. facts: by inventory name."""
    return finish(policy, cluster_rules([view_host(name, facts[name]) for name in sorted(facts)], policy))


def finish(policy: Policy, findings: Iterable[Finding]) -> List[Finding]:
    """Sort, leave out the rules that the policy switches off, and join findings about targets that look the same.

    Two namespaces without an owner can have the same name for all that is known: they count as one, with a number.
    """
    kept = sorted((one for one in findings if policy.enabled(one.id)), key=lambda one: (*one.order, one.observed))
    by_fingerprint: Dict[str, List[Finding]] = {}
    for one in kept:
        by_fingerprint.setdefault(one.fingerprint, []).append(one)
    return [_joined(group) for group in by_fingerprint.values()]


def _joined(group: List[Finding]) -> Finding:
    first = group[0]
    others = [one for one in group[1:] if one.as_fact() != first.as_fact()]
    more = [Evidence("the same, elsewhere", one.observed, None) for one in others[:10]]
    return replace(first, evidence=(*first.evidence, *more))


def summarize(findings: Iterable[Mapping[str, Any]]) -> Dict[str, Any]:
    """Count findings, given as plain values, by severity (failures only), by status and by rule."""
    entries = list(findings)
    failures = Counter(str(entry["severity"]) for entry in entries if entry["status"] == Status.FAIL.value)
    statuses = Counter(str(entry["status"]) for entry in entries)
    rules = Counter(str(entry["id"]) for entry in entries)
    return {
        "severity": {severity.value: failures.get(severity.value, 0) for severity in Severity},
        "status": {status.value: statuses.get(status.value, 0) for status in Status},
        "rules": dict(sorted(rules.items())),
    }
