# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a job, in numbers and reasons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Tuple
from xml.etree import ElementTree


@dataclass(frozen=True)
class Outcome:
    """Counts of tests or checks; why some were skipped; the end of what a failed job said."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    skip_reasons: Tuple[str, ...] = ()
    output: str = ""

    @property
    def counts(self) -> str:
        """Return the counts in the words of the last line."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def skipped(reason: str) -> Outcome:
    """Return the outcome of a job that could not be run here."""
    return Outcome(skipped=1, skip_reasons=(reason,))


def failed(output: str) -> Outcome:
    """Return the outcome of a job that counts as one and failed."""
    return Outcome(failed=1, output=output)


def total(outcomes: Iterable[Outcome]) -> Outcome:
    """Add the counts."""
    every = list(outcomes)
    return Outcome(
        passed=sum(outcome.passed for outcome in every),
        failed=sum(outcome.failed for outcome in every),
        skipped=sum(outcome.skipped for outcome in every),
    )


def read_junit(path: Path, succeeded: bool, output: str) -> Outcome:
    """Turn pytest's results into an outcome.

    succeeded: whether pytest returned 0. When it did not, something failed, also where the file is missing or names
    no failed test: no test was found, or collecting them or pytest itself failed.
    """
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return failed(output or "pytest wrote no results")
    bad = {id(case) for case in cases if case.find("failure") is not None or case.find("error") is not None}
    left_out = [case for case in cases if case.find("skipped") is not None and id(case) not in bad]
    failures = max(len(bad), 0 if succeeded else 1)
    return Outcome(
        passed=len(cases) - len(bad) - len(left_out),
        failed=failures,
        skipped=len(left_out),
        skip_reasons=tuple(_reason(case) for case in left_out),
        output=output if failures else "",
    )


def _reason(case: ElementTree.Element) -> str:
    mark = case.find("skipped")
    message = mark.get("message", "") if mark is not None else ""
    return f"{case.get('classname')}.{case.get('name')}: {message or 'no reason given'}"
