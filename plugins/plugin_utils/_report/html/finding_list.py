# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings, those that differ in their host alone told together, with evidence, remedy and references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from ..._rules.catalogue import CATALOGUE
from ..accepted import waiver_text
from ..commands import fix_commands, fix_hosts, keep_hint, playbook_command
from ..terminal import evidence_text, where
from .words import in_order, listed

Finding = Mapping[str, Any]

MOST_IN_FULL = 200
"""Groups with evidence and remedy; those after them get a line each."""
MOST_LINES, MOST_NAMES = 3000, 100_000
"""Of those lines, and of the hosts in all of them: each line has the names of its hosts to be found by."""
MOST_PLACES = 20
"""Places of a group with evidence of their own; of those after them the names alone are told."""
PAGE = 50
NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Place:
    """One target. evidence: in words; commands: to be run as root on command_hosts."""

    host: str
    where: str
    observed: str
    evidence: Tuple[str, ...]
    commands: Tuple[str, ...]
    command_hosts: str


@dataclass(frozen=True)
class FindingGroup:
    """Findings that are alike. others: names of hosts whose places are left out. references: text, and link or None.

    waiver: what was accepted, and whether that is over.
    """

    anchor: str
    rule: str
    title: str
    status: str
    severity: str
    derived: bool
    observed: str
    expected: str
    why: Optional[str]
    hosts: Tuple[str, ...]
    summary: str
    places: Tuple[Place, ...]
    others: Tuple[str, ...]
    playbook: Optional[str]
    disruption: Optional[str]
    keep: Optional[str]
    references: Tuple[Tuple[str, Optional[str]], ...]
    waiver: Optional[str]

    @property
    def label(self) -> str:
        """Its severity in words, or why it has none."""
        return {"error": "could not be checked", "waived": "waived", "fixed": "fixed"}.get(self.status, self.severity)


@dataclass(frozen=True)
class FindingList:
    """pages: of groups in full. lines: groups beyond, in short. more: groups that are left out altogether."""

    pages: Tuple[Tuple[FindingGroup, ...], ...]
    lines: Tuple[FindingGroup, ...]
    more: int
    rules: Tuple[str, ...]
    labels: Tuple[str, ...]

    @property
    def count(self) -> int:
        """Groups of all kinds."""
        return sum(len(page) for page in self.pages) + len(self.lines) + self.more


def list_findings(findings: Sequence[Finding]) -> FindingList:
    """Return the findings in the order of the report."""
    groups = _grouped(findings)
    if len(groups) > PAGE:
        groups = _grouped(findings, lambda observed: NUMBER.sub("#", observed))
    full = [_group(f"finding-{number}", group, MOST_PLACES) for number, group in enumerate(groups[:MOST_IN_FULL], 1)]
    lines = _lines(groups[MOST_IN_FULL : MOST_IN_FULL + MOST_LINES])
    shown = [*full, *lines]
    return FindingList(
        pages=tuple(tuple(full[start : start + PAGE]) for start in range(0, len(full), PAGE)),
        lines=tuple(lines),
        more=len(groups) - len(shown),
        rules=tuple(sorted({one.rule for one in shown})),
        labels=tuple(dict.fromkeys(one.label for one in shown)),
    )


def _lines(groups: Sequence[Sequence[Finding]]) -> List[FindingGroup]:
    """Return groups in short, as many as MOST_NAMES lets."""
    lines: List[FindingGroup] = []
    names = 0
    for group in groups:
        line = _group("", group, 0)
        names += len(line.hosts)
        if names > MOST_NAMES:
            break
        lines.append(line)
    return lines


def _grouped(findings: Iterable[Finding], alike: Callable[[str], str] = str) -> List[List[Finding]]:
    """Put together what differs in its host alone. alike: of what was observed, the part that has to be the same."""
    groups: Dict[Tuple[str, ...], List[Finding]] = {}
    for one in findings:
        target = one["target"]
        owner = (target.get("owner") or {}).get("name") if target["scope"] != "host" else None
        names = [str(target.get(name)) for name in ("scope", "link", "key", "listener", "path", "peer")]
        told = [str(one[name]) for name in ("status", "severity", "id", "expected")]
        key = (*told, alike(one["observed"]), str(owner), *names, str(waiver_text(one)))
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _group(anchor: str, group: Sequence[Finding], most: int) -> FindingGroup:
    first, rule = group[0], CATALOGUE.get(group[0]["id"])
    hosts = in_order([str(one["target"]["host"]) for one in group])
    shown = group[:most]
    return FindingGroup(
        anchor=anchor,
        rule=first["id"],
        title=first["title"],
        status=first["status"],
        severity=first["severity"],
        derived=first["confidence"] == "derived",
        observed=_observed(group),
        expected=first["expected"],
        why=rule.why if rule is not None else None,
        hosts=tuple(hosts),
        summary=where(first["target"]) if len(group) == 1 else _summary(group, hosts),
        places=tuple(_place(one) for one in shown),
        others=tuple(in_order([str(one["target"]["host"]) for one in group[most:]])) if most else (),
        playbook=playbook_command(first) if len(group) == 1 else _playbook(group),
        disruption=(first.get("remedy") or {}).get("disruption"),
        keep=keep_hint(first),
        references=tuple((text, text if text.startswith("https://") else None) for text in first["references"]),
        waiver=waiver_text(first),
    )


def _summary(group: Sequence[Finding], hosts: Sequence[str]) -> str:
    """Return on which hosts, and what of them."""
    _host, _comma, rest = where(group[0]["target"]).partition(", ")
    return f"{listed(hosts, 5)}" + (f": {rest}" if rest else "")


def _observed(group: Sequence[Finding]) -> str:
    different = len({one["observed"] for one in group})
    return str(group[0]["observed"]) if different == 1 else f"{group[0]['observed']} (elsewhere other numbers)"


def _playbook(group: Sequence[Finding]) -> Optional[str]:
    """Return the command for all hosts of a group; without a limit where that would be longer than it helps."""
    command = playbook_command(group[0])
    if command is None or " --limit " not in command:
        return command
    hosts = in_order([host for one in group for host in fix_hosts(one)])
    base = command.partition(" --limit ")[0]
    return f"{base} --limit {','.join(hosts)}" if len(hosts) <= MOST_PLACES and _plain(hosts) else base


def _plain(hosts: Sequence[str]) -> bool:
    """Whether a shell takes these names as they are."""
    return all(host.replace("-", "").replace(".", "").replace("_", "").isalnum() and host.isascii() for host in hosts)


def _place(finding: Finding) -> Place:
    return Place(
        host=str(finding["target"]["host"]),
        where=where(finding["target"]),
        observed=finding["observed"],
        evidence=tuple(evidence_text(entry) for entry in finding["evidence"]),
        commands=tuple(fix_commands(finding)),
        command_hosts=listed(fix_hosts(finding), 20),
    )
