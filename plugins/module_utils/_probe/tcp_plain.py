# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The same measurement with nothing but the kernel's own sockets: without the right to raw ones.

One segment for each connection, with IP_MTU_DISCOVER=DO and TCP_NODELAY. It arrived when all is acknowledged, nothing
was sent twice and the path MTU was not cut. Sizes above what the far end's MSS allows cannot be sent, nor those above a
path MTU that the kernel has learned; and what an ICMP message says, the kernel learns.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Dict, List, Optional

from .tcp_connection import NO_ANSWER, REFUSALS
from .tcp_info import STATE_ESTABLISHED, TcpInfo, read_tcp_info, unacknowledged_bytes
from .tcp_measure import FLOOR, HEADERS, Aim, Bounds
from .tcp_search import SizeSearch

IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, DO = 10, 23, 2
REQUEST = b"GET / HTTP/1.1\r\nHost: netfit\r\nX-Padding: "
"""The beginning of a request that never ends: no server answers it or does anything for it."""
WAIT = 0.3
"""Seconds, besides three round trips: an acknowledgement may be delayed by 200 ms (RFC 9293, 3.8.6.3: 500)."""
STEP = 0.002


@dataclass
class PlainRun:
    """What became of a target; as tcp_measure.Run, as far as kernel sockets can tell.

    info: of the first connection, before it sent anything. offered: bytes of the largest packet that could be sent.
    retransmits: of all connections. cached: a path MTU that the kernel took instead of the link's.
    """

    search: Optional[SizeSearch] = None
    info: Optional[TcpInfo] = None
    offered: int = 0
    cached: Optional[int] = None
    reason: Optional[str] = None
    retransmits: int = 0
    connections: int = 0
    packets: int = 0
    octets: int = 0
    round_trips: Dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class _Attempt:
    connection: socket.socket
    size: int
    info: Optional[TcpInfo] = None
    sent: float = 0.0
    outcome: Optional[str] = None


def measure_plainly(family: int, aim: Aim, bounds: Bounds) -> PlainRun:
    """Measure one target."""
    run = PlainRun()
    deadline = time.monotonic() + bounds.total
    first = _connect(family, aim, [0], bounds.handshake, run)
    try:
        run.info = first[0].info if first else None
    finally:
        _close(first)
    if run.info is None:
        return run
    run.offered = min(aim.link_mtu, run.info.send_mss + run.info.option_bytes + HEADERS[family])
    if run.info.path_mtu < aim.link_mtu:
        run.cached = run.info.path_mtu
    smallest = HEADERS[family] + run.info.option_bytes + len(REQUEST)
    floor = max(smallest, min(FLOOR[family], run.offered))
    run.search = SizeSearch(floor, run.offered, aim.sizes, bounds.packets)
    begun = time.monotonic()
    while time.monotonic() < deadline and run.search.end is None:
        sizes = run.search.next_round()
        if not sizes:
            break
        for place in range(0, len(sizes), bounds.connections):
            left = min(bounds.handshake, deadline - time.monotonic())
            if left > 0:
                _try_all(family, aim, sizes[place : place + bounds.connections], left, run)
    run.seconds = time.monotonic() - begun
    if run.search.end is None:
        run.reason = f"not decided within {bounds.total:g} seconds"
    return run


def _try_all(family: int, aim: Aim, sizes: List[int], timeout: float, run: PlainRun) -> None:
    """Send one segment of each size on a connection of its own, and note what came of it."""
    attempts = _connect(family, aim, sizes, timeout, run)
    try:
        for attempt in attempts:
            _send(family, attempt, run)
        slowest = max((one.info.round_trip_ms for one in attempts if one.info), default=0.0) / 1000
        end = time.monotonic() + WAIT + 3 * slowest
        while time.monotonic() < end and any(one.outcome is None for one in attempts):
            for attempt in attempts:
                _look(attempt, run)
            time.sleep(STEP)
        for attempt in attempts:
            run.retransmits += _retransmits(attempt)
    finally:
        _close(attempts)


def _connect(family: int, aim: Aim, sizes: List[int], timeout: float, run: PlainRun) -> List[_Attempt]:
    """Return the connections that could be made; the reason of those that could not is noted."""
    begun = [_Attempt(_open(family), size) for size in sizes]
    for attempt in begun:
        attempt.connection.connect_ex(aim.address)
    run.connections += len(begun)
    waiting = select.poll()
    for attempt in begun:
        waiting.register(attempt.connection, select.POLLOUT)
    end = time.monotonic() + timeout
    left = {attempt.connection.fileno(): attempt for attempt in begun}
    while left and time.monotonic() < end:
        for descriptor, _events in waiting.poll(max(1, int((end - time.monotonic()) * 1000))):
            waiting.unregister(descriptor)
            _established(left.pop(descriptor), run)
    for _attempt in left:
        run.reason = NO_ANSWER
    made = [attempt for attempt in begun if attempt.info is not None]
    _close([attempt for attempt in begun if attempt.info is None])
    return made


def _established(attempt: _Attempt, run: PlainRun) -> None:
    number = attempt.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    info = read_tcp_info(attempt.connection)
    if number or info.state != STATE_ESTABLISHED:
        run.reason = REFUSALS.get(number, f"cannot connect (error {number})")
        return
    attempt.info = info
    run.packets += 3


def _open(family: int) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    level = (
        (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER) if family == socket.AF_INET6 else (socket.IPPROTO_IP, IP_MTU_DISCOVER)
    )
    connection.setsockopt(*level, DO)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
    return connection


def _send(family: int, attempt: _Attempt, run: PlainRun) -> None:
    info = attempt.info
    if info is None:
        return
    payload = attempt.size - HEADERS[family] - info.option_bytes
    attempt.sent = time.monotonic()
    if payload > info.send_mss:
        # A limit that was learned on a connection before this one: the kernel would make two segments of it.
        attempt.outcome = "cut"
        if run.search is not None:
            run.search.report(attempt.size, info.path_mtu, None)
        return
    try:
        attempt.connection.send(REQUEST.ljust(payload, b"x")[:payload])
    except OSError:
        attempt.outcome = "failed"
        return
    run.packets += 1
    run.octets += attempt.size


def _look(attempt: _Attempt, run: PlainRun) -> None:
    if attempt.outcome is not None or attempt.info is None or run.search is None:
        return
    try:
        now, left = read_tcp_info(attempt.connection), unacknowledged_bytes(attempt.connection)
    except OSError:
        attempt.outcome = "failed"
        return
    if now.path_mtu and now.path_mtu < attempt.info.path_mtu:
        attempt.outcome = "cut"
        run.search.report(attempt.size, now.path_mtu, None)
    elif now.retransmits > attempt.info.retransmits:
        attempt.outcome = "lost"
    elif left == 0 and now.state == STATE_ESTABLISHED:
        attempt.outcome = "arrived"
        took = time.monotonic() - attempt.sent
        run.round_trips[attempt.size] = min(took, run.round_trips.get(attempt.size, took))
        run.search.arrive(attempt.size, run.search.rounds)


def _retransmits(attempt: _Attempt) -> int:
    try:
        return read_tcp_info(attempt.connection).retransmits
    except OSError:
        return 0


def _close(attempts: List[_Attempt]) -> None:
    for attempt in attempts:
        attempt.connection.close()
