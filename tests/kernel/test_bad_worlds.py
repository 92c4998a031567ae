# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad worlds: without rights, with /proc hidden, in a namespace that ends. Never a traceback, never a silent null."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

ROOT = Path(__file__).resolve().parents[2]
PREFIX = f"nf-worlds-{os.getpid()}-"
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
GATHER = """
import json
from ansible_collections.netfit.cluster.plugins.module_utils._facts.gather import gather
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import GatherOptions
print(json.dumps(gather(GatherOptions(sample_interval=0.0))))
"""
SERVER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0), backlog=128)
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def readable_copy() -> Iterator[Path]:
    """The target's half of the collection where every user can read it."""
    with tempfile.TemporaryDirectory(prefix="nf-bad-worlds-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        plugins = folder / "ansible_collections" / "netfit" / "cluster" / "plugins"
        shutil.copytree(ROOT / "plugins" / "module_utils", plugins / "module_utils")
        yield folder


def gather_as(prefix: List[str], folder: Path) -> Dict[str, Any]:
    environment = ["env", "-i", f"PYTHONPATH={folder}", "PYTHONDONTWRITEBYTECODE=1", "PATH=/usr/sbin:/usr/bin"]
    command = [*prefix, *environment, "/usr/bin/python3", "-c", GATHER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    facts: Dict[str, Any] = json.loads(done.stdout)
    return facts


def reasons(facts: Dict[str, Any]) -> str:
    return "\n".join(f"{problem['subject']}: {problem['reason']}" for problem in facts["netfit_mtu"]["problems"])


def test_without_root_the_own_namespace_is_read_and_the_rest_is_named(readable_copy: Path) -> None:
    facts = gather_as(NOBODY, readable_copy)
    own = [entry for entry in facts["netfit_mtu"]["namespaces"] if entry["owner"]["kind"] == "host"]
    assert len(own) == 1 and any(link["kind"] == "loopback" for link in own[0]["links"])
    assert "run as root (become: true)" in reasons(facts)


def test_sockets_of_other_users_are_listed_without_their_process(readable_copy: Path) -> None:
    command = ["/usr/bin/python3", "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stdin is not None
        port = int(server.stdout.readline())
        facts = gather_as(NOBODY, readable_copy)
        server.stdin.close()
    listeners = facts["netfit_listen_queues"]["namespaces"][0]["listeners"]
    found = [listener for listener in listeners if listener["port"] == port]
    assert len(found) == 1 and found[0]["process"] is None and found[0]["effective_backlog"] == 128
    assert "processes: network namespace of" in reasons(facts)


def test_a_hidden_proc_is_said(readable_copy: Path) -> None:
    hide = 'mount -t proc -o hidepid=2 proc /proc && exec "$@"'
    facts = gather_as(["unshare", "--mount", "sh", "-c", hide, "sh", *NOBODY], readable_copy)
    assert "hidepid" in reasons(facts)
    assert facts["netfit_mtu"]["namespaces"]


def test_a_fresh_namespace_has_only_its_loopback_and_no_listener(readable_copy: Path) -> None:
    facts = gather_as(["unshare", "--net", "--pid", "--fork", "--mount", "--mount-proc"], readable_copy)
    mtu, queues = facts["netfit_mtu"]["namespaces"][0], facts["netfit_listen_queues"]["namespaces"][0]
    assert (mtu["owner"]["kind"], queues["owner"]["kind"]) == ("host", "host")
    assert [link["name"] for link in mtu["links"] if link["up"]] == []
    assert queues["listeners"] == []


def test_many_namespaces_that_may_not_be_entered_are_one_problem(readable_copy: Path) -> None:
    names = [f"{PREFIX}{number}" for number in range(3)]
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True, timeout=30)
        problems = gather_as(NOBODY, readable_copy)["netfit_mtu"]["problems"]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, timeout=30)
    refused = [problem["reason"] for problem in problems if problem["subject"] == "network namespace"]
    assert len(refused) == 1 and refused[0].startswith("of ") and int(refused[0].split()[1]) >= 3
