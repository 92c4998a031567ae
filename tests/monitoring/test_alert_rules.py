# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alert rules and the dashboard: promtool accepts them, they fire when they should, and name metrics that exist.

promtool comes with Debian's package prometheus. It is missing: these tests fail, they are not skipped.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest
import yaml

from ansible_collections.netfit.cluster.plugins.plugin_utils._report.prometheus import METRICS, render
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.catalogue import CATALOGUE
from ansible_collections.netfit.cluster.tests.unit.report import made_reports, readers

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs" / "examples" / "prometheus" / "netfit.rules.yml"
DASHBOARD = ROOT / "docs" / "examples" / "grafana" / "netfit-dashboard.json"
FROM_NODE_EXPORTER = {"node_netstat_TcpExt_ListenOverflows": {"instance"}}
SCRAPED = {"instance"}
"""Labels that Prometheus gives to every series."""
OURS = re.compile(r"\b(netfit_[a-z_]+|node_\w+)(?:\{(?P<inside>[^}]*)\})?")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
GROUPED = re.compile(r"\bby \(([^)]*)\)")


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        ["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def alerts() -> List[Dict[str, Any]]:
    content = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def panels() -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def dashboard_queries() -> List[str]:
    return [target["expr"].replace("$__rate_interval", "5m") for panel in panels() for target in panel["targets"]]


QUERIES = [*(rule["expr"] for rule in alerts()), *dashboard_queries()]


def samples() -> Dict[str, Dict[readers.Labels, float]]:
    """What all made reports have together: every metric has a sample in one of them."""
    found: Dict[str, Dict[readers.Labels, float]] = {}
    for make in made_reports.REPORTS.values():
        for name, values in readers.prometheus(render(make())).items():
            found.setdefault(name, {}).update(values)
    return found


def known_labels() -> Dict[str, Dict[str, Set[str]]]:
    """Return the labels of each metric and the values that they have in the made reports."""
    known: Dict[str, Dict[str, Set[str]]] = {name: {} for name in METRICS}
    for name, values in samples().items():
        for labels in values:
            for label, value in labels:
                known[name].setdefault(label, set()).add(value)
    return known


def test_promtool_accepts_the_rules_and_they_fire_when_they_should() -> None:
    promtool("check", "rules", str(RULES))
    assert "SUCCESS" in promtool("test", "rules", str(Path(__file__).with_name("netfit_alerts_test.yml")))


@pytest.mark.parametrize("query", QUERIES)
def test_queries_name_metrics_and_labels_that_exist(query: str) -> None:
    known = known_labels()
    named = list(OURS.finditer(query))
    assert named
    for match in named:
        name = match[1]
        labels = set(FROM_NODE_EXPORTER[name]) if name in FROM_NODE_EXPORTER else {*known[name], *SCRAPED}
        asked = dict(LABEL.findall(match["inside"] or ""))
        assert set(asked) <= labels, name
        grouped = {label.strip() for inside in GROUPED.findall(query) for label in inside.split(",")}
        assert grouped <= labels, name


@pytest.mark.parametrize(
    "alert", [one for one in alerts() if re.search(r"\bnetfit_", one["expr"])], ids=lambda one: one["alert"]
)
def test_no_alert_mixes_audits_or_the_machines_that_have_their_reports(alert: Dict[str, Any]) -> None:
    """With the same facts, two clusters or two machines would hide each other, or add up to what neither has."""
    if alert["alert"] == "NetfitReportMissing":
        return
    grouped = GROUPED.findall(alert["expr"])
    assert len(grouped) == len(OURS.findall(alert["expr"]))
    assert all({"audit", "instance"} <= set(inside.split(", ")) for inside in grouped)
    assert alert["annotations"]["summary"].startswith("{{ $labels.audit }}: ")


@pytest.mark.parametrize("query", [one for one in dashboard_queries() if re.search(r"\bnetfit_", one)])
def test_the_dashboard_tells_audits_apart(query: str) -> None:
    grouped = GROUPED.findall(query)
    assert len(grouped) == len(OURS.findall(query)) and all("audit" in inside.split(", ") for inside in grouped)


def test_values_that_queries_ask_for_are_ones_that_reports_have() -> None:
    """rule: any of the catalogue; every other label has few values, and all are in the made reports."""
    known = known_labels()
    for query in QUERIES:
        for match in OURS.finditer(query):
            for label, value in LABEL.findall(match["inside"] or ""):
                possible = set(CATALOGUE) if label == "rule" else known[match[1]][label]
                assert set(value.split("|")) <= possible, (query, label)


def test_the_dashboard_is_drawn_without_gaps_in_what_it_needs(tmp_path: Path) -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    assert all(panel["title"] and panel["description"] for panel in panels())
    assert {panel["datasource"]["uid"] for panel in panels()} == {"${datasource}"}
    recorded = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(dashboard_queries())]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}), encoding="utf-8")
    promtool("check", "rules", str(file))


def test_every_metric_is_shown_or_watched() -> None:
    named = {match[1] for query in QUERIES for match in OURS.finditer(query)}
    assert named == {*METRICS, *FROM_NODE_EXPORTER}


AWKWARD = ['a"b\\', "tab\tand\r\nlines\n", "\0\x1b\x85", "\ud800\ufffe", "{}=,#", "\u2028é\U0001f600", " "]


@pytest.mark.parametrize("name", AWKWARD)
def test_prometheus_itself_reads_what_is_written_whatever_the_hosts_are_called(name: str) -> None:
    report = made_reports.black_holes()
    for finding in report["findings"]:
        finding["target"]["host"] = name
    for path in report["paths"]:
        path["class"] = name
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=render(report).encode("utf-8"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def series(report: Dict[str, Any]) -> Iterator[Tuple[str, float]]:
    for line in render(report).splitlines():
        if not line.startswith("#"):
            name, _blank, value = line.rpartition(" ")
            yield name, float(value)


def fired_by(report: Dict[str, Any], tmp_path: Path) -> Set[str]:
    """Return the alerts that fire on what is written of a report, as promtool says when none is expected to."""
    content = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": f"{value:g}x30"} for name, value in series(report)],
                "alert_rule_test": [
                    {"eval_time": "20m", "alertname": rule["alert"], "exp_alerts": []} for rule in alerts()
                ],
            }
        ],
    }
    file = tmp_path / "fired.yml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return set(re.findall(r"alertname: (\w+)", done.stdout + done.stderr))


@pytest.mark.parametrize(
    ("report", "fired"),
    [
        ("incident", {"NetfitSevereFindings", "NetfitHostsNotAudited"}),
        ("black-holes", {"NetfitSevereFindings", "NetfitBlackHole", "NetfitPathMtuBelowExpected"}),
        ("settled", {"NetfitHostsNotAudited"}),
    ],
)
def test_what_is_written_of_a_report_fires_the_alerts_that_are_meant(
    report: str, fired: Set[str], tmp_path: Path
) -> None:
    assert fired_by(made_reports.REPORTS[report](), tmp_path) == fired
