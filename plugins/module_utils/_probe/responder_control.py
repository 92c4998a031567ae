# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Start and stop responders on this host."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .._facts.census import Census, take_census
from .._facts.sources import NoSuchSource, Source, choose
from .._kernel.links import read_links
from .._kernel.namespaces import discover
from .._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from .._kernel.processes import read_processes
from .._kernel.visiting import visit
from .._model.fact import Fact, Problem
from .._model.owner import Namespace
from .datagram import TOKEN_BYTES, Seal
from .responder import Responder, Station, open_stations
from .responder_core import ResponderCore
from .responder_process import end, run_detached
from .responder_record import (
    DIRECTORY,
    RUN_NAME,
    Record,
    read_running,
    remove_record,
    remove_stale,
    write_record,
)

MAX_LIFETIME = 3600
PORT_ATTEMPTS = 16
"""Ports that are tried until one is free in all namespaces."""


class NotStarted(Exception):
    """No responder runs; the message says why. problems: what stood in the way."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = list(problems)


@dataclass(frozen=True)
class Wanted:
    """A responder as it is asked for.

    port: 0 for any that is free everywhere. sources: as _facts.sources.choose takes them; none: the host.
    lifetime, idle: seconds; idle None: quiet is no reason to end. root: "/" on a real host.
    """

    run: str
    token: str
    port: int = 0
    sources: Tuple[Mapping[str, Any], ...] = ()
    lifetime: int = 120
    idle: Optional[int] = None
    root: str = "/"
    directory: str = DIRECTORY

    def validate(self) -> None:
        """Raise ValueError that names the option, the value and what is allowed; never the token."""
        if not RUN_NAME.fullmatch(self.run):
            allowed = "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit"
            raise ValueError(f"run is {self.run!r}; it takes {allowed}")
        if len(self.token.encode()) < TOKEN_BYTES:
            raise ValueError(f"token is too short; it takes {TOKEN_BYTES} bytes or more")
        if self.port != 0 and not 1024 <= self.port <= 65535:
            raise ValueError(f"port is {self.port}; it takes 1024 to 65535, or 0 for one that is free")
        if not 1 <= self.lifetime <= MAX_LIFETIME:
            raise ValueError(f"lifetime is {self.lifetime}; it takes 1 to {MAX_LIFETIME} seconds")
        if self.idle is not None and self.idle < 1:
            raise ValueError(f"idle is {self.idle}; it takes 1 second or more")


@dataclass(frozen=True)
class Running(Fact):
    """A responder that runs. expires: seconds since 1970. namespaces: inode, owner and addresses of each."""

    run: str
    pid: Optional[int]
    port: int
    expires: int
    namespaces: Tuple[Dict[str, Any], ...]
    problems: Tuple[Problem, ...]


def start(wanted: Wanted, check_only: bool = False) -> Tuple[bool, Running]:
    """Start what is wanted unless it runs; return whether something changed (would change), and what runs.

    A responder of the same run that answers elsewhere, or for another token, ends first. Raises NotStarted, OSError.
    """
    sources, problems = _choose(take_census(wanted.root), wanted.sources)
    before = next((one for one in read_running(wanted.directory) if one.run == wanted.run), None)
    if not check_only:
        remove_stale(wanted.directory)
    if before is not None and _suffices(before, wanted, sources):
        places, more = _describe(sources)
        running = Running(wanted.run, before.pid, before.port, before.expires, tuple(places), (*problems, *more))
        return False, running
    if check_only:
        places, more = _describe(sources)
        expires = int(time.time()) + wanted.lifetime
        return True, Running(wanted.run, None, wanted.port, expires, tuple(places), (*problems, *more))
    if before is not None:
        end(before)
    return True, _launch(wanted, sources, problems)


def stop(run: str, directory: str = DIRECTORY, check_only: bool = False) -> List[Record]:
    """Stop the responder of a run, "" for all that run on this host; return those that ran."""
    running = [one for one in read_running(directory) if run in ("", one.run)]
    if check_only:
        return running
    for one in running:
        end(one)
    remove_stale(directory)
    return running


def _choose(census: Census, wanted: Sequence[Mapping[str, Any]]) -> Tuple[List[Source], List[Problem]]:
    found: Dict[int, Source] = {}
    problems: List[Problem] = []
    for one in wanted or ({},):
        try:
            source = choose(census, one)
        except NoSuchSource as error:
            problems.append(Problem("source", str(error)))
        else:
            found[source.namespace.inode] = source
    if not found:
        raise NotStarted("sources: none of them is here", problems)
    return list(found.values()), problems


def _suffices(record: Record, wanted: Wanted, sources: Sequence[Source]) -> bool:
    same_place = set(record.namespaces) == {source.namespace.inode for source in sources}
    same_run = record.proof == Seal(wanted.token.encode()).proof(record.proven_text)
    return same_place and same_run and wanted.port in (0, record.port)


def _launch(wanted: Wanted, sources: Sequence[Source], problems: List[Problem]) -> Running:
    stations, refused = _open(sources, wanted.port)
    places, unread = _describe([one for one in sources if one.namespace.inode in {s.namespace for s in stations}])
    problems = [*problems, *refused, *unread]
    if not stations:
        raise NotStarted("no socket could be opened in any of the sources", problems)
    seal = Seal(wanted.token.encode())
    expires = int(time.time()) + wanted.lifetime
    record = Record(wanted.run, 1, 1, stations[0].port, expires, tuple(sorted({one.namespace for one in stations})), "")
    written: List[Record] = []

    def announce(pid: int, started: int) -> None:
        mine = replace(record, pid=pid, start_time=started)
        written.append(replace(mine, proof=seal.proof(mine.proven_text)))
        write_record(written[0], wanted.directory)

    def farewell() -> None:
        for one in written:
            remove_record(one, wanted.directory)

    serving = Responder(stations, ResponderCore(seal), Watch([one.namespace for one in sources]).is_alive)
    keep = [one.fileno() for station in stations for one in (*station.sockets, station.sender)]
    try:
        idle = None if wanted.idle is None else float(wanted.idle)
        pid = run_detached(announce, lambda: serving.serve(wanted.lifetime, idle), farewell, wanted.lifetime, keep)
    finally:
        for station in stations:
            station.close()
    if pid is None:
        raise NotStarted(f"the responder could not begin; is {wanted.directory} a directory that root can write to?")
    return Running(wanted.run, pid, record.port, expires, tuple(places), tuple(problems))


def _open(sources: Sequence[Source], port: int) -> Tuple[List[Station], List[Problem]]:
    """Open the sockets in all namespaces, with the same port; another is tried where it is taken and not given."""
    stations: List[Station] = []
    problems: List[Problem] = []
    for _attempt in range(1 if port else PORT_ATTEMPTS):
        for station in stations:
            station.close()
        opener = _Opener(port)
        results = visit([one.namespace for one in sources], opener.open)
        stations = [station for _namespace, found in results if isinstance(found, list) for station in found]
        problems = [found for _namespace, found in results if isinstance(found, Problem)]
        if port or not opener.taken:
            break
    return stations, problems


class _Opener:
    """Opens stations with one port: that of the first namespace for all others."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.taken = False

    def open(self, namespace: Namespace) -> List[Station]:
        """Called inside the namespace. Raises OSError."""
        try:
            stations = open_stations(namespace.inode, self._port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            self.taken = True
            raise OSError(error.errno, f"UDP port {self._port} is taken there; choose another, or 0") from error
        self._port = stations[0].port
        return stations


def _describe(sources: Sequence[Source]) -> Tuple[List[Dict[str, Any]], List[Problem]]:
    """Return inode, owner and addresses of each namespace: global ones of links that are up."""
    owners = {source.namespace.inode: source.owner for source in sources}
    places: List[Dict[str, Any]] = []
    problems: List[Problem] = []
    for namespace, found in visit([source.namespace for source in sources], _addresses):
        if isinstance(found, Problem):
            problems.append(found)
            found = []
        owner = owners[namespace.inode].as_fact()
        places.append({"inode": namespace.inode, "owner": owner, "addresses": found})
    return places, problems


def _addresses(_namespace: Namespace) -> List[str]:
    with NetlinkSocket(NETLINK_ROUTE) as netlink:
        links = read_links(netlink)
    return [one.address for link in links if link.up for one in link.addresses if one.scope == "global"]


class Watch:
    """Knows whether namespaces are still there for others than a process that only holds sockets in them."""

    def __init__(
        self,
        namespaces: Sequence[Namespace],
        look: Callable[[], Sequence[Namespace]] = lambda: discover(read_processes()[0])[0],
    ) -> None:
        self._known = {namespace.inode: namespace for namespace in namespaces}
        self._look = look

    def is_alive(self, inode: int) -> bool:
        """Look where it was last; only where it isn't any more, look everywhere."""
        namespace = self._known.get(inode)
        if namespace is None or any(_inode_of(path) == inode for path in _paths(namespace)):
            return namespace is not None
        try:
            found = self._look()
        except OSError:
            return True
        self._known.pop(inode)
        self._known.update({one.inode: one for one in found if one.inode == inode})
        return inode in self._known


def _paths(namespace: Namespace) -> List[str]:
    of_process = [] if namespace.pid is None else [f"/proc/{namespace.pid}/ns/net"]
    return [*of_process, *namespace.paths]


def _inode_of(path: str) -> Optional[int]:
    try:
        return os.stat(path).st_ino
    except OSError:
        return None
