# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responders as processes: started by the module, bounded in time, stopped by their record, and then all gone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
from network_lab import WAITING_PYTHON, Lab
from path_lab import ADDRESS, Driver, build_path

from ansible_collections.netfit.cluster.plugins.module_utils._probe import responder_record
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder_control import (
    NotStarted,
    Wanted,
    start,
    stop,
)
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder_record import read_running, start_time
from ansible_collections.netfit.cluster.plugins.module_utils._probe.transport import Target, Way
from ansible_collections.netfit.cluster.plugins.module_utils._probe.udp import open_udp

TOKEN = "a token of this test run"
MODULE = """
import sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.stdin.buffer.read(), "legacy"
from ansible_collections.netfit.cluster.plugins.modules import path_mtu_responder
path_mtu_responder.main()
"""


def run_module(check: bool = False, **arguments: Any) -> Dict[str, Any]:
    """Run the module in a process of its own, as Ansible does, and return what it prints."""
    given = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check}})
    done = subprocess.run(
        [sys.executable, "-c", MODULE], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout, done.stderr
    result: Dict[str, Any] = json.loads(done.stdout)
    return result


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until it is so, for a bounded time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def largest(lab: Lab, port: int, token: str = TOKEN) -> int:
    """Return the largest size that comes through from a to b, 0 where nothing answers."""
    near = lab.inside("a", lambda: open_udp(socket.AF_INET, {0: Target(ADDRESS[4]["b"], 1500, port)}, token.encode()))
    try:
        return Driver(near).largest(Way.FORWARD, (1300, 1350, 1351))
    finally:
        near.close()


@pytest.fixture
def run_name() -> Iterator[str]:
    """A name that no other test has; its responder is gone at the end."""
    name = f"nf-test-{os.getpid()}-{time.monotonic_ns()}"
    yield name
    stop(name)


@pytest.fixture
def path(lab: Lab) -> Lab:
    build_path(lab, forward=1350)
    return lab


def wanted(lab: Lab, directory: Path, **more: Any) -> Wanted:
    sources = more.pop("sources", ({"namespace": lab.path("b")},))
    return Wanted(**{"run": "one", "token": TOKEN, "sources": sources, "directory": str(directory / "run"), **more})


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Holds records; no responder is left at the end."""
    yield tmp_path
    stop("", str(tmp_path / "run"))


def test_the_module_starts_and_stops(path: Lab, run_name: str) -> None:
    arguments = {"run": run_name, "token": TOKEN, "sources": [{"namespace": path.path("b")}]}
    assert run_module(check=True, **arguments)["changed"] is True
    assert not [one for one in read_running() if one.run == run_name]
    first = run_module(**arguments)
    assert first["changed"] is True and first["problems"] == []
    (namespace,) = first["namespaces"]
    assert namespace["inode"] == path.inode("b") and namespace["addresses"] == ["10.9.3.2", "fd09:3::2"]
    assert largest(path, first["port"]) == 1350
    assert largest(path, first["port"], "some other token") == 0
    again = run_module(**arguments)
    assert again == {**first, "changed": False, "invocation": again["invocation"]}
    stopped = run_module(state="stopped", run=run_name)
    assert stopped["changed"] is True
    assert stopped["stopped"] == [{"run": run_name, "pid": first["pid"], "port": first["port"]}]
    assert start_time(first["pid"]) is None and largest(path, first["port"]) == 0
    assert run_module(state="stopped", run=run_name)["changed"] is False
    assert run_name not in " ".join(os.listdir("/run/netfit") if os.path.isdir("/run/netfit") else [])


def test_the_token_is_nowhere_to_be_read(path: Lab, run_name: str) -> None:
    result = run_module(run=run_name, token=TOKEN, sources=[{"namespace": path.path("b")}])
    process = Path("/proc") / str(result["pid"])
    record = Path(responder_record.DIRECTORY) / f"responder-{run_name}.json"
    shown = [(process / name).read_bytes() for name in ("cmdline", "environ")] + [record.read_bytes()]
    assert not any(TOKEN.encode() in content for content in shown)
    assert record.stat().st_mode & 0o777 == 0o600 and record.parent.stat().st_mode & 0o777 == 0o700
    assert TOKEN not in json.dumps(result)


def test_it_is_detached(path: Lab, directory: Path) -> None:
    _changed, running = start(wanted(path, directory))
    assert running.pid is not None
    assert os.getsid(running.pid) != os.getsid(0)
    descriptors = [os.readlink(entry) for entry in Path(f"/proc/{running.pid}/fd").iterdir()]
    assert sorted(name.split(":")[0] for name in descriptors if not name.startswith("anon_inode")) == sorted(
        ["/dev/null"] * 3 + ["socket"] * 4
    )
    assert os.readlink(f"/proc/{running.pid}/cwd") == "/"


def test_its_time_is_over_without_anybody(path: Lab, directory: Path) -> None:
    _changed, running = start(wanted(path, directory, lifetime=2))
    assert running.pid is not None and start_time(running.pid)
    assert eventually(lambda: start_time(running.pid or 0) is None)
    assert not (directory / "run").exists()


def test_it_ends_when_quiet(path: Lab, directory: Path) -> None:
    _changed, running = start(wanted(path, directory, idle=1))
    assert eventually(lambda: start_time(running.pid or 0) is None)


def test_it_outlives_the_controller_and_still_ends(path: Lab, run_name: str) -> None:
    """The module's process and its parent are killed: the responder serves on, and ends at its time."""
    given = json.dumps(
        {
            "ANSIBLE_MODULE_ARGS": {
                "run": run_name,
                "token": TOKEN,
                "sources": [{"namespace": path.path("b")}],
                "lifetime": 4,
            }
        }
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", MODULE + "\nimport time; time.sleep(60)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert parent.stdin is not None
    parent.stdin.write(given.encode())
    parent.stdin.close()
    assert eventually(lambda: any(one.run == run_name for one in read_running()))
    os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()
    (record,) = [one for one in read_running() if one.run == run_name]
    assert largest(path, record.port) == 1350
    assert eventually(lambda: start_time(record.pid) is None)
    assert not [one for one in read_running() if one.run == run_name]


def test_a_killed_one_leaves_a_record_that_the_next_start_removes(path: Lab, directory: Path) -> None:
    _changed, running = start(wanted(path, directory))
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    assert eventually(lambda: start_time(running.pid or 0) is None)
    assert len(list((directory / "run").iterdir())) == 1
    assert stop("one", str(directory / "run")) == []
    assert not (directory / "run").exists()


def test_a_foreign_process_with_its_pid_is_left_alone(path: Lab, directory: Path) -> None:
    start(wanted(path, directory))
    (record_file,) = (directory / "run").iterdir()
    record = json.loads(record_file.read_text())
    assert stop("one", str(directory / "run"))
    bystander = path.start(*WAITING_PYTHON)
    (directory / "run").mkdir(mode=0o700)
    record_file.write_text(json.dumps({**record, "pid": bystander.pid}))
    assert stop("", str(directory / "run")) == []
    assert bystander.poll() is None and not record_file.exists()


def test_two_runs_at_once(path: Lab, directory: Path) -> None:
    _changed, one = start(wanted(path, directory))
    _changed, two = start(wanted(path, directory, run="two", token="another token"))
    assert one.port != two.port
    assert largest(path, one.port) == largest(path, two.port, "another token") == 1350
    assert [record.run for record in stop("two", str(directory / "run"))] == ["two"]
    assert largest(path, one.port) == 1350
    assert [record.run for record in stop("", str(directory / "run"))] == ["one"]


def test_what_differs_starts_it_anew(path: Lab, directory: Path) -> None:
    both = ({"namespace": path.path("b")}, {"namespace": path.path("r2")})
    pids: List[Any] = []
    for more in ({}, {"sources": both}, {"sources": both, "token": "another token"}, {"port": 47999}):
        changed, running = start(wanted(path, directory, **more))
        assert changed and len(running.namespaces) == len(more.get("sources", (1,)))
        assert start(wanted(path, directory, **more))[0] is False
        pids.append(running.pid)
    assert [start_time(pid) is not None for pid in pids] == [False, False, False, True]
    assert len(set(pids)) == 4


def test_a_source_that_is_gone_is_a_problem_unless_none_is_left(path: Lab, directory: Path) -> None:
    gone = {"namespace": "/run/netns/nf-nowhere"}
    _changed, running = start(wanted(path, directory, sources=({"namespace": path.path("b")}, gone)))
    assert [problem.subject for problem in running.problems] == ["source"]
    with pytest.raises(NotStarted, match="none of them") as caught:
        start(wanted(path, directory, run="two", sources=(gone,)))
    assert "nf-nowhere" in caught.value.problems[0].reason


def test_a_taken_port_is_named(path: Lab, directory: Path) -> None:
    with path.inside("b", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(("0.0.0.0", 0))
        port = other.getsockname()[1]
        with pytest.raises(NotStarted) as caught:
            start(wanted(path, directory, port=port))
    assert f"UDP port {port} is taken there" in caught.value.problems[0].reason


def test_a_namespace_that_ends_is_let_go(path: Lab, directory: Path) -> None:
    path.add("short")
    path.ip("short", "link add left type veth peer name right netns {r1}")
    sources = ({"namespace": path.path("b")}, {"namespace": path.path("short")})
    _changed, running = start(wanted(path, directory, sources=sources))
    path.delete("short")
    assert eventually(lambda: not any(link["ifname"] == "right" for link in path.ip_json("r1", "link", "show")))
    assert largest(path, running.port) == 1350


@pytest.mark.parametrize(
    ("option", "value"), [("run", "../x"), ("run", ""), ("token", "short"), ("port", 80), ("lifetime", 0), ("idle", 0)]
)
def test_bad_input_is_refused(option: str, value: Any, run_name: str) -> None:
    result = run_module(**{"run": run_name, "token": TOKEN, option: value})
    assert result["failed"] is True and result["msg"].startswith(f"{option} is ")
    assert option != "token" or value not in result["msg"].split()
