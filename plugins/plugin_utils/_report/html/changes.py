# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after, where an earlier report is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Tuple

from ..comparison import Comparison, FindingChange, PathChange, State, compare
from .words import SEVERITIES, counted, in_order, listed

MOST_ROWS = 200
MARKS = {
    State.GONE: "\N{CHECK MARK}",
    State.NEW: "\N{MULTIPLICATION X}",
    State.STILL_THERE: "=",
    State.WAITING: "\N{HORIZONTAL ELLIPSIS}",
}


@dataclass(frozen=True)
class PathRow:
    """then, now: bytes and verdict in words.

    tone: better, worse, other, or same where the far end asks for less than before, and gets it.
    """

    name: str
    then: str
    now: str
    tone: str


@dataclass(frozen=True)
class FindingRow:
    """What has become of the findings of one rule. hosts: in words."""

    mark: str
    state: str
    severity: str
    rule: str
    title: str
    hosts: str


@dataclass(frozen=True)
class Changes:
    """What is different since an earlier report. more_...: rows left out. same: paths that carry what they did."""

    then: str
    now: str
    counts_then: str
    counts_now: str
    summary: str
    paths: Tuple[PathRow, ...]
    more_paths: int
    same: int
    findings: Tuple[FindingRow, ...]
    more_findings: int


def list_changes(before: Mapping[str, Any], document: Mapping[str, Any]) -> Changes:
    """Compare two reports."""
    comparison = compare(before, document, None)
    changed = [one for one in comparison.paths if one.changed]
    findings = _findings(comparison.findings)
    return Changes(
        then=str(before.get("generated_at") or "earlier"),
        now=str(document["generated_at"]),
        counts_then=_counts(before),
        counts_now=_counts(document),
        summary=_summary(comparison, changed),
        paths=tuple(_path(one) for one in changed[:MOST_ROWS]),
        more_paths=max(len(changed) - MOST_ROWS, 0),
        same=len(comparison.paths) - len(changed),
        findings=tuple(findings[:MOST_ROWS]),
        more_findings=max(len(findings) - MOST_ROWS, 0),
    )


def _counts(report: Mapping[str, Any]) -> str:
    summary = report.get("summary")
    severities = summary.get("severity") if isinstance(summary, Mapping) else None
    return counted(severities) if isinstance(severities, Mapping) else "not said"


def _summary(comparison: Comparison, changed: List[PathChange]) -> str:
    parts = []
    for state, words in ((State.GONE, "gone"), (State.NEW, "new"), (State.STILL_THERE, "still there")):
        count = len([one for one in comparison.findings if one.state is state])
        parts.append(f"{count:,} {words}")
    return (
        f"Findings: {', '.join(parts)}. Paths: {len(changed):,} of {len(comparison.paths):,} carry something else now."
    )


def _path(one: PathChange) -> PathRow:
    then, now = one.size_then or 0, one.size_now or 0
    hole = "black hole"
    if hole in (one.then or "") and one.now is not None and hole not in one.now:
        tone = "better"
    elif hole in (one.now or "") and hole not in (one.then or ""):
        tone = "worse"
    else:
        kept = now < then and not one.expected.isdigit() and (one.now or "").endswith(" ok")
        tone = "same" if kept else "better" if now > then else "worse" if now < then else "other"
    return PathRow(one.name, one.then or "not measured", one.now or "not measured", tone)


def _order(one: FindingChange) -> Tuple[int, int, str, str]:
    states = (State.NEW, State.GONE, State.WAITING, State.STILL_THERE)
    severity = SEVERITIES.index(one.severity) if one.severity in SEVERITIES else len(SEVERITIES)
    return states.index(one.state), severity, one.id, one.host


def _findings(changes: Sequence[FindingChange]) -> List[FindingRow]:
    """Put together what has become of one rule on several hosts."""
    groups: Dict[Tuple[State, str, str, str], List[str]] = {}
    for one in sorted(changes, key=_order):
        groups.setdefault((one.state, one.severity, one.id, one.title), []).append(one.host)
    return [
        FindingRow(MARKS[state], state.value, severity, rule, title, listed(in_order(hosts), 6))
        for (state, severity, rule, title), hosts in groups.items()
    ]
