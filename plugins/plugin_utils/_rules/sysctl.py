# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about kernel parameters: SYSCTL-001, SYSCTL-002."""

from __future__ import annotations

from typing import Dict, List, Optional, Set, Tuple

from ...module_utils._model.finding import Confidence, Evidence, Finding, Remedy, Severity
from ...module_utils._model.owner import OwnerKind
from ...module_utils._model.sysctl_value import Comparison, SysctlValue
from .making import Place, fail
from .policy import Policy, SysctlPolicy
from .problems import unreadable
from .view import HostView, SysctlView

CHANGE = "none; listeners keep their backlog until they call listen() again"


def sysctl_rules(host: HostView, policy: Policy) -> List[Finding]:
    """SYSCTL-001 and SYSCTL-002 for the host and for each pod and container.

    A key that does not exist in a namespace, or that cannot be written there, is the host's business, not its own.
    """
    findings: List[Finding] = []
    own = next((view for view in host.sysctls if view.owner.kind is OwnerKind.HOST), None)
    for view in host.sysctls:
        if view is own:
            findings.extend(_each(host, policy, view, set()))
        elif view.owner.kind in (OwnerKind.POD, OwnerKind.CONTAINER):
            untuned = _untuned(host, policy, own, view)
            if untuned:
                findings.append(_untuned_finding(host, policy, view, untuned))
            findings.extend(_each(host, policy, view, {entry.key for entry, _host_value in untuned}))
    return findings


def _applies(host: HostView, entry: SysctlPolicy, view: SysctlView) -> bool:
    if entry.key not in view.values or not entry.concerns(host.kernel):
        return False
    if any(view.values.get(name) != wanted for name, wanted in entry.only_when.items()):
        return False
    if view.owner.kind is OwnerKind.HOST:
        return entry.applies_to in ("host", "both")
    own = host.scopes.get(entry.key) == "namespace" and view.writable.get(entry.key, True)
    return own and entry.applies_to in ("namespace", "both")


def _satisfied(entry: SysctlPolicy, value: str) -> bool:
    """Raises ValueError where the value cannot be compared with the policy's."""
    return SysctlValue.parse(value).satisfies(entry.comparison, entry.wanted)


def _each(host: HostView, policy: Policy, view: SysctlView, told: Set[str]) -> List[Finding]:
    findings = []
    place = Place(host.name, view.owner, view.paths)
    for entry in policy.sysctls:
        if entry.key in told or not _applies(host, entry, view):
            continue
        try:
            satisfied = _satisfied(entry, view.values[entry.key])
        except ValueError as error:
            findings.append(unreadable(place.target(key=entry.key), policy, entry.key, str(error)))
            continue
        if not satisfied:
            findings.append(_outside(host, policy, view, place, entry))
    return findings


def _outside(host: HostView, policy: Policy, view: SysctlView, place: Place, entry: SysctlPolicy) -> Finding:
    value, symptoms = view.values[entry.key], _symptoms(host, policy, view, entry)
    evidence = [
        Evidence(f"{entry.key} in {place.name}", value, "/proc/sys/" + entry.key.replace(".", "/")),
        Evidence(entry.reason, None, entry.source),
        *symptoms,
    ]
    severity = entry.severity_with_symptom if symptoms else entry.severity
    return fail(
        "SYSCTL-001",
        policy,
        place.target(key=entry.key),
        value,
        entry.expected,
        evidence,
        _remedy(place, {entry.key: _change_to(entry, value)}),
        severity,
        Confidence.MEASURED if symptoms else Confidence.DERIVED,
    )


def _change_to(entry: SysctlPolicy, value: str) -> str:
    """Return the value to set: nothing that is better already gets worse."""
    if entry.comparison is not Comparison.AT_LEAST:
        return entry.wanted.text
    return SysctlValue.parse(value).raised_to(entry.wanted)


def _remedy(place: Place, values: Dict[str, str]) -> Remedy:
    on_host = place.owner.kind is OwnerKind.HOST
    return Remedy("sysctl_profile", {**place.entry, "sysctls": values}, CHANGE, survives_restart=on_host)


def _symptoms(host: HostView, policy: Policy, view: SysctlView, entry: SysctlPolicy) -> List[Evidence]:
    counters = policy.symptom_counters(entry.symptom)
    found = []
    for queue in host.queues:
        for name in counters if queue.inode == view.inode else ():
            if queue.rates.get(name, 0) > 0:
                found.append(Evidence(f"{name} a second", queue.rates[name], "/proc/net/netstat"))
    return found


def _untuned(
    host: HostView,
    policy: Policy,
    own: Optional[SysctlView],
    view: SysctlView,
) -> List[Tuple[SysctlPolicy, str]]:
    """Return the keys, with the host's value, that the host has tuned and this namespace has not."""
    found = []
    for entry in policy.sysctls:
        if own is None or entry.key not in own.values or not _applies(host, entry, view):
            continue
        there, here = own.values[entry.key], view.values[entry.key]
        try:
            if _reached_only_the_host(entry, there, here):
                found.append((entry, there))
        except ValueError:
            continue
    return found


def _reached_only_the_host(entry: SysctlPolicy, there: str, here: str) -> bool:
    """Raises ValueError where a value cannot be compared."""
    if not _satisfied(entry, there):
        return False
    if not _satisfied(entry, here):
        return True
    if entry.comparison is not Comparison.AT_LEAST or here not in entry.kernel_default or there in entry.kernel_default:
        return False
    return not SysctlValue.parse(here).satisfies(Comparison.AT_LEAST, SysctlValue.parse(there))


def _untuned_finding(
    host: HostView,
    policy: Policy,
    view: SysctlView,
    untuned: List[Tuple[SysctlPolicy, str]],
) -> Finding:
    place = Place(host.name, view.owner, view.paths)
    evidence: List[Evidence] = []
    symptoms: List[Evidence] = []
    values = {}
    bad = False
    for entry, there in untuned:
        here = view.values[entry.key]
        values[entry.key] = there
        bad = bad or not _satisfied(entry, here)
        evidence.append(
            Evidence(
                f"{entry.key}: {there} on the host, in {place.name}", here, "/proc/sys/" + entry.key.replace(".", "/")
            )
        )
        symptoms.extend(one for one in _symptoms(host, policy, view, entry) if one not in symptoms)
    severity = Severity.HIGH if symptoms else Severity.MEDIUM if bad else Severity.LOW
    observed = ", ".join(f"{entry.key} {view.values[entry.key]}" for entry, _there in untuned)
    expected = ", ".join(f"{entry.key} {there}" for entry, there in untuned) + " as on the host"
    return fail(
        "SYSCTL-002",
        policy,
        place.target(),
        observed,
        expected,
        [*evidence, *symptoms],
        _remedy(place, values),
        severity,
        Confidence.MEASURED,
    )
