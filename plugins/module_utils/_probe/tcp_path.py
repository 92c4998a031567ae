# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From targets to TcpPath: who measures what from where, and what is concluded."""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._facts.census import Census
from .._facts.sources import NoSuchSource, Source, choose
from .._kernel.visiting import visit
from .._model.fact import Problem
from .._model.owner import Namespace
from .._model.path import TcpPath, Verdict
from .._model.url import Url
from .http_post import post
from .tcp_conclusion import conclude, conclude_plain
from .tcp_measure import Aim, Bounds, measure
from .tcp_plain import measure_plainly
from .tcp_targets import FAMILY_NAMES, BadInput, Target, refuse_address
from .vantage import NoWay, Vantage, learned, open_vantage

Address = Tuple[object, ...]


@dataclass(frozen=True)
class Order:
    """What to do besides the targets. family: AF_UNSPEC for any. body_sizes: bytes, for url."""

    bounds: Bounds
    family: int = socket.AF_UNSPEC
    url: Optional[Url] = None
    body_sizes: Tuple[int, ...] = ()


@dataclass
class _Job:
    """A target on its way. path: what is known so far."""

    target: Target
    path: TcpPath
    family: int = 0
    address: Address = ()
    aim: Optional[Aim] = None


def measure_paths(
    census: Census, targets: Sequence[Target], source: Optional[Mapping[str, Any]], order: Order
) -> List[TcpPath]:
    """Measure all targets, each from its source, those of one source at once. Raises BadInput; NoSuchSource is one."""
    chosen: Dict[int, Source] = {}
    jobs: Dict[int, List[_Job]] = {}
    ordered: List[_Job] = []
    for target in targets:
        try:
            found = choose(census, target.source if target.source is not None else source)
        except NoSuchSource as error:
            raise BadInput(f"{error} (for {target.text})") from error
        chosen[found.namespace.inode] = found
        job = _Job(target, _unknown(target, found))
        jobs.setdefault(found.namespace.inode, []).append(job)
        ordered.append(job)
    for job in ordered:
        _resolve(job, order.family)
    work = [found.namespace for found in chosen.values()]

    def enter(namespace: Namespace) -> None:
        _measure_here(chosen[namespace.inode], jobs[namespace.inode], order)

    for namespace, result in visit(work, enter):
        if isinstance(result, Problem):
            for job in jobs[namespace.inode]:
                job.path = replace(job.path, verdict=Verdict.UNKNOWN, reason=result.reason)
    return [job.path for job in ordered]


def _unknown(target: Target, source: Source) -> TcpPath:
    return TcpPath(
        name=target.name,
        target=target.text,
        address=None,
        port=target.port,
        family=None,
        source=source.owner,
        namespace=source.namespace.inode,
        verdict=Verdict.UNKNOWN,
        expected_mtu=target.expected_mtu,
        about=target.about,
    )


def _resolve(job: _Job, family: int) -> None:
    """Find the address, as the host itself resolves names. A name that is loopback's is refused like the address."""
    try:
        found = socket.getaddrinfo(job.target.host, job.target.port, family, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        job.path = replace(job.path, verdict=Verdict.UNREACHABLE, reason=f"the name does not resolve: {reason}")
        return
    job.family, _kind, _protocol, _name, job.address = found[0]
    text = str(job.address[0])
    job.path = replace(job.path, address=text, family=FAMILY_NAMES.get(socket.AddressFamily(job.family)))
    try:
        refuse_address(text, ipaddress.ip_address(text.split("%", 1)[0]))
    except BadInput as error:
        job.path, job.address = replace(job.path, verdict=Verdict.UNREACHABLE, reason=str(error)), ()


def _measure_here(source: Source, jobs: Sequence[_Job], order: Order) -> None:
    """Measure from the network namespace that the thread is in."""
    vantage = open_vantage(source)
    try:
        for job in jobs:
            _aim(job, vantage)
        ready = [job for job in jobs if job.aim is not None]
        for family in (socket.AF_INET, socket.AF_INET6):
            _measure_family(family, [job for job in ready if job.family == family], order)
        if order.url is not None:
            for job in ready:
                _post_all(job, order, order.url)
        new = learned(vantage.before, vantage.exceptions())
        for job in ready:
            own = tuple(one for one in new if one.destination == job.path.address)
            job.path = replace(job.path, learned=own)
    finally:
        vantage.close()


def _aim(job: _Job, vantage: Vantage) -> None:
    """Find the link to a target, and what the kernel has learned about it before."""
    if not job.address:
        return
    try:
        way = vantage.way_to(str(job.path.address))
    except NoWay as error:
        job.path = replace(job.path, verdict=Verdict.UNREACHABLE, reason=str(error))
        return
    expected = job.target.expected_mtu
    job.aim = Aim(job.address, way.link_mtu, () if expected is None else (expected, expected + 1))
    cached = min((one.mtu for one in vantage.before if one.destination == job.path.address), default=None)
    job.path = replace(job.path, device=way.device, link_mtu=way.link_mtu, cached_mtu=cached, reason=way.caution)


def _measure_family(family: int, jobs: Sequence[_Job], order: Order) -> None:
    """By raw sockets; by the kernel's own where there is no right, or where nothing of ours came through."""
    aims = [job.aim for job in jobs if job.aim is not None]
    if not aims:
        return
    try:
        runs = measure(family, aims, order.bounds)
    except PermissionError:
        why = "without CAP_NET_RAW (become: true)"
        for job in jobs:
            _measure_plainly(job, order, why)
        return
    for job, run in zip(jobs, runs):
        job.path = conclude(job.path, run)
        if run.search is not None and not run.search.best and not run.repeats and run.rejection is None:
            opened = job.path.connections
            _measure_plainly(job, order, "no segment that left a hole was acknowledged")
            job.path = replace(job.path, connections=job.path.connections + opened)


def _measure_plainly(job: _Job, order: Order, why: str) -> None:
    if job.aim is not None:
        run = measure_plainly(job.family, job.aim, order.bounds)
        job.path = conclude_plain(job.path, run, why, job.family)


def _post_all(job: _Job, order: Order, url: Url) -> None:
    """The kernel's own connections, for once: they show what a client gets, and may teach the kernel a path MTU."""
    if job.path.verdict is Verdict.UNREACHABLE:
        return
    until = time.monotonic() + order.bounds.total * len(order.body_sizes)
    requests = []
    for size in order.body_sizes:
        if time.monotonic() > until:
            break
        requests.append(post(job.family, job.address, url, size, order.bounds.handshake))
    total = sum(request.retransmits or 0 for request in requests)
    job.path = replace(
        job.path,
        requests=tuple(requests),
        retransmits=job.path.retransmits + total,
        connections=job.path.connections + len(requests),
        traceless=False,
    )
