# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus: the text format for node_exporter's textfile collector, with few series however large the fleet is.

Each series has the audit's name, so that one directory can hold the files of several audits.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text-based format).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, Union

from ...module_utils._model.finding import Severity, Status
from ...module_utils._model.path import Verdict
from .document import DEFAULT_AUDIT
from .safe_text import one_line

MOST_FINDING_SERIES = 500
HOST_STATUSES = ("audited", "unreachable", "failed", "not_assessed")

Document = Mapping[str, Any]
Labels = Mapping[str, str]
Sample = Tuple[Labels, Union[int, float]]

METRICS = {
    "netfit_report_timestamp_seconds": "When the report was made, in seconds since 1970.",
    "netfit_hosts": "Hosts of the audit, by how the audit of each ended.",
    "netfit_hosts_healthy": "Hosts that were audited in full and have no finding above info.",
    "netfit_findings": "Findings, by severity and status.",
    "netfit_finding": "Failures above info, by rule, host and severity; the worst where there are too many.",
    "netfit_finding_series_left_out": "Series of netfit_finding that were left out because there were too many.",
    "netfit_paths": "Measured paths, by class and verdict.",
    "netfit_path_mtu_bytes": "Smallest and largest path MTU measured in either direction, in bytes, by class.",
    "netfit_paths_below_expected": "Measured paths that carry less than is expected of them, by class.",
}
"""Every metric and what it means; all are gauges."""


def render(document: Document, before: Optional[Document] = None) -> str:
    """Return all metrics, also those that have no sample in this report."""
    samples: Dict[str, Sequence[Sample]] = {
        "netfit_report_timestamp_seconds": [({}, _seconds(document["generated_at"]))],
        **_hosts(document["summary"]["hosts"]),
        **_findings(document["findings"]),
        **_paths(document["paths"]),
    }
    audit = {"audit": document.get("audit", DEFAULT_AUDIT)}
    lines: List[str] = []
    for name, words in METRICS.items():
        lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels({**audit, **labels})} {value}" for labels, value in samples[name]]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inside}}}"


def _escaped(value: str) -> str:
    return one_line(value).replace("\\", "\\\\").replace('"', '\\"')


def _seconds(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp())


def _hosts(counts: Mapping[str, int]) -> Dict[str, Sequence[Sample]]:
    return {
        "netfit_hosts": [({"status": status}, counts[status]) for status in HOST_STATUSES],
        "netfit_hosts_healthy": [({}, counts["healthy"])],
    }


def _findings(findings: Iterable[Document]) -> Dict[str, Sequence[Sample]]:
    """Name every severity and status, also those without a finding: what falls to nothing is 0, not absent."""
    totals: Counter[Tuple[str, str]] = Counter()
    series: Counter[Tuple[str, str, str]] = Counter()
    for one in findings:
        totals[one["severity"], one["status"]] += 1
        if one["status"] == Status.FAIL.value and one["severity"] != Severity.INFO.value:
            series[one["severity"], one["id"], one_line(one["target"]["host"])] += 1
    ordered = sorted(series, key=lambda key: (-Severity(key[0]).rank, *key[1:]))
    shown = ordered[:MOST_FINDING_SERIES]
    return {
        "netfit_findings": [
            ({"severity": severity.value, "status": status.value}, totals[severity.value, status.value])
            for severity in reversed(Severity)
            for status in Status
        ],
        "netfit_finding": [
            ({"rule": rule, "host": host, "severity": severity}, series[severity, rule, host])
            for severity, rule, host in shown
        ],
        "netfit_finding_series_left_out": [({}, len(ordered) - len(shown))],
    }


def _paths(paths: Iterable[Document]) -> Dict[str, Sequence[Sample]]:
    classes: Dict[str, List[Document]] = {}
    for entry in paths:
        classes.setdefault(one_line(entry["class"] or "other"), []).append(entry)
    verdicts: List[Sample] = []
    sizes: List[Sample] = []
    below: List[Sample] = []
    for name, entries in sorted(classes.items()):
        counts = Counter(entry["verdict"] for entry in entries)
        verdicts += [({"class": name, "verdict": one.value}, counts[one.value]) for one in Verdict]
        measured = [size for entry in entries for size in _sizes(entry)]
        if measured:
            sizes += [
                ({"class": name, "bound": "min"}, min(measured)),
                ({"class": name, "bound": "max"}, max(measured)),
            ]
        below.append(({"class": name}, sum(_below(entry) for entry in entries)))
    return {"netfit_paths": verdicts, "netfit_path_mtu_bytes": sizes, "netfit_paths_below_expected": below}


def _sizes(entry: Document) -> List[int]:
    ways = [entry] if entry["kind"] == "tcp" else [entry["forward"], entry["back"]]
    return [way["path_mtu"] for way in ways if way is not None and way["path_mtu"] is not None]


def _below(entry: Document) -> bool:
    expected = entry["expected_mtu"]
    return expected is not None and any(size < expected for size in _sizes(entry))
