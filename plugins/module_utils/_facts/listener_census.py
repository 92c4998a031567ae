# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Every listener of the host with all who hold it, and what caps its backlog."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import basename
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .._kernel.netlink import NETLINK_SOCK_DIAG, NetlinkSocket
from .._kernel.processes import SocketHolder, read_executable, read_socket_holders
from .._kernel.sock_diag import read_listeners
from .._kernel.sysctls import read_sysctls
from .._kernel.visiting import visit
from .._model.backlog import Candidate, Holder
from .._model.fact import Problem
from .._model.listener import Listener
from .._model.owner import Namespace
from .census import Census, take_census

SOMAXCONN = "net.core.somaxconn"
FIRST_PROCESS = 1


@dataclass(frozen=True)
class ListenerCensus:
    """somaxconn: by inode of the network namespace, None where it is hidden. problems: what could not be read."""

    candidates: Sequence[Candidate]
    somaxconn: Mapping[int, Optional[int]]
    problems: Sequence[Problem]


def take_listener_census(root: str = "/") -> ListenerCensus:
    """Look at every network namespace once. root: "/" on a real host. Changes nothing."""
    census = take_census(root)
    problems = list(census.problems)
    found: Dict[int, Tuple[List[Listener], Optional[int]]] = {}
    for namespace, result in visit(census.namespaces, lambda _namespace: (_listeners(), _somaxconn())):
        if isinstance(result, Problem):
            problems.append(result)
        else:
            found[namespace.inode] = result
    inodes = {listener.inode for listeners, _limit in found.values() for listener in listeners}
    holders, hidden = read_socket_holders(census.processes, inodes)
    people = _People(census)
    candidates = [
        Candidate(namespace, owner, listener, people.holders(namespace, holders.get(listener.inode, [])))
        for namespace, owner in ((one, census.owners.of_namespace(one)) for one in census.namespaces)
        for listener in found.get(namespace.inode, ([], None))[0]
    ]
    limits = {inode: limit for inode, (_listeners, limit) in found.items()}
    return ListenerCensus(candidates, limits, [*problems, *hidden])


def read_effective_backlogs(namespaces: Sequence[Namespace]) -> Dict[int, List[Listener]]:
    """Return the listeners of network namespaces, by inode; a namespace that is gone is left out."""
    found = visit(namespaces, lambda _namespace: _listeners())
    return {namespace.inode: result for namespace, result in found if not isinstance(result, Problem)}


def _listeners() -> List[Listener]:
    with NetlinkSocket(NETLINK_SOCK_DIAG) as netlink:
        return read_listeners(netlink, {}, handshakes=False)


def _somaxconn() -> Optional[int]:
    reading = read_sysctls([SOMAXCONN]).get(SOMAXCONN)
    return int(reading.value) if reading is not None and reading.value is not None else None


class _People:
    """Who holds sockets; what is known of a process is looked up once."""

    def __init__(self, census: Census) -> None:
        self._census = census
        self._names: Dict[int, Tuple[str, ...]] = {}

    def holders(self, namespace: Namespace, found: Sequence[SocketHolder]) -> Tuple[Holder, ...]:
        """Return the holders, the one that serves first: process 1 holds for others (socket activation)."""
        ordered = sorted(found, key=lambda one: (one.pid == FIRST_PROCESS, one.pid))
        return tuple(self._holder(namespace, one) for one in ordered)

    def _holder(self, namespace: Namespace, found: SocketHolder) -> Holder:
        owners = self._census.owners
        owner = owners.of_process(found.pid, owners.of_namespace(namespace))
        unit = owners.unit_of_process(found.pid)
        return Holder(found.pid, found.descriptor, self._names_of(found.pid), unit, owner)

    def _names_of(self, pid: int) -> Tuple[str, ...]:
        if pid not in self._names:
            names = [self._census.processes[pid].name, basename(read_executable(pid) or "")]
            self._names[pid] = tuple(dict.fromkeys(name for name in names if name))
        return self._names[pid]
