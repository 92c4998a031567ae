# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says when it is held against the last good one: pure functions of their contents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Iterator, List, Mapping, Optional, Tuple

SEVERITIES = ("info", "low", "medium", "high", "critical")
STILL_THERE = ("fail", "waived")
"""A waiver heals nothing: what is accepted is still there."""
TOLD_AT_ONCE = 20
"""Sentences about single findings, and about what was not seen; the report has all of them."""
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
    why. first: there is no last good state yet. open: failures above info. gone: those of the last good state that are
    no more; what is waived now is still there."""

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
    findings, before = report["findings"], (last_good or {}).get("findings", ())
    failures = [one for one in findings if one["status"] == "fail"]
    least = SEVERITIES.index(fail_on)
    drifted = tuple(
        one
        for one in failures
        if one.get("baseline") in ("new", "worse") and SEVERITIES.index(one["severity"]) >= least
    )
    there = {one["fingerprint"] for one in findings if one["status"] in STILL_THERE}
    then = {one["fingerprint"] for one in before if one["status"] in STILL_THERE and _serious(one)}
    # What is known by another fingerprint is of a pod that was made anew.
    again = [one for one in failures if one.get("baseline") in ("known", "worse") and _serious(one)]
    renamed = {one["fingerprint"] for one in again} - {one["fingerprint"] for one in before}
    opened = sum(_serious(one) for one in failures)
    gone = max(0, len(then - there) - len(renamed))
    return Judgement(drifted, tuple(_unseen(report, last_good)), last_good is None, opened, gone)


def _unseen(report: Mapping[str, Any], last_good: Optional[Mapping[str, Any]]) -> Iterator[str]:
    """Say what the report cannot speak of: hosts, and what the last good state could check."""
    hosts = report["hosts"]
    for name, host in sorted(hosts.items()):
        if host["status"] != "audited":
            yield f"{name} could not be audited ({host['status']}): {host['reason']}"
    if last_good is None:
        return
    for name in sorted(set(last_good["hosts"]) - set(hosts)):
        yield f"{name} is in the last good state, but missing from this report"
    known = {one["fingerprint"] for one in last_good["findings"]}
    for one in report["findings"]:
        if one["status"] == "error" and one["fingerprint"] not in known:
            yield f"Could not be checked: {sentence(one)}"


def _serious(finding: Mapping[str, Any]) -> bool:
    """Info counts as nothing found, as in the report."""
    return bool(finding["severity"] != "info")


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
    if len(judgement.unseen) > TOLD_AT_ONCE:
        lines.append((WARNING, f"Not seen: {len(judgement.unseen) - TOLD_AT_ONCE} more"))
    if judgement.unseen:
        stays = "there is still no last good state" if judgement.first else "the last good state stays what it was"
        lines.append(
            (
                WARNING,
                f"Not everything was seen, so {stays}; 'accept' makes the latest report the good one, also where hosts "
                "were removed for good",
            )
        )
    elif judgement.first:
        lines.append((NOTICE, f"First report: {judgement.open} failures are in it, and are known from now on"))
    elif not drifted:
        lines.append(
            (NOTICE, f"No drift: {judgement.open} failures are known, {judgement.gone} of the last good state are gone")
        )
    return lines
