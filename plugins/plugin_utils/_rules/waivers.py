# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: findings that somebody has accepted, why, and until when. Pure but for reading the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase, translate
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ...module_utils._model.finding import Status
from .catalogue import CATALOGUE

TARGET_FIELDS = ("host", "scope", "owner", "link", "key", "listener", "path", "peer")

Finding = Mapping[str, Any]


@dataclass(frozen=True)
class Waiver:
    """One waiver. rule: id or shell pattern. target: shell patterns by field of the target, all of which must match.

    expires: the last day on which it holds (UTC); None: for ever.
    """

    rule: str
    target: Tuple[Tuple[str, str], ...]
    justification: str
    by: Optional[str] = None
    expires: Optional[date] = None

    def expired(self, today: date) -> bool:
        """Tell whether its last day is over."""
        return self.expires is not None and today > self.expires

    def as_fact(self, today: date) -> Dict[str, Any]:
        """Return what a finding that it matches says of it."""
        return {
            "by": self.by,
            "justification": self.justification,
            "expires": None if self.expires is None else self.expires.isoformat(),
            "expired": self.expired(today),
        }


@dataclass(frozen=True)
class Waivers:
    """All waivers. source: netfit_waivers, or the path of the file that they were read from."""

    source: str = "none"
    entries: Tuple[Waiver, ...] = ()


@dataclass(frozen=True)
class Judged:
    """findings: as plain values, those accepted with status "waived". matches: how many findings each waiver has."""

    findings: Tuple[Dict[str, Any], ...]
    matches: Tuple[int, ...]


class _Pattern:
    """A shell pattern; it also matches itself, as names such as "tcp [::]:80" look like patterns."""

    def __init__(self, shell: str) -> None:
        self._shell = shell
        self._compiled = re.compile(translate(shell)) if any(sign in shell for sign in "*?[") else None

    def matches(self, text: str) -> bool:
        """Tell whether the whole text matches."""
        return text == self._shell or (self._compiled is not None and self._compiled.match(text) is not None)


class _Matcher:
    """A waiver made ready, since it is tried on many findings. number: its place among all."""

    def __init__(self, number: int, waiver: Waiver) -> None:
        self.number, self.waiver = number, waiver
        self._target = tuple((name, _Pattern(shell)) for name, shell in waiver.target)

    def concerns(self, target: Mapping[str, Any]) -> bool:
        """Tell whether every pattern matches."""
        return all(any(pattern.matches(text) for text in _texts(target, name)) for name, pattern in self._target)

    def takes_in(self, host: str) -> bool:
        """Tell whether it is about that host, for all that its target says."""
        return all(pattern.matches(host) for name, pattern in self._target if name == "host")


def apply_waivers(findings: Iterable[Finding], waivers: Waivers, today: date) -> Judged:
    """Hold findings (plain values) against waivers.

    A failure whose waivers have all expired stays one, and has the one that expired last. Errors stay as they are:
    what could not be checked cannot be accepted either.
    """
    by_rule: Dict[str, List[_Matcher]] = {}
    for number, waiver in enumerate(waivers.entries):
        for rule in CATALOGUE:
            if fnmatchcase(rule, waiver.rule):
                by_rule.setdefault(rule, []).append(_Matcher(number, waiver))
    judged, matches = [], [0] * len(waivers.entries)
    for finding in findings:
        found = [one for one in by_rule.get(str(finding["id"]), ()) if one.concerns(finding["target"])]
        for one in found:
            matches[one.number] += 1
        judged.append(_judged(finding, [one.waiver for one in found], today))
    return Judged(tuple(judged), tuple(matches))


def describe_waivers(
    waivers: Waivers, matches: Sequence[int], hosts: Mapping[str, Mapping[str, Any]], today: date
) -> Dict[str, Any]:
    """Return the waivers as plain values, each with how many findings it matches, and why where there are none.

    matches: from apply_waivers. hosts: the report's, by name, for which of them were audited at all.
    """
    entries = [
        {
            "rule": waiver.rule,
            "target": dict(waiver.target),
            **waiver.as_fact(today),
            "findings": count,
            "unused": None if count else _unused(_Matcher(0, waiver), hosts),
        }
        for waiver, count in zip(waivers.entries, matches)
    ]
    return {"source": waivers.source, "entries": entries}


def _judged(finding: Finding, matched: Sequence[Waiver], today: date) -> Dict[str, Any]:
    judged = dict(finding)
    if not matched or finding["status"] != Status.FAIL.value:
        return judged
    lasting = max(matched, key=lambda one: one.expires or date.max)
    if not lasting.expired(today):
        judged["status"] = Status.WAIVED.value
    return {**judged, "waiver": lasting.as_fact(today)}


def _unused(matcher: _Matcher, hosts: Mapping[str, Mapping[str, Any]]) -> str:
    statuses = [host["status"] for name, host in hosts.items() if matcher.takes_in(name)]
    if not statuses:
        return "no host of this run has such a name"
    if "audited" not in statuses:
        return "its hosts could not be audited"
    return "nothing of the kind was found"


def _texts(target: Mapping[str, Any], name: str) -> List[str]:
    """Return by which texts a target is known in that field; an owner has several."""
    if name != "owner":
        return [str(target[name])] if target.get(name) else []
    owner = target.get("owner") or {}
    pod, namespace = owner.get("pod"), owner.get("pod_namespace")
    full = f"{namespace}/{pod}" if pod and namespace else None
    return [str(text) for text in dict.fromkeys((owner.get("name"), full, pod)) if text]
