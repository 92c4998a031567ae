# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of RKE1, RKE2 and K3s, as installed, as they should be, and edited by hand: what becomes of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Dict

import pytest
import yaml

from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_stacks import plan_stack
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, Stack, StackPlan

DATA = Path(__file__).resolve().parent.parent / "data" / "mtu-kubernetes"
STACKS = {
    "rke1": Stack.RKE1,
    "rke2-canal": Stack.RKE2,
    "rke2-calico": Stack.RKE2,
    "rke2-flannel": Stack.RKE2,
    "rke2-cilium": Stack.RKE2,
    "k3s": Stack.K3S,
}
CASES = [(system, variant) for system in STACKS for variant in ("fresh", "right", "edited")]
CLUSTER_FILE = "/srv/cluster.yml"
# What the chart's or the cluster's configuration has to say afterwards.
VALUES = {
    "rke2-canal": {"calico.vethuMTU": 1400, "flannel.mtu": 1450},
    "rke2-calico": {"installation.calicoNetwork.mtu": 1400},
    "rke2-flannel": {"flannel.mtu": 1450},
    "rke2-cilium": {"MTU": 1450},
    "rke1": {"network.mtu": 1400},
    "k3s": {"Backend.MTU": 1450},
}


def texts(root: Path) -> Dict[str, str]:
    found = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {f"/{path.relative_to(root)}": path.read_bytes().decode() for path in found}


@pytest.fixture
def root(tmp_path: Path, system: str, variant: str) -> Path:
    shutil.copytree(DATA / system / variant / "before", tmp_path / "root")
    return tmp_path / "root"


def plan(root: Path, system: str, underlay: int = 1450, pod: int = 1400) -> StackPlan:
    file = CLUSTER_FILE if system == "rke1" else None
    made = plan_stack(str(root), STACKS[system], MtuWish(underlay, pod, rke1_cluster_file=file))
    assert not made.blocked, made.reason
    return made


def carry_out(root: Path, made: StackPlan) -> None:
    for change in made.changes:
        path = root / change.path.lstrip("/")
        assert (change.before.text if change.before else None) == (path.read_text() if path.exists() else None)
        assert change.after is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change.after.text)


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_what_is_written(root: Path, system: str, variant: str) -> None:
    expected = {**texts(root), **texts(DATA / system / variant / "expected")}
    carry_out(root, plan(root, system))
    assert texts(root) == expected
    assert (expected == texts(DATA / system / variant / "before")) is (variant == "right")


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_the_knobs_say_what_was_and_what_is(root: Path, system: str, variant: str) -> None:
    first = plan(root, system)
    assert {knob.name.rpartition(": ")[2]: knob.after for knob in first.knobs} == VALUES[system]
    carry_out(root, first)
    second = plan(root, system)
    assert (second.changes, second.as_result()["restart"]) == ((), None)
    assert second.reason.endswith("is so already")
    assert [(knob.before, knob.after) for knob in second.knobs] == [(knob.after, knob.after) for knob in first.knobs]


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_the_numbers_follow_the_network(root: Path, system: str, variant: str) -> None:
    before = texts(root)
    carry_out(root, plan(root, system, 8950, 8900))
    carry_out(root, plan(root, system))
    again = texts(root)
    carry_out(root, plan(root, system, 8950, 8900))
    carry_out(root, plan(root, system))
    assert texts(root) == again
    if variant == "right":
        assert again == before


@pytest.mark.parametrize(("system", "variant"), [case for case in CASES if case[0] != "k3s"])
def test_what_is_written_is_yaml_with_these_numbers(root: Path, system: str, variant: str) -> None:
    carry_out(root, plan(root, system))
    found = []
    for path, text in texts(root).items():
        for document in yaml.safe_load_all(text) if path.endswith((".yaml", ".yml")) else ():
            if not isinstance(document, dict):
                continue
            if document.get("kind") == "HelmChartConfig" and document["metadata"].get("name") == system:
                found.append(yaml.safe_load(document["spec"]["valuesContent"]))
            if "network" in document:
                found.append(document.get("rancher_kubernetes_engine_config", document))
    assert len(found) == 1
    for knob, number in VALUES[system].items():
        value = found[0]
        for key in knob.split("."):
            value = value[key]
        assert value == number and isinstance(value, int)


def test_every_directory_of_the_data_is_a_case() -> None:
    assert sorted(path.name for path in DATA.iterdir() if path.is_dir()) == sorted(STACKS)
