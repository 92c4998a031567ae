# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces for tests: made with ip(8), entered in threads of their own, gone at the end."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any, Callable, Dict, List, TypeVar

PREFIX = f"nf-kernel-{os.getpid()}-"
CLONE_NEWNET = 0x40000000
Result = TypeVar("Result")
_NUMBERS = itertools.count()


def run(*command: str, given: str = "") -> str:
    """Return what a command prints; a failure shows what it complains about."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


class Lab:
    """A set of namespaces with names of their own; a context manager."""

    def __init__(self) -> None:
        self._prefix = f"{PREFIX}{next(_NUMBERS)}-"
        self._names: List[str] = []
        self._processes: List[subprocess.Popen[str]] = []
        self.kept: List[Any] = []

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_error: object) -> None:
        for thing in self.kept:
            thing.close()
        for process in self._processes:
            process.kill()
            process.communicate()
        for name in self._names:
            with suppress(AssertionError):
                run("ip", "netns", "delete", name)

    def add(self, *names: str) -> None:
        """Make namespaces, loopback up."""
        for name in names:
            run("ip", "netns", "add", self.name(name))
            self._names.append(self.name(name))
            self.ip(name, "link set lo up")

    def delete(self, name: str) -> None:
        """Take the name of a namespace away."""
        run("ip", "netns", "delete", self.name(name))
        self._names.remove(self.name(name))

    def name(self, name: str) -> str:
        """Return the full name of a namespace."""
        return self._prefix + name

    def path(self, name: str) -> str:
        """Return the path of its nsfs file."""
        return f"/run/netns/{self.name(name)}"

    def inode(self, name: str) -> int:
        """Return the number that names it."""
        return os.stat(self.path(name)).st_ino

    def ip(self, name: str, *commands: str) -> None:
        """Run commands of ip(8) in a namespace; "{other}" stands for the full name of another one."""
        text = "\n".join(commands)
        for short in [full[len(self._prefix) :] for full in self._names]:
            text = text.replace("{" + short + "}", self.name(short))
        run("ip", "-n", self.name(name), "-batch", "-", given=text + "\n")

    def ip_json(self, name: str, *arguments: str) -> List[Dict[str, Any]]:
        """Return what ip(8) says as JSON. It may print one list per family, hence the loop."""
        text = run("ip", "-n", self.name(name), "-N", "-j", *arguments)
        decoder = json.JSONDecoder()
        found: List[Dict[str, Any]] = []
        while text.strip():
            part, end = decoder.raw_decode(text.lstrip())
            found += part
            text = text.lstrip()[end:]
        return [entry for entry in found if entry]

    def inside(self, name: str, function: Callable[[], Result]) -> Result:
        """Call a function in a thread that is in a namespace."""
        return in_namespace(self.path(name), function)

    def sysctl(self, name: str, key: str, value: str) -> None:
        """Set a parameter of one of our namespaces."""

        def write() -> None:
            with open(f"/proc/sys/{key.replace('.', '/')}", "w", encoding="ascii") as file:
                file.write(value)

        self.inside(name, write)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a process that says a line when it is ready; it ends with the lab."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        self._processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        return process

    def stop(self, process: subprocess.Popen[str]) -> None:
        """End a process before the lab ends."""
        self._processes.remove(process)
        process.kill()
        process.communicate()


WAIT = "print('ready', flush=True); import sys; sys.stdin.read()"
WAITING_PYTHON = (sys.executable, "-c", WAIT)


def in_namespace(path: str, function: Callable[[], Result]) -> Result:
    """Call a function in a thread that enters the namespace of ``path``."""
    results: List[Result] = []
    errors: List[BaseException] = []

    def work() -> None:
        try:
            with open(path, encoding="ascii") as file:
                assert ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) == 0
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
