# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Connections that are left idle after one answer, until something ends them: for how long, and how."""

from __future__ import annotations

import select
import socket
import ssl
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Sequence, Tuple

from .._model.http_result import End, IdleConnection, KeepaliveResult
from .._model.http_target import HttpTarget
from .._model.idle_timeouts import Comparison, Seen, compare
from .http_answer import Answer
from .http_exchange import Connection, Ended, Place, Request
from .http_requests import place_of, resolve

AT_ONCE = 32
ONE_WAY = 0.010
"""Seconds by which this host may be late to notice, beyond a round trip."""
QUIETEST, OPENING = 1.0, 0.05
"""Seconds that are waited at most before looking at the clock again; and while connections are still being opened."""


@dataclass(frozen=True)
class Patience:
    """connections: to each target. Seconds: longest to watch them, timeout for one answer. family: of addresses."""

    connections: int
    longest: float
    timeout: float
    family: int = socket.AF_UNSPEC


@dataclass
class _Idle:
    """One connection. since: of the monotonic clock, when its answer was complete. found: once it is over."""

    target: HttpTarget
    place: Place
    connection: Optional[Connection] = None
    answer: Optional[Answer] = None
    since: float = 0.0
    round_trip: float = 0.0
    found: Optional[IdleConnection] = None

    def end(self, how: End, moment: float, reason: Optional[str] = None) -> None:
        """Note how it ended, and close it."""
        status = self.answer.status if self.answer is not None else None
        idle = None if how in (End.FAILED, End.NOT_KEPT) else round(max(0.0, moment - self.since), 3)
        self.found = IdleConnection(how, idle, status, reason)
        if self.connection is not None:
            self.connection.close(abort=False)


def watch_all(targets: Sequence[HttpTarget], patience: Patience, comparison: Comparison) -> List[KeepaliveResult]:
    """Open connections to all targets at once, watch them, and return one result for each target, in their order."""
    found = resolve([(one.address, one.port) for one in targets], patience.family, patience.timeout)
    by_target: List[Tuple[HttpTarget, Optional[str], List[_Idle]]] = []
    for target, (places, reason) in zip(targets, found):
        ours = [_Idle(target, place_of(target, places[0])) for _one in range(patience.connections)] if places else []
        by_target.append((target, reason, ours))
    everything = [one for _target, _reason, ours in by_target for one in ours]
    try:
        _Watch(patience).go(everything)
    finally:
        for one in everything:
            if one.connection is not None:
                one.connection.close(abort=False)
    return [_result(target, reason, ours, comparison) for target, reason, ours in by_target]


def _open(idle: _Idle, timeout: float) -> None:
    """Connect, send one request, and read its whole answer."""
    started = time.monotonic()
    try:
        idle.connection = Connection(idle.place, started + timeout)
        idle.answer = idle.connection.ask(_request(idle.target), started + timeout)
    except Ended as error:
        reason = error.outcome.value + (f": {error.reason}" if error.reason else "")
        idle.end(End.FAILED, time.monotonic(), reason)
        return
    idle.since = time.monotonic()
    info = idle.connection.info()
    idle.round_trip = info.round_trip_ms / 1000 if info is not None else 0.0
    if not idle.answer.kept_alive:
        idle.end(End.NOT_KEPT, idle.since)


def _request(target: HttpTarget) -> Request:
    return Request(target.method, target.parts.path, target.host, keep=True)


class _Watch:
    """Opens connections and watches each of them from its own answer on, whatever the others are waiting for.

    Threads open connections and ask again at their end, AT_ONCE of them; this one watches all that are idle. Only it
    takes connections out of _idle, before they are closed: their descriptors are given to others then.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._poller = select.epoll()
        self._idle: Dict[int, _Idle] = {}

    def go(self, everything: Sequence[_Idle]) -> None:
        """Return when each connection has ended, or has been idle for so long and was asked again."""
        with self._poller, ThreadPoolExecutor(AT_ONCE) as pool:
            opening = [pool.submit(self._begin, one) for one in everything]
            asking: List[Future[None]] = []
            while not self._is_over(opening):
                for one in self._overdue():
                    asking.append(pool.submit(_ask_again, one, self._patience.timeout))
                self._wait(QUIETEST if all(one.done() for one in opening) else OPENING)
            for future in asking:
                future.result()

    def _begin(self, one: _Idle) -> None:
        _open(one, self._patience.timeout)
        if one.found is None and one.connection is not None:
            one.connection.stream.setblocking(False)
            # What TLS has read already is not announced by the kernel any more.
            _look(one, time.monotonic())
        if one.found is None:
            self._add(one)

    def _add(self, one: _Idle) -> None:
        if one.connection is not None:
            descriptor = one.connection.stream.fileno()
            self._idle[descriptor] = one
            self._poller.register(descriptor, select.EPOLLIN | select.EPOLLRDHUP)

    def _take(self, descriptor: int) -> _Idle:
        self._poller.unregister(descriptor)
        return self._idle.pop(descriptor)

    def _is_over(self, opening: Sequence[Future[None]]) -> bool:
        """Whether nothing is left to watch. Raises what opening has raised."""
        if not all(one.done() for one in opening):
            return False
        for future in opening:
            future.result()
        return not self._idle

    def _overdue(self) -> List[_Idle]:
        """Take out those that have been idle for so long."""
        since = time.monotonic() - self._patience.longest
        return [self._take(descriptor) for descriptor, one in list(self._idle.items()) if one.since <= since]

    def _wait(self, seconds: float) -> None:
        """Look at those at which something happens meanwhile."""
        earliest = min((one.since for one in list(self._idle.values())), default=time.monotonic())
        left = earliest + self._patience.longest - time.monotonic()
        for descriptor, _events in self._poller.poll(max(0.001, min(seconds, left))):
            moment = time.monotonic()
            one = self._take(descriptor)
            _look(one, moment)
            if one.found is None:
                self._add(one)


def _look(idle: _Idle, moment: float) -> None:
    """Read what came on an idle connection: nothing that is an answer, but TLS has messages of its own."""
    stream = idle.connection.stream if idle.connection is not None else None
    if stream is None:
        return
    try:
        content = stream.recv(4096)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return
    except ConnectionResetError:
        idle.end(End.RESET, moment)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        idle.end(End.FIN, moment)
    except OSError as error:
        idle.end(End.RESET, moment, error.strerror)
    else:
        # Some servers say why they close: 408 Request Timeout, RFC 9110 section 15.5.9.
        if not content or content.startswith(b"HTTP/"):
            idle.end(End.FIN, moment, None if not content else content[:64].split(b"\r\n")[0].decode("latin-1"))


def _ask_again(idle: _Idle, timeout: float) -> None:
    """Send a second request on a connection that looks open."""
    moment = time.monotonic()
    if idle.connection is None:
        return
    try:
        idle.connection.ask(_request(idle.target), moment + timeout)
    except Ended as error:
        idle.end(End.SILENT, moment, f"the request that was sent then: {error.outcome.value}")
    else:
        idle.end(End.OPEN, moment)


def _result(
    target: HttpTarget, reason: Optional[str], ours: Sequence[_Idle], comparison: Comparison
) -> KeepaliveResult:
    found = [one.found for one in ours if one.found is not None]
    usable = [one for one in found if one.ended is not End.FAILED]
    answers = [one.answer for one in ours if one.answer is not None]
    failures = [one.reason for one in found if one.ended is End.FAILED]
    result = KeepaliveResult(
        name=target.name,
        url=target.url,
        method=target.method,
        host=target.host,
        node=target.node,
        address=str(ours[0].place.address[0]) if ours else None,
        port=target.port,
        ended=End.FAILED,
        reason=reason or next(iter(failures), None),
        load_balancer=comparison.name,
        idle_seconds=comparison.idle_seconds,
        connections=tuple(found),
    )
    if not usable:
        return _compared(result, comparison)
    first = min(usable, key=_soonest)
    closed = first.ended in (End.FIN, End.RESET)
    watched = [one.idle_seconds for one in usable if one.idle_seconds is not None]
    result = replace(
        result,
        ended=first.ended,
        kept_seconds=first.idle_seconds if closed else None,
        at_least_seconds=min(watched, default=None),
        resolution_seconds=round(max(one.round_trip for one in ours) + ONE_WAY, 3),
        announced_timeout=next((answer.announced("timeout") for answer in answers), None),
        announced_requests=next((answer.announced("max") for answer in answers), None),
        server=next((answer.headers.get("server") for answer in answers), None),
        reason=first.reason,
    )
    return _compared(result, comparison)


RANKS = {End.FIN: 0, End.RESET: 0, End.SILENT: 1, End.OPEN: 2, End.NOT_KEPT: 3}


def _soonest(one: IdleConnection) -> Tuple[int, float]:
    return RANKS[one.ended], one.idle_seconds or 0.0


def _compared(result: KeepaliveResult, comparison: Comparison) -> KeepaliveResult:
    seen = Seen(result.ended, result.kept_seconds, result.at_least_seconds, result.announced_timeout)
    verdict, why = compare(seen, comparison)
    return replace(result, verdict=None if verdict is None else verdict.value, reason=result.reason or why)
