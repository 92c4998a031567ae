# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Many HTTP requests to the targets that were named, bounded in number and time, and what is counted of them."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from .._model.failure_rates import percentile, wilson_interval
from .._model.http_result import HttpResult, Latency, Outcome, SizeOutcome
from .._model.http_target import HttpTarget, sizes_for
from .http_exchange import Exchange, Place, Request, exchange

GOOD_BELOW = 500
"""An answer with a smaller status got through, whatever the program thinks of the request."""
TIME_IS_UP = "the total time was over first"


@dataclass(frozen=True)
class Order:
    """What to send. sizes: bytes of bodies. requests: of each size to each target. Seconds: timeout for one request,
    total for all of them, interval between the starts of two. parallel: at once. expected: statuses that count as good;
    none: all below 500. family: of addresses, AF_UNSPEC for any.
    """

    sizes: Tuple[int, ...]
    requests: int
    timeout: float
    total: float
    interval: float = 0.0
    parallel: int = 4
    expected: Tuple[int, ...] = ()
    family: int = socket.AF_UNSPEC


@dataclass
class _Task:
    """A target on its way. done: by size."""

    target: HttpTarget
    sizes: Tuple[int, ...]
    place: Optional[Place] = None
    addresses: Tuple[str, ...] = ()
    reason: Optional[str] = None
    done: Dict[int, List[Exchange]] = field(default_factory=dict)


class _Pace:
    """Lets requests begin no faster than the interval, and none after the end. deadline: of the monotonic clock."""

    def __init__(self, interval: float, deadline: float) -> None:
        self._interval = interval
        self._deadline = deadline
        self._lock = threading.Lock()
        self._next = time.monotonic()

    def wait(self) -> bool:
        """Wait for the turn; return False when the time is over."""
        with self._lock:
            begin = max(self._next, time.monotonic())
            self._next = begin + self._interval
        if begin >= self._deadline:
            return False
        time.sleep(max(0.0, begin - time.monotonic()))
        return True


def send_all(targets: Sequence[HttpTarget], order: Order) -> List[HttpResult]:
    """Send what is ordered; return one result for each target, in their order.

    Targets and sizes take turns, so that what changes meanwhile meets all of them alike.
    """
    deadline = time.monotonic() + order.total
    tasks = [_Task(target, sizes_for(target, order.sizes)) for target in targets]
    found = resolve(
        [(target.address, target.port) for target in targets], order.family, min(order.total, order.timeout)
    )
    for task, (places, reason) in zip(tasks, found):
        task.reason = reason
        if places:
            task.place = place_of(task.target, places[0])
            task.addresses = tuple(dict.fromkeys(str(address[0]) for _family, address in places))
    _work(tasks, order, deadline)
    return [_result(task, order) for task in tasks]


def place_of(target: HttpTarget, resolved: Tuple[int, Tuple[object, ...]]) -> Place:
    """Return where a target is."""
    family, address = resolved
    return Place(family, address, target.server_name if target.parts.secure else None, target.verify)


Resolved = Tuple[List[Tuple[int, Tuple[object, ...]]], Optional[str]]


def resolve(names: Sequence[Tuple[str, int]], family: int, seconds: float) -> List[Resolved]:
    """Return for each name and port its addresses, or why there are none; a resolver that hangs is not waited for."""
    results: List[Resolved] = [([], "the name was not resolved in time") for _name in names]

    def look_up(position: int) -> None:
        name, port = names[position]
        try:
            found = socket.getaddrinfo(name, port, family, socket.SOCK_STREAM)
            results[position] = [(entry[0], entry[4]) for entry in found], None
        except (OSError, UnicodeError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            results[position] = [], f"the name does not resolve: {said}"

    threads = [threading.Thread(target=look_up, args=(position,), daemon=True) for position in range(len(names))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(results)


def _turns(tasks: Sequence[_Task], requests: int) -> Iterator[Tuple[_Task, int]]:
    for _round in range(requests):
        for size in sorted({size for task in tasks for size in task.sizes}):
            yield from ((task, size) for task in tasks if size in task.sizes and task.place is not None)


def _work(tasks: Sequence[_Task], order: Order, deadline: float) -> None:
    """Begin no request that the end of all would cut short: those that are quick would be counted, and others not."""
    timeout = min(order.timeout, order.total / 2)
    turns, lock, pace = _turns(tasks, order.requests), threading.Lock(), _Pace(order.interval, deadline - timeout)

    def work() -> None:
        while True:
            with lock:
                turn = next(turns, None)
            if turn is None or not pace.wait():
                return
            task, size = turn
            done = _send(task, size, timeout)
            with lock:
                task.done.setdefault(size, []).append(done)

    with ThreadPoolExecutor(order.parallel) as pool:
        for future in [pool.submit(work) for _worker in range(order.parallel)]:
            future.result()


def _send(task: _Task, size: int, timeout: float) -> Exchange:
    target, place = task.target, task.place
    if place is None:
        raise ValueError("a target without an address gets no requests")
    return exchange(place, Request(target.method, target.parts.path, target.host, size), timeout)


def _result(task: _Task, order: Order) -> HttpResult:
    target = task.target
    sizes = tuple(_count(size, task.done.get(size, ()), order.expected) for size in task.sizes)
    planned, sent = len(task.sizes) * order.requests, sum(size.sent for size in sizes)
    return HttpResult(
        name=target.name,
        url=target.url,
        method=target.method,
        host=target.host,
        node=target.node,
        address=task.addresses[0] if task.addresses else None,
        port=target.port,
        addresses=task.addresses,
        planned=planned,
        sent=sent,
        failed=sum(size.failed for size in sizes),
        complete=sent == planned,
        reason=task.reason or (TIME_IS_UP if sent < planned else None),
        sizes=sizes,
    )


def _is_good(done: Exchange, expected: Sequence[int]) -> bool:
    if done.outcome is not Outcome.ANSWERED or done.status is None:
        return False
    return done.status in expected if expected else done.status < GOOD_BELOW


def _count(size: int, exchanges: Sequence[Exchange], expected: Sequence[int]) -> SizeOutcome:
    failed = sum(1 for one in exchanges if not _is_good(one, expected))
    interval = wilson_interval(failed, len(exchanges))
    infos = [one.info for one in exchanges if one.info is not None]
    answered = sorted(one.seconds * 1000 for one in exchanges if one.outcome is Outcome.ANSWERED)
    return SizeOutcome(
        body_bytes=size,
        sent=len(exchanges),
        failed=failed,
        failure_rate=round(failed / len(exchanges), 6) if exchanges else None,
        interval=None if interval is None else (round(interval[0], 6), round(interval[1], 6)),
        outcomes=dict(sorted(Counter(one.outcome.value for one in exchanges).items())),
        statuses=dict(sorted(Counter(str(one.status) for one in exchanges if one.status is not None).items())),
        latency=_latency(answered) if answered else None,
        retransmits=sum(info.retransmits for info in infos),
        kernel_path_mtu=min((info.path_mtu for info in infos if info.path_mtu), default=None),
        send_mss=min((info.send_mss for info in infos if info.send_mss), default=None),
    )


def _latency(ordered: Sequence[float]) -> Latency:
    median, p90, p99 = (round(percentile(ordered, percent), 3) for percent in (50, 90, 99))
    return Latency(median, p90, p99, round(ordered[-1], 3))
