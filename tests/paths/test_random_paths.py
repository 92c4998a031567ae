# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths by chance, measured by every method: what is said is true, or it is not said; and nothing is left behind.

NETFIT_PATHS_SEED=word repeats a run, NETFIT_PATHS_ONLY=7,8 only some of its paths, NETFIT_PATHS=100 makes it shorter.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Set, Tuple

import pytest
from far_ends import PORT, TOKEN, answering
from judge import EXACT, UNKNOWN, judge, unknowable
from network_lab import Lab, in_namespace, run
from path_lab import Row, address
from plan import TARGET, Plan
from random_plans import random_plan

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Method, PathMeasurement
from ansible_collections.netfit.cluster.plugins.module_utils._probe.loop import Bounds
from ansible_collections.netfit.cluster.plugins.module_utils._probe.measure import MeasureOptions, measure

PATHS = int(os.environ.get("NETFIT_PATHS", "504"))
SEED = os.environ.get("NETFIT_PATHS_SEED") or ("netfit" if os.environ.get("CI") else str(random.randrange(10**6)))
ONLY = [int(number) for number in os.environ.get("NETFIT_PATHS_ONLY", "").split(",") if number]
ROWS_OF_A_FAMILY = 6
TURNS = ((Method.UDP,), (Method.ICMP, Method.TCP))
"""What is measured at once: UDP alone, because it must not teach the target anything, which answers to ICMP may."""
BOUNDS = Bounds(seconds=8.0)
FEW_PER_MILLE = 50
"""Loss that must not keep a measurement from being exact."""
SOCKET_TABLES = ("tcp", "udp", "raw", "icmp", "tcp6", "udp6", "raw6", "icmp6")
"""Of packet sockets there is none in the prober, and others on this machine may be watching."""


@dataclass(frozen=True)
class Case:
    """A plan of the run. number: with the seed it gives the plan again."""

    number: int
    plan: Plan

    def __str__(self) -> str:
        return f"NETFIT_PATHS_SEED={SEED} NETFIT_PATHS_ONLY={self.number} ({self.plan.kind})"


@dataclass
class Tally:
    """What came of all measurements."""

    outcomes: Dict[Tuple[str, str, str], Counter[str]] = field(default_factory=dict)
    wrong: List[str] = field(default_factory=list)
    inexact: List[str] = field(default_factory=list)
    left: List[str] = field(default_factory=list)
    with_loss: Counter[str] = field(default_factory=Counter)
    """Of ICMP and UDP. TCP is left out: a lost SYN takes the kernel a second, and its time is up before it is sure."""
    packets: Dict[str, List[int]] = field(default_factory=dict)
    milliseconds: Dict[str, List[float]] = field(default_factory=dict)
    slowest: Dict[str, Tuple[float, str]] = field(default_factory=dict)

    def note(self, case: Case, method: Method, measured: PathMeasurement) -> None:
        """Judge both directions of a measurement."""
        plan = case.plan
        loss = max(plan.loss_forward, plan.loss_back)
        self.packets.setdefault(method.value, []).append(measured.packets_sent)
        self.milliseconds.setdefault(method.value, []).append(measured.seconds * 1000)
        self.slowest[method.value] = max((measured.seconds, str(case)), self.slowest.get(method.value, (0.0, "")))
        for forward in (True, False) if method is not Method.TCP else (True,):
            way = "forward" if forward else "back"
            outcome = judge(plan, method, measured, forward)
            found = measured.forward if forward else measured.back
            grade = outcome if outcome in (EXACT, UNKNOWN) else "WRONG"
            self.outcomes.setdefault((plan.kind, method.value, way), Counter())[grade] += 1
            line = f"{method.value} {way}: {outcome}: {found.reason} [{found.at_least}, {found.at_most}] {case}"
            if grade == "WRONG":
                self.wrong.append(line)
            reason = unknowable(plan, method, forward)
            if reason is None and loss == 0 and grade == UNKNOWN:
                self.inexact.append(line)
            if reason is None and 0 < loss <= FEW_PER_MILLE and method is not Method.TCP:
                self.with_loss[grade] += 1


class World:
    """The rows, and the paths that they become, as many at once as there are rows."""

    def __init__(self, lab: Lab) -> None:
        self.rows = {
            family: [Row(lab, f"v{family}{letter}-", family) for letter in "abcdefgh"[:ROWS_OF_A_FAMILY]]
            for family in (4, 6)
        }

    @property
    def all(self) -> List[Row]:
        """Every row."""
        return [row for rows in self.rows.values() for row in rows]

    def batches(self, cases: List[Case]) -> Iterator[List[Tuple[Row, Case]]]:
        """Yield what can be there at once."""
        waiting = list(cases)
        while waiting:
            free = {family: list(rows) for family, rows in self.rows.items()}
            taken = []
            for case in list(waiting):
                if free[case.plan.family]:
                    taken.append((free[case.plan.family].pop(), case))
                    waiting.remove(case)
            yield taken


def targets_of(method: Method, batch: List[Tuple[Row, Case]]) -> List[Dict[str, Any]]:
    """Return the targets for measuring all paths of a batch by a method."""
    return [
        {
            "address": address(case.plan.family, TARGET),
            "source": {"namespace": row.path(case.plan.start)},
            "method": method.value,
            "port": PORT,
            "responder_port": PORT,
        }
        for row, case in batch
    ]


def traces(row: Row, node: int) -> Set[str]:
    """Return what path MTUs a kernel has learned, without the time that is left of them, and its firewall."""
    show = ("route", "show", "cache")
    learned = "".join(run("ip", "-o", version, "-n", row.name(node), *show) for version in ("-4", "-6"))
    lines = {re.sub(r"expires \d+sec", "", line) for line in learned.splitlines() if "mtu" in line}
    return lines | set(in_namespace(row.path(node), lambda: run("nft", "list", "tables")).splitlines())


def sockets(row: Row, node: int) -> List[str]:
    """Return the sockets that are open in a namespace."""

    def read() -> List[str]:
        found = []
        for table in SOCKET_TABLES:
            path = Path("/proc/thread-self/net", table)
            if path.exists():
                lines = path.read_text(encoding="ascii").splitlines()[1:]
                found += [f"{table}: {line}" for line in lines if table[:3] != "tcp" or " 06 " not in line]
        return found

    return in_namespace(row.path(node), read)


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    """All paths, built and measured once."""
    numbers = ONLY or list(range(PATHS))
    cases = [Case(number, random_plan(f"{SEED}-{number}")) for number in numbers]
    kept = Tally()
    began = time.monotonic()
    descriptors = len(os.listdir("/proc/self/fd"))
    with Lab() as lab, ThreadPoolExecutor(4) as pool:
        world = World(lab)
        with answering([row.path(TARGET) for row in world.all]):
            for batch in world.batches(cases):
                _one_batch(batch, pool, kept)
    kept.left += _children()
    if len(os.listdir("/proc/self/fd")) > descriptors:
        kept.left.append("descriptors")
    _print(kept, len(cases), time.monotonic() - began)
    yield kept


def _children() -> List[str]:
    """Return the processes that we have started and that still run, but the one that lists them."""
    lines = run("ps", "-o", "pid=,args=", "--ppid", str(os.getpid())).splitlines()
    return [line for line in lines if " ps -o " not in line]


def _one_batch(batch: List[Tuple[Row, Case]], pool: ThreadPoolExecutor, kept: Tally) -> None:
    list(pool.map(lambda one: one[0].become(one[1].plan), batch))
    for methods in TURNS:
        ends = [(row, node) for row, case in batch for node in _watched(methods, case)]
        before = list(pool.map(lambda one: traces(*one), ends))
        targets = [target for method in methods for target in targets_of(method, batch)]
        found = iter(measure(MeasureOptions(targets=targets, token=TOKEN, bounds=BOUNDS)).paths)
        for method in methods:
            for _row, case in batch:
                kept.note(case, method, next(found))
        after = list(pool.map(lambda one: traces(*one), ends))
        kept.left += [
            f"{methods}: {row.name(node)}: {one}: {row.plan}"
            for (row, node), then, now in zip(ends, before, after)
            for one in now - then
        ]
        for row, case in batch:
            kept.left += [f"{methods}: {one} {case}" for one in sockets(row, case.plan.start)]


def _watched(methods: Sequence[Method], case: Case) -> List[int]:
    """Return the nodes that must not learn: the source, and with UDP the target as well."""
    return [case.plan.start, TARGET] if methods == (Method.UDP,) else [case.plan.start]


def _print(kept: Tally, paths: int, seconds: float) -> None:
    print(f"\n{paths} paths, seed {SEED}, {seconds:.0f} s")
    for (kind, method, way), grades in sorted(kept.outcomes.items()):
        print(
            f"  {kind:32}{method:6}{way:9}" + ", ".join(f"{count} {grade}" for grade, count in sorted(grades.items()))
        )
    for method in kept.packets:
        print(f"  {method}: packets {_quantiles(kept.packets[method])}; ms {_quantiles(kept.milliseconds[method])}")
        print(f"  {method}: slowest {kept.slowest[method][1]}")


def _quantiles(numbers: List[float]) -> str:
    if len(numbers) < 2:
        return str(numbers)
    cuts = statistics.quantiles(numbers, n=20)
    return f"median {statistics.median(numbers):.1f}, 95 % below {cuts[18]:.1f}, largest {max(numbers):.1f}"


def told(lines: List[str]) -> str:
    """Show the first of many lines."""
    return f"{len(lines)}:\n" + "\n".join(lines[:20])


def test_no_answer_is_wrong(tally: Tally) -> None:
    assert not tally.wrong, told(tally.wrong)


def test_without_loss_every_answer_is_exact(tally: Tally) -> None:
    assert not tally.inexact, told(tally.inexact)


def test_five_percent_of_loss_leave_nearly_all_exact(tally: Tally) -> None:
    if sum(tally.with_loss.values()) >= 200:
        assert tally.with_loss[EXACT] >= 0.995 * sum(tally.with_loss.values()), tally.with_loss


def test_nothing_is_left_behind(tally: Tally) -> None:
    assert not tally.left, told(tally.left)
