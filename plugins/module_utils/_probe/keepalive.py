# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Connections that are left idle after one answer, until something ends them: for how long, and how."""

from __future__ import annotations

import select
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from .._model.http_result import End, IdleConnection, KeepaliveResult
from .._model.http_target import HttpTarget
from .._model.idle_timeouts import Comparison, Seen, compare
from .http_answer import Answer
from .http_exchange import Connection, Ended, Place, Request
from .http_requests import place_of, resolve

AT_ONCE = 32
ONE_WAY = 0.010
"""Seconds by which this host may be late to notice, beyond a round trip."""
QUIETEST = 1.0
"""Seconds that are waited at most before looking at the clock again."""


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
        _each(everything, lambda one: _open(one, patience.timeout))
        _watch([one for one in everything if one.found is None], patience.longest)
        _each([one for one in everything if one.found is None], lambda one: _ask_again(one, patience.timeout))
    finally:
        for one in everything:
            if one.connection is not None:
                one.connection.close(abort=False)
    return [_result(target, reason, ours, comparison) for target, reason, ours in by_target]


def _each(idle: Sequence[_Idle], act: Callable[[_Idle], None]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for future in [pool.submit(act, one) for one in idle]:
            future.result()


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


def _watch(waiting: Sequence[_Idle], longest: float) -> None:
    """Wait until each connection has ended, or has been idle for so long."""
    poller = select.poll()
    by_descriptor: Dict[int, _Idle] = {}
    for one in waiting:
        if one.connection is not None:
            one.connection.stream.setblocking(False)
            descriptor = one.connection.stream.fileno()
            by_descriptor[descriptor] = one
            poller.register(descriptor, select.POLLIN | select.POLLRDHUP)
            # What TLS has read already is not announced by the kernel any more.
            _look(one, time.monotonic())
    over = max((one.since for one in waiting), default=0.0) + longest
    while time.monotonic() < over:
        for descriptor in [key for key, one in by_descriptor.items() if one.found is not None]:
            _forget(poller, descriptor)
            del by_descriptor[descriptor]
        if not by_descriptor:
            return
        ready = poller.poll(max(1, min(QUIETEST, over - time.monotonic()) * 1000))
        moment = time.monotonic()
        for descriptor, _events in ready:
            _look(by_descriptor[descriptor], moment)


def _forget(poller: select.poll, descriptor: int) -> None:
    try:
        poller.unregister(descriptor)
    except (KeyError, ValueError, OSError):
        return


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
