# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after: what paths carried then and carry now, which findings are gone, and whether a promise holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from .._rules import plain
from .._rules.lasting import lasting_key
from .._rules.path_key import carried, path_key
from .verification import Verification, check_path

Record = Mapping[str, Any]
FINDING = (
    "id",
    "title",
    "status",
    "severity",
    "confidence",
    "target",
    "observed",
    "expected",
    "evidence",
    "fingerprint",
)
"""What is read of an earlier report's findings."""
WAITING = "waiting for the cluster's owner"


class FileError(ValueError):
    """A file that was given is not what it has to be; the text says which, and what is wrong."""


class State(Enum):
    """What has become of a finding."""

    GONE = "gone"
    STILL_THERE = "still there"
    NEW = "new"
    WAITING = WAITING


@dataclass(frozen=True)
class PathChange:
    """One path. then, now: bytes and verdict in words, None where it was not measured. size_then, size_now: bytes.

    minimum: bytes that were promised, None where nothing was. broken: why that does not hold, None where it does.
    """

    name: str
    expected: str
    then: Optional[str]
    now: Optional[str]
    size_then: Optional[int]
    size_now: Optional[int]
    minimum: Optional[int] = None
    broken: Optional[str] = None

    @property
    def changed(self) -> bool:
        """Whether anything is different."""
        return self.then != self.now


@dataclass(frozen=True)
class FindingChange:
    """One finding. broken: whether it was promised to be gone and is not."""

    fingerprint: str
    id: str
    title: str
    host: str
    state: State
    severity: str
    broken: bool = False


@dataclass(frozen=True)
class Comparison:
    """paths, findings: those of either audit. tolerated: names of paths that fail and were promised no better."""

    paths: Tuple[PathChange, ...]
    findings: Tuple[FindingChange, ...]
    tolerated: Tuple[str, ...]
    promised: bool

    @property
    def broken(self) -> List[str]:
        """Return every promise that does not hold, in words."""
        paths = [f"{one.name}: {one.broken}" for one in self.paths if one.broken is not None]
        return paths + [f"{one.id} on {one.host} is still there: {one.title}" for one in self.findings if one.broken]

    def as_result(self) -> Dict[str, Any]:
        """Return it as plain values."""
        return {
            "paths": [
                {
                    "name": one.name,
                    "expected": one.expected,
                    "before": one.size_then,
                    "after": one.size_now,
                    "promised": one.minimum,
                    "broken": one.broken,
                }
                for one in self.paths
            ],
            "findings": [
                {"fingerprint": one.fingerprint, "id": one.id, "host": one.host, "state": one.state.value}
                for one in self.findings
            ],
            "broken": self.broken,
        }


def check_report(content: Any, option: str) -> Record:
    """Return the content of an earlier report.json. Raises FileError where it is none."""
    if not isinstance(content, Mapping) or not all(
        isinstance(content.get(name), list) for name in ("paths", "findings")
    ):
        raise FileError(f"{option}: not a report: report.json of an earlier run has paths and findings")
    for number, finding in enumerate(content["findings"]):
        missing = FINDING if not isinstance(finding, Mapping) else [name for name in FINDING if name not in finding]
        if missing:
            raise FileError(f"{option}: not a report: findings[{number}] has no {missing[0]}")
    return content


def check_promise(content: Any, option: str) -> Record:
    """Return the content of a promise. Raises FileError where it is none."""
    parts = ("paths", "findings")
    if not isinstance(content, Mapping) or not all(isinstance(content.get(name), list) for name in parts):
        raise FileError(f"{option}: not a promise: what netfit.cluster.mtu_promise returned has paths and findings")
    for entry in content["paths"]:
        if not isinstance(entry, Mapping) or plain.text(entry, "key") is None or plain.whole(entry, "minimum") is None:
            raise FileError(f"{option}: not a promise: each of its paths needs key and minimum")
    for entry in content["findings"]:
        if not isinstance(entry, Mapping) or plain.text(entry, "fingerprint") is None:
            raise FileError(f"{option}: not a promise: each of its findings needs a fingerprint")
    return content


def compare(before: Optional[Record], after: Record, promise: Optional[Record]) -> Comparison:
    """Return what is different. before, after: reports; promise: what has to hold. Either may be None."""
    then = _by_key(before)
    now = _by_key(after)
    promised = {str(one["key"]): one for one in plain.records(promise or {}, "paths")}
    keys = [*now, *[key for key in [*then, *promised] if key not in now]]
    paths = [_path(then.get(key), now.get(key), promised.get(key)) for key in dict.fromkeys(keys)]
    tolerated = [
        check_path(entry).name
        for key, entry in now.items()
        if key in promised and promised[key].get("sound") is not True
    ]
    return Comparison(tuple(paths), tuple(_findings(before, after, promise)), tuple(tolerated), promise is not None)


def judge(verification: Verification, comparison: Comparison) -> Optional[str]:
    """Return why the whole does not pass, in one sentence; None where all that was promised holds.

    What was not promised has to carry what is expected of it.
    """
    faults = [verification.without(comparison.tolerated).verdict]
    broken = comparison.broken
    if broken:
        faults.append(f"{len(broken)} of what was promised does not hold: {broken[0]}" + (" ..." if broken[1:] else ""))
    return "; ".join(fault for fault in faults if fault is not None) or None


def _by_key(report: Optional[Record]) -> Dict[str, Record]:
    """Of paths with the same key, which both ends have measured, the one that carries less."""
    ordered = sorted(plain.records(report or {}, "paths"), key=lambda entry: -(carried(entry) or 0))
    return {path_key(entry): entry for entry in ordered}


def _path(then: Optional[Record], now: Optional[Record], promise: Optional[Record]) -> PathChange:
    known = now or then
    name = check_path(known).name if known is not None else str((promise or {}).get("name") or "a path")
    expected = check_path(known).expected if known is not None else "not known"
    minimum = plain.whole(promise, "minimum") if promise is not None else None
    return PathChange(
        name=name,
        expected=expected,
        then=_words(then),
        now=_words(now),
        size_then=carried(then) if then is not None else None,
        size_now=carried(now) if now is not None else None,
        minimum=minimum,
        broken=_broken(now, promise) if promise is not None else None,
    )


def _words(entry: Optional[Record]) -> Optional[str]:
    if entry is None:
        return None
    size = carried(entry)
    return f"{size if size is not None else 'nothing'} {plain.text(entry, 'verdict') or ''}".rstrip()


def _broken(now: Optional[Record], promise: Record) -> Optional[str]:
    if now is None:
        return "promised, and not measured"
    minimum, size = plain.whole(promise, "minimum") or 0, carried(now) or 0
    if size < minimum:
        return f"{minimum} promised, carries {size}"
    fault = check_path(now).fault if promise.get("sound") is True else None
    return f"promised not to depend on ICMP, and {fault}" if fault is not None else None


def _findings(before: Optional[Record], after: Record, promise: Optional[Record]) -> List[FindingChange]:
    """Where nothing was promised of single pods, that of a pod which was made anew is still there."""
    then, now = (_failures(plain.records(report or {}, "findings")) for report in (before, after))
    promised = {str(one["fingerprint"]) for one in plain.records(promise or {}, "findings")}
    waiting = {str(one.get("fingerprint")) for one in plain.records(promise or {}, "waiting")}
    keys_then, keys_now = (
        {lasting_key(one) for one in report.values()} if promise is None else set() for report in (then, now)
    )
    found = []
    for fingerprint in dict.fromkeys([*then, *now]):
        entry = now.get(fingerprint) or then[fingerprint]
        key = lasting_key(entry)
        if fingerprint not in now and key in keys_now:
            continue
        found.append(
            FindingChange(
                fingerprint=fingerprint,
                id=str(entry.get("id")),
                title=str(entry.get("title")),
                host=str(plain.text(plain.record(entry, "target"), "host")),
                state=_state(fingerprint, now, waiting, before is None or fingerprint in then or key in keys_then),
                severity=str(entry.get("severity")),
                broken=fingerprint in promised and fingerprint in now,
            )
        )
    return found


def _state(fingerprint: str, now: Record, waiting: Set[str], known: bool) -> State:
    if fingerprint not in now:
        return State.GONE
    if fingerprint in waiting:
        return State.WAITING
    return State.STILL_THERE if known else State.NEW


def _failures(findings: Iterable[Record]) -> Dict[str, Record]:
    """Return those that are there, by fingerprint. A waiver heals nothing: what is accepted is still there."""
    return {str(one["fingerprint"]): one for one in findings if one.get("status") in ("fail", "waived")}
