# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listen queues as bars against the backlog that they should have, from what QUEUE-001 to QUEUE-003 found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ..._rules import plain
from .words import SEVERITIES, in_order, listed

Record = Mapping[str, Any]

RULES = ("QUEUE-001", "QUEUE-002", "QUEUE-003")
BACKLOG = "effective backlog of "
WAITING = "connections that wait for accept() now"
DROPPED = "connections that it dropped since it listens"
NUMBER = re.compile(r"[0-9]+")
BAR_WIDTH = 240
MOST_BARS = 40


@dataclass(frozen=True)
class Listener:
    """A listener as several findings tell of it. Numbers are connections; None where no finding says them."""

    program: str
    name: str
    owner: str
    host: str
    severity: str
    backlog: int
    wanted: Optional[int]
    waiting: int
    dropped: int

    @property
    def kind(self) -> Tuple[object, ...]:
        """What is the same of listeners that are told together."""
        return self.program, self.name, self.owner, self.severity, self.backlog, self.wanted


@dataclass(frozen=True)
class Bar:
    """Listeners that are alike, on several hosts. Widths in pixels of BAR_WIDTH; mark: where the wanted backlog is."""

    label: str
    hosts: str
    severity: str
    words: str
    backlog_width: int
    waiting_width: int
    mark: Optional[int]


def queue_bars(findings: Iterable[Record]) -> Tuple[List[Bar], int]:
    """Return the bars, worst first, and how many are left out."""
    by_target: Dict[Tuple[str, str, str], List[Record]] = {}
    for one in findings:
        target = plain.record(one, "target")
        if one.get("id") in RULES and one.get("status") == "fail" and plain.text(target, "listener"):
            owner = plain.text(plain.record(target, "owner"), "name") or ""
            own = "" if plain.text(target, "scope") == "host" else owner
            key = (plain.text(target, "host") or "", own, plain.text(target, "listener") or "")
            by_target.setdefault(key, []).append(one)
    alike: Dict[Tuple[object, ...], List[Listener]] = {}
    for (host, owner, name), same in by_target.items():
        one_of_them = _listener(host, owner, name, same)
        if one_of_them is not None:
            alike.setdefault(one_of_them.kind, []).append(one_of_them)
    ordered = sorted(alike.values(), key=_order)
    return [_bar(listeners) for listeners in ordered[:MOST_BARS]], max(len(ordered) - MOST_BARS, 0)


def _order(listeners: Sequence[Listener]) -> Tuple[int, int, int, str, str]:
    first = listeners[0]
    waiting, dropped = max(one.waiting for one in listeners), max(one.dropped for one in listeners)
    return SEVERITIES.index(first.severity), -waiting, -dropped, first.program, first.name


def _listener(host: str, owner: str, name: str, findings: List[Record]) -> Optional[Listener]:
    evidence = [entry for one in findings for entry in plain.records(one, "evidence")]
    backlogs = [plain.whole(entry, "value") for entry in evidence if str(entry.get("what")).startswith(BACKLOG)]
    known = [backlog for backlog in backlogs if backlog is not None]
    if not known:
        return None
    programs = [plain.text(entry, "value") for entry in evidence if entry.get("what") == "program"]
    severities = [str(one.get("severity")) for one in findings]
    return Listener(
        program=next((program for program in programs if program), "a program"),
        name=name,
        owner=owner,
        host=host,
        severity=min(severities, key=SEVERITIES.index),
        backlog=min(known),
        wanted=_wanted(findings),
        waiting=_most(evidence, WAITING),
        dropped=_most(evidence, DROPPED),
    )


def _wanted(findings: List[Record]) -> Optional[int]:
    numbers = [
        NUMBER.search(plain.text(one, "expected") or "")
        for one in findings
        if one.get("id") in ("QUEUE-001", "QUEUE-002")
    ]
    return max((int(number[0]) for number in numbers if number is not None), default=None)


def _most(evidence: List[Record], what: str) -> int:
    return max((plain.whole(entry, "value") or 0 for entry in evidence if entry.get("what") == what), default=0)


def _bar(listeners: Sequence[Listener]) -> Bar:
    one, up_to = listeners[0], "up to " if listeners[1:] else ""
    waiting, dropped = max(each.waiting for each in listeners), max(each.dropped for each in listeners)
    most = max(one.backlog, one.wanted or 0, waiting, 1)
    parts = [f"backlog {one.backlog:,}"]
    if one.wanted is not None:
        parts.append(f"should be at least {one.wanted:,}")
    if waiting:
        parts.append(f"{up_to}{waiting:,} wait now" + (", overfull" if waiting > one.backlog else ""))
    if dropped:
        parts.append(f"{up_to}{dropped:,} dropped since it listens")
    return Bar(
        label=f"{one.program}, {one.name}" + (f" in {one.owner}" if one.owner else ""),
        hosts=listed(in_order([each.host for each in listeners]), 5),
        severity=one.severity,
        words=", ".join(parts),
        backlog_width=_width(one.backlog, most),
        waiting_width=_width(waiting, most),
        mark=None if one.wanted is None else _width(one.wanted, most),
    )


def _width(count: int, most: int) -> int:
    return max(round(BAR_WIDTH * count / most), 2) if count else 0
