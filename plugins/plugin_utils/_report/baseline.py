# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The baseline: an earlier report whose failures are known, so that only new ones stop a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Iterable, List, Optional

from ...module_utils._model.finding import Severity, Status
from .._rules import plain
from .._rules.lasting import lasting_key
from .comparison import check_report


class Age(Enum):
    """What the baseline says of a failure. WORSE: it was there, and less severe."""

    NEW = "new"
    KNOWN = "known"
    WORSE = "worse"


@dataclass(frozen=True)
class Baseline:
    """source: path of the file. generated_at: of that report. severities: the worst of its failures, by lasting_key."""

    source: str
    generated_at: Optional[str]
    severities: Mapping[str, Severity]

    def age(self, finding: Mapping[str, Any]) -> Age:
        """Tell whether a failure is new."""
        then = self.severities.get(lasting_key(finding))
        if then is None:
            return Age.NEW
        return Age.WORSE if Severity(finding["severity"]).rank > then.rank else Age.KNOWN


def read_baseline(content: Any, source: str) -> Baseline:
    """Read the content of an earlier report.json. Raises FileError where it is none."""
    report = check_report(content, "netfit_baseline")
    known = {severity.value: severity for severity in Severity}
    severities: Dict[str, Severity] = {}
    for one in plain.records(report, "findings"):
        if one.get("status") == Status.FAIL.value:
            key, severity = lasting_key(one), known.get(str(one.get("severity")), Severity.INFO)
            severities[key] = max(severity, severities.get(key, severity), key=lambda each: each.rank)
    return Baseline(source, plain.text(report, "generated_at"), severities)


def apply_baseline(findings: Iterable[Mapping[str, Any]], baseline: Baseline) -> List[Dict[str, Any]]:
    """Return the findings, each failure with its age as "baseline"."""
    return [
        {**finding, "baseline": baseline.age(finding).value} if finding["status"] == Status.FAIL.value else {**finding}
        for finding in findings
    ]


def describe_baseline(baseline: Baseline, findings: Iterable[Mapping[str, Any]]) -> Dict[str, Any]:
    """Return where the baseline comes from and how many failures are new, known, and known but worse."""
    ages = [str(finding.get("baseline")) for finding in findings]
    counts = {age.value: ages.count(age.value) for age in Age}
    return {"source": baseline.source, "generated_at": baseline.generated_at, **counts}
