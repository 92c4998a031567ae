# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that people run: each overflows at the backlog that it asks for by default, and not once that was raised."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, List, Tuple

import pytest
from backlog_world import Clients, World, children, free_port
from network_lab import Lab, run

GUNICORN = """
def application(_environment, respond):
    respond("200 OK", [("Content-Type", "text/plain")])
    return [b"x"]
"""
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend web
    bind 0.0.0.0:{port}
    http-request return status 200 content-type text/plain string x
"""
NODE = """
require('http').createServer((_request, answer) => answer.end('x')).listen(Number(process.argv[1]), '0.0.0.0');
"""
HTTP = b"GET / HTTP/1.0\r\n\r\n"


def gunicorn(folder: Path, port: int) -> List[str]:
    (folder / "shop.py").write_text(GUNICORN, encoding="ascii")
    options = ["--workers", "2", "--bind", f"0.0.0.0:{port}", "--worker-tmp-dir", str(folder), "--log-level", "error"]
    return ["gunicorn", "--chdir", str(folder), *options, "shop:application"]


def haproxy(folder: Path, port: int) -> List[str]:
    (folder / "haproxy.cfg").write_text(HAPROXY.format(port=port), encoding="ascii")
    return ["haproxy", "-f", str(folder / "haproxy.cfg")]


def node(_folder: Path, port: int) -> List[str]:
    return ["node", "-e", NODE, str(port)]


def redis(folder: Path, port: int) -> List[str]:
    options = ["--port", str(port), "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir", str(folder)]
    return ["redis-server", *options]


@dataclass(frozen=True)
class Case:
    """A server. backlog: that it asks for by default, 0 where that depends on the machine.

    next_start: what is said about its setting. workers: processes that it starts, which accept as well.
    """

    command: Callable[[Path, int], List[str]]
    backlog: int
    request: bytes
    next_start: str
    workers: int = 0


CASES = (
    Case(gunicorn, 2048, HTTP, "gunicorn asks for 2048 unless configured otherwise: --backlog", workers=2),
    Case(
        haproxy, 0, HTTP, "HAProxy asks for its maxconn, or 1024, unless configured otherwise: backlog in the frontend"
    ),
    Case(node, 511, HTTP, "Node.js asks for 511 unless configured otherwise: backlog of server.listen()"),
    Case(redis, 511, b"PING\r\n", "Redis asks for 511 unless configured otherwise: tcp-backlog"),
)
ROOM = 300
"""Connections that are opened beyond the old backlog."""


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> World:
    """Namespace web, whose somaxconn lets every server have what it asks for."""
    lab.add("web")
    lab.sysctl("web", "net.core.somaxconn", "4096")
    return World(lab, tmp_path, free_port())


@pytest.fixture(params=CASES, ids=lambda case: case.command.__name__)
def running(request: pytest.FixtureRequest, world: World) -> Iterator[Tuple[Case, List[int]]]:
    """A case, and the pids of its server, which listens."""
    case: Case = request.param
    command = case.command(world.folder, world.port)
    assert shutil.which(command[0]), f"{command[0]} is not installed: see SERVER_PACKAGES in tests/runner/jobs.py"
    inside = ["ip", "netns", "exec", world.lab.name("web"), *command]
    with open(world.folder / "log", "wb") as log:
        process = subprocess.Popen(inside, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 20
        # It listens before it has started them.
        while not world.shown("web") or len(children(process.pid)) < case.workers:
            assert time.monotonic() < end and process.poll() is None, (world.folder / "log").read_text("utf-8")
            time.sleep(0.05)
        yield case, [process.pid, *children(process.pid)]
    finally:
        process.terminate()
        for pid in [process.pid, *children(process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        process.wait(timeout=20)


def test_it_overflows_before_and_not_after(world: World, running: Tuple[Case, List[int]]) -> None:
    case, pids = running
    (before,) = world.shown("web")
    assert before == (case.backlog or before)
    signal_all(pids, "-STOP")
    clients = Clients(world, "web")
    clients.open(before + 1 + ROOM)
    assert clients.queued(before + 1) == before + 1
    result = world.raise_to(before + 2 * ROOM)
    assert clients.queued(before + 1 + ROOM) == before + 1 + ROOM
    signal_all(pids, "-CONT")
    assert clients.answered(case.request) == before + 1 + ROOM
    assert world.shown("web") == [before + 2 * ROOM]
    (listener,) = result["listeners"]
    assert (listener["outcome"], listener["process"]["pid"]) == ("raised", pids[0])
    assert listener["next_start"].startswith(case.next_start)


def signal_all(pids: List[int], name: str) -> None:
    """Stop or go on with a server and its workers."""
    run("kill", name, *map(str, pids))
