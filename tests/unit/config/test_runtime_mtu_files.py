# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of container runtimes, as installed, as they should be, edited by hand: what is written, to the character."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Dict

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_runtimes import (
    RUNTIME_PLANNERS,
    find_runtime_stacks,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, Stack, StackPlan

DATA = Path(__file__).resolve().parent.parent / "data" / "runtime-mtu"
STACKS = {
    "docker-20.10": Stack.DOCKER,
    "docker-24": Stack.DOCKER,
    "podman-4.3-netavark": Stack.PODMAN,
    "podman-4.3-cni": Stack.PODMAN,
    "nerdctl": Stack.NERDCTL,
    "cni": Stack.CNI,
}
VERSIONS = {"docker-20.10": (20, 10), "docker-24": (24, 0)}
CASES = [(system, variant) for system in STACKS for variant in ("fresh", "right", "edited")]
WISH = MtuWish(underlay_mtu=1460, pod_mtu=1400, container_mtu=1450, raising=True)


def texts(root: Path) -> Dict[str, str]:
    found = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {f"/{path.relative_to(root)}": path.read_bytes().decode("utf-8", "surrogateescape") for path in found}


@pytest.fixture
def root(tmp_path: Path, system: str, variant: str) -> Path:
    shutil.copytree(DATA / system / variant / "before", tmp_path / "root")
    return tmp_path / "root"


def plan(root: Path, system: str) -> StackPlan:
    return RUNTIME_PLANNERS[STACKS[system]](str(root), replace(WISH, docker_version=VERSIONS.get(system)))


def write(root: Path, planned: StackPlan) -> None:
    for change in planned.changes:
        assert change.after is not None
        path = root / change.path.lstrip("/")
        assert (path.read_bytes() if path.exists() else None) == (
            change.before.text.encode("utf-8", "surrogateescape") if change.before is not None else None
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(change.after.text.encode("utf-8", "surrogateescape"))
        os.chmod(path, change.after.mode)


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_exactly_this_is_written(root: Path, system: str, variant: str) -> None:
    before, expected = texts(root), texts(DATA / system / variant / "expected")
    planned = plan(root, system)
    write(root, planned)
    assert texts(root) == {**before, **expected}
    assert {change.path for change in planned.changes} == set(expected)
    assert bool(planned.changes) == (variant != "right")
    assert not planned.blocked and planned.running


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_a_second_time_nothing_is_written(root: Path, system: str, variant: str) -> None:
    write(root, plan(root, system))
    assert plan(root, system).changes == ()


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_every_knob_says_what_it_was_and_gets_what_is_wished(root: Path, system: str, variant: str) -> None:
    wished = {1460} if system == "docker-24" else set()
    knobs = plan(root, system).knobs
    assert {knob.after for knob in knobs} == {1400 if system == "cni" else 1450, *wished}
    if variant == "right":
        assert [knob.before for knob in knobs] == [knob.after for knob in knobs]
    else:
        assert any(knob.before != knob.after for knob in knobs)


@pytest.mark.parametrize(("system", "variant"), CASES)
def test_permissions_stay(root: Path, system: str, variant: str) -> None:
    for path in root.rglob("*"):
        if path.is_file():
            path.chmod(0o600)
    for change in plan(root, system).changes:
        assert change.after is not None and change.after.mode == (0o600 if change.before is not None else 0o644)


@pytest.mark.parametrize(
    ("system", "variant", "found"),
    [
        ("docker-20.10", "right", [Stack.DOCKER]),
        ("docker-20.10", "fresh", []),
        ("nerdctl", "fresh", [Stack.NERDCTL]),
        ("nerdctl", "edited", [Stack.NERDCTL]),
        ("cni", "fresh", [Stack.CNI]),
        ("podman-4.3-cni", "fresh", []),
    ],
)
def test_stacks_are_found_by_their_files(root: Path, system: str, variant: str, found: list[Stack]) -> None:
    assert find_runtime_stacks(str(root), WISH) == found


@pytest.mark.parametrize(("system", "variant"), [("cni", "fresh")])
def test_stacks_are_found_by_their_programs(root: Path, system: str, variant: str) -> None:
    for program in ("usr/sbin/dockerd", "usr/bin/podman", "usr/local/bin/nerdctl"):
        path = root / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert find_runtime_stacks(str(root), WISH) == [Stack.CNI, Stack.DOCKER, Stack.PODMAN, Stack.NERDCTL]
