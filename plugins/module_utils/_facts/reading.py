# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is read inside one network namespace, in one go."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Callable, Dict, List, Optional, Tuple, TypeVar

from .._kernel.attributes import NetlinkError
from .._kernel.counters import read_counters
from .._kernel.links import read_links
from .._kernel.netlink import NETLINK_ROUTE, NETLINK_SOCK_DIAG, NetlinkSocket
from .._kernel.routes import read_path_mtu_exceptions, read_routes
from .._kernel.sock_diag import read_listeners
from .._kernel.sysctls import read_sysctls
from .._model.fact import Problem
from .._model.link import Link
from .._model.listener import Listener
from .._model.owner import Namespace
from .._model.route import PathMtuException, Route
from .._model.sysctl import SysctlReading
from .options import GatherOptions, Subset

QUEUE_KEYS = ("net.core.somaxconn", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_max_syn_backlog")
Part = TypeVar("Part")


@dataclass(frozen=True)
class Sample:
    """Counters and sockets' drops (by cookie) at a moment. taken: monotonic seconds."""

    taken: float
    counters: Dict[str, int]
    drops: Dict[int, int]


@dataclass
class Reading:
    """What one visit brings home. What could not be read stays empty and is told in problems."""

    links: List[Link] = field(default_factory=list)
    routes: List[Route] = field(default_factory=list)
    path_mtu_exceptions: List[PathMtuException] = field(default_factory=list)
    sysctls: Dict[str, SysctlReading] = field(default_factory=dict)
    listeners: List[Listener] = field(default_factory=list)
    counters: Dict[str, int] = field(default_factory=dict)
    taken: float = 0.0
    problems: List[Problem] = field(default_factory=list)

    def sample(self) -> Sample:
        """The part that changes from one moment to the next."""
        return Sample(self.taken, self.counters, _drops(self.listeners))


class Reader:
    """Reads the namespace of the calling thread. clock: monotonic seconds."""

    def __init__(self, options: GatherOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock

    def read(self, namespace: Namespace) -> Reading:
        """Read all that the options ask for."""
        reading = Reading()
        attempt = _Attempt(namespace, reading.problems)
        link_names = self._read_links(namespace, reading, attempt)
        if self._options.wants(Subset.SYSCTL, Subset.LISTEN_QUEUES):
            keys = self._options.sysctl_keys if self._options.wants(Subset.SYSCTL) else ()
            wanted = tuple(dict.fromkeys((*keys, *QUEUE_KEYS)))
            reading.sysctls = attempt("sysctls", lambda: read_sysctls(wanted), {})
        if self._options.wants(Subset.LISTEN_QUEUES):
            reading.counters = attempt("network counters", read_counters, {})
            # Where no segment ever came no handshake is under way, and looking for one is slow.
            handshakes = reading.counters.get("Tcp.InSegs") != 0
            reading.listeners = attempt("listening sockets", lambda: _listeners(link_names, handshakes), [])
            reading.taken = self._clock()
        return reading

    def sample(self, namespace: Namespace) -> Sample:
        """Read again what changes: counters and drops."""
        attempt = _Attempt(namespace, [])
        listeners: List[Listener] = attempt("listening sockets", lambda: _listeners({}, False), [])
        counters: Dict[str, int] = attempt("network counters", read_counters, {})
        return Sample(self._clock(), counters, _drops(listeners))

    def _read_links(self, namespace: Namespace, reading: Reading, attempt: _Attempt) -> Dict[int, str]:
        if not self._options.wants(Subset.MTU, Subset.LISTEN_QUEUES):
            return {}
        with NetlinkSocket(NETLINK_ROUTE) as netlink:
            reading.links = attempt("links", lambda: read_links(netlink), [])
            names = {link.index: link.name for link in reading.links}
            if self._options.wants(Subset.MTU):
                limit = self._options.route_limit
                nothing: Tuple[List[Route], List[Problem]] = ([], [])
                reading.routes, cut = attempt("routes", lambda: read_routes(netlink, names, limit), nothing)
                reading.problems.extend(replace(problem, namespace=namespace.inode) for problem in cut)
                reading.path_mtu_exceptions = attempt(
                    "learned path MTUs", lambda: read_path_mtu_exceptions(netlink, names), []
                )
        return names


class _Attempt:
    """Calls a reader; what the kernel refuses becomes a problem and the rest goes on."""

    def __init__(self, namespace: Namespace, problems: List[Problem]) -> None:
        self._namespace = namespace
        self._problems = problems

    def __call__(self, subject: str, function: Callable[[], Part], default: Part) -> Part:
        try:
            return function()
        except (OSError, NetlinkError) as error:
            self._problems.append(Problem(subject, str(error), namespace=self._namespace.inode))
            return default


def _listeners(link_names: Dict[int, str], handshakes: bool) -> List[Listener]:
    with NetlinkSocket(NETLINK_SOCK_DIAG) as netlink:
        return read_listeners(netlink, link_names, handshakes)


def _drops(listeners: List[Listener]) -> Dict[int, int]:
    return {listener.cookie: listener.drops for listener in listeners if listener.drops is not None}


def rates(before: Sample, after: Sample) -> Dict[str, float]:
    """Counters a second. A counter that went backwards was reset; it has no rate."""
    seconds = after.taken - before.taken
    return {
        name: round((after.counters[name] - value) / seconds, 3)
        for name, value in before.counters.items()
        if seconds > 0 and after.counters.get(name, -1) >= value
    }


def drop_rate(cookie: int, before: Sample, after: Sample) -> Optional[float]:
    """Drops a second of one socket; None when it was not there at both moments."""
    seconds = after.taken - before.taken
    if seconds <= 0 or cookie not in before.drops or cookie not in after.drops:
        return None
    return round((after.drops[cookie] - before.drops[cookie]) / seconds, 3)
