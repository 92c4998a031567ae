# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Find the network namespaces of the host.

A namespace is kept alive by a process in it or by a bind mount of its nsfs file. One that only an open file or a
socket keeps alive cannot be found. Source: namespaces(7), proc_pid_mountinfo(5).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Dict, Iterable, Iterator, List, Optional, Set, Tuple

from .._model.fact import Problem
from .._model.owner import Namespace
from .advice import how_to_see_processes
from .processes import ROOT, RunningProcess, namespace_inode

DIRECTORIES = ("/run/netns", "/run/docker/netns")
"""Where ip-netns(8), CNI and dockerd put their bind mounts."""
KERNEL_THREADS = (2, "kthreadd")
"""Pid and name of the parent of all threads of the kernel; they are in the first network namespace."""


@dataclass
class _Found:
    """What is known of one namespace while the search goes on."""

    pid: Optional[int] = None
    paths: Set[str] = field(default_factory=set)


def discover(processes: List[RunningProcess], proc: str = ROOT) -> Tuple[List[Namespace], List[Problem]]:
    """Return every network namespace that can be found, the host's first, then by inode; and what was hidden.

    processes: as read_processes() returned them. A bind mount that only another mount namespace sees is named by a path
    through /proc/PID/root of a process there.
    """
    found: Dict[int, _Found] = {}
    for process in sorted(processes, key=lambda process: process.pid):
        entry = found.setdefault(process.network_namespace, _Found())
        entry.pid = process.pid if entry.pid is None else entry.pid
    own = own_namespace_inode(proc)
    found.setdefault(own, _Found(pid=os.getpid()))
    unreadable = _add_mounts(found, processes, proc)
    host, problems = _host(processes, own)
    if unreadable:
        reason = f"those of {unreadable} mount namespaces: permission denied; {how_to_see_processes()}"
        problems.append(Problem("mounted network namespaces", reason))
    namespaces = [
        Namespace(inode, tuple(sorted(entry.paths)), entry.pid, inode == host) for inode, entry in found.items()
    ]
    return sorted(namespaces, key=lambda namespace: (not namespace.host, namespace.inode)), problems


def own_namespace_inode(proc: str = ROOT) -> int:
    """Return the inode of the calling thread's network namespace. Raises OSError."""
    return os.stat(f"{proc}/thread-self/ns/net").st_ino


def parse_mounts(text: str) -> Iterator[Tuple[int, str]]:
    """Yield inode and mount point of every network namespace that is mounted somewhere.

    text: the content of a mountinfo file. Lines that make no sense are left out.
    """
    for line in text.split("\n"):
        if " net:[" not in line:
            continue
        fields = line.split(" ")
        if len(fields) > 4 and fields[3].startswith("net:[") and fields[3].endswith("]"):
            number = fields[3][5:-1]
            if number.isdecimal():
                yield int(number), _unescape(fields[4])


def _unescape(path: str) -> str:
    """Undo the escapes of mountinfo: blank, tab, newline and backslash are written as octal numbers."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(escape, character)
    return path


def _host(processes: Iterable[RunningProcess], own: int) -> Tuple[int, List[Problem]]:
    """Return the namespace of process 1; where that one is hidden, of the kernel's threads; else our own."""
    for process in sorted(processes, key=lambda process: process.pid):
        if process.pid == 1 or (process.pid, process.name) == KERNEL_THREADS:
            return process.network_namespace, []
    reason = f"process 1 is hidden, so that our own namespace is taken for that of the host; {how_to_see_processes()}"
    return own, [Problem("network namespace of the host", reason, namespace=own)]


def _add_mounts(found: Dict[int, _Found], processes: List[RunningProcess], proc: str) -> int:
    """Add what is mounted in our mount namespace, and then what only others see.

    Returns the number of mount namespaces that could not be read. Copies of our mounts in the private mount namespaces
    of services are not added.
    """
    for inode, path in parse_mounts(_mountinfo(f"{proc}/thread-self/mountinfo") or ""):
        found.setdefault(inode, _Found()).paths.add(path)
    for inode, path in _listed(proc):
        found.setdefault(inode, _Found()).paths.add(path)
    unreadable = 0
    for members in _by_mount_namespace(processes, proc):
        text, pid = _first_readable(members, proc)
        if text is None:
            unreadable += pid is not None
            continue
        for inode, path in parse_mounts(text):
            entry = found.setdefault(inode, _Found())
            if not entry.paths:
                entry.paths.add(f"{proc}/{pid}/root{path}")
    return unreadable


def _by_mount_namespace(processes: List[RunningProcess], proc: str) -> List[List[int]]:
    """Return the pids of each mount namespace but our own."""
    own = namespace_inode(os.readlink(f"{proc}/thread-self/ns/mnt"))
    groups: Dict[int, List[int]] = {}
    for process in processes:
        if process.mount_namespace not in (None, own):
            groups.setdefault(process.mount_namespace or 0, []).append(process.pid)
    return [sorted(pids) for pids in groups.values()]


def _first_readable(pids: List[int], proc: str) -> Tuple[Optional[str], Optional[int]]:
    """Return the mounts as the first process shows them that is still there.

    (None, None) when all of them have ended, (None, pid) when they are hidden.
    """
    hidden: Optional[int] = None
    for pid in pids:
        try:
            text = _mountinfo(f"{proc}/{pid}/mountinfo")
        except PermissionError:
            hidden = pid
            continue
        if text is not None:
            return text, pid
    return None, hidden


def _mountinfo(path: str) -> Optional[str]:
    """Return the content of a mountinfo file, None when its process has ended. Raises PermissionError."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except PermissionError:
        raise
    except OSError:
        return None


def _listed(proc: str) -> Iterator[Tuple[int, str]]:
    """Yield the namespaces that lie in the usual directories, seen from where we are."""
    device = os.stat(f"{proc}/thread-self/ns/net").st_dev
    for directory in DIRECTORIES:
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in names:
            path = f"{directory}/{name}"
            try:
                status = os.stat(path)
            except OSError:
                continue
            if status.st_dev == device:
                yield status.st_ino, path
