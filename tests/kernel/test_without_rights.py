# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user without rights gets: the own namespace, and problems that say what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Dict

import pytest
from network_lab import Lab

UNPRIVILEGED = 65534
SCRIPT = """
import json, os, sys
sys.path[:0] = {path!r}
from ansible_collections.netfit.cluster.plugins.module_utils._kernel import namespaces, processes, visiting
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.links import read_links
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import NetlinkSocket
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Problem, as_plain
os.setgroups([]); os.setgid({user}); os.setuid({user})
def read(namespace):
    with NetlinkSocket(0) as netlink:
        return [link.name for link in read_links(netlink)]
running, problems = processes.read_processes()
found, more = namespaces.discover(running)
owners, hidden = processes.read_socket_owners([1, os.getpid()])
print(json.dumps(dict(own=namespaces.own_namespace_inode(), problems=as_plain(problems + more + hidden),
    visited=[[n.inode, as_plain(r), isinstance(r, Problem)] for n, r in visiting.visit(found, read)])))
"""


@pytest.fixture
def seen(lab: Lab) -> Dict[str, Any]:
    """What a process of user nobody sees next to a named namespace."""
    lab.add("named")
    script = SCRIPT.format(user=UNPRIVILEGED, path=[path for path in sys.path if path])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    result: Dict[str, Any] = json.loads(done.stdout)
    result["named"] = lab.inode("named")
    return result


def test_the_own_namespace_is_read(seen: Dict[str, Any]) -> None:
    own = [links for inode, links, is_problem in seen["visited"] if inode == seen["own"] and not is_problem]
    assert len(own) == 1
    assert "lo" in own[0]


def test_another_one_is_a_problem_that_says_what_to_do(seen: Dict[str, Any]) -> None:
    (problem,) = [result for inode, result, is_problem in seen["visited"] if inode == seen["named"] and is_problem]
    assert "become: true" in problem["reason"]


def test_each_kind_of_hidden_thing_is_one_problem(seen: Dict[str, Any]) -> None:
    subjects = [problem["subject"] for problem in seen["problems"]]
    assert sorted(set(subjects)) == sorted(subjects)
    assert {"processes", "network namespace of the host", "socket owners"} <= set(subjects)
    assert all("become: true" in problem["reason"] for problem in seen["problems"])
