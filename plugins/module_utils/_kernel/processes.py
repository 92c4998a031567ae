# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Processes, their network namespaces, and who holds which socket.

Source: proc(5); one pass over /proc, no process is started.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Optional, Set, Tuple

from .._model.fact import Fact, Problem
from .advice import how_to_see_processes

ROOT = "/proc"
DESCRIPTOR_LIMIT = 1_000_000
"""Open files that are looked at when sockets are matched to processes."""
COMMAND_LINE_LIMIT = 1 << 18
"""Bytes: class paths are long."""
_GONE = (errno.ENOENT, errno.ESRCH)
_HIDDEN = (errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class RunningProcess(Fact):
    """A process as seen in one pass.

    name: comm (15 characters). network_namespace, mount_namespace: inodes; mount_namespace is None where hidden.
    control_group: the content of its cgroup file, a line per hierarchy.
    """

    pid: int
    name: str
    network_namespace: int
    mount_namespace: Optional[int]
    control_group: str


@dataclass(frozen=True)
class SocketHolder(Fact):
    """A process that has a socket open. descriptor: its number in that process."""

    pid: int
    descriptor: int


def read_processes(root: str = ROOT) -> Tuple[List[RunningProcess], List[Problem]]:
    """Return the processes whose network namespace can be seen, by ascending pid.

    A process that ends meanwhile is left out; those that are hidden from us make one Problem.
    """
    found: List[RunningProcess] = []
    hidden = 0
    pids = _pids(root)
    for pid in pids:
        try:
            process = _read_process(f"{root}/{pid}", pid)
        except OSError as error:
            hidden += error.errno in _HIDDEN
            if error.errno not in _GONE + _HIDDEN:
                raise
            continue
        if process is not None:
            found.append(process)
    return found, _hidden_problems(pids, hidden, root)


def read_socket_owners(
    pids: Iterable[int], wanted: Optional[Set[int]] = None, root: str = ROOT, limit: int = DESCRIPTOR_LIMIT
) -> Tuple[Dict[int, int], List[Problem]]:
    """Return which process holds a socket: pid by socket inode, the lowest pid where several do.

    wanted: inodes to look for; the search ends when all of them are found. None: all sockets.
    Processes whose files are hidden make one Problem, and so does it when ``limit`` open files were looked at.
    """
    owners: Dict[int, int] = {}
    missing = None if wanted is None else set(wanted)
    look = _Look(root, limit)
    for pid, found in look.through(pids) if missing is None or missing else ():
        inodes = found.keys()
        for inode in inodes if missing is None else inodes & missing:
            owners.setdefault(inode, pid)
        if missing is not None:
            missing -= inodes
            if not missing:
                break
    return owners, look.problems()


def read_socket_holders(
    pids: Iterable[int], wanted: Set[int], root: str = ROOT, limit: int = DESCRIPTOR_LIMIT
) -> Tuple[Dict[int, List[SocketHolder]], List[Problem]]:
    """Return all processes that have a socket open, by its inode, in ascending order of their pids.

    A process that has it open more than once is listed with one of its descriptors. Problems as read_socket_owners().
    """
    holders: Dict[int, List[SocketHolder]] = {}
    look = _Look(root, limit)
    for pid, found in look.through(pids) if wanted else ():
        for inode in found.keys() & wanted:
            holders.setdefault(inode, []).append(SocketHolder(pid, found[inode]))
    return holders, look.problems()


class _Look:
    """Goes through the open files of processes, and remembers what was hidden."""

    def __init__(self, root: str, limit: int) -> None:
        self._root = root
        self._limit = limit
        self._hidden = 0
        self._looked_at = 0

    def through(self, pids: Iterable[int]) -> Iterator[Tuple[int, Dict[int, int]]]:
        """Yield each process with its sockets, in ascending order of pids, until so many files were looked at."""
        for pid in sorted(pids):
            if self._looked_at >= self._limit:
                return
            try:
                found, count = _sockets(f"{self._root}/{pid}/fd", self._limit - self._looked_at)
            except OSError as error:
                self._hidden += error.errno in _HIDDEN
                if error.errno not in _GONE + _HIDDEN:
                    raise
                continue
            self._looked_at += count
            yield pid, found

    def problems(self) -> List[Problem]:
        """Return what could not be seen."""
        return _owner_problems(self._hidden, self._looked_at, self._limit)


def read_executable(pid: int, root: str = ROOT) -> Optional[str]:
    """Return the path of a process's program, None where it has none, is gone or is hidden."""
    try:
        return os.readlink(f"{root}/{pid}/exe")
    except OSError:
        return None


def read_command_line(pid: int, root: str = ROOT) -> Tuple[str, ...]:
    """Return the arguments that a process was started with, or what it has put in their place; empty where hidden."""
    try:
        with open(f"{root}/{pid}/cmdline", "rb") as file:
            content = file.read(COMMAND_LINE_LIMIT)
    except OSError:
        return ()
    return tuple(part.decode("utf-8", "backslashreplace") for part in content.split(b"\0") if part)


def namespace_inode(link: str) -> int:
    """Return the inode of a namespace from the text of its link, "net:[4026531840]"; ValueError for another text."""
    return int(link[link.index("[") + 1 : link.rindex("]")])


def _pids(root: str) -> List[int]:
    return sorted(int(name) for name in os.listdir(root) if name.isdigit())


def _read_process(directory: str, pid: int) -> Optional[RunningProcess]:
    """Return a process, or None for one that has ended and not been waited for: it has no namespace any more."""
    link = os.readlink(f"{directory}/ns/net")
    if "[" not in link:
        return None
    return RunningProcess(
        pid=pid,
        name=_read_text(f"{directory}/comm").rstrip("\n"),
        network_namespace=namespace_inode(link),
        mount_namespace=_mount_namespace(directory),
        control_group=_read_text(f"{directory}/cgroup"),
    )


def _mount_namespace(directory: str) -> Optional[int]:
    try:
        return namespace_inode(os.readlink(f"{directory}/ns/mnt"))
    except (OSError, ValueError):
        return None


def _read_text(path: str) -> str:
    """Return a small file of /proc; one that the kernel was built without is empty."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        return os.read(descriptor, 65536).decode("utf-8", "backslashreplace")
    finally:
        os.close(descriptor)


def _sockets(directory: str, limit: int) -> Tuple[Dict[int, int], int]:
    """Return the sockets among a process's open files, descriptor by inode, and how many files were looked at."""
    found: Dict[int, int] = {}
    names = os.listdir(directory)[:limit]
    for name in names:
        try:
            target = os.readlink(f"{directory}/{name}")
        except OSError as error:
            if error.errno not in _GONE + _HIDDEN:
                raise
            continue
        if target.startswith("socket:["):
            found[namespace_inode(target)] = int(name)
    return found, len(names)


def _hidden_problems(pids: List[int], hidden: int, root: str) -> List[Problem]:
    problems = []
    if 1 not in pids:
        reason = f"processes of others are not listed (/proc is mounted with hidepid); {how_to_see_processes()}"
        problems.append(Problem("processes", reason, path=root))
    if hidden:
        reason = f"network namespace of {hidden} of {len(pids)} processes: permission denied; {how_to_see_processes()}"
        problems.append(Problem("processes", reason, path=root))
    return problems


def _owner_problems(hidden: int, looked_at: int, limit: int) -> List[Problem]:
    problems = []
    if hidden:
        reason = f"open files of {hidden} processes: permission denied; {how_to_see_processes()}"
        problems.append(Problem("socket owners", reason))
    if looked_at >= limit:
        problems.append(Problem("socket owners", f"only the first {limit} open files were looked at"))
    return problems
