# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one document: what report.json holds and what the terminal shows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple

from ...module_utils._model.finding import Severity, Status
from .._rules.assess import summarize
from .._rules.policy import Policy
from .._rules.waivers import Waivers, apply_waivers, describe_waivers
from .baseline import Age, Baseline, apply_baseline, describe_baseline
from .http import describe_http, describe_idle
from .paths import describe_paths

SCHEMA_VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("report.schema.json")
DEFAULT_AUDIT = "netfit"
"""Name of an audit that was given none."""
NO_WAIVERS = Waivers()
Counts = Mapping[str, Mapping[str, int]]
RANKS = {Status.FAIL.value: 0, Status.ERROR.value: 1}
NOT_ASSESSED = {"status": "not_assessed", "reason": "no assessment: the audit did not get as far as this host"}


def describe_policy(policy: Policy) -> Dict[str, Any]:
    """Return which policy was in force: where the user's part came from, that part, and a digest of the whole."""
    return {"source": policy.source, "digest": policy.digest, "overrides": dict(policy.overrides)}


def build_document(
    assessments: Mapping[str, Optional[Mapping[str, Any]]],
    cluster_findings: Iterable[Mapping[str, Any]],
    policy: Mapping[str, Any],
    now: Optional[datetime] = None,
    explained: Iterable[str] = (),
    waivers: Waivers = NO_WAIVERS,
    baseline: Optional[Baseline] = None,
) -> Dict[str, Any]:
    """Join the assessments of all hosts (by inventory name, None where there is none) and the cluster's findings.

    explained: fingerprints of the hosts' findings that a finding of the cluster tells instead.
    waivers: findings that are accepted. baseline: an earlier report whose failures are known.
    The result is the same for the same input, generated_at apart.
    """
    findings: Dict[str, Mapping[str, Any]] = {}
    for name in sorted(assessments):
        for finding in (assessments[name] or {}).get("findings", ()):
            findings[str(finding["fingerprint"])] = finding
    for fingerprint in explained:
        findings.pop(fingerprint, None)
    for finding in cluster_findings:
        findings[str(finding["fingerprint"])] = finding
    moment = now or datetime.now(timezone.utc)
    judged = apply_waivers(findings.values(), waivers, moment.date())
    ordered = sorted(judged.findings if baseline is None else apply_baseline(judged.findings, baseline), key=order)
    own, shared = _by_host(ordered)
    together = summarize(shared)
    hosts = {
        name: _host(assessments[name] or NOT_ASSESSED, summarize(own.get(name, ())), together)
        for name in sorted(assessments)
    }
    accepted: Dict[str, Any] = {}
    if waivers.entries:
        accepted["waivers"] = describe_waivers(waivers, judged.matches, hosts, moment.date())
    if baseline is not None:
        accepted["baseline"] = describe_baseline(baseline, ordered)
    measured = {"http": describe_http(assessments), "keepalive": describe_idle(assessments)}
    return {
        **accepted,
        **{name: values for name, values in measured.items() if values},
        "schema_version": SCHEMA_VERSION,
        "generated_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "policy": dict(policy),
        "hosts": hosts,
        "paths": describe_paths(assessments),
        "findings": ordered,
        "summary": {"hosts": _count_hosts(hosts), **summarize(ordered)},
    }


def order(finding: Mapping[str, Any]) -> Any:
    """Sort key of a finding as plain values: failures, errors, waived; worst first, then by rule, host and target."""
    target = finding["target"]
    names = [str(target.get(name) or "") for name in ("host", "scope", "link", "key", "listener", "path", "peer")]
    owner = (target.get("owner") or {}).get("name") or ""
    return (
        RANKS.get(finding["status"], len(RANKS)),
        -Severity(finding["severity"]).rank,
        finding["id"],
        names[0],
        owner,
        names[1:],
        finding["fingerprint"],
    )


def _by_host(
    findings: Iterable[Mapping[str, Any]],
) -> Tuple[Dict[str, List[Mapping[str, Any]]], List[Mapping[str, Any]]]:
    """Return the findings of each host, and those of all: what is wrong with the cluster is wrong with each host."""
    own: Dict[str, List[Mapping[str, Any]]] = {}
    shared: List[Mapping[str, Any]] = []
    for finding in findings:
        target = finding["target"]
        (shared if target["scope"] == "cluster" else own.setdefault(str(target["host"]), [])).append(finding)
    return own, shared


def _host(assessment: Mapping[str, Any], own: Counts, together: Counts) -> Dict[str, Any]:
    counts = {
        name: {value: count + together[name][value] for value, count in own[name].items()}
        for name in ("severity", "status")
    }
    return {
        "status": assessment["status"],
        "reason": assessment.get("reason"),
        "kernel": assessment.get("kernel"),
        "namespaces": assessment.get("namespaces"),
        "severity": counts["severity"],
        "errors": counts["status"][Status.ERROR.value],
        "waived": counts["status"][Status.WAIVED.value],
    }


def _count_hosts(hosts: Mapping[str, Mapping[str, Any]]) -> Dict[str, int]:
    statuses = [host["status"] for host in hosts.values()]
    names = ("audited", "unreachable", "failed", "not_assessed")
    healthy = [host for host in hosts.values() if is_healthy(host)]
    return {"total": len(hosts), "healthy": len(healthy), **{name: statuses.count(name) for name in names}}


def is_healthy(host: Mapping[str, Any]) -> bool:
    """Tell whether a host was audited in full and nothing above info was found."""
    found = [count for severity, count in host["severity"].items() if severity != Severity.INFO.value]
    return host["status"] == "audited" and not any(found) and not host["errors"]


def reached(document: Mapping[str, Any], fail_on: str) -> Dict[str, int]:
    """Return how many failures there are at each severity from fail_on upwards; empty for "none".

    Where there is a baseline, those count that are not among its failures.
    """
    if fail_on == "none":
        return {}
    counts = summarize(one for one in document["findings"] if one.get("baseline", Age.NEW.value) == Age.NEW.value)
    wanted = [severity.value for severity in reversed(Severity) if severity.rank >= Severity(fail_on).rank]
    return {severity: counts["severity"][severity] for severity in wanted if counts["severity"][severity]}


def write_atomically(path: Path, text: str) -> None:
    """Write a file whole: readers see the old content or the new, never a part.

    Makes the directory where it is missing. Raises OSError where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
