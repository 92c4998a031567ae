# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Everything that one host can see of a trace: packets, counters, firewall rules, the kernel's drop reasons."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set

from .._facts.sources import Source
from .._kernel.attributes import NetlinkError
from .._kernel.counters import read_counters
from .._kernel.links import read_links
from .._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from .._kernel.visiting import visit
from .._model.fact import Problem
from .._model.link import Link
from .._model.owner import Namespace
from .._model.sighting import HostTrace, KernelDrop, WatchedLink, WatchedNamespace
from .capture import Capture
from .drop_reasons import DropTrace, near
from .firewall import changes, read_rules
from .packet_filter import TunnelPorts
from .tag import make_tag

QUIET = 0.25
"""Seconds without a packet of the trace after which none is expected any more."""
LONGEST_REST = 2.0
POLL = 0.1


@dataclass
class _Reading:
    """Counters and links of a namespace at one moment."""

    counters: Dict[str, int] = field(default_factory=dict)
    links: Dict[str, Link] = field(default_factory=dict)


class Watcher:
    """Watches from the moment it is made. Raises ValueError for a run that is none.

    host: its name for people. sources: the network namespaces to watch, with their owners.
    """

    def __init__(self, run: str, host: str, sources: Sequence[Source], ports: TunnelPorts) -> None:
        self._run = run
        self._host = host
        self._sources = {source.namespace.inode: source for source in sources}
        namespaces = [source.namespace for source in sources]
        self._began = time.monotonic()
        self.problems: List[Problem] = []
        self._capture = Capture(namespaces, make_tag(run), ports)
        self._rules, unreadable = read_rules(namespaces)
        self.problems += [*self._capture.problems, *unreadable]
        self._drops = self._open_drops()
        self._before = self._read(namespaces)

    @property
    def watched(self) -> int:
        """Number of namespaces whose packets are seen."""
        return self._capture.watched

    def watch(self, until: float, ended: Callable[[], bool]) -> None:
        """Take what comes until a moment of the monotonic clock, or until ``ended`` says so."""
        while not ended() and time.monotonic() < until:
            self._capture.wait(min(POLL, until - time.monotonic()))
            if self._drops is not None:
                self._drops.drain()

    def rest(self) -> None:
        """Take what is still under way: until nothing came for a while, but not for long."""
        deadline = time.monotonic() + LONGEST_REST
        while self._capture.wait(QUIET) and time.monotonic() < deadline:
            continue

    def finish(self, also: Iterable[int] = ()) -> HostTrace:
        """Return what was seen. also: inodes of namespaces to tell of though nothing was seen in them."""
        sightings = self._capture.sightings()
        seen = {*self._capture.inodes, *also} & set(self._sources)
        namespaces = [self._sources[inode].namespace for inode in sorted(seen)]
        after = self._read(namespaces)
        rules, unreadable = read_rules(namespaces)
        self.problems += [problem for problem in unreadable if problem not in self.problems]
        drops: List[KernelDrop] = []
        if self._drops is not None:
            self._drops.drain()
            moments = [moment for sighting in sightings for moment in sighting.moments]
            drops = near(self._drops.drops(), moments)
        links: Dict[int, Set[str]] = {}
        for sighting in sightings:
            links.setdefault(sighting.namespace, set()).add(sighting.link)
        self.close()
        return HostTrace(
            run=self._run,
            host=self._host,
            sightings=tuple(sightings),
            namespaces=tuple(self._namespace(inode, after, links.get(inode, set())) for inode in sorted(seen)),
            rules=tuple(changes({inode: self._rules.get(inode, []) for inode in seen}, rules)),
            kernel_drops=tuple(drops),
            seconds=round(time.monotonic() - self._began, 3),
            watched=len(self._sources) - len(self._capture.problems),
            missed=self._capture.missed,
            problems=tuple(self.problems),
        )

    def close(self) -> None:
        """Let go of everything."""
        self._capture.close()
        if self._drops is not None:
            self._drops.close()

    def _open_drops(self) -> Optional[DropTrace]:
        try:
            return DropTrace()
        except OSError as error:
            reason = f"{error.strerror or error}; the kernel's drop reasons need root, tracefs and no lockdown"
            self.problems.append(Problem("tracefs", reason))
            return None

    def _read(self, namespaces: Sequence[Namespace]) -> Dict[int, _Reading]:
        return {
            namespace.inode: reading
            for namespace, reading in visit(namespaces, lambda _namespace: _read_namespace())
            if isinstance(reading, _Reading)
        }

    def _namespace(self, inode: int, after: Mapping[int, _Reading], links: Iterable[str]) -> WatchedNamespace:
        before, now = self._before.get(inode, _Reading()), after.get(inode, _Reading())
        grown = {name: value - before.counters.get(name, value) for name, value in now.counters.items()}
        return WatchedNamespace(
            inode=inode,
            owner=self._sources[inode].owner,
            links=tuple(_watched_link(now.links[name], before.links.get(name)) for name in links if name in now.links),
            counters={name: value for name, value in sorted(grown.items()) if value > 0},
        )


def _read_namespace() -> _Reading:
    reading = _Reading()
    try:
        with NetlinkSocket(NETLINK_ROUTE) as netlink:
            reading.links = {link.name: link for link in read_links(netlink)}
    except NetlinkError:
        pass
    reading.counters = read_counters()
    return reading


def _watched_link(now: Link, before: Optional[Link]) -> WatchedLink:
    return WatchedLink(
        index=now.index,
        name=now.name,
        kind=now.kind,
        mtu=now.mtu,
        bridge=now.bridge,
        lower=now.lower,
        rx_dropped=now.rx_dropped - (before.rx_dropped if before is not None else now.rx_dropped),
        tx_dropped=now.tx_dropped - (before.tx_dropped if before is not None else now.tx_dropped),
    )
