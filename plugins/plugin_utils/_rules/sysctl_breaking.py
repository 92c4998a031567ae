# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are known to break container hosts, live or at the next boot: SYSCTL-006."""

from __future__ import annotations

from typing import List, Optional

from ...module_utils._model.finding import Confidence, Evidence, Finding, Remedy, Severity
from ...module_utils._model.owner import OwnerKind
from ...module_utils._model.sysctl_effect import Effect
from ...module_utils._model.sysctl_value import SysctlValue
from .making import Place, fail
from .policy import Policy
from .policy_breaking import RESERVED_PORTS, BreakingPolicy
from .sysctl import CHANGE
from .sysctl_files import file_evidence, host_place, remedy
from .sysctl_view import PROGRAMS, FiledKey
from .view import HostView, SysctlView

CONTAINERS = (OwnerKind.POD, OwnerKind.CONTAINER)


def breaking_rules(host: HostView, policy: Policy) -> List[Finding]:
    """SYSCTL-006 for the host, live or by its files, and for each pod and container, live.

    What SYSCTL-001 says of the same value is not said twice.
    """
    forwards = _forwards_for_containers(host)
    findings: List[Optional[Finding]] = []
    for entry in policy.breaking:
        if entry.needs_containers and not forwards:
            continue
        findings.append(_on_host(host, policy, entry))
        if entry.where == "both":
            findings.extend(_inside(host, policy, entry, view) for view in host.sysctls)
    return [one for one in findings if one is not None]


def _forwards_for_containers(host: HostView) -> bool:
    """Tell whether pods or containers hang on the host by veth pairs; where links are not known, whether there are any.

    Those with macvlan or without a network of their own need nothing of the host.
    """
    own = host.host_network
    if own is None:
        return any(view.owner.kind in CONTAINERS for view in host.sysctls)
    members = [network for network in host.members if network.owner.kind in CONTAINERS]
    ends = [link.peer for network in members for link in network.links if link.peer is not None]
    return any(end.namespace == own.inode for end in ends)


def _on_host(host: HostView, policy: Policy, entry: BreakingPolicy) -> Optional[Finding]:
    own = next((view for view in host.sysctls if view.owner.kind is OwnerKind.HOST), None)
    value = own.values.get(entry.key) if own is not None else None
    broken = own is not None and value is not None and _is_broken(policy, entry, own, value)
    filed = _filed(host, entry)
    if not broken and filed is None:
        return None
    key = host.sysctl_files.key(entry.key)
    from_file = key.setting(filed) if key is not None and filed is not None else None
    observed = f"{value} now" if broken or from_file is None else f"{from_file.value} by {from_file.place}"
    evidence = [
        Evidence(f"{entry.key} now", value, "/proc/sys/" + entry.key.replace(".", "/")),
        *(file_evidence(key) if key is not None else []),
        Evidence(entry.reason, None, entry.source),
    ]
    bad = value if broken or from_file is None else from_file.value
    values = entry.healthy(bad or "", _reserved(host, own))
    return fail(
        "SYSCTL-006",
        policy,
        host_place(host).target(key=entry.key),
        observed,
        entry.expected,
        evidence,
        remedy(values),
        entry.severity if broken or not (key and key.writers) else _lower(entry.severity),
        Confidence.DERIVED,
    )


def _inside(host: HostView, policy: Policy, entry: BreakingPolicy, view: SysctlView) -> Optional[Finding]:
    value = view.values.get(entry.key)
    if value is None or view.owner.kind not in CONTAINERS:
        return None
    if not view.writable.get(entry.key, True) or not _is_broken(policy, entry, view, value):
        return None
    place = Place(host.name, view.owner, view.paths)
    values = entry.healthy(value, view.values.get(RESERVED_PORTS, ""))
    return fail(
        "SYSCTL-006",
        policy,
        place.target(key=entry.key),
        f"{value} now",
        entry.expected,
        [
            Evidence(f"{entry.key} in {place.name}", value, "/proc/sys/" + entry.key.replace(".", "/")),
            Evidence(entry.reason, None, entry.source),
        ],
        Remedy("sysctl_profile", {**place.entry, "sysctls": values}, CHANGE, survives_restart=False),
        entry.severity,
        Confidence.DERIVED,
    )


def _is_broken(policy: Policy, entry: BreakingPolicy, view: SysctlView, value: str) -> bool:
    """Tell whether the live value counts, is one that breaks, and is not told by SYSCTL-001 already."""
    if not entry.live or not entry.breaks(value, view.values.get(RESERVED_PORTS, "")):
        return False
    told = next((one for one in policy.sysctls if one.key == entry.key), None)
    if told is None or not policy.enabled("SYSCTL-001"):
        return True
    try:
        return SysctlValue.parse(value).satisfies(told.comparison, told.wanted)
    except ValueError:
        return False


def _filed(host: HostView, entry: BreakingPolicy) -> Optional[str]:
    """Return the program that sets a value that breaks from a file, the next boot first; None where none does."""
    key = host.sysctl_files.key(entry.key)
    if key is None or key.effect != Effect.NORMAL.value:
        return None
    for name, _words in PROGRAMS:
        value = key.setting(name).value
        if value is not None and entry.breaks(value, _reserved_by(host, name)):
            return name
    return None


def _reserved_by(host: HostView, program: str) -> str:
    """Return the ports that are reserved once that program has set all values; the live ones where it sets none."""
    key: Optional[FiledKey] = host.sysctl_files.key(RESERVED_PORTS)
    if key is None:
        return ""
    value = key.setting(program).value
    return value if value is not None else key.live or ""


def _reserved(host: HostView, own: Optional[SysctlView]) -> str:
    return own.values.get(RESERVED_PORTS, "") if own is not None else _reserved_by(host, "next_boot")


def _lower(severity: Severity) -> Severity:
    """Another program is known to set the key once more: until something reads the files again."""
    return min(severity, Severity.MEDIUM, key=lambda one: one.rank)
