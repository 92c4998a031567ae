# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work and the size of reports grow with the hosts, not with their square: counted, not timed."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.bench.scale import audit, synthetic
from ansible_collections.netfit.cluster.plugins.plugin_utils._report import json_document
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import build_document, describe_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.formats import FORMATS
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.terminal import render
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess_mesh import MeshAssessment, mesh_rules
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.cluster import cluster_rules, overlays
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.path_view import Measured
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_view import view_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.view import HostView
from ansible_collections.netfit.cluster.tests.unit.report.pages import large_report

SMALL, LARGE = 40, 120
MOST_GROWTH = 1.25
"""Of the work for each host between those sizes: each host meets two more at the large one."""
POLICY = load_policy()
Fleet = Tuple[List[HostView], Dict[str, Measured], Dict[str, Any]]


@pytest.fixture(scope="module")
def fleets() -> Dict[int, Fleet]:
    """By number of hosts: views, measurements, assessments."""
    return {count: made(count) for count in (SMALL, LARGE)}


def made(count: int) -> Fleet:
    nodes = synthetic.names_of(synthetic.fleet(count, 1))
    facts = {name: node.facts() for name, node in nodes.items() if not node.unreachable}
    results = audit.measure(audit.plan(facts, nodes), nodes)
    assessments = {name: audit.assess(name, facts.get(name), results.get(name, {}), POLICY) for name in nodes}
    measured = {name: read_measured(name, one["paths"], one["tcp_paths"]) for name, one in assessments.items()}
    return [view_host(name, facts[name]) for name in sorted(facts)], measured, assessments


def steps(work: Callable[[], Any]) -> int:
    """Return how many lines of Python a piece of work goes through."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def paths(fleet: Fleet) -> int:
    return sum(len(one.paths) for one in fleet[1].values())


def document_of(fleet: Fleet) -> Dict[str, Any]:
    views, measured, assessments = fleet
    mesh: MeshAssessment = mesh_rules(measured, views, POLICY)
    between = [one.as_fact() for one in (*cluster_rules(views, POLICY), *mesh.findings)]
    return build_document(assessments, between, describe_policy(POLICY), explained=mesh.explained)


WORK: Dict[str, Callable[[Fleet], Any]] = {
    "mesh": lambda fleet: mesh_rules(fleet[1], fleet[0], POLICY),
    "cluster": lambda fleet: cluster_rules(fleet[0], POLICY),
    "document": lambda fleet: build_document(fleet[2], (), describe_policy(POLICY)),
}


@pytest.mark.parametrize("name", WORK)
def test_the_work_for_each_path_stays_the_same(fleets: Dict[int, Fleet], name: str) -> None:
    each = [steps(partial(WORK[name], fleets[count])) / paths(fleets[count]) for count in (SMALL, LARGE)]
    assert 0 < each[1] <= MOST_GROWTH * each[0]


def test_the_work_of_each_format_grows_with_the_report(fleets: Dict[int, Fleet]) -> None:
    small, large = (document_of(fleets[count]) for count in (SMALL, LARGE))
    growth = len(large["paths"]) / len(small["paths"])
    for kind in FORMATS.values():
        work = [steps(partial(kind.render, document, None)) for document in (small, large)]
        assert work[1] <= MOST_GROWTH * growth * work[0], kind.name


def test_clusters_whose_overlays_are_called_the_same_are_told_apart(fleets: Dict[int, Fleet]) -> None:
    views = fleets[LARGE][0]
    found = [{node.host.name.partition("-")[0] for node in nodes} for nodes in overlays(views)]
    assert len(found) == LARGE // synthetic.CLUSTER and all(len(one) == 1 for one in found)
    odd = [one for one in cluster_rules(views, POLICY) if one.id == "MTU-006"]
    assert [one.target.host for one in odd] == ["c002-n15"]
    assert all(one.target.host[:4] in str(one.evidence[1].value) for one in odd)


def test_a_thousand_hosts_fit_into_five_megabytes_and_a_terminal() -> None:
    report = large_report(1000)
    assert len(FORMATS["html"].render(report, None).encode("utf-8")) < 5_000_000
    assert len(render(report, 100)) < 1500


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.lists(inner).map(tuple),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), NESTED))
def test_report_json_is_what_the_standard_library_would_write(document: Dict[str, Any]) -> None:
    assert json_document.render(document) == json.dumps(document, indent=2, sort_keys=True) + "\n"


def test_recorded_reports_are_written_the_same() -> None:
    for file in (Path(__file__).resolve().parents[1] / "data" / "reports").glob("*.json"):
        document = json.loads(file.read_text(encoding="utf-8"))
        assert json_document.render(document) == json.dumps(document, indent=2, sort_keys=True) + "\n"
