# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backlogs of running servers: raised without a restart, no connection lost, nobody else's touched, undone again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from typing import List

import pytest
from backlog_world import (
    Clients,
    World,
    children,
    compile_java,
    let_go,
    outcomes,
    start_nginx,
    told,
)

from ansible_collections.netfit.cluster.plugins.module_utils._change.journal import read_runs
from ansible_collections.netfit.cluster.plugins.module_utils._change.raise_backlogs import carry_out, prepare
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import choose_run, plan_undo, undo
from ansible_collections.netfit.cluster.plugins.module_utils._change.unit_restart import Restarter
from ansible_collections.netfit.cluster.plugins.module_utils._model.backlog import Outcome

IPPROTO_MPTCP = 262


def undo_run(world: World) -> List[str]:
    """Undo the run; returns what stood in the way."""
    directory = str(world.folder / "journal")
    run = choose_run("run-1", directory)
    assert run is not None
    steps = plan_undo(run, RESOURCES)
    with world.session("undoing"):
        undo(run, steps, RESOURCES, directory)
    return [step.conflict for step in steps if step.conflict]


def test_a_full_queue_takes_more_and_nothing_is_lost(world: World) -> None:
    server, _workers = world.start("web", backlog=5)
    clients = Clients(world, "web")
    clients.open(7)
    assert clients.queued(6) == 6
    result = world.raise_to(3000)
    clients.open(300)
    assert clients.queued(307) == 307
    let_go(server)
    assert clients.answered() == 307
    assert outcomes(result) == [("raised", 5, 3000)]
    assert world.shown("web") == [3000]
    assert result["changed"] and server.poll() is None


def test_somaxconn_is_raised_in_that_namespace_alone(world: World) -> None:
    world.start("web", backlog=5)
    other = world.somaxconn("other")
    result = world.raise_to(5000)
    assert (world.somaxconn("web"), world.somaxconn("other"), world.shown("web")) == (5000, other, [5000])
    assert [(one["before"], one["after"]) for one in result["sysctls"]] == [(1024, 5000)]
    assert list(result["after"].values()) == [5000, 5000]


def test_somaxconn_that_suffices_is_left_alone(world: World) -> None:
    world.start("web", backlog=5)
    assert world.raise_to(1024)["sysctls"] == []
    assert (world.somaxconn("web"), world.shown("web")) == (1024, [1024])


def test_a_listener_with_more_is_left_alone_even_where_somaxconn_was_lowered(world: World) -> None:
    world.start("web", backlog=1000)
    world.lab.sysctl("web", "net.core.somaxconn", "10")
    result = world.raise_to(500)
    assert (result["changed"], outcomes(result)) == (False, [("already", 1000, 1000)])
    assert (world.somaxconn("web"), world.shown("web")) == (10, [1000])
    result = world.raise_to(2000)
    assert (outcomes(result), world.shown("web")) == ([("raised", 1000, 2000)], [2000])


def test_check_mode_says_the_same_and_does_nothing_and_the_second_run_neither(world: World) -> None:
    world.start("web", backlog=5, sockets=2)
    checked = told(world.check(4000))
    assert (world.somaxconn("web"), world.shown("web")) == (1024, [5, 5])
    assert not (world.folder / "journal").exists()
    raised = told(world.raise_to(4000))
    assert checked == raised and raised["changed"]
    again = world.raise_to(4000)
    assert (again["changed"], again["before"], again["diff"]) == (False, {}, {"before": "", "after": ""})
    assert [one["outcome"] for one in again["listeners"]] == ["already", "already"]
    assert told(world.check(4000)) == told(again)


def test_each_socket_of_a_group_is_raised(world: World) -> None:
    world.start("web", backlog=9, sockets=5)
    result = world.raise_to(2000)
    assert outcomes(result) == [("raised", 9, 2000)] * 5
    assert world.shown("web") == [2000] * 5
    assert len(result["after"]) == 6


def test_a_socket_that_many_processes_share_is_raised_once(world: World) -> None:
    server, workers = world.start("web", backlog=9, workers=4)
    result = world.raise_to(2000)
    assert outcomes(result) == [("raised", 9, 2000)]
    assert result["listeners"][0]["process"]["pid"] == min(server.pid, *workers)
    runs = read_runs(str(world.folder / "journal"))
    assert [entry.change.kind for entry in runs[0].entries] == ["sysctl", "listen_backlog"]


def test_mptcp_listeners_too(world: World) -> None:
    """As servers in Go have them since 1.24: sock_diag shows another cookie than the socket itself."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP).close()
    except OSError:
        pytest.skip("this kernel has no MPTCP")
    server, _workers = world.start("web", backlog=9, protocol=IPPROTO_MPTCP)
    assert outcomes(world.raise_to(2000)) == [("raised", 9, 2000)]
    assert world.shown("web") == [2000]
    clients = Clients(world, "web")
    clients.open(100)
    let_go(server)
    assert clients.answered() == 100
    assert undo_run(world) == []
    assert world.shown("web") == [9]


def test_undone_it_is_as_it_was(world: World) -> None:
    server, _workers = world.start("web", backlog=9, sockets=2)
    world.raise_to(5000)
    assert undo_run(world) == []
    assert (world.somaxconn("web"), world.shown("web"), server.poll()) == (1024, [9, 9], None)
    assert undo_run(world) == []


def test_a_backlog_that_somebody_changed_since_is_a_conflict(world: World) -> None:
    world.start("web", backlog=9)
    world.raise_to(800)
    world.raise_to(900)
    world_later = World(world.lab, world.folder / "later", world.port)
    world_later.folder.mkdir()
    world_later.raise_to(1000)
    (conflict,) = undo_run(world)
    assert "is 1000, and this run had made it 900 from 9" in conflict


def test_undoing_finds_the_socket_where_it_was_handed_on(world: World) -> None:
    server, workers = world.start("web", backlog=9, workers=2)
    world.raise_to(500)
    server.kill()
    server.wait()
    assert undo_run(world) == []
    assert world.shown("web") == [9]
    for pid in workers:
        os.kill(pid, signal.SIGKILL)


def test_undoing_what_is_gone_is_no_error(world: World) -> None:
    server, _workers = world.start("web", backlog=9)
    world.raise_to(500)
    world.lab.stop(server)
    world.start("web", backlog=9)
    assert undo_run(world) == []
    assert world.shown("web") == [9]


def test_a_process_that_ends_in_between_is_gone_and_the_others_are_raised(world: World) -> None:
    first, _workers = world.start("web", backlog=9)
    world.start("other", backlog=9)
    with world.session() as session:
        prepared = prepare(world.selection(5000), False)
        world.lab.stop(first)
        done = carry_out(prepared, session, Restarter())
    by_outcome = {step.outcome: step for step in done.steps}
    assert set(by_outcome) == {Outcome.GONE, Outcome.RAISED}
    assert by_outcome[Outcome.GONE].after is None and by_outcome[Outcome.RAISED].after == 5000
    assert (world.shown("web"), world.shown("other")) == ([], [5000])


def test_another_socket_on_the_same_descriptor_is_left_alone(world: World) -> None:
    """Between plan and change the server is replaced; what is journalled is the socket, not the place."""
    first, _workers = world.start("web", backlog=9)
    prepared = prepare(world.selection(500), False)
    world.lab.stop(first)
    second, _workers = world.start("web", backlog=7)
    ((inode, target),) = prepared.targets.items()
    prepared.targets[inode].update(pid=second.pid)
    with world.session() as session:
        done = carry_out(prepared, session, Restarter())
    assert [step.outcome for step in done.steps] == [Outcome.GONE]
    assert world.shown("web") == [7], target


def test_a_listener_in_a_user_namespace(world: World) -> None:
    world.start("web", backlog=9, prefix=("unshare", "--mount"))
    user = ("unshare", "--user", "--map-root-user", "--net")
    script = "import socket, sys; s = socket.create_server(('0.0.0.0', int(sys.argv[1])), backlog=8)\n"
    inside = world.lab.start(
        *user, sys.executable, "-c", f"{script}print('ready', flush=True); sys.stdin.read()", str(world.port)
    )
    result = world.raise_to(6000)
    assert sorted(outcomes(result)) == [("raised", 8, 6000), ("raised", 9, 6000)]
    text = subprocess.run(
        ["nsenter", f"--net=/proc/{inside.pid}/ns/net", "ss", "-Hltn"], capture_output=True, text=True, check=True
    ).stdout
    assert text.split()[2] == "6000"


def test_connections_keep_coming_while_it_is_raised(world: World) -> None:
    server, _workers = world.start("web", backlog=100)
    let_go(server)
    answered: List[bool] = []
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            with socket.create_connection(("127.0.0.1", world.port), timeout=10) as one:
                answered.append(one.recv(1) == b"x")

    thread = threading.Thread(target=lambda: world.lab.inside("web", hammer))
    thread.start()
    for backlog in range(200, 1000, 50):
        assert outcomes(world.raise_to(backlog))[0][0] == "raised"
    stop.set()
    thread.join()
    assert len(answered) > 16 and all(answered)


def test_nginx(world: World) -> None:
    server = start_nginx(world, "web")
    try:
        assert world.shown("web") == [511]
        workers = children(server.pid)
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        clients = Clients(world, "web")
        clients.open(600)
        assert clients.queued(512) == 512
        result = world.raise_to(2000)
        assert clients.queued(600) == 600
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        assert clients.answered(b"GET / HTTP/1.0\r\n\r\n") == 600
        assert (outcomes(result), world.shown("web")) == ([("raised", 511, 2000)], [2000])
        assert children(server.pid) == workers
        assert result["listeners"][0]["process"] == {"pid": server.pid, "name": "nginx"}
        assert "listen 80 backlog=2000;" in result["listeners"][0]["next_start"]
    finally:
        server.terminate()
        server.wait()


def test_a_jvm(world: World) -> None:
    folder = compile_java(world.folder)
    command = ("ip", "netns", "exec", world.lab.name("web"), "java", "-Xmx64m", "-cp", str(folder), "Listen")
    server = world.lab.start(*command, str(world.port))
    assert world.shown("web") == [50]
    clients = Clients(world, "web")
    clients.open(60)
    assert clients.queued(51) == 51
    result = world.raise_to(3000)
    clients.open(500)
    assert clients.queued(560) == 560
    let_go(server)
    assert clients.answered() == 560
    assert (outcomes(result), world.shown("web")) == ([("raised", 50, 3000)], [3000])
    assert "new ServerSocket(port, 3000)" in result["listeners"][0]["next_start"]
