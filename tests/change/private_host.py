# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host to change things on: a process with a network namespace and directories of its own, which runs modules.

What is written below /proc/sys/net there belongs to its network namespace; /etc/sysctl.d and its like, the journal and
the lock lie on file systems that only it sees. Each module runs in a child of that process, so that it can be killed.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Optional, Type

HERE = Path(__file__)
OWN = (
    "/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/var/lib/netfit", "/run/netfit",
    "/run/lock",
)  # fmt: skip
CONF = "/etc/sysctl.conf"
WRITING = ("write", "fsync", "rename", "unlink", "symlink", "mkdir", "rmdir", "ftruncate", "fchmod", "fchown")
"""Functions of os by which a run changes something on the disk or in /proc/sys."""


MODULES = ("sysctl_profile", "change_guard", "link_mtu")
"""Imported before they are asked for, so that each run is a fork and no more."""


BEGIN = {
    "somaxconn": "128",
    "tcp_rmem": "4096 87380 6291456",
    "tcp_fin_timeout": "60",
    "tcp_keepalive_time": "7200",
    "tcp_abort_on_overflow": "1",
}
"""Values that a host begins with."""


class Killed(Exception):
    """The module was killed, as asked for."""


class PrivateHost:
    """A context manager; everything is gone at its end."""

    def __init__(self) -> None:
        self._made = [path for path in OWN if not os.path.exists(path)]
        command = ["unshare", "--mount", "--net", "--propagation", "private", sys.executable, str(HERE)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> PrivateHost:
        assert self._ask(do="hello") == "ready"
        return self

    def __exit__(
        self,
        _kind: Optional[Type[BaseException]],
        _error: Optional[BaseException],
        _trace: Optional[TracebackType],
    ) -> None:
        self._process.kill()
        self._process.communicate()
        # What others have put there meanwhile stays.
        for path in self._made:
            with suppress(OSError):
                os.rmdir(path)

    @property
    def pid(self) -> int:
        """Of a process in its namespaces."""
        return self._process.pid

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the private host has ended"
        return json.loads(answer)

    def run(
        self, module: str, check: bool = False, kill_at: Optional[int] = None, as_nobody: bool = False, **arguments: Any
    ) -> Dict[str, Any]:
        """Run a module and return its result. kill_at: kill it at that writing call, from 1; raises Killed then.

        as_nobody: without the rights of root.
        """
        given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        result: Dict[str, Any] = self._ask(
            do="module", module=module, given=given, kill_at=kill_at, as_nobody=as_nobody
        )
        if "killed" in result:
            raise Killed
        return result

    def writes(self, module: str, **arguments: Any) -> int:
        """Return how many writing calls a module makes; it makes them."""
        self.run(module, kill_at=0, **arguments)
        return int(self._ask(do="count"))

    def sysctl(self, **values: str) -> Dict[str, str]:
        """Set values, named by the last part of keys below net.core or net.ipv4, and return all of them."""
        return dict(self._ask(do="sysctl", values=values))

    def command(self, *command: str) -> str:
        """Run a command there and return what it prints."""
        return str(self._ask(do="command", command=list(command)))

    def write(self, path: str, text: Optional[str]) -> None:
        """Write a file there, or remove it."""
        self._ask(do="write", path=path, text=text)

    def files(self) -> Dict[str, str]:
        """Return {path: content} of all files in the directories of its own, but the journal and the lock."""
        return dict(self._ask(do="files"))

    def reset(self) -> None:
        """Forget all files and journals."""
        self._ask(do="reset")


# What follows runs on the private host.

SYSCTLS = {
    "somaxconn": "net/core/somaxconn",
    "tcp_rmem": "net/ipv4/tcp_rmem",
    "tcp_fin_timeout": "net/ipv4/tcp_fin_timeout",
    "tcp_keepalive_time": "net/ipv4/tcp_keepalive_time",
    "tcp_abort_on_overflow": "net/ipv4/tcp_abort_on_overflow",
}


class Counter:
    """Counts the writing calls of this process, and kills it at one of them, before or after it has happened."""

    def __init__(self, kill_at: int) -> None:
        self.count = 0
        self._kill_at = kill_at
        for name in WRITING:
            setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, real: Any) -> Any:
        def call(*given: Any, **more: Any) -> Any:
            self.count += 1
            if self.count == self._kill_at:
                # Half of a content is the worst that a write can leave on a disk; /proc/sys takes all or nothing.
                if real.__name__ == "write" and not os.readlink(f"/proc/self/fd/{given[0]}").startswith("/proc/"):
                    real(given[0], given[1][: len(given[1]) // 2])
                os.kill(os.getpid(), 9)
            return real(*given, **more)

        return call


def serve() -> None:
    """Answer requests, one on each line."""
    for path in OWN:
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", path], check=True)
    if os.path.isdir("/run/systemd"):
        # Its timers would run on the machine itself.
        subprocess.run(["mount", "-t", "tmpfs", "none", "/run/systemd"], check=True)
    if os.path.exists(CONF):
        empty = "/run/lock/empty"
        Path(empty).touch()
        subprocess.run(["mount", "--bind", empty, CONF], check=True)
    for name in MODULES:
        _imported(name)
    last = 0
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "module":
            answer = _module(request)
            last = answer.pop("writes", last)
        elif request["do"] == "count":
            answer = last
        else:
            answer = ANSWERS[request["do"]](request)
        print(json.dumps(answer), flush=True)


def _module(request: Dict[str, Any]) -> Dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _run_module(request, writing)
    os.close(writing)
    with open(reading, "rb") as stream:
        printed = stream.read()
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"killed": True}
    found: Dict[str, Any] = json.loads(printed)
    return found


def _run_module(request: Dict[str, Any], writing: int) -> None:
    """Run in the child; the result goes through the pipe."""
    from ansible.module_utils import basic

    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": request["given"]}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    module = _imported(request["module"])
    if request["as_nobody"]:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    results: List[Dict[str, Any]] = []

    def exit_json(_self: Any, **result: Any) -> None:
        results.append(result)
        raise SystemExit

    basic.AnsibleModule.exit_json = exit_json
    basic.AnsibleModule.fail_json = lambda self, msg, **more: exit_json(self, failed=True, msg=msg, **more)
    counter = None if request["kill_at"] is None else Counter(request["kill_at"])
    try:
        module.main()
    except SystemExit:
        pass
    except BaseException as error:
        results.append({"failed": True, "msg": f"crashed: {error!r}"})
    if counter is not None:
        results[-1]["writes"] = counter.count
    with open(writing, "w", encoding="utf-8") as stream:
        json.dump(results[-1], stream)
    os._exit(0)


def _imported(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.netfit.cluster.plugins.modules.{name}")


def _sysctl(request: Dict[str, Any]) -> Dict[str, str]:
    for name, value in request["values"].items():
        Path("/proc/sys", SYSCTLS[name]).write_text(value)
    return {name: " ".join(Path("/proc/sys", path).read_text().split()) for name, path in SYSCTLS.items()}


def _command(request: Dict[str, Any]) -> str:
    done = subprocess.run(request["command"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _write(request: Dict[str, Any]) -> str:
    path = Path(request["path"])
    if request["text"] is None:
        path.unlink()
    else:
        path.write_text(request["text"])
    return "done"


def _files(_request: Dict[str, Any]) -> Dict[str, str]:
    found = {}
    for directory in OWN[:4]:
        for path in sorted(Path(directory).rglob("*")):
            found[str(path)] = path.read_text()
    return found


def _reset(_request: Dict[str, Any]) -> str:
    for directory in OWN[:6]:
        subprocess.run(["find", directory, "-mindepth", "1", "-delete"], check=True)
    return "done"


ANSWERS = {
    "hello": lambda _request: "ready",
    "sysctl": _sysctl,
    "command": _command,
    "write": _write,
    "files": _files,
    "reset": _reset,
}

if __name__ == "__main__":
    serve()
