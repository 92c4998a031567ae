# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joining slices: whatever order and division, the same comes out; what does not fit together is refused or said."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Sequence

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.action import merged_report, mesh_plan
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.nodes import describe_node, hand_out, read_node
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.targets import CLASSES, Settings
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import build_document, describe_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assessment import assess_one, assess_together
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._slices import result
from ansible_collections.netfit.cluster.plugins.plugin_utils._slices.exchange import SliceError
from ansible_collections.netfit.cluster.plugins.plugin_utils._slices.merge import (
    Merged,
    described_policy,
    merge,
    policy_of,
)
from ansible_collections.netfit.cluster.tests.unit.action.test_actions import run
from ansible_collections.netfit.cluster.tests.unit.builders import incident

FACTS = incident()
POLICY = load_policy()
SETTINGS: Dict[str, Any] = {"probe": "all", "expect": "carried", "expected_mtu": None, "node_ports": []}
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
NODES = {name: describe_node(FACTS[name], None, None, None, None) for name in FACTS}


def measured(name: str, probe: str = "all") -> List[Dict[str, Any]]:
    """What a host measures in a run on all: everything is well, but from n2 to n3."""
    known = {host: read_node(host, NODES[host], True) for host in FACTS}
    work = hand_out(known, set(), Settings(CLASSES[probe])).work[name]
    good = {"verdict": "ok", "path_mtu": 1500, "at_least": 1500, "limited_by": "link", "confidence": 1.0}
    bad = {"verdict": "black hole", "path_mtu": 1400, "at_least": 1400, "at_most": 1400, "confidence": 1.0}
    found = []
    for target in work.targets:
        forward = bad if target["name"] == "n2 to n3" else good
        path = {field: target.get(field) for field in ("name", "about", "expected_mtu")}
        source = {"kind": "host", "name": name}
        found.append({**path, "target": target["address"], "source": source, "forward": forward, "back": good})
    return found


PATHS = {name: measured(name) for name in FACTS}
WHOLE = {name: assess_one(name, FACTS[name], {"paths": PATHS[name]}, POLICY, "audited", None) for name in FACTS}


def slice_of(name: str, names: Sequence[str], minute: int = 0, **changes: Any) -> Dict[str, Any]:
    """The file of a slice that has the hosts of those names."""
    content = result.describe_slice(
        name,
        "",
        START + timedelta(minutes=minute),
        "0.5.0",
        describe_policy(POLICY),
        SETTINGS,
        {host: result.without_facts(NODES[host], True) for host in FACTS},
        {host: result.describe_host_result(FACTS[host], WHOLE[host], False) for host in names},
    )
    return {**copy.deepcopy(content), **changes}


def joined(*contents: Dict[str, Any]) -> Merged:
    return merge([result.read_slice(one, f"slice-{one['slice']}.json") for one in contents], POLICY)


def document(merged: Merged) -> Dict[str, Any]:
    cluster = merged.cluster
    return build_document(merged.assessments, cluster["findings"], {}, START, cluster["explained"])


def whole() -> Dict[str, Any]:
    cluster = assess_together(((name, FACTS[name], WHOLE[name]) for name in FACTS), POLICY)
    return build_document(WHOLE, cluster["findings"], {}, START, cluster["explained"])


divisions = st.lists(st.integers(0, 3), min_size=4, max_size=4)


@settings(max_examples=20)
@given(divisions, st.permutations(range(4)))
def test_any_division_in_any_order_gives_the_whole(division: List[int], order: List[int]) -> None:
    names = sorted(FACTS)
    contents = [
        slice_of(f"s{part}", [name for name, where in zip(names, division) if where == part], part) for part in order
    ]
    merged = document(joined(*contents))
    assert merged == whole()
    assert len(merged["paths"]) == 9 and [one for one in merged["findings"] if one["id"].startswith("PATH-")]


@settings(max_examples=10)
@given(st.permutations(range(3)))
def test_of_a_host_in_two_slices_the_newest_counts_and_that_is_said(order: List[int]) -> None:
    gone = {"status": "unreachable", "reason": "timed out", "facts": {}, "paths": []}
    newer = slice_of("b", ["n1"], 5)
    newer["hosts"]["n1"].update(gone)
    contents = [slice_of("a", ["n1", "n2"]), newer, slice_of("c", ["n3", "n4"])]
    merged = joined(*[contents[place] for place in order])
    assert merged.assessments["n1"]["status"] == "unreachable"
    assert [note for note in merged.notes if "n1 is in several slices" in note and "slice-b.json" in note]


@settings(max_examples=6)
@given(st.permutations(range(3)))
def test_of_a_host_in_three_slices_one_note_names_the_one_that_counts(order: List[int]) -> None:
    contents = [slice_of(name, ["n1"], minute) for minute, name in enumerate("abc")]
    for content in contents[1:]:
        content["hosts"]["n1"].update(status="unreachable", reason=f"told by {content['slice']}", facts={}, paths=[])
    merged = joined(*[contents[place] for place in order])
    notes = [note for note in merged.notes if "n1" in note]
    assert notes == ["n1 is in several slices: the newest counts, slice-c.json of 2026-01-01T00:02:00.000000Z"]
    assert merged.assessments["n1"]["reason"] == "told by c"


def test_a_host_that_several_slices_found_alike_is_not_told_of() -> None:
    merged = joined(*[slice_of(name, ["n1", other]) for name, other in zip("abc", ("n2", "n3", "n4"))])
    assert merged.notes == ()


@settings(max_examples=6)
@given(st.permutations(range(3)))
def test_the_policy_is_described_as_the_newest_slice_does_in_any_order(order: List[int]) -> None:
    contents = [
        slice_of(name, [], minute, policy={**describe_policy(POLICY), "source": f"/srv/{name}/policy.yml"})
        for minute, name in enumerate("abc")
    ]
    read = [result.read_slice(contents[place], contents[place]["slice"]) for place in order]
    assert described_policy(read) == {**describe_policy(POLICY), "source": "/srv/c/policy.yml"}


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_the_report_is_the_same_in_any_order_of_its_slices(order: str, tmp_path: Path) -> None:
    """a and c have the same time. The policy came from another file in each."""
    for name, minute, hosts in (("a", 1, ["n1"]), ("b", 0, ["n2", "n3"]), ("c", 1, ["n4"])):
        policy = {**describe_policy(POLICY), "source": f"/srv/{name}/policy.yml"}
        file = tmp_path / f"slice-{name}.json"
        file.write_text(json.dumps(slice_of(name, hosts, minute, policy=policy)), encoding="utf-8")
    slices = [str(tmp_path / f"slice-{name}.json") for name in order]
    done = run(merged_report, {"slices": slices, "report_dir": str(tmp_path)}, {})
    assert done["notes"] == []
    written = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert written["policy"] == {**describe_policy(POLICY), "source": "/srv/c/policy.yml"}
    assert {key: written[key] for key in ("hosts", "paths", "findings")} == {
        key: whole()[key] for key in ("hosts", "paths", "findings")
    }


def test_expected_mtus_and_unplanned_paths_come_from_the_facts_of_all() -> None:
    """A slice that knew nothing of the others planned nothing to their pods and expected what its own end says."""
    alone = slice_of("a", ["n1"])
    path = next(one for one in alone["hosts"]["n1"]["paths"] if "gateway" in one["name"])
    alone["hosts"]["n1"]["paths"].remove(path)
    for one in alone["hosts"]["n1"]["paths"]:
        one.update(expected_mtu=9000, about={**one["about"], "expected_because": "one end"})
    merged = joined(alone, slice_of("b", ["n2", "n3", "n4"]))
    found = {one["name"]: one for one in document(merged)["paths"]}
    expected = {one["name"]: one for one in whole()["paths"]}
    assert set(found) == set(expected)
    assert {name: one["expected_mtu"] for name, one in found.items()} == {
        name: one["expected_mtu"] for name, one in expected.items()
    }
    assert {one["expected_because"] for one in found.values()} == {one["expected_because"] for one in expected.values()}
    assert "did not know the far end" in found[path["name"]]["reason"]


def test_hosts_that_no_slice_has_are_told() -> None:
    found = document(joined(slice_of("a", ["n1", "n2"])))
    assert (found["hosts"]["n3"]["status"], found["summary"]["hosts"]["not_assessed"]) == ("not_assessed", 2)
    assert "no slice" in found["hosts"]["n3"]["reason"]


def test_other_versions_and_runs_are_said() -> None:
    merged = joined(slice_of("a", ["n1"], collection_version="0.4.9"), slice_of("b", ["n2"], run="7"))
    assert any("versions" in note and "0.4.9, 0.5.0" in note for note in merged.notes)
    assert any("runs" in note for note in merged.notes)


def test_other_settings_are_refused() -> None:
    other = slice_of("b", ["n2"], 1, settings={**SETTINGS, "probe": "hosts"})
    with pytest.raises(SliceError, match=r"slice-a\.json has probe 'all' and slice-b.json has 'hosts'"):
        joined(slice_of("a", ["n1"]), other)


def test_other_policies_are_refused() -> None:
    other = slice_of("b", ["n2"], 1, policy={"source": "x", "digest": "other", "overrides": {"rules": {}}})
    read = [result.read_slice(one, one["slice"]) for one in (other, slice_of("a", ["n1"]))]
    with pytest.raises(SliceError, match="a and b were audited by different policies: give netfit_policy"):
        policy_of(read)
    assert policy_of(read[:1]) == {"rules": {}}


def test_the_file_follows_its_schema() -> None:
    schema = json.loads(result.SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for content in (slice_of("a", list(FACTS)), slice_of("b", [])):
        jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(slice_of("a", ["n1"], hosts={"n1": {"status": "fine"}}), schema)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "is no result of a slice"),
        ({"kind": "other"}, "is no result of a slice"),
        ({"findings": []}, "is a report"),
        (slice_of("a", [], schema_version=2), "schema_version 2"),
        (slice_of("a", [], hosts=[]), "no usable hosts"),
        (slice_of("a", [], hosts={"n1": 5}), "nothing usable of n1"),
        (slice_of("", []), "no usable slice"),
    ],
)
def test_what_is_no_slice_is_refused(content: Any, words: str) -> None:
    with pytest.raises(SliceError, match=words):
        result.read_slice(content, "x.json")


def test_slices_are_found_by_file_folder_and_pattern(tmp_path: Path) -> None:
    for name in ("slice-a.json", "slice-b.json", "report.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    both = [tmp_path / "slice-a.json", tmp_path / "slice-b.json"]
    assert result.find_files(str(tmp_path)) == both
    assert result.find_files(["slice-*.json", "slice-b.json"], tmp_path) == both
    for wrong in (None, [], "", [5], "nowhere", str(tmp_path / "*.yml")):
        with pytest.raises(SliceError, match="netfit_slices"):
            result.find_files(wrong, tmp_path)


def test_anything_in_a_slice_is_borne() -> None:
    strange = slice_of("a", ["n1", "n2"])
    strange["hosts"]["n1"].update(facts={"netfit_mtu": {"namespaces": [5, None]}}, paths=[7, {}, {"name": 4}])
    strange["hosts"]["n2"].update(status=None, facts=None, paths=None)
    strange["nodes"]["n3"] = {"pods": "many"}
    assert document(joined(strange))["hosts"]["n1"]["status"] == "audited"


def test_facts_that_a_cache_kept_do_not_make_a_prober() -> None:
    variables = {"ansible_facts": FACTS["n1"], "netfit_gathered": {"unreachable": True}}
    assert mesh_plan.describe_host("n1", {"n1": variables}, None)["facts"] == {}
    assert mesh_plan.describe_host("n1", {"n1": {**variables, "netfit_gathered": {}}}, None)["facts"]
