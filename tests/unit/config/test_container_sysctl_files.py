# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of real runtimes, as installed, as they should be, and edited by hand: what is written, to the character."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Dict, List

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.container_runtimes import plan_runtime
from ansible_collections.netfit.cluster.plugins.module_utils._model.container_sysctl import Runtime, RuntimePlan, Wanted

DATA = Path(__file__).resolve().parent.parent / "data" / "container-sysctl"
RUNTIMES = {
    "podman-4.3": Runtime.PODMAN,
    "cri-o": Runtime.CRIO,
    "cni": Runtime.CNI,
    "rke1": Runtime.RKE1,
    "rke2": Runtime.RKE2,
    "k3s": Runtime.K3S,
    "kubeadm": Runtime.KUBELET,
    "kubelet-config-dir": Runtime.KUBELET,
}
CASES = [(system, variant) for system in RUNTIMES for variant in ("fresh", "right", "edited")]
WANTED = Wanted(
    {"net.core.somaxconn": "4096", "net.ipv4.tcp_rmem": "4096 131072 6291456"}, rke1_cluster_file="/srv/cluster.yml"
)
GONE = replace(WANTED, present=False)
# Where taking back leaves another text than there was: our file, or a flag, was there before, or a place for the keys
# was written as the empty mapping in another way, or another value than ours was set.
NOT_AS_BEFORE = {
    ("podman-4.3", "right"),
    ("cri-o", "edited"),
    ("cni", "right"),
    ("cni", "edited"),
    ("k3s", "right"),
    ("rke1", "right"),
    ("rke1", "edited"),
    ("kubeadm", "right"),
    ("kubeadm", "fresh"),
    ("kubelet-config-dir", "right"),
}


def texts(root: Path) -> Dict[str, str]:
    found = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {f"/{path.relative_to(root)}": path.read_bytes().decode() for path in found}


@pytest.fixture
def root(tmp_path: Path, system: str, variant: str) -> Path:
    shutil.copytree(DATA / system / variant / "before", tmp_path / "root")
    return tmp_path / "root"


def plan(root: Path, system: str, wanted: Wanted = WANTED) -> RuntimePlan:
    made = plan_runtime(str(root), RUNTIMES[system], wanted)
    assert not made.blocked, made.reason
    return made


def carry_out(root: Path, made: RuntimePlan) -> None:
    if made.change is None:
        return
    path = root / made.change.path.lstrip("/")
    assert (made.change.before.text if made.change.before else None) == (path.read_text() if path.exists() else None)
    if made.change.after is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made.change.after.text)


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_what_is_written(root: Path, system: str, variant: str) -> None:
    expected = {**texts(root), **texts(DATA / system / variant / "expected")}
    carry_out(root, plan(root, system))
    assert texts(root) == expected
    assert (expected == texts(DATA / system / variant / "before")) is (variant == "right")


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_the_second_run_changes_nothing_and_finds_what_the_first_announced(
    root: Path, system: str, variant: str
) -> None:
    first = plan(root, system)
    carry_out(root, first)
    second = plan(root, system)
    assert second.change is None
    assert second.reason
    assert second.before == second.after == first.after


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_what_the_files_gave_before_stays_beside_ours(root: Path, system: str, variant: str) -> None:
    made = plan(root, system)
    kept = {key: value for key, value in made.before.items() if key not in WANTED.sysctls}
    assert kept.items() <= made.after.items()


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_taking_it_back_twice(root: Path, system: str, variant: str) -> None:
    before = texts(root)
    carry_out(root, plan(root, system))
    carry_out(root, plan(root, system, GONE))
    assert (texts(root) == before) is ((system, variant) not in NOT_AS_BEFORE), texts(root)
    assert plan(root, system, GONE).change is None


def test_every_directory_of_the_data_is_a_case() -> None:
    listed: List[str] = sorted(path.name for path in DATA.iterdir() if path.is_dir())
    assert listed == sorted(RUNTIMES)
