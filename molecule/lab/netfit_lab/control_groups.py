# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control groups of a lab: one for each host, in the unified hierarchy (cgroup v2)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from . import kernel_calls
from .errors import CommandFailed
from .processes import ProcessIdentity, identify
from .state import Paths

TOP = "nf-lab"
COMMANDS = "nf-commands"
"""Group of what `lab exec` starts on a host: beside systemd's own, for a group with children holds no processes."""


def create(mounted: Path, lab: str, names: list[str]) -> None:
    """Make the groups of a lab's members below a mounted hierarchy, with the controllers that can be passed on."""
    group = mounted / TOP / lab
    group.mkdir(parents=True, exist_ok=True)
    for parent in (mounted, mounted / TOP, group):
        for controller in (parent / "cgroup.controllers").read_text().split():
            try:
                (parent / "cgroup.subtree_control").write_text(f"+{controller}")
            except OSError:
                # Another hierarchy has it, or this is a container's root with processes in it: then without.
                continue
    for name in names:
        (group / name).mkdir(exist_ok=True)


def processes_below(group: Path) -> Iterator[int]:
    """Yield the pids in a group and all groups below; they may be gone when they are looked at."""
    for directory, _, _ in os.walk(group):
        try:
            content = Path(directory, "cgroup.procs").read_text()
        except OSError:
            continue
        yield from (int(line) for line in content.split() if line != "0")


def find_init(group: Path) -> ProcessIdentity | None:
    """Return the init of the host whose group this is: process 1 of the outermost PID namespace in the group."""
    found: tuple[int, int] | None = None
    for pid in processes_below(group):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        numbers = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
        # A container on the host has a process 1 too, one PID namespace deeper.
        if numbers[-1] == "1" and (found is None or len(numbers) < found[0]):
            found = (len(numbers), pid)
    return identify(found[1]) if found else None


def remove(paths: Paths, timeout: float = 20.0) -> None:
    """Kill what is left in the groups of a lab and remove them; needs nothing but the lab's name. timeout: seconds.

    Works on a mount of its own in a child, as the machine may have the hierarchy mounted anywhere or nowhere.
    Raises CommandFailed naming the pids that do not go away.
    """

    def remove_in_private() -> None:
        kernel_calls.unshare(kernel_calls.NEW_MOUNT)
        kernel_calls.mount("none", "/", flags=kernel_calls.RECURSIVE | kernel_calls.PRIVATE)
        paths.private.mkdir(parents=True, exist_ok=True)
        kernel_calls.mount("cgroup2", str(paths.private), "cgroup2")
        _empty(paths.private / TOP / paths.name, timeout)
        try:
            (paths.private / TOP).rmdir()
        except OSError:
            return  # other labs are up, or there never was one

    kernel_calls.run_in_child(remove_in_private)


def clear(group: Path, timeout: float = 20.0) -> None:
    """Take away what an earlier boot of a host left in its group. timeout: seconds. Raises CommandFailed.

    A group that hands controllers on to others holds no processes of its own (cgroups(7), "no internal processes"):
    with containers' groups still there, the host's next init could not enter it.
    """
    for child in [path for path in group.iterdir() if path.is_dir()]:
        _empty(child, timeout)
    for controller in (group / "cgroup.subtree_control").read_text().split():
        (group / "cgroup.subtree_control").write_text(f"-{controller}")


def _empty(group: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while group.is_dir():
        left = set(processes_below(group))
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for directory, _, _ in os.walk(group, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                continue
        if group.is_dir():
            if time.monotonic() > deadline:
                raise CommandFailed(f"control group {group.name} cannot be emptied, processes left: {sorted(left)}")
            time.sleep(0.02)
