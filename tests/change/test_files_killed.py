# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that write configuration files, killed at each write: no file is half written, the next run ends the same."""

from __future__ import annotations

import functools
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, List

import pytest
from ansible.module_utils import basic
from private_host import Counter

from ansible_collections.netfit.cluster.plugins.module_utils._change.journal import read_runs
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import plan_undo
from ansible_collections.netfit.cluster.plugins.modules import cni_mtu, container_sysctl


@dataclass(frozen=True)
class Case:
    """A module, the files that a host begins with, what is asked for, and how many files there are in the end."""

    module: ModuleType
    files: Dict[str, str]
    wanted: Dict[str, Any]
    afterwards: int


CLUSTER = "/srv/cluster.yml"
CASES = {
    "cni_mtu": Case(
        cni_mtu,
        {
            "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json": '{"Backend": {"Type": "vxlan"}}',
            "/var/lib/rancher/rke2/server/manifests/network.yaml": (
                "kind: HelmChartConfig\nmetadata:\n  name: rke2-canal\nspec:\n  valuesContent: |\n"
                "    # by hand\n    flannel:\n      iface: eth1\n"
            ),
        },
        {"underlay_mtu": 1450, "pod_mtu": 1400, "stacks": ["k3s", "rke2"]},
        4,
    ),
    "container_sysctl": Case(
        container_sysctl,
        {CLUSTER: "# by hand\nservices:\n  kubelet: {}\n", "/etc/crio/crio.conf": "[crio]\n"},
        {"sysctls": {"net.core.somaxconn": 4096}, "runtimes": ["crio", "rke1"], "rke1_cluster_file": CLUSTER},
        3,
    ),
}


def run(case: Case, place: Path, kill_at: int, name: str) -> int:
    """Run the module in a child. Returns how many writing calls it made, -1 where it was killed."""
    child = os.fork()
    if child:
        _pid, status = os.waitpid(child, 0)
        return -1 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    try:
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": {**case.wanted, "run": name}}).encode()
        basic._ANSIBLE_PROFILE = "legacy"
        basic.AnsibleModule.exit_json = lambda _self, **_result: os._exit(counter.count)
        journal = functools.partial(Session, directory=str(place / "journal"), lock=str(place / "lock"))
        case.module.Session, case.module.ROOT = journal, str(place / "root")
        counter = Counter(kill_at)
        case.module.main()
    finally:
        os._exit(255)


def new(case: Case, place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    for path, text in case.files.items():
        file = place / "root" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return place


def texts(place: Path) -> Dict[str, str]:
    root = place / "root"
    return {f"/{path.relative_to(root)}": path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def undo(place: Path) -> None:
    """Undo all runs as change_guard does, the last first."""
    for one in reversed(read_runs(str(place / "journal"))):
        for step in plan_undo(one, RESOURCES):
            assert step.conflict is None
            if not step.done:
                RESOURCES[step.entry.change.kind].write(step.entry.change.target, step.value)


@pytest.mark.parametrize("name", CASES)
def test_killed_at_each_write(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    place = tmp_path / "host"
    calls = run(case, new(case, place), 0, "whole")
    after = texts(place)
    assert 10 < calls < 200 and after != case.files and len(after) == case.afterwards
    seen: List[bool] = []
    for kill_at in range(1, calls + 1):
        assert run(case, new(case, place), kill_at, "killed") == -1
        left = {path: text for path, text in texts(place).items() if not path.endswith(".netfit")}
        # Each file is as it was or as it is to be.
        assert all(text in (case.files.get(path), after.get(path)) for path, text in left.items()), (kill_at, left)
        seen.append(left == case.files)
        assert run(case, place, 0, "next") < 255
        finished = {path: text for path, text in texts(place).items() if path in after}
        assert finished == after, kill_at
        undo(place)
        assert {path: text for path, text in texts(place).items() if path in after} == case.files, kill_at
    assert True in seen and False in seen
