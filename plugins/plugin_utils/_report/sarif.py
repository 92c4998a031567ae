# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SARIF 2.1.0: rules from the catalogue, findings as results, each at the file on the host that it is about.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Dict, List, Optional
from urllib.parse import quote

from ...module_utils._model.finding import Severity, Status
from .._rules.catalogue import RULES, Rule
from .._rules.lasting import lasting_key
from .accepted import over
from .places import Place, places
from .safe_text import one_line, writable
from .terminal import evidence_text, where

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
INFORMATION = "https://galaxy.ansible.com/ui/repo/published/netfit/cluster/"
REPORT = "report.json"
HOSTS = "HOSTS"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
KINDS = {"fail": "fail", "waived": "fail", "error": "open", "fixed": "pass"}
"""Section 3.27.9: open is what could not be decided; only a failure has a level."""
FINGERPRINT = "netfit/v1"

Document = Mapping[str, Any]
Values = Dict[str, Any]


def render(document: Document, before: Optional[Document] = None) -> str:
    """Return the report as SARIF. before: an earlier report, to tell what is new, unchanged or absent."""
    titles = {finding["id"]: finding["title"] for finding in _findings(document, before)}
    rules = [_rule(rule) for rule in RULES]
    known = {rule.id for rule in RULES}
    rules += [{"id": id, "shortDescription": _message(titles[id])} for id in sorted(set(titles) - known)]
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "netfit", "informationUri": INFORMATION, "rules": rules}},
        "automationDetails": {"id": "netfit/audit/"},
        "invocations": [_invocation(document)],
        "originalUriBaseIds": {
            HOSTS: {"description": _message("The root of a file system, in a folder named after its host.")}
        },
        "columnKind": "unicodeCodePoints",
        "results": _results(document, before, index),
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, sort_keys=True) + "\n"


def _findings(document: Document, before: Optional[Document]) -> List[Document]:
    return [*document["findings"], *(before["findings"] if before is not None else ())]


def _message(text: object) -> Values:
    return {"text": writable(text) or "-"}


def _rule(rule: Rule) -> Values:
    references = "".join(f"\n- {reference}" for reference in rule.references)
    links = [reference for reference in rule.references if reference.startswith("https://")]
    values: Values = {
        "id": rule.id,
        "shortDescription": _message(rule.title),
        "fullDescription": _message(rule.why),
        "help": _message(rule.why + (f"\n\nReferences:{references}" if references else "")),
        "defaultConfiguration": {"level": LEVELS[rule.severity.value]},
        "properties": {"tags": [rule.id.partition("-")[0].lower()], "severity": rule.severity.value},
    }
    return {**values, "helpUri": links[0]} if links else values


def _invocation(document: Document) -> Values:
    """Tell which hosts are missing: a scanner that saw only a part must not look as if all were well."""
    missing = [(name, host) for name, host in document["hosts"].items() if host["status"] != "audited"]
    return {
        "executionSuccessful": not missing,
        "endTimeUtc": document["generated_at"],
        "toolExecutionNotifications": [
            {
                "level": "error",
                "message": _message(f"{one_line(name)} was not audited ({host['status']}): {host['reason'] or ''}"),
            }
            for name, host in missing
        ],
    }


def _results(document: Document, before: Optional[Document], index: Mapping[str, int]) -> List[Values]:
    results = [_result(finding, index) for finding in document["findings"]]
    if before is None:
        return results
    now = [lasting_key(finding) for finding in document["findings"]]
    then = {lasting_key(finding) for finding in before["findings"]}
    still = set(now)
    gone = (finding for finding in before["findings"] if lasting_key(finding) not in still)
    compared = [{**one, "baselineState": "unchanged" if key in then else "new"} for one, key in zip(results, now)]
    return compared + [{**_result(finding, index), "baselineState": "absent"} for finding in gone]


def _result(finding: Document, index: Mapping[str, int]) -> Values:
    status, severity = finding["status"], finding["severity"]
    kind = KINDS[status]
    text = f"{where(finding['target'])}: {finding['observed']}, expected {finding['expected']}{over(finding)}"
    result: Values = {
        "ruleId": finding["id"],
        "ruleIndex": index[finding["id"]],
        "kind": kind,
        "level": LEVELS[severity] if kind == "fail" else "none",
        "message": _message(one_line(text)),
        "locations": [_location(finding)],
        "partialFingerprints": {FINGERPRINT: finding["fingerprint"]},
        "rank": 100.0 * Severity(severity).rank / (len(Severity) - 1),
        "properties": {
            "severity": severity,
            "status": status,
            "confidence": finding["confidence"],
            "evidence": [writable(evidence_text(entry)) for entry in finding["evidence"]],
        },
    }
    related = places(finding)[1:]
    if related:
        host = finding["target"]["host"]
        result["relatedLocations"] = [{"physicalLocation": _file(host, place)} for place in related]
    if status == Status.WAIVED.value:
        result["suppressions"] = [_suppression(finding.get("waiver") or {})]
    return result


def _suppression(waiver: Document) -> Values:
    words = {name: writable(value) for name, value in waiver.items() if value is not None}
    justification = str(words.get("justification", "no justification given"))
    properties = {name: words[name] for name in ("by", "expires") if name in words}
    return {"kind": "external", "status": "accepted", "justification": justification, "properties": properties}


def _location(finding: Document) -> Values:
    """Name the file to look at. Services that show results refuse those without one: the rest is in the report."""
    host, found = finding["target"]["host"], places(finding)
    physical = _file(host, found[0]) if found else {"artifactLocation": {"uri": REPORT}, "region": {"startLine": 1}}
    return {"physicalLocation": physical, "logicalLocations": [_logical(finding["target"])]}


def _file(host: str, place: Place) -> Values:
    parts = [part for part in place.file.split("/") if part]
    uri = "/".join(quote(writable(part), safe="") for part in (host, *parts))
    return {"artifactLocation": {"uri": uri, "uriBaseId": HOSTS}, "region": {"startLine": place.line or 1}}


def _logical(target: Document) -> Values:
    """Return the link, key or listener that is meant, inside its pod or container on its host."""
    owner = target.get("owner") or {}
    parts = [target["host"]]
    if target["scope"] not in ("host", "cluster"):
        parts.append(f"{target['scope']} {owner.get('name') or 'without a name'}")
    kind = target["scope"]
    for name in ("link", "key", "listener", "peer"):
        if target.get(name):
            parts.append(str(target[name]))
            kind = name
    words = [one_line(part) or "-" for part in parts]
    return {"name": words[-1], "fullyQualifiedName": " / ".join(words), "kind": kind}
