# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in the terminal: worst first, readable without colours."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Dict, List, Sequence, Tuple

from .._rules.catalogue import CATALOGUE
from .accepted import baseline_text, unused_waivers, waiver_text
from .commands import fix_commands, fix_hosts, keep_hint, playbook_command
from .document import is_healthy
from .line import Line
from .mesh_picture import picture

LABEL_WIDTH = 14
NARROWEST, WIDEST = 60, 120
DETAILED = ("critical", "high", "medium")
MOST_BLOCKS = 20
MOST_TARGETS = 6
MOST_LINES = 20

Finding = Mapping[str, Any]


def render(document: Mapping[str, Any], width: int, places: Sequence[str] = ()) -> List[Line]:
    """Return the lines of the report. width: columns of the terminal. places: where the files are, in words."""
    columns = usable_width(width)
    findings = document["findings"]
    failures = [one for one in findings if one["status"] == "fail"]
    blocks = _grouped([one for one in failures if one["severity"] in DETAILED])
    lines = [Line(""), _headline(document), *_known(document, columns), Line("")]
    for block in blocks[:MOST_BLOCKS]:
        lines.extend([*_block(block, columns), Line("")])
    if len(blocks) > MOST_BLOCKS:
        lines.extend([Line(f"and {len(blocks) - MOST_BLOCKS} more like these in the report"), Line("")])
    lines.extend(_minor("Minor", [one for one in failures if one["severity"] == "low"], columns))
    lines.extend(
        _minor(
            "Could not be checked",
            [one for one in findings if one["status"] == "error" and one["id"] != "AUDIT-002"],
            columns,
        )
    )
    waived = [one for one in findings if one["status"] == "waived" and one["severity"] != "info"]
    lines.extend(_minor("Waived", waived, columns))
    lines.extend(_entries("Waivers that apply to nothing", "low", unused_waivers(document), columns))
    lines.extend(picture(document["paths"], columns))
    lines.extend(_hosts(document["hosts"], columns))
    lines.extend(Line(place) for place in places)
    return lines


def usable_width(width: int) -> int:
    """Return the columns to write into, for a terminal of that width."""
    return max(NARROWEST, min(width, WIDEST))


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def _headline(document: Mapping[str, Any]) -> Line:
    summary = document["summary"]
    counts = [(name, summary["severity"][name]) for name in ("critical", "high", "medium", "low", "info")]
    found = [f"{count} {name}" for name, count in counts if count]
    worst = next((name for name, count in counts if count), "healthy")
    audited = f"netfit: {_plural(summary['hosts']['audited'], 'host')} audited"
    missed = summary["hosts"]["total"] - summary["hosts"]["audited"]
    text = audited + (f", {missed} not audited" if missed else "")
    waived = summary["status"]["waived"]
    more = f" and {waived} waived" if waived else ""
    return Line(f"{text}. Findings: {', '.join(found) or 'none'}{more}.", worst)


def _known(document: Mapping[str, Any], columns: int) -> List[Line]:
    text = baseline_text(document)
    return [] if text is None else [Line(part) for part in textwrap.wrap(text, columns, subsequent_indent="  ")]


def _grouped(findings: Sequence[Finding]) -> List[List[Finding]]:
    """Put together what differs only in its target: ten pods of one node with the same fault are one block."""
    groups: Dict[Tuple[str, ...], List[Finding]] = {}
    for one in findings:
        key = (one["severity"], one["id"], one["target"]["host"], one["observed"], one["expected"])
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _labelled(label: str, text: str, columns: int) -> List[Line]:
    """Return a labelled paragraph, wrapped; words that are longer than a line (paths) are not broken."""
    head = f"  {label}".ljust(LABEL_WIDTH)
    return [
        Line(part)
        for part in textwrap.wrap(
            text,
            columns,
            initial_indent=head,
            subsequent_indent=" " * LABEL_WIDTH,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _listed(label: str, entries: Sequence[str], columns: int) -> List[Line]:
    lines: List[Line] = []
    for position, entry in enumerate(entries):
        lines.extend(_labelled(label if position == 0 else "", entry, columns))
    return lines


def _more(entries: Sequence[str], most: int) -> List[str]:
    shown = list(entries[:most])
    return [*shown, f"and {len(entries) - most} more in the report"] if len(entries) > most else shown


def _block(group: Sequence[Finding], columns: int) -> List[Line]:
    first = group[0]
    title = f"{first['severity'].upper()}  {first['id']}  {first['title']}"
    lines = [Line(part, first["severity"]) for part in textwrap.wrap(title, columns, subsequent_indent="  ")]
    lines.extend(_listed("where", _more([where(one["target"]) for one in group], MOST_TARGETS), columns))
    lines.extend(_labelled("observed", str(first["observed"]), columns))
    lines.extend(_labelled("expected", str(first["expected"]), columns))
    waivers = dict.fromkeys(text for text in map(waiver_text, group) if text is not None)
    lines.extend(_listed("waiver", _more(list(waivers), MOST_TARGETS), columns))
    rule = CATALOGUE.get(first["id"])
    if rule is not None:
        lines.extend(_labelled("why", rule.why, columns))
    lines.extend(_listed("evidence", [evidence_text(entry) for entry in first["evidence"]], columns))
    if first["confidence"] == "derived":
        lines.extend(_labelled("", "(follows from these values; no traffic was sent)", columns))
    return [*lines, *_remedy(group, columns)]


def _remedy(group: Sequence[Finding], columns: int) -> List[Line]:
    first = group[0]
    lines: List[Line] = []
    commands: List[str] = []
    for one in group:
        commands.extend(command for command in fix_commands(one) if command not in commands)
    disruption = str((first.get("remedy") or {}).get("disruption", ""))
    if commands:
        lines.extend(_labelled("fix now", f"as root on {', '.join(fix_hosts(first))}:", columns))
        lines.extend(Line(" " * LABEL_WIDTH + command) for command in _more(commands, MOST_LINES))
    playbook = playbook_command(first)
    if playbook is not None:
        what = "the same by playbook" if commands else "by playbook"
        text = f"{what}, kept and undoable (first with --check --diff):"
        lines.extend(_labelled("or" if commands else "fix", text, columns))
        lines.append(Line(" " * LABEL_WIDTH + playbook))
    if disruption and commands:
        lines.extend(_labelled("disruption", disruption, columns))
    hint = keep_hint(first)
    if hint is not None:
        lines.extend(_labelled("to keep it" if commands else "by hand" if playbook else "fix", hint, columns))
    return lines


def where(target: Mapping[str, Any]) -> str:
    """Return a target in words: "n2, pod prod/gateway, link eth0"."""
    owner = target.get("owner") or {}
    together = target["scope"] == "cluster" and not owner.get("name")
    parts = ["all hosts together" if together else str(target["host"])]
    if together:
        return ", ".join(
            parts + [str(target[name]) for name in ("link", "key", "listener", "peer") if target.get(name)]
        )
    if target["scope"] == "pod" and owner.get("pod"):
        parts.append("pod " + "/".join(str(owner[name]) for name in ("pod_namespace", "pod") if owner.get(name)))
    elif target["scope"] != "host":
        kind = "namespace" if target["scope"] == "unknown" else target["scope"]
        parts.append(f"{kind} {owner.get('name') or 'without a name'}")
    words = {"link": "link ", "key": "", "listener": "", "path": "", "peer": "to "}
    parts.extend(word + str(target[name]) for name, word in words.items() if target.get(name))
    return ", ".join(parts)


def evidence_text(entry: Mapping[str, Any]) -> str:
    """Return one piece of evidence in words: "what: value (source)"."""
    value = entry.get("value")
    shown = f"{value:g}" if isinstance(value, float) else value
    text = str(entry["what"]) if value is None else f"{entry['what']}: {shown}"
    source = entry.get("source")
    return f"{text} ({source})" if source and source != "netlink" else text


def _minor(label: str, findings: Sequence[Finding], columns: int) -> List[Line]:
    """Return one entry per fault, with its hosts, without evidence: they are not why somebody looks at night."""
    groups: Dict[Tuple[str, ...], List[str]] = {}
    for one in findings:
        expected = "" if one["status"] == "error" else f", expected {one['expected']}"
        waiver = waiver_text(one)
        told = f"{one['observed']}{expected}" + (f"; {waiver}" if waiver else "")
        host, _comma, rest = where(one["target"]).partition(", ")
        names = groups.setdefault((one["id"], f"{rest}: " if rest else "", told), [])
        names.extend([host] if host not in names else [])
    entries = [
        f"{rule} on {', '.join(_more(names, MOST_TARGETS))}: {rest}{' '.join(text.split())}"
        for (rule, rest, text), names in groups.items()
    ]
    tone = "error" if findings and findings[0]["status"] == "error" else "low"
    return _entries(label, tone, entries, columns)


def _entries(label: str, tone: str, entries: Sequence[str], columns: int) -> List[Line]:
    """Return a list below its label; nothing where the list is empty."""
    if not entries:
        return []
    lines = [Line(f"{label}:", tone)]
    for entry in _more(entries, MOST_LINES):
        lines.extend(
            Line(part)
            for part in textwrap.wrap(
                entry,
                columns,
                initial_indent="  ",
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return [*lines, Line("")]


def _hosts(hosts: Mapping[str, Mapping[str, Any]], columns: int) -> List[Line]:
    lines: List[Line] = []
    healthy = [name for name, host in hosts.items() if is_healthy(host) and not host.get("waived")]
    if healthy:
        text = f"Nothing found on {', '.join(healthy)}"
        lines.extend(Line(part, "healthy") for part in textwrap.wrap(text, columns, subsequent_indent="  "))
    for name, host in hosts.items():
        if host["status"] != "audited":
            words = str(host["status"]).replace("_", " ")
            text = f"Not audited: {name} ({words}: {' '.join(str(host['reason']).split())})"
            lines.extend(Line(part, "error") for part in textwrap.wrap(text, columns, subsequent_indent="  "))
    return lines
