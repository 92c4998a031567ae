# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One running host of a lab: starting it, finding it again, and running commands on it."""

from __future__ import annotations

import os
import signal
import subprocess
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from . import control_groups, host_root, kernel_calls
from .errors import CommandFailed, HostFailed
from .host_files import HostFiles
from .keeper import Keeper
from .topology import CONTROLLER, HostPlan

ENVIRONMENT = {
    "HOME": "/root", "LANG": "C.UTF-8", "LOGNAME": "root", "SHELL": "/bin/bash", "USER": "root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}  # fmt: skip
_FILES_MAXIMUM = 65536
_JOIN_GROUP = 'echo 0 >"$0" && exec "$@"'


@dataclass(frozen=True)
class Host:
    """A host of a lab, running or not."""

    plan: HostPlan
    keeper: Keeper

    @property
    def name(self) -> str:
        """The host's name, which is also its hostname."""
        return self.plan.name

    @property
    def namespace_pid(self) -> int:
        """The pid of the host's init as this machine counts: /proc/PID/ns has the host's namespaces.

        Raises HostFailed when the host is not running.
        """
        found = control_groups.find_init(self.keeper.control_group(self.name))
        if found is None:
            raise HostFailed(f"host {self.name!r} is not running")
        return found.pid

    @property
    def is_running(self) -> bool:
        """Whether the host has an init."""
        return control_groups.find_init(self.keeper.control_group(self.name)) is not None

    @property
    def root(self) -> Path:
        """The host's `/`, as files that this machine can read and write; of the running host only."""
        return Path(f"/proc/{self.namespace_pid}/root")

    def argv(self, command: Sequence[str]) -> list[str]:
        """Return the argument vector by which this machine runs a command on the host."""
        init = self.namespace_pid
        group = self.keeper.control_group(self.name) / control_groups.COMMANDS
        group.mkdir(exist_ok=True)
        enter = ["nsenter", f"--target={init}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        return ["sh", "-c", _JOIN_GROUP, str(group / "cgroup.procs"), *enter, "--", *command]

    def run(
        self, command: Sequence[str], *, input: str | None = None, timeout: float = 60.0, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root on the host and return its result. timeout: seconds.

        Raises CommandFailed with its output when it fails (unless check is False) or does not end in time, HostFailed
        when the host is not running.
        """
        return run_to_end(self.argv(command), f"{self.name}: {' '.join(command)}", input, timeout, check)

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a command on the host; options are those of subprocess.Popen. It ends with the host at the latest."""
        return subprocess.Popen(self.argv(command), env=ENVIRONMENT, **options)

    def boot(self, files: HostFiles) -> None:
        """Start the host's init; returns before it is up. Raises CommandFailed."""
        keeper, paths = self.keeper, self.keeper.paths
        console = os.open(paths.console(self.name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        layers = host_root.HostLayers(paths.private / "hosts" / self.name)
        group = keeper.control_group(self.name)
        control_groups.clear(group)
        network = keeper.network_namespace(self.name)

        def enter_and_fork() -> None:
            os.setsid()
            group_file = os.open(group / "cgroup.procs", os.O_WRONLY)
            kernel_calls.join(network)
            processes = f"/proc/{keeper.identity.pid}/ns/pid"
            kernel_calls.join(processes)
            kernel_calls.join(f"/proc/{keeper.identity.pid}/ns/mnt")
            child = os.fork()
            if child == 0:
                _fork_init(group_file, console, layers, files)
            if os.waitpid(child, 0)[1] != 0:
                raise OSError(0, f"{self.name} could not be started; see {paths.console(self.name)}")

        try:
            kernel_calls.run_in_child(enter_and_fork)
        finally:
            os.close(console)

    def kill(self) -> None:
        """Take the host's power away. Raises CommandFailed when its processes do not end."""
        init = control_groups.find_init(self.keeper.control_group(self.name))
        if init is not None and not init.kill():
            raise CommandFailed(f"{self.name}: its init (pid {init.pid}) does not end")


def _fork_init(group_file: int, console: int, layers: host_root.HostLayers, files: HostFiles) -> None:
    """Fork the process that becomes the host's init; its parent leaves, and the keeper inherits it. Never returns."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(console, 1)
        os.dup2(console, 2)
        os.dup2(group_file, 3)
        # What is still open would keep the creator waiting for the end of a host that is to stay.
        os.closerange(4, _FILES_MAXIMUM)
        # Before the cgroup namespace is made: the group that the process is in becomes its root.
        os.write(3, b"0")
        os.close(3)
        kernel_calls.unshare(
            kernel_calls.NEW_MOUNT
            | kernel_calls.NEW_UTS
            | kernel_calls.NEW_IPC
            | kernel_calls.NEW_PID
            | kernel_calls.NEW_CGROUP
        )
        if os.fork() == 0:
            host_root.become(layers, files)
        status = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


@dataclass(frozen=True)
class Controller:
    """The network namespace from which Ansible reaches the hosts, on this machine's own file system."""

    keeper: Keeper
    name: str = CONTROLLER

    def argv(self, command: Sequence[str]) -> list[str]:
        """Return the argument vector by which a command runs there. What it leaves running ends with the lab."""
        group = self.keeper.control_group(self.name) / "cgroup.procs"
        enter = ["nsenter", f"--net={self.keeper.network_namespace(self.name)}"]
        return ["sh", "-c", _JOIN_GROUP, str(group), *enter, "--", *command]

    def run(
        self, command: Sequence[str], *, input: str | None = None, timeout: float = 60.0, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """As Host.run, with this process's environment."""
        title = f"{self.name}: {' '.join(command)}"
        return run_to_end(self.argv(command), title, input, timeout, check, dict(os.environ))

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a command there; options are those of subprocess.Popen."""
        return subprocess.Popen(self.argv(command), **options)


def run_to_end(
    argv: Sequence[str],
    title: str,
    text: str | None,
    timeout: float,
    check: bool,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run to the end or to the timeout (seconds), and then end everything that was started with it."""
    pipe: int | IO[str] = subprocess.DEVNULL if text is None else subprocess.PIPE
    with subprocess.Popen(
        argv, stdin=pipe, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        env=environment or ENVIRONMENT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            output, error = process.communicate(text, timeout)
        except subprocess.TimeoutExpired as expired:
            # nsenter's child would live on and hold the pipes open; the process group reaches it.
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise CommandFailed(f"{title}: not done after {timeout:g} s") from expired
    if check and process.returncode != 0:
        raise CommandFailed(f"{title}: exit status {process.returncode}\n{output}{error}".rstrip())
    return subprocess.CompletedProcess(list(argv), process.returncode, output, error)
