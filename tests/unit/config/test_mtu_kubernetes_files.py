# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of RKE1, RKE2 and K3s, as installed, as they should be, and edited by hand: what becomes of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kubernetes_nodes import CASES, DATA, STACKS, VALUES, carry_out, plan, texts


@pytest.fixture
def root(tmp_path: Path, system: str, variant: str) -> Path:
    shutil.copytree(DATA / system / variant / "before", tmp_path / "root")
    return tmp_path / "root"


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


def test_every_directory_of_the_data_is_a_case() -> None:
    assert sorted(path.name for path in DATA.iterdir() if path.is_dir()) == sorted(STACKS)
