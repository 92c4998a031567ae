# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keeper of a lab: one sleeping process that holds the lab's namespaces, and with which all of it ends.

It is process 1 of a PID namespace in which every host's PID namespace lies, so the kernel kills the whole lab with it.
Its network namespace is the one with the segments' bridges, its mount namespace has all that the lab mounts.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import control_groups, kernel_calls
from .errors import CommandFailed
from .processes import ProcessIdentity
from .state import Paths

_START_TIMEOUT = 10.0
"""Seconds."""


@dataclass(frozen=True)
class Keeper:
    """The running keeper of a lab, and the ways into what it holds."""

    identity: ProcessIdentity
    paths: Paths

    @property
    def private(self) -> Path:
        """The lab's private directory, as seen from this machine's mount namespace."""
        return Path(f"/proc/{self.identity.pid}/root{self.paths.private}")

    def network_namespace(self, name: str) -> str:
        """Return the path of the file that stands for a network namespace of the lab."""
        return str(self.private / "netns" / name)

    @property
    def lan_namespace(self) -> str:
        """The network namespace with the segments' bridges."""
        return f"/proc/{self.identity.pid}/ns/net"

    def control_group(self, name: str) -> Path:
        """Return the control group of a host, router or the controller."""
        return self.private / "cgroup" / control_groups.TOP / self.paths.name / name

    def create_network_namespaces(self, names: Iterable[str]) -> None:
        """Make network namespaces that last until they are released, or the keeper ends."""

        def create() -> None:
            directory = self.paths.private / "netns"
            kernel_calls.join(f"/proc/{self.identity.pid}/ns/mnt")
            for name in names:
                kernel_calls.unshare(kernel_calls.NEW_NETWORK)
                (directory / name).touch()
                # "self" would follow a mount of /proc that shows another PID namespace.
                kernel_calls.mount("/proc/thread-self/ns/net", str(directory / name), flags=kernel_calls.BIND)

        kernel_calls.run_in_child(create)

    def release_network_namespace(self, name: str) -> None:
        """Let a network namespace go; it ends with the last process in it."""

        def release() -> None:
            kernel_calls.join(f"/proc/{self.identity.pid}/ns/mnt")
            kernel_calls.unmount(str(self.paths.private / "netns" / name), kernel_calls.DETACH)
            (self.paths.private / "netns" / name).unlink()

        kernel_calls.run_in_child(release)


@dataclass(frozen=True)
class UnstartedKeeper:
    """A keeper that exists and does nothing before `go` is called: so that it is on record before it makes anything.

    If its creator dies before that, it ends by itself.
    """

    pid: int
    go_writer: int
    ready_reader: int

    def go(self) -> None:
        """Let the keeper make its mounts, and wait for them. Raises CommandFailed with its own words."""
        os.write(self.go_writer, b"g")
        os.close(self.go_writer)
        readable, _, _ = select.select([self.ready_reader], [], [], _START_TIMEOUT)
        answer = os.read(self.ready_reader, 4096).decode(errors="replace") if readable else ""
        os.close(self.ready_reader)
        if answer != "ready":
            raise CommandFailed(f"the keeper of the lab did not start: {answer or 'no answer'}")


def prepare(paths: Paths, members: list[str]) -> UnstartedKeeper:
    """Start a keeper that waits for its `go`. members: hosts, routers and the controller."""
    go_reader, go_writer = os.pipe()
    ready_reader, ready_writer = os.pipe()
    pid_reader, pid_writer = os.pipe()
    outer = os.fork()
    if outer == 0:
        status = 1
        try:
            os.setsid()
            new = kernel_calls.NEW_PID | kernel_calls.NEW_MOUNT | kernel_calls.NEW_NETWORK
            kernel_calls.unshare(new)
            inner = os.fork()
            if inner == 0:
                # The creator waits for the end of both pipes' other ends.
                os.close(go_writer)
                os.close(pid_writer)
                _keep(paths, members, go_reader, ready_writer)
            os.write(pid_writer, str(inner).encode())
            status = 0
        finally:
            os._exit(status)
    for descriptor in (go_reader, ready_writer, pid_writer):
        os.close(descriptor)
    with os.fdopen(pid_reader, "rb") as stream:
        answer = stream.read()
    os.waitpid(outer, 0)
    if not answer:
        raise CommandFailed("new namespaces were refused; the lab needs all rights of root")
    return UnstartedKeeper(int(answer), go_writer, ready_reader)


def _keep(paths: Paths, members: list[str], go_reader: int, ready_writer: int) -> None:
    """Be the keeper; never returns."""
    try:
        if os.read(go_reader, 1) != b"g":
            os._exit(0)
        _mount_private(paths)
        control_groups.create(paths.private / "cgroup", paths.name, members)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.chdir("/")
        # Ignored, it stays ignored across exec, and the kernel reaps the orphans of the lab by itself.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.write(ready_writer, b"ready")
        os.execvp("sleep", ["sleep", "infinity"])
    except BaseException as error:
        os.write(ready_writer, str(error).encode())
    finally:
        os._exit(1)


def _mount_private(paths: Paths) -> None:
    kernel_calls.mount("none", "/", flags=kernel_calls.RECURSIVE | kernel_calls.PRIVATE)
    kernel_calls.mount("nf-lab", str(paths.private), "tmpfs", options="mode=0755,size=80%,nr_inodes=0")
    for name in ("netns", "cgroup", "hosts"):
        (paths.private / name).mkdir()
    kernel_calls.mount("cgroup2", str(paths.private / "cgroup"), "cgroup2")
