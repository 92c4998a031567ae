# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that listen in a namespace of a lab, and clients that count what was lost."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from network_lab import Lab, run

from ansible_collections.netfit.cluster.plugins.module_utils._change.backlog_result import as_result, read_programs
from ansible_collections.netfit.cluster.plugins.module_utils._change.raise_backlogs import (
    Done,
    Prepared,
    carry_out,
    expected,
    prepare,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.unit_restart import Restarter
from ansible_collections.netfit.cluster.plugins.module_utils._facts.listener_census import take_listener_census
from ansible_collections.netfit.cluster.plugins.module_utils._model.backlog import Selection

LISTEN = """
import os, socket, sys, threading
port, backlog, sockets, workers, protocol = map(int, sys.argv[1:6])
def listening():
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sockets > 1:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("0.0.0.0", port))
    made.listen(backlog)
    return made
held = [listening() for _ in range(sockets)]
children = []
for _ in range(workers):
    child = os.fork()
    if child == 0:
        sys.stdin.read()
        os._exit(0)
    children.append(child)
print("ready", flush=True)
print(*children, flush=True)
def serve(made):
    while True:
        made.accept()[0].sendall(b"x")
if sys.stdin.readline():
    for made in held:
        threading.Thread(target=serve, args=(made,), daemon=True).start()
    sys.stdin.read()
"""
"""Listens; accepts nothing before it is given a line."""

JAVA = """
import java.net.ServerSocket;
import java.net.Socket;

public class Listen {
    public static void main(String[] arguments) throws Exception {
        ServerSocket server = new ServerSocket(Integer.parseInt(arguments[0]));
        System.out.println("ready");
        System.in.read();
        while (true) {
            Socket one = server.accept();
            one.getOutputStream().write('x');
            one.getOutputStream().flush();
        }
    }
}
"""


@dataclass(frozen=True)
class World:
    """A lab, a folder for journal and lock, and a port that nobody else on this machine listens on."""

    lab: Lab
    folder: Path
    port: int

    def session(self, run_name: str = "run-1") -> Session:
        """Open a session with a journal of its own."""
        return Session(run_name, "listen_backlog", RESOURCES, str(self.folder / "journal"), str(self.folder / "lock"))

    def selection(self, backlog: int, **options: Any) -> Selection:
        """Return a selection that means nobody else's listeners."""
        return Selection(**{"backlog": backlog, "ports": (self.port,), **options})

    def raise_to(self, backlog: int, **options: Any) -> Dict[str, Any]:
        """Do what the module does, and return its result."""
        restarter = options.pop("restarter", Restarter())
        restart = options.pop("restart", False)
        with self.session() as session:
            prepared = prepare(self.selection(backlog, **options), restart)
            programs = read_programs(prepared)
            return as_result(prepared, carry_out(prepared, session, restarter), programs)

    def check(self, backlog: int, **options: Any) -> Dict[str, Any]:
        """Do what the module does in check mode."""
        prepared, done = self.planned(backlog, **options)
        return as_result(prepared, done, read_programs(prepared))

    def planned(self, backlog: int, **options: Any) -> Tuple[Prepared, Done]:
        """Return the plan and what is expected of it."""
        prepared = prepare(self.selection(backlog, **options), False)
        return prepared, expected(prepared)

    def start(
        self,
        name: str,
        backlog: int = 50,
        sockets: int = 1,
        workers: int = 0,
        protocol: int = 0,
        prefix: Sequence[str] = (),
    ) -> Tuple[subprocess.Popen[str], List[int]]:
        """Start a server in a namespace; returns it and the pids of its workers."""
        numbers = map(str, (self.port, backlog, sockets, workers, protocol))
        command = [*prefix, "ip", "netns", "exec", self.lab.name(name), sys.executable, "-c", LISTEN, *numbers]
        process = self.lab.start(*command)
        assert process.stdout is not None
        return process, [int(pid) for pid in process.stdout.readline().split()]

    def shown(self, name: str) -> List[int]:
        """Return the backlogs on the port, as ss(8) shows them."""
        return sorted(backlog for _waiting, backlog in self._listeners(name))

    def waiting(self, name: str) -> int:
        """Return how many connections wait for accept() on the port, as ss(8) shows them."""
        return sum(waiting for waiting, _backlog in self._listeners(name))

    def _listeners(self, name: str) -> List[Tuple[int, int]]:
        lines = run("ss", "-N", self.lab.name(name), "-Hltn", f"sport = :{self.port}").splitlines()
        return [(int(line.split()[1]), int(line.split()[2])) for line in lines]

    def somaxconn(self, name: str) -> int:
        """Return the parameter of a namespace."""
        return int(self.lab.inside(name, lambda: Path("/proc/sys/net/core/somaxconn").read_text(encoding="ascii")))


def free_port() -> int:
    """Return a port that nobody listens on in any namespace of this machine."""
    taken = {one.listener.port for one in take_listener_census().candidates}
    return random.choice([port for port in range(20000, 30000) if port not in taken])


def let_go(process: subprocess.Popen[str]) -> None:
    """Tell a server to accept."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def outcomes(result: Dict[str, Any]) -> List[Tuple[str, int, int]]:
    return [(one["outcome"], one["before"], one["after"]) for one in result["listeners"]]


def told(result: Dict[str, Any]) -> Dict[str, Any]:
    """Return a result without what other processes of this machine have to do with."""
    return {key: value for key, value in result.items() if key not in ("problems", "warnings")}


class Clients:
    """Connections from within a namespace to a port of its own."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._sockets: List[socket.socket] = []

    def open(self, number: int) -> None:
        """Begin so many connections."""

        def work() -> None:
            for _one in range(number):
                made = socket.socket()
                made.setblocking(False)
                made.connect_ex(("127.0.0.1", self._world.port))
                self._sockets.append(made)
                self._world.lab.kept.append(made)

        self._world.lab.inside(self._name, work)

    def queued(self, wanted: int) -> int:
        """Return how many wait for accept(), once they are ``wanted``, or after some seconds.

        The clients may take more for connected: on a busy machine the kernel answers several before the last packet of
        the first is there, and the queue is full for the others'.
        """
        end = time.monotonic() + 20
        while True:
            number = self._world.waiting(self._name)
            if number >= wanted or time.monotonic() > end:
                return number
            time.sleep(0.02)

    def answered(self, request: bytes = b"") -> int:
        """Return how many get an answer within some seconds."""
        waiting = list(self._sockets)
        answered = 0
        for one in waiting if request else ():
            one.sendall(request)
        end = time.monotonic() + 20
        while waiting and time.monotonic() < end:
            readable = _readable(waiting)
            answered += sum(one.recv(1) != b"" for one in readable)
            waiting = [one for one in waiting if one not in readable]
        return answered


def _readable(sockets: Sequence[socket.socket]) -> List[socket.socket]:
    poll = select.poll()
    by_number = {one.fileno(): one for one in sockets}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _event in poll.poll(100)]


NGINX = """
daemon off; master_process on; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen {port}{options}; return 200 "x"; }}
}}
"""


def start_nginx(world: World, name: str, options: str = "") -> subprocess.Popen[bytes]:
    """Start nginx in a namespace, and wait until it listens. The caller ends it."""
    folder = world.folder / "nginx"
    folder.mkdir()
    folder.chmod(0o755)
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, port=world.port, options=options), encoding="ascii")
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    command = ["ip", "netns", "exec", world.lab.name(name), program, "-c", str(file), "-p", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not world.shown(name) or len(children(process.pid)) < 2:
        assert time.monotonic() < end and process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
        time.sleep(0.05)
    return process


def children(pid: int) -> List[int]:
    """Return the pids of a process's children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(one) for one in text.split()]


def compile_java(folder: Path) -> Path:
    """Return the folder of the compiled class."""
    (folder / "Listen.java").write_text(JAVA, encoding="ascii")
    run("javac", "-d", str(folder), str(folder / "Listen.java"))
    return folder


MODULE = """
import functools, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.stdin.buffer.read(), "legacy"
from ansible_collections.netfit.cluster.plugins.modules import listen_backlog as module
module.Session = functools.partial(module.Session, directory=sys.argv[1] + "/journal", lock=sys.argv[1] + "/lock")
{before}
module.main()
"""


def run_module(
    folder: Path, prefix: Sequence[str] = (), check: bool = False, before: str = "", **arguments: Any
) -> Dict[str, Any]:
    """Run the module in a process of its own, as Ansible does, and return what it prints. before: lines of Python."""
    given = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check}})
    command = [*prefix, sys.executable, "-c", MODULE.format(before=before), str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert done.stdout, done.stderr
    result: Dict[str, Any] = json.loads(done.stdout)
    return result
