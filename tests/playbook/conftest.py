# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks of a copy of the collection in which what runs on hosts gives recorded results."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
STAND_INS = {
    "cni_mtu": "changing.py",
    "link_mtu": "changing.py",
    "network_facts": "network_facts.py",
    "path_mtu_info": "probing.py",
    "path_mtu_responder": "probing.py",
    "tcp_path_info": "probing.py",
}

Play = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of the collection."""
    top = tmp_path_factory.mktemp("collections")
    copy = top / "ansible_collections/netfit/cluster"
    for name in ("plugins", "playbooks", "roles", "meta"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", copy)
    for module, action in STAND_INS.items():
        shutil.copy(ROOT / "tests/playbook/fake_action" / action, copy / f"plugins/action/{module}.py")
        (copy / f"plugins/modules/{module}.py").write_text("# replaced by the action\n", encoding="utf-8")
    return top


@pytest.fixture
def play(collections: Path, tmp_path: Path) -> Play:
    """Run a playbook in a directory of its own.

    hosts maps names to facts, or to None for one that gives none; variables: those of single hosts; groups: names.
    """

    def run(
        playbook: str,
        hosts: Dict[str, Any],
        *arguments: str,
        variables: Optional[Dict[str, Dict[str, Any]]] = None,
        groups: Optional[Dict[str, List[str]]] = None,
    ) -> subprocess.CompletedProcess[str]:
        inventory: Dict[str, Any] = {"all": {"hosts": {}, "children": {}}}
        for name, facts in hosts.items():
            recorded = tmp_path / f"{name}.json"
            if facts is not None:
                recorded.write_text(json.dumps(facts), encoding="utf-8")
            own = {"ansible_connection": "local", "recorded_facts": str(recorded), **(variables or {}).get(name, {})}
            inventory["all"]["hosts"][name] = own
        for group, names in (groups or {}).items():
            inventory["all"]["children"][group] = {"hosts": {name: {} for name in names}}
        (tmp_path / "hosts.yml").write_text(json.dumps(inventory), encoding="utf-8")
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_INJECT_FACT_VARS": "False",
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "100",
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "HOME": str(tmp_path),
            "PYTHONPATH": "",
        }
        return subprocess.run(
            [PLAYBOOK, f"netfit.cluster.{playbook}", "-i", "hosts.yml", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
