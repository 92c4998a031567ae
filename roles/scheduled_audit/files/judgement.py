# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says when it is held against the last good one: pure functions of their contents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Iterable, List, Mapping, Optional, Set, Tuple

SEVERITIES = ("info", "low", "medium", "high", "critical")
TOLD_AT_ONCE = 20
"""Sentences about single findings; the report has all of them."""
ERROR, WARNING, NOTICE = 3, 4, 5
"""Priorities of syslog (RFC 5424, 6.2.1), which systemd reads from a line's beginning (sd-daemon(3))."""


class Outcome(IntEnum):
    """How a run ends; the value is the exit status."""

    GOOD = 0
    FAILED = 1
    DRIFT = 2
    INCOMPLETE = 4
    BUSY = 75


@dataclass(frozen=True)
class Judgement:
    """drifted: findings that the last good state lacks, or has as less severe. unseen: what could not be looked at, and
    why. first: there is no last good state yet. open: failures above info. gone: those that are no more."""

    drifted: Tuple[Mapping[str, Any], ...]
    unseen: Tuple[str, ...]
    first: bool
    open: int
    gone: int

    @property
    def outcome(self) -> Outcome:
        if self.drifted:
            return Outcome.DRIFT
        return Outcome.INCOMPLETE if self.unseen else Outcome.GOOD


def judge(report: Mapping[str, Any], last_good: Optional[Mapping[str, Any]], fail_on: str) -> Judgement:
    """Hold a report of netfit.cluster.audit, made with last_good as its netfit_baseline, against that."""
    findings = report["findings"]
    failures = [one for one in findings if one["status"] == "fail"]
    known = {one["fingerprint"] for one in (last_good or {}).get("findings", ())}
    least = SEVERITIES.index(fail_on)
    drifted = tuple(
        one
        for one in failures
        if one.get("baseline") in ("new", "worse") and SEVERITIES.index(one["severity"]) >= least
    )
    unseen = [
        f"{name} could not be audited ({host['status']}): {host['reason']}"
        for name, host in sorted(report["hosts"].items())
        if host["status"] != "audited"
    ]
    if last_good is not None:
        new = (one for one in findings if one["status"] == "error" and one["fingerprint"] not in known)
        unseen += [f"Could not be checked: {sentence(one)}" for one in new]
    now, before = _serious(failures), _serious((last_good or {}).get("findings", ()))
    return Judgement(drifted, tuple(unseen), last_good is None, len(now), len(before - now))


def _serious(findings: Iterable[Mapping[str, Any]]) -> Set[str]:
    """Return the fingerprints of failures above info, which the report counts as nothing found."""
    return {one["fingerprint"] for one in findings if one["status"] == "fail" and one["severity"] != "info"}


def sentence(finding: Mapping[str, Any]) -> str:
    """Say a finding in one line: MTU-001 (critical) on n2, pod prod/gateway, link eth0: its title (what was seen)."""
    target = finding["target"]
    owner = target.get("owner") or {}
    name = owner.get("name")
    parts = [target["host"]]
    if name and name != target["host"]:
        parts.append(f"{owner.get('kind') or target['scope']} {name}")
    parts += [f"{word} {target[word]}" for word in ("link", "listener") if target.get(word)]
    parts += [str(target[field]) for field in ("key", "path") if target.get(field)]
    if target.get("peer"):
        parts.append(f"towards {target['peer']}")
    worse = ", more severe than before" if finding.get("baseline") == "worse" else ""
    what = f"{finding['id']} ({finding['severity']}{worse}) on {', '.join(parts)}"
    return " ".join(f"{what}: {finding['title']} ({finding['observed']})".split())


def told_lines(judgement: Judgement, since: Optional[str], path: str) -> List[Tuple[int, str]]:
    """Return what the journal is told, with priorities. since: when the last good report was made."""
    drifted, lines = judgement.drifted, []
    if drifted:
        noun = "finding is" if len(drifted) == 1 else "findings are"
        lines.append((ERROR, f"Drift: {len(drifted)} {noun} new since the last good state of {since}. See {path}"))
        lines += [(ERROR, f"New: {sentence(one)}") for one in drifted[:TOLD_AT_ONCE]]
        if len(drifted) > TOLD_AT_ONCE:
            lines.append((ERROR, f"New: {len(drifted) - TOLD_AT_ONCE} more, in the report"))
    lines += [(WARNING, text) for text in judgement.unseen[:TOLD_AT_ONCE]]
    if judgement.unseen:
        stays = "there is still no last good state" if judgement.first else "the last good state stays what it was"
        lines.append((WARNING, f"Not everything was seen, so {stays}; 'accept' makes the latest report the good one"))
    elif judgement.first:
        lines.append((NOTICE, f"First report: {judgement.open} failures are in it, and are known from now on"))
    elif not drifted:
        lines.append(
            (NOTICE, f"No drift: {judgement.open} failures are known, {judgement.gone} of the last good state are gone")
        )
    return lines
