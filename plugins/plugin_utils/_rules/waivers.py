# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: findings that somebody has accepted, why, and until when. Pure but for reading the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import translate
from typing import Any, Dict, Iterable, List, Optional, Pattern, Sequence, Tuple

from ...module_utils._model.finding import Status

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


class _Matcher:
    """A waiver with its patterns made ready, since each is tried on every finding."""

    def __init__(self, waiver: Waiver) -> None:
        self.waiver = waiver
        self._rule = _pattern(waiver.rule)
        self._target = tuple((name, _pattern(shell)) for name, shell in waiver.target)

    def concerns(self, finding: Finding) -> bool:
        """Tell whether a finding is of its rule and about its target."""
        return self._rule.match(str(finding["id"])) is not None and all(
            any(pattern.match(text) for text in _texts(finding["target"], name)) for name, pattern in self._target
        )

    def takes_in(self, host: str) -> bool:
        """Tell whether it is about that host, for all that its target says."""
        return all(pattern.match(host) for name, pattern in self._target if name == "host")


def apply_waivers(findings: Iterable[Finding], waivers: Waivers, today: date) -> List[Dict[str, Any]]:
    """Return the findings (plain values), those that are accepted with the status "waived" and their waiver.

    A failure whose waivers have all expired stays one, and has the one that expired last. Errors stay as they are:
    what could not be checked cannot be accepted either.
    """
    matchers = [_Matcher(waiver) for waiver in waivers.entries]
    return [_judged(finding, matchers, today) for finding in findings]


def describe_waivers(
    waivers: Waivers, findings: Sequence[Finding], hosts: Mapping[str, Mapping[str, Any]], today: date
) -> Dict[str, Any]:
    """Return the waivers as plain values, each with how many findings it matches, and why where there are none.

    findings: all of the report. hosts: the report's, by name, for which of them were audited at all.
    """
    entries = []
    for matcher in map(_Matcher, waivers.entries):
        matched = [one for one in findings if matcher.concerns(one)]
        entries.append(
            {
                "rule": matcher.waiver.rule,
                "target": dict(matcher.waiver.target),
                **matcher.waiver.as_fact(today),
                "findings": len(matched),
                "unused": None if matched else _unused(matcher, hosts),
            }
        )
    return {"source": waivers.source, "entries": entries}


def _judged(finding: Finding, matchers: Sequence[_Matcher], today: date) -> Dict[str, Any]:
    judged = dict(finding)
    if finding["status"] != Status.FAIL.value:
        return judged
    matched = [matcher.waiver for matcher in matchers if matcher.concerns(finding)]
    if not matched:
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


def _pattern(shell: str) -> Pattern[str]:
    return re.compile(translate(shell))


def _texts(target: Mapping[str, Any], name: str) -> List[str]:
    """Return by which texts a target is known in that field; an owner has several."""
    if name != "owner":
        return [str(target[name])] if target.get(name) else []
    owner = target.get("owner") or {}
    pod, namespace = owner.get("pod"), owner.get("pod_namespace")
    full = f"{namespace}/{pod}" if pod and namespace else None
    return [str(text) for text in dict.fromkeys((owner.get("name"), full, pod)) if text]
