# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work and the size of reports grow with the hosts, not with their square: looks are counted, not timed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

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
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.path_view import (
    DirectionView,
    End,
    Measured,
    PathView,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_view import view_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.view import (
    HostView,
    LinkView,
    NetworkView,
    RouteView,
)
from ansible_collections.netfit.cluster.tests.unit.report.pages import large_report

SMALL, LARGE = 40, 160
MOST_GROWTH = 1.25
"""Of the looks for each path between those sizes. One more look at all paths for each host would be several times as
many: 40 and 160 more for each path."""
POLICY = load_policy()
Fleet = Tuple[List[HostView], Dict[str, Measured], Dict[str, Any]]


@pytest.fixture(scope="module")
def fleets() -> Dict[int, Fleet]:
    """By number of hosts: views, measurements, assessments."""
    return {count: made(count) for count in (SMALL, LARGE)}


@pytest.fixture(scope="module")
def documents(fleets: Dict[int, Fleet]) -> Dict[int, Dict[str, Any]]:
    """By number of hosts: the whole report."""
    return {count: document_of(fleet) for count, fleet in fleets.items()}


def made(count: int) -> Fleet:
    nodes = synthetic.names_of(synthetic.fleet(count, 1))
    facts = {name: node.facts() for name, node in nodes.items() if not node.unreachable}
    results = audit.measure(audit.plan(facts, nodes), nodes)
    assessments = {
        name: audit.assess(name, facts.get(name), results.get(name, {}), POLICY)["netfit_assessment"] for name in nodes
    }
    measured = {name: read_measured(name, one["paths"], one["tcp_paths"]) for name, one in assessments.items()}
    return [view_host(name, facts[name]) for name in sorted(facts)], measured, assessments


def paths(fleet: Fleet) -> int:
    return sum(len(one.paths) for one in fleet[1].values())


def document_of(fleet: Fleet) -> Dict[str, Any]:
    views, measured, assessments = fleet
    mesh: MeshAssessment = mesh_rules(measured, views, POLICY)
    between = [one.as_fact() for one in (*cluster_rules(views, POLICY), *mesh.findings)]
    return build_document(assessments, between, describe_policy(POLICY), explained=mesh.explained)


class Looks:
    """Counts how often something is read of views and of plain values that were handed to it."""

    def __init__(self) -> None:
        self.count = 0

    def at_views(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count every attribute that is read of a view, from now on."""

        def counted(view: Any, name: str) -> Any:
            self.count += 1
            return object.__getattribute__(view, name)

        for kind in (PathView, DirectionView, End, HostView, NetworkView, LinkView, RouteView):
            monkeypatch.setattr(kind, "__getattribute__", counted)

    def at(self, value: Any) -> Any:
        """Return a value whose mappings, all the way down, count what is read of them by name."""
        if isinstance(value, dict):
            return counted_mapping(self, {name: self.at(entry) for name, entry in value.items()})
        return [self.at(entry) for entry in value] if isinstance(value, (list, tuple)) else value


class CountedMapping(Dict[str, Any]):
    """A mapping that tells of each look at one of its entries."""

    looks: Looks

    def __getitem__(self, name: str) -> Any:
        self.looks.count += 1
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.looks.count += 1
        return super().get(name, default)


def counted_mapping(looks: Looks, entries: Dict[str, Any]) -> CountedMapping:
    mapping = CountedMapping(entries)
    mapping.looks = looks
    return mapping


@pytest.mark.parametrize("name", ["mesh", "cluster"])
def test_the_looks_at_each_path_and_host_stay_the_same(
    fleets: Dict[int, Fleet], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = []
    for count, fleet in fleets.items():
        looks, amount = Looks(), paths(fleet) if name == "mesh" else count
        with monkeypatch.context() as patched:
            looks.at_views(patched)
            if name == "mesh":
                mesh_rules(fleet[1], fleet[0], POLICY)
            else:
                cluster_rules(fleet[0], POLICY)
        each.append(looks.count / amount)
    assert 0 < each[1] <= MOST_GROWTH * each[0]


def test_the_looks_at_each_assessment_stay_the_same(fleets: Dict[int, Fleet]) -> None:
    each = []
    for fleet in fleets.values():
        looks = Looks()
        build_document(looks.at(fleet[2]), (), describe_policy(POLICY))
        each.append(looks.count / paths(fleet))
    assert 0 < each[1] <= MOST_GROWTH * each[0]


@pytest.mark.parametrize("name", FORMATS)
def test_the_looks_of_each_format_at_paths_and_findings_stay_the_same(
    documents: Dict[int, Dict[str, Any]], name: str
) -> None:
    each = []
    for document in documents.values():
        looks = Looks()
        FORMATS[name].render(looks.at(document), None)
        each.append(looks.count / (len(document["paths"]) + len(document["findings"])))
    assert 0 < each[1] <= MOST_GROWTH * each[0]


def test_clusters_whose_overlays_are_called_the_same_are_told_apart(fleets: Dict[int, Fleet]) -> None:
    views = fleets[LARGE][0]
    found = [{node.host.name.partition("-")[0] for node in nodes} for nodes in overlays(views)]
    assert len(found) == LARGE // synthetic.CLUSTER and all(len(one) == 1 for one in found)
    odd = [one for one in cluster_rules(views, POLICY) if one.id == "MTU-006"]
    assert [one.target.host for one in odd] == ["c002-n15", "c007-n15"]
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
