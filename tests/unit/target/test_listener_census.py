# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a listener, and in which order they are named."""

from __future__ import annotations

from typing import List

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._facts import listener_census as module
from ansible_collections.netfit.cluster.plugins.module_utils._facts.census import Census
from ansible_collections.netfit.cluster.plugins.module_utils._facts.listener_census import take_listener_census
from ansible_collections.netfit.cluster.plugins.module_utils._facts.owners import Owners
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.processes import RunningProcess, SocketHolder
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Problem
from ansible_collections.netfit.cluster.plugins.module_utils._model.listener import Listener
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import ControlGroup, Namespace, OwnerKind

HOST, POD, GONE = Namespace(1, pid=1, host=True), Namespace(2, ("/run/netns/pod",)), Namespace(3)
NAMES = {1: "systemd", 7: "sshd", 20: "node-MainThread", 21: "node-MainThread"}
EXECUTABLES = {1: "/usr/lib/systemd/systemd", 7: "/usr/sbin/sshd", 20: "/usr/bin/node"}
GROUPS = {1: ControlGroup(unit="init.scope"), 7: ControlGroup(unit="ssh.service"), 20: ControlGroup("a" * 64)}


def listener(port: int) -> Listener:
    return Listener("ipv4", "0.0.0.0", port, 128, 0, 0, 0, inode=port, cookie=port, uid=0)


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with socket activation, a container in a namespace without a name, and a namespace that is gone."""
    processes = {pid: RunningProcess(pid, name, 1, None, "") for pid, name in NAMES.items()}
    owners = Owners("n1", [], GROUPS, {1: [1, 7], 2: [20, 21]}, lambda _path: None)
    census = Census([HOST, POD, GONE], owners, processes, [Problem("processes", "hidden")])
    holders = {22: [SocketHolder(1, 50), SocketHolder(7, 3)], 80: [SocketHolder(20, 4), SocketHolder(21, 4)]}
    monkeypatch.setattr(module, "take_census", lambda _root: census)
    monkeypatch.setattr(
        module, "read_socket_holders", lambda _pids, wanted: (holders, [Problem("sockets", str(wanted))])
    )
    monkeypatch.setattr(module, "read_executable", EXECUTABLES.get)
    visited = [
        (HOST, ([listener(22)], 4096)),
        (POD, ([listener(80), listener(81)], None)),
        (GONE, Problem("x", "gone")),
    ]
    monkeypatch.setattr(module, "visit", lambda _namespaces, _function: visited)


def named(port: int) -> List[str]:
    (one,) = [one for one in take_listener_census().candidates if one.listener.port == port]
    return [holder.names[0] for holder in one.holders]


def test_process_1_holds_for_others_and_is_named_last() -> None:
    assert named(22) == ["sshd", "systemd"]


def test_the_others_in_the_order_of_their_pids_and_nobody_for_a_socket_of_the_kernel() -> None:
    assert (named(80), named(81)) == (["node-MainThread", "node-MainThread"], [])


def test_names_units_and_owners_of_each() -> None:
    ssh, web, kernel = take_listener_census().candidates
    assert [(one.names, one.unit, one.owner.kind) for one in ssh.holders] == [
        (("sshd",), "ssh.service", OwnerKind.HOST),
        (("systemd",), "init.scope", OwnerKind.HOST),
    ]
    assert [(one.names, one.unit, one.owner.kind) for one in web.holders] == [
        (("node-MainThread", "node"), None, OwnerKind.CONTAINER),
        (("node-MainThread",), None, OwnerKind.CONTAINER),
    ]
    assert (kernel.owner.kind, kernel.namespace, kernel.holders) == (OwnerKind.CONTAINER, POD, ())


def test_what_caps_and_what_could_not_be_read() -> None:
    census = take_listener_census()
    assert census.somaxconn == {1: 4096, 2: None}
    assert [problem.subject for problem in census.problems] == ["processes", "x", "sockets"]
