# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about what files make of the host's kernel parameters: SYSCTL-003 to SYSCTL-005."""

from __future__ import annotations

import os
from typing import Dict, List, Optional

from ...module_utils._model.finding import Evidence, Finding, Remedy, Severity
from ...module_utils._model.owner import Owner, OwnerKind
from ...module_utils._model.sysctl_effect import Effect, interface_of
from ...module_utils._model.sysctl_key import key_of
from ...module_utils._model.sysctl_value import SysctlValue, kernel_numbers
from .making import Place, fail
from .policy import Policy, SysctlPolicy
from .sysctl import CHANGE
from .sysctl_view import PROGRAMS, FiledKey, ShadowedView
from .view import HostView

SYSCTL_CONF = "/etc/sysctl.conf"
VENDOR = ("/usr/lib/", "/usr/local/lib/", "/lib/")
"""What lies here is meant to be overridden."""
DEAD = (Effect.NONE.value, Effect.REMOVED.value, Effect.MISSPELT.value, Effect.UNKNOWN.value)


def sysctl_file_rules(host: HostView, policy: Policy) -> List[Finding]:
    """SYSCTL-003 to SYSCTL-005, each at most once for a key. What only one interface has is left alone."""
    entries = {entry.key: entry for entry in policy.sysctls if entry.concerns(host.kernel)}
    findings: List[Optional[Finding]] = []
    for key in host.sysctl_files.keys:
        if interface_of(key_of(key.key)) is not None:
            continue
        if key.effect in DEAD:
            findings.append(_dead(host, policy, key))
        elif key.live is not None:
            findings.append(_drift(host, policy, key, entries.get(key.key)))
            findings.append(_shadowed(host, policy, key, entries.get(key.key)))
    return [one for one in findings if one is not None]


def host_place(host: HostView) -> Place:
    """Return the host itself, as findings name it."""
    own = next((view for view in host.sysctls if view.owner.kind is OwnerKind.HOST), None)
    return Place(host.name, own.owner if own is not None else Owner(OwnerKind.HOST, host.name))


def same_value(one: str, other: str) -> bool:
    """Tell whether two texts are the same to the kernel, which stops at what follows the numbers that it needs."""
    first, second = kernel_numbers(one), kernel_numbers(other)
    length = min(len(first), len(second))
    return first[:length] == second[:length] if length else one.split() == other.split()


def live_evidence(key: FiledKey) -> Evidence:
    """Return the live value as evidence."""
    return Evidence(f"{key.key} now", key.live, "/proc/sys/" + key_of(key.key))


def file_evidence(key: FiledKey) -> List[Evidence]:
    """Return what each program sets, and who writes later, as evidence."""
    found = [
        Evidence(f"{key.key} by {words}", setting.value, setting.place)
        for name, words in PROGRAMS
        for setting in [key.setting(name)]
        if setting.place is not None
    ]
    return found + [Evidence(f"{one.program}: {one.reason}", one.value, one.source) for one in key.writers]


def remedy(values: Dict[str, str]) -> Remedy:
    """Return the change of the host's values, live and in a file."""
    return Remedy("sysctl_profile", {"sysctls": values}, CHANGE, survives_restart=True)


def _drift(host: HostView, policy: Policy, key: FiledKey, entry: Optional[SysctlPolicy]) -> Optional[Finding]:
    live, value = key.live or "", key.next_boot.value
    if not host.sysctl_files.boots or key.writers:
        return None
    if value is None:
        # Without a line the kernel's own default comes back; only where that is known it is known to differ.
        if entry is None or not entry.kernel_default or live in entry.kernel_default:
            return None
        expected = f"the kernel's default at the next boot: no file sets it ({' or '.join(entry.kernel_default)})"
    elif same_value(live, value):
        return None
    else:
        expected = f"{value} at the next boot by {key.next_boot.place}"
    wanted = _better(entry, live, value)
    evidence = [live_evidence(key), *file_evidence(key), *_unread(host, key)]
    severity = Severity.MEDIUM if entry is not None else Severity.LOW
    target = host_place(host).target(key=key.key)
    return fail("SYSCTL-003", policy, target, live, expected, evidence, remedy({key.key: wanted}), severity)


def _better(entry: Optional[SysctlPolicy], live: str, value: Optional[str]) -> str:
    """Return the value that satisfies the policy; where both or neither do, what the administrator wrote."""
    if value is None:
        return live
    if entry is None or _satisfies(entry, value) or not _satisfies(entry, live):
        return value
    return live


def _satisfies(entry: SysctlPolicy, value: str) -> bool:
    try:
        return SysctlValue.parse(value).satisfies(entry.comparison, entry.wanted)
    except ValueError:
        return False


def _unread(host: HostView, key: FiledKey) -> List[Evidence]:
    """Say that /etc/sysctl.conf has a line for the key, which the next boot does not read."""
    place = key.system.place or ""
    if host.sysctl_files.conf_at_boot is not False or place.rpartition(":")[0] != SYSCTL_CONF:
        return []
    return [Evidence("systemd-sysctl does not read this file: no link in sysctl.d leads to it", None, SYSCTL_CONF)]


def _shadowed(host: HostView, policy: Policy, key: FiledKey, entry: Optional[SysctlPolicy]) -> Optional[Finding]:
    lines = [one for one in key.shadowed if _misleads(key, one, entry is not None)]
    unread = _unread(host, key)
    if not lines and not (unread and key.next_boot.value is None):
        return None
    words = dict(PROGRAMS)
    evidence = [
        Evidence(f"{key.key} in a line without a say for {words.get(one.program, one.program)}", one.value, one.place)
        for one in lines
    ]
    wins = [*file_evidence(key), live_evidence(key), *unread]
    first = lines[0] if lines else None
    observed = f"{first.value} by {first.place}" if first is not None else f"{key.system.value} by {key.system.place}"
    expected = f"in force; {_winner(key, first)}"
    ours = any(_is_ours(one.path) for one in lines)
    loses = entry is not None and any(_loses(entry, key, one) for one in lines)
    severity = Severity.MEDIUM if ours or loses else Severity.LOW
    target = host_place(host).target(key=key.key)
    value = first.value if first is not None and (ours or loses) else None
    return fail(
        "SYSCTL-004",
        policy,
        target,
        observed,
        expected,
        [*evidence, *wins],
        remedy({key.key: value}) if value else None,
        severity,
    )


def _misleads(key: FiledKey, line: ShadowedView, in_policy: bool) -> bool:
    """A line misleads where it is ours, or an administrator's for a key of the policy, and says something else."""
    winner = key.setting(line.program)
    if winner.value is not None and same_value(winner.value, line.value):
        return False
    return _is_ours(line.path) or (in_policy and not line.path.startswith(VENDOR))


def _is_ours(path: str) -> bool:
    return "netfit" in os.path.basename(path.rpartition(":")[0] or path)


def _loses(entry: SysctlPolicy, key: FiledKey, line: ShadowedView) -> bool:
    winner = key.setting(line.program)
    return _satisfies(entry, line.value) and not _satisfies(entry, winner.value or "")


def _winner(key: FiledKey, line: Optional[ShadowedView]) -> str:
    if line is None:
        return f"{SYSCTL_CONF} is not read at boot"
    value = key.setting(line.program).value
    instead = f"{line.by} says {value}" if value is not None else f"{line.by} stands against it"
    return f"{instead} for {dict(PROGRAMS).get(line.program, line.program)}"


def _dead(host: HostView, policy: Policy, key: FiledKey) -> Optional[Finding]:
    places = [setting for setting in (key.next_boot, key.system) if setting.value is not None and setting.place]
    if not places:
        return None
    observed = f"{key.key} = {places[0].value} by {places[0].place}"
    severity = Severity.MEDIUM if key.effect == Effect.MISSPELT.value else Severity.LOW
    target = host_place(host).target(key=key.key)
    reason = key.effect_reason or "it does nothing"
    evidence = [Evidence(f"{key.key}: {reason}", key.live, "/proc/sys/" + key_of(key.key)), *file_evidence(key)]
    return fail("SYSCTL-005", policy, target, observed, f"no such line: {reason}", evidence, None, severity)
