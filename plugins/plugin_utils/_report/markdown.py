# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown for a ticket: the verdict, what was found, and what to do, from the worst down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, List, Optional, Sequence

from .._rules.catalogue import CATALOGUE
from .._rules.path_words import CLASS_WORDS
from .accepted import over, waiver_text
from .commands import fix_commands, fix_hosts, keep_hint, playbook_command
from .comparison import State, compare
from .markdown_text import code_block, prose, table
from .terminal import evidence_text, where
from .verification import check_path

Document = Mapping[str, Any]

MOST_ROWS = 200
MOST_DETAILS = 40
MOST_COMMANDS = 40
DETAILED = ("critical", "high", "medium")
FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}


def render(document: Document, before: Optional[Document] = None) -> str:
    """Return the report as Markdown. before: an earlier report, to say what is new and what is gone."""
    findings = document["findings"]
    detailed = [one for one in findings if one["status"] == "fail" and one["severity"] in DETAILED]
    lines = ["# netfit report", "", verdict(document), "", _circumstances(document), ""]
    lines += _compared(document, before)
    lines += _table(findings)
    for finding in detailed[:MOST_DETAILS]:
        lines += _details(finding)
    if len(detailed) > MOST_DETAILS:
        lines += [f"And {len(detailed) - MOST_DETAILS} more like these in report.json.", ""]
    lines += _paths(document["paths"])
    lines += _hosts(document["hosts"])
    return "\n".join(lines).rstrip("\n") + "\n"


def verdict(document: Document) -> str:
    """Return the outcome in one sentence of Markdown: how much was found, and the worst of it."""
    summary = document["summary"]
    counts = [(name, summary["severity"][name]) for name in ("critical", "high", "medium", "low", "info")]
    found = [f"{count} {name}" for name, count in counts if count]
    missed = summary["hosts"]["total"] - summary["hosts"]["audited"]
    unchecked = sum(one["status"] == "error" and one["id"] != "AUDIT-002" for one in document["findings"])
    unknown = f"; {_plural(missed, 'host')} could not be audited" if missed else ""
    unknown += f"; {_plural(unchecked, 'check')} could not be made" if unchecked else ""
    failures = [one for one in document["findings"] if one["status"] == "fail" and one["severity"] != "info"]
    if not failures:
        return f"**Nothing above info was found on {_plural(summary['hosts']['audited'], 'host')}{unknown}.**"
    worst = failures[0]
    first = f"{prose(worst['id'])} {prose(worst['title'])} ({prose(where(worst['target']))})"
    return f"**Found: {', '.join(found)}{unknown}. Worst: {first}.**"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def _circumstances(document: Document) -> str:
    policy = document["policy"]
    hosts = document["summary"]["hosts"]
    return (
        f"{document['generated_at']}, {hosts['audited']} of {_plural(hosts['total'], 'host')} audited, "
        f"policy: {prose(policy['source'])} ({str(policy['digest'])[:12]})"
    )


def _compared(document: Document, before: Optional[Document]) -> List[str]:
    if before is None:
        return []
    states = [one.state for one in compare(before, document, None).findings]
    new, gone, left = (states.count(state) for state in (State.NEW, State.GONE, State.STILL_THERE))
    since = prose(before.get("generated_at", "before"))
    return [f"Since the report of {since}: {new} new, {gone} gone, {left} left.", ""]


def _table(findings: Sequence[Document]) -> List[str]:
    if not findings:
        return []
    rows = [
        (_state(one), one["id"], where(one["target"]), one["observed"], one["expected"]) for one in findings[:MOST_ROWS]
    ]
    left = [f"And {len(findings) - MOST_ROWS} more in report.json.", ""] if len(findings) > MOST_ROWS else []
    return ["## Findings", "", *table(("severity", "rule", "where", "observed", "expected"), rows), "", *left]


def _state(finding: Document) -> str:
    if finding["status"] == "waived":
        return f"{finding['severity']}, {waiver_text(finding)}"
    words = {"fail": f"{finding['severity']}{over(finding)}", "error": "not checked"}
    return str(words.get(finding["status"], f"{finding['severity']}, {finding['status']}"))


def _details(finding: Document) -> List[str]:
    rule, waiver = CATALOGUE.get(finding["id"]), waiver_text(finding)
    lines = [f"## {finding['severity'].upper()} {prose(finding['id'])}: {prose(finding['title'])}", ""]
    facts = [
        ("where", where(finding["target"])),
        ("observed", finding["observed"]),
        ("expected", finding["expected"]),
        *([("waiver", waiver)] if waiver is not None else []),
        *([("why", rule.why)] if rule is not None else []),
    ]
    lines += [f"- **{label}**: {prose(text)}" for label, text in facts]
    if finding["evidence"]:
        lines += ["- **evidence**:", *[f"  - {prose(evidence_text(entry))}" for entry in finding["evidence"]]]
    lines += ["", *_remedy(finding)]
    if finding["references"]:
        lines += ["References:", "", *[f"- {_reference(reference)}" for reference in finding["references"]], ""]
    return lines


def _reference(reference: str) -> str:
    """Leave our own links as they are; what came from elsewhere is text."""
    known = {one for rule in CATALOGUE.values() for one in rule.references}
    return reference if reference in known and reference.startswith("https://") else prose(reference)


def _remedy(finding: Document) -> List[str]:
    commands, playbook, hint = fix_commands(finding), playbook_command(finding), keep_hint(finding)
    lines: List[str] = []
    if commands:
        disruption = (finding.get("remedy") or {}).get("disruption") or "not known"
        lines += [f"Fix now, as root on {prose(', '.join(fix_hosts(finding)))} (disruption: {prose(disruption)}):", ""]
        shown = commands[:MOST_COMMANDS]
        left = [f"# and {len(commands) - len(shown)} more in report.json"] if len(commands) > len(shown) else []
        lines += [*code_block([*shown, *left]), ""]
    if playbook is not None:
        lines += ["By playbook, kept and undoable (first with --check --diff):", "", *code_block([playbook]), ""]
    if hint is not None:
        lines += [f"To keep it: {prose(hint)}", ""]
    return lines


def _paths(paths: Sequence[Document]) -> List[str]:
    """Return the table of paths, those that do not carry what they should first."""
    if not paths:
        return []
    checked = [(entry, check_path(entry)) for entry in paths]
    ordered = sorted(checked, key=lambda one: one[1].fault is None)
    rows = [
        (
            CLASS_WORDS.get(entry["class"], entry["class"]),
            check.name,
            FAMILIES.get(entry["family"], entry["family"]),
            check.expected,
            check.measured,
            "ok" if check.fault is None else check.fault,
        )
        for entry, check in ordered[:MOST_ROWS]
    ]
    left = [f"And {len(paths) - MOST_ROWS} more in report.json.", ""] if len(paths) > MOST_ROWS else []
    head = ("class", "path", "family", "expected", "measured, there / back", "verdict")
    return ["## Measured paths, largest IP packet in bytes", "", *table(head, rows), "", *left]


def _hosts(hosts: Mapping[str, Document]) -> List[str]:
    missing = [(name, host) for name, host in hosts.items() if host["status"] != "audited"]
    if not missing:
        return []
    rows = [(name, str(host["status"]).replace("_", " "), host["reason"] or "") for name, host in missing[:MOST_ROWS]]
    left = [f"And {len(missing) - MOST_ROWS} more in report.json.", ""] if len(missing) > MOST_ROWS else []
    return ["## Hosts that were not audited", "", *table(("host", "status", "reason"), rows), "", *left]
