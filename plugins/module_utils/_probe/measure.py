# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From options to measurements: the one entrance to this room."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union

from .._facts.census import Census, take_census
from .._facts.sources import NoSuchSource, Source, choose
from .._kernel.attributes import NetlinkError
from .._kernel.visiting import visit
from .._model.fact import Fact, Problem
from .._model.owner import Namespace
from .._model.path import Method, PathMeasurement, Verdict
from .._model.route import PathMtuException
from .job import Job, result_of
from .ledger import Task
from .loop import Bounds, Loop, Track
from .methods import MAKERS, Needs, check_responder, methods_for
from .search import Search
from .targets import Defaults, RawTarget, parse_targets, resolve
from .transport import Target, Transport
from .vantage import NoWay, Vantage, open_vantage

Known = TypeVar("Known")


@dataclass(frozen=True)
class MeasureOptions:
    """What to measure. Bad ones make measure() raise BadOption before anything is sent.

    targets: names, literals, or dictionaries (see targets.KEYS). family: for names. token: of the responders.
    root: "/" on a real host.
    """

    targets: Sequence[RawTarget]
    defaults: Defaults = field(default_factory=Defaults)
    family: str = "auto"
    token: Optional[str] = None
    bounds: Bounds = field(default_factory=Bounds)
    root: str = "/"


@dataclass(frozen=True)
class Measurements(Fact):
    """What a run found: the paths in the order of the targets. summary: how many have each verdict."""

    paths: Tuple[PathMeasurement, ...]
    summary: Dict[str, int]
    packets_sent: int
    bytes_sent: int
    seconds: float
    problems: Tuple[Problem, ...]


def measure(options: MeasureOptions) -> Measurements:
    """Measure all targets at once and return what was found.

    Whatever concerns a single target is told in its result. Raises BadOption.
    """
    began = time.monotonic()
    jobs = [Job(wanted) for wanted in parse_targets(options.targets, options.defaults)]
    for index, job in enumerate(jobs):
        check_responder(f"targets[{index}]", job.wanted, options.token)
    census = take_census(options.root)
    problems = list(census.problems)
    _choose_sources(jobs, census)
    _resolve(jobs, options.family)
    vantages = _open(jobs, options)
    try:
        loop = _run(jobs, options)
        after = {inode: _exceptions_after(vantage, problems) for inode, vantage in vantages.items()}
    finally:
        for vantage in vantages.values():
            vantage.close()
    paths = tuple(result_of(job, after) for job in jobs)
    summary = Counter(path.verdict.value for path in paths)
    return Measurements(
        paths=paths,
        summary={verdict.value: summary.get(verdict.value, 0) for verdict in Verdict},
        packets_sent=loop.packets,
        bytes_sent=loop.octets,
        seconds=round(time.monotonic() - began, 6),
        problems=tuple(problems),
    )


def _choose_sources(jobs: Sequence[Job], census: Census) -> None:
    chosen: Dict[Tuple[Tuple[str, str], ...], Union[Source, NoSuchSource]] = {}
    for job in jobs:
        key = job.wanted.source
        if key not in chosen:
            try:
                chosen[key] = choose(census, dict(key))
            except NoSuchSource as error:
                chosen[key] = error
        found = chosen[key]
        if isinstance(found, Source):
            job.source = found
        else:
            job.refusal = str(found)


def _resolve(jobs: Sequence[Job], family: str) -> None:
    names = sorted({job.wanted.address for job in jobs if not job.wanted.literal and job.refusal is None})
    addresses = resolve(names, family)
    for job in jobs:
        found = addresses.get(job.wanted.address, job.wanted.address)
        if isinstance(found, OSError):
            job.refusal = job.refusal or f"the name {job.wanted.address} does not resolve: {found.strerror or found}"
        elif job.refusal is None:
            job.address = found


def _open(jobs: Sequence[Job], options: MeasureOptions) -> Dict[int, Vantage]:
    """Enter each namespace once and open there what its jobs need."""
    by_inode: Dict[int, List[Tuple[int, Job]]] = {}
    namespaces: Dict[int, Namespace] = {}
    for index, job in enumerate(jobs):
        if job.source is not None and job.refusal is None:
            inode = job.source.namespace.inode
            namespaces[inode] = job.source.namespace
            by_inode.setdefault(inode, []).append((index, job))

    def work(namespace: Namespace) -> Vantage:
        own = by_inode[namespace.inode]
        vantage = open_vantage(_known(own[0][1].source))
        try:
            _prepare(vantage, own, Needs(options.token))
        except BaseException:
            vantage.close()
            raise
        return vantage

    vantages: Dict[int, Vantage] = {}
    for namespace, found in visit(list(namespaces.values()), work):
        if isinstance(found, Problem):
            for _index, job in by_inode[namespace.inode]:
                job.refusal = f"its network namespace cannot be entered: {found.reason}"
        else:
            vantages[namespace.inode] = found
    return vantages


def _prepare(vantage: Vantage, own: Sequence[Tuple[int, Job]], needs: Needs) -> None:
    """Look up the routes of one namespace's jobs and open their transports."""
    wanted: Dict[Tuple[Method, str], Dict[int, Job]] = {}
    for index, job in own:
        job.vantage = vantage
        try:
            job.way = vantage.way_to(_known(job.address))
        except NoWay as error:
            job.refusal = str(error)
            continue
        for method in methods_for(job.wanted, needs.token):
            wanted.setdefault((method, _known(job.family)), {})[index] = job
    for (method, family), jobs in wanted.items():
        transport = _open_transport(method, family, jobs, needs)
        if isinstance(transport, str):
            for job in jobs.values():
                job.unavailable[method] = transport
            continue
        vantage.transports.append(transport)
        for job in jobs.values():
            job.transports[method] = transport


def _open_transport(method: Method, family: str, jobs: Mapping[int, Job], needs: Needs) -> Union[Transport, str]:
    """Return a transport, or in words why there is none."""
    maker = MAKERS.get((method, family))
    if maker is None:
        return f"method {method.value} is not there for {family}"
    targets = {index: _target(job, method) for index, job in jobs.items()}
    try:
        return maker(targets, needs)
    except PermissionError:
        return f"method {method.value} needs the right to open raw sockets (CAP_NET_RAW): run as root (become: true)"
    except OSError as error:
        return f"method {method.value} cannot be used here: {error.strerror or error}"


def _target(job: Job, method: Method) -> Target:
    port = {Method.UDP: job.wanted.responder_port, Method.TCP: job.wanted.port}.get(method)
    return Target(_known(job.address), _known(job.way).link_mtu, port)


def _known(value: Optional[Known]) -> Known:
    """Return what an earlier step has found out. Raises LookupError where it has not, which is a fault of ours."""
    if value is None:
        raise LookupError("a step of the measurement is missing")
    return value


def _run(jobs: Sequence[Job], options: MeasureOptions) -> Used:
    """Measure by the first method of each job; those that nobody answers by the next one, and so on."""
    chance = random.Random()
    used = Used()
    pending = {index: list(job.transports.items()) for index, job in enumerate(jobs) if job.transports}
    while pending:
        tracks = {}
        for index, ways in pending.items():
            method, transport = ways.pop(0)
            jobs[index].method = method
            tracks[index] = jobs[index].track = _track(index, jobs[index], transport, chance)
        bounds = used.rest_of(options.bounds)
        loop = Loop(tracks, bounds, chance)
        loop.run()
        used = used.plus(loop)
        pending = {index: ways for index, ways in pending.items() if ways and not tracks[index].search.answered}
    return used


@dataclass(frozen=True)
class Used:
    """What a run has used of its bounds."""

    packets: int = 0
    octets: int = 0
    seconds: float = 0.0

    def plus(self, loop: Loop) -> Used:
        """Return the sum with what one loop used."""
        return Used(self.packets + loop.packets, self.octets + loop.octets, self.seconds + loop.seconds)

    def rest_of(self, bounds: Bounds) -> Bounds:
        """Return what is left of the bounds of the run."""
        return replace(
            bounds,
            packets=max(0, bounds.packets - self.packets),
            octets=max(0, bounds.octets - self.octets),
            seconds=max(0.0, bounds.seconds - self.seconds),
        )


def _track(index: int, job: Job, transport: Transport, chance: random.Random) -> Track:
    apart = job.family == "ipv6" and job.method is Method.ICMP
    task = Task(
        index,
        _known(job.family),
        _known(job.way).link_mtu,
        tuple(transport.ways),
        job.wanted.expected_mtu,
        transport.hears_too_big,
        apart,
    )
    return Track(Search(task, chance), transport)


def _exceptions_after(vantage: Vantage, problems: List[Problem]) -> List[PathMtuException]:
    try:
        return vantage.exceptions()
    except (OSError, NetlinkError) as error:
        problems.append(Problem("learned path MTUs", str(error), None, vantage.source.namespace.inode))
        return vantage.before
