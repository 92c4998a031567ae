# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users install it: built and installed by ansible-galaxy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = Path(sys.executable).parent


def run(*command: str, directory: Path, timeout: int = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with our environment's commands first on PATH."""
    return subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PATH": f"{COMMANDS}:{os.environ['PATH']}", "ANSIBLE_NOCOLOR": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds ansible_collections/netfit/cluster, installed from its own artifact."""
    top = tmp_path_factory.mktemp("installed")
    galaxy = {"ANSIBLE_HOME": str(top / "home"), "ANSIBLE_COLLECTIONS_PATH": str(top), "PYTHONPATH": ""}
    built = run("ansible-galaxy", "collection", "build", "--output-path", str(top), directory=ROOT, **galaxy)
    assert built.returncode == 0, built.stdout
    artifact = next(top.glob("netfit-cluster-*.tar.gz"))
    done = run(
        "ansible-galaxy", "collection", "install", str(artifact), "--no-deps", "--offline", "--force", "-p", str(top),
        directory=top, **galaxy,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return top


@pytest.fixture(scope="session")
def recorded(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, where hosts give recorded facts."""
    top = tmp_path_factory.mktemp("recorded")
    shutil.copytree(installed / "ansible_collections", top / "ansible_collections")
    plugins = top / "ansible_collections/netfit/cluster/plugins"
    shutil.copy(ROOT / "tests/playbook/fake_action/network_facts.py", plugins / "action/network_facts.py")
    (plugins / "modules/network_facts.py").write_text("# replaced by the action\n", encoding="utf-8")
    return top


def write_inventory(directory: Path, hosts: Dict[str, Any]) -> Path:
    """Write an inventory of hosts that give these facts; asked-NAME.json appears there when one was asked."""
    written = {}
    for name, facts in hosts.items():
        file = directory / f"{name}.json"
        file.write_text(json.dumps(facts), encoding="utf-8")
        written[name] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "recorded_facts": str(file),
        }
    inventory = directory / "hosts.yml"
    inventory.write_text(json.dumps({"all": {"hosts": written}}), encoding="utf-8")
    return inventory
