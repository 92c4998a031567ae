# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML for pipelines: a suite per host and one for the cluster, a test case per rule and target.

The form is the one that CI servers share: https://github.com/testmoapp/junitxml describes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Set
from xml.etree import ElementTree

from ...module_utils._model.finding import Severity, Status
from .._rules.catalogue import CATALOGUE, RULES, Rule
from .accepted import over, waiver_text
from .commands import fix_commands, fix_hosts, keep_hint, playbook_command
from .safe_text import one_line, writable
from .terminal import evidence_text, where

Document = Mapping[str, Any]

CLUSTER = "cluster"
NEEDED = {"PATH-": "paths", "MSS-": "paths", "HTTP-001": "http", "HTTP-002": "http", "HTTP-003": "keepalive"}
"""Beginnings of the rules that hold what was measured against a host, and the part of the report where that stands.

Where nothing was measured of a host, nothing is known and nothing passes."""
NOT_AUDITED = "AUDIT-002"
OUTCOMES = {"failure": "failures", "error": "errors", "skipped": "skipped"}
"""What a case may hold, and the attribute that counts it."""


@dataclass(frozen=True)
class Case:
    """One test case. outcome: a key of OUTCOMES, None where it passes. text: what a person reads of it."""

    rule: str
    name: str
    outcome: Optional[str] = None
    type: str = ""
    message: str = ""
    text: str = ""


def render(document: Document, before: Optional[Document] = None) -> str:
    """Return the report as JUnit XML. Findings at info pass, as a host that has only such findings is healthy."""
    suites = _suites(document)
    root = ElementTree.Element("testsuites", {"name": "netfit", **_counts(_all(suites))})
    for name, cases in suites.items():
        attributes = {"name": _word(name), **_counts(cases), "timestamp": document["generated_at"].rstrip("Z")}
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for case in cases:
            _add(suite, name, case)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _all(suites: Mapping[str, List[Case]]) -> List[Case]:
    return [case for cases in suites.values() for case in cases]


def _counts(cases: Iterable[Case]) -> Dict[str, str]:
    outcomes = [case.outcome for case in cases]
    counts = {attribute: str(outcomes.count(outcome)) for outcome, attribute in OUTCOMES.items()}
    return {"tests": str(len(outcomes)), **counts, "time": "0"}


def _word(text: str) -> str:
    """Return one line that is not empty: readers take what has no name for damaged."""
    return one_line(text) or "-"


def _add(suite: ElementTree.Element, suite_name: str, case: Case) -> None:
    attributes = {"classname": f"netfit.{one_line(suite_name)}", "name": _word(case.name), "time": "0"}
    element = ElementTree.SubElement(suite, "testcase", attributes)
    if case.outcome == "skipped":
        ElementTree.SubElement(element, "skipped", {"message": one_line(case.message)})
    elif case.outcome is not None:
        details = {"type": _word(case.type), "message": one_line(case.message)}
        ElementTree.SubElement(element, case.outcome, details).text = writable(case.text)
    elif case.text:
        ElementTree.SubElement(element, "system-out").text = writable(case.text)


def _suites(document: Document) -> Dict[str, List[Case]]:
    """Return the cases by suite: the cluster first where something was found there, then every host."""
    found: Dict[str, List[Case]] = {}
    for finding in document["findings"]:
        together = finding["target"]["scope"] == "cluster"
        found.setdefault(f"\0{CLUSTER}" if together else finding["target"]["host"], []).append(_case(finding))
    measured = {part: _measured_hosts(document.get(part, ())) for part in set(NEEDED.values())}
    suites = {f"{CLUSTER} as a whole": found.pop(f"\0{CLUSTER}")} if f"\0{CLUSTER}" in found else {}
    shared = {finding["id"] for finding in document["findings"] if _is_shared(finding)}
    for name, host in document["hosts"].items():
        cases = found.pop(name, [])
        parts = {part for part, hosts in measured.items() if name in hosts}
        told = {case.rule for case in cases}
        suites[name] = cases + [one for one in _others(host, told, parts) if one.rule not in shared]
    return {**suites, **found}


def _is_shared(finding: Document) -> bool:
    """Whether other hosts have a part in it than the one that it is told of: then its rule passes on none.

    A black hole is told of the host that sent, and may be at any other; the cluster's findings are of all hosts.
    """
    return bool(finding["target"]["scope"] == "cluster" or finding["id"].startswith(tuple(NEEDED)))


def _measured_hosts(entries: Iterable[Document]) -> Set[Optional[str]]:
    """Return the hosts that measured something, and those that it was measured to, where they are told."""
    return {host for entry in entries for host in (entry["host"], entry.get("peer", entry)["host"])}


def _others(host: Document, told: Set[str], measured: Set[str]) -> List[Case]:
    """Return a case for every rule that was held against this host and found nothing, or for why none was.

    measured: parts of the report that say something of this host, of those that are NEEDED.
    """
    if host["status"] != "audited":
        status = str(host["status"]).replace("_", " ")
        reason = str(host["reason"] or status)
        rule = CATALOGUE[NOT_AUDITED]
        case = Case(rule.id, f"{rule.id} {rule.title}", "error", status, reason, f"{status}: {reason}")
        return [] if rule.id in told else [case]
    missing = tuple(rules for rules, part in NEEDED.items() if part not in measured)
    asked = (rule for rule in RULES if not rule.id.startswith(missing))
    return [Case(rule.id, f"{rule.id} {rule.title}") for rule in asked if rule.id not in told]


def _case(finding: Document) -> Case:
    rule, status, severity = finding["id"], finding["status"], finding["severity"]
    name = f"{rule} {finding['title']}: {where(finding['target'])}"
    message = f"{finding['observed']}, expected {finding['expected']}{over(finding)}"
    if status == Status.WAIVED.value:
        return Case(rule, name, "skipped", message=waiver_text(finding) or Status.WAIVED.value)
    if status == Status.ERROR.value:
        return Case(rule, name, "error", "not checked", str(finding["observed"]), _text(finding))
    outcome = "failure" if status == Status.FAIL.value and severity != Severity.INFO.value else None
    return Case(rule, name, outcome, severity, message, _text(finding))


def _text(finding: Document) -> str:
    rule: Optional[Rule] = CATALOGUE.get(finding["id"])
    lines = [
        f"{finding['severity']} {finding['id']}: {finding['title']}",
        f"where: {where(finding['target'])}",
        f"observed: {finding['observed']}",
        f"expected: {finding['expected']}",
        *([f"why: {rule.why}"] if rule is not None else []),
        *[f"evidence: {evidence_text(entry)}" for entry in finding["evidence"]],
    ]
    waiver = waiver_text(finding)
    if waiver is not None:
        lines.append(f"waiver: {waiver}")
    commands, playbook, hint = fix_commands(finding), playbook_command(finding), keep_hint(finding)
    if commands:
        lines.append(f"fix now, as root on {', '.join(fix_hosts(finding))}:")
        lines += [f"  {command}" for command in commands]
    if playbook is not None:
        lines.append(f"by playbook: {playbook}")
    if hint is not None:
        lines.append(f"to keep it: {hint}")
    return "\n".join([*lines, f"fingerprint: {finding['fingerprint']}"])
