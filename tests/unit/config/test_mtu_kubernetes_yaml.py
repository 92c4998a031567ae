# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written for RKE1 and RKE2, as PyYAML reads it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from kubernetes_nodes import CASES, DATA, VALUES, carry_out, plan, texts


@pytest.fixture
def root(tmp_path: Path, system: str, variant: str) -> Path:
    shutil.copytree(DATA / system / variant / "before", tmp_path / "root")
    return tmp_path / "root"


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
