# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the module listen_backlog returns."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from .._facts.listener_census import SOMAXCONN
from .._facts.programs import read_program
from .._model.backlog import Outcome, Step, how_to_restart
from .._model.fact import as_plain
from .._model.next_start import Program, next_start
from .raise_backlogs import Done, Prepared


def read_programs(prepared: Prepared) -> Dict[int, Program]:
    """Return what tells which servers the plan is about, by pid; to be read before any of them is restarted."""
    held = [step.candidate for step in prepared.plan.steps if step.candidate.holders]
    holders = {one.holders[0].pid: one.holders[0] for one in held}
    return {pid: read_program(pid, holder.names) for pid, holder in holders.items()}


def as_result(prepared: Prepared, done: Done, programs: Dict[int, Program]) -> Dict[str, Any]:
    """Return the result as plain values. The keys of before and after are for people; both have the same."""
    wanted = prepared.plan.wanted
    settings = {pid: next_start(program, wanted) for pid, program in programs.items()}
    before: Dict[str, int] = {}
    after: Dict[str, Optional[int]] = {}
    for raised in done.sysctls:
        key = f"{SOMAXCONN} of {raised.owner.name or f'network namespace {raised.namespace.inode}'}"
        before[key], after[key] = raised.before, raised.after
    for step in done.steps:
        if step.after is not None and step.after != step.before:
            before[step.candidate.name], after[step.candidate.name] = step.before, step.after
    return {
        "changed": bool(before or done.restarted),
        "before": before,
        "after": after,
        "diff": {"before": _lines(before), "after": _lines(after)},
        "listeners": [_listener(step, wanted, settings) for step in done.steps],
        "sysctls": [
            {"key": SOMAXCONN, "owner": as_plain(one.owner), "before": one.before, "after": one.after}
            for one in done.sysctls
        ],
        "restarted": list(done.restarted),
        "unmatched": list(prepared.unmatched),
        "problems": as_plain(list(prepared.problems)),
    }


def warnings(prepared: Prepared, done: Done) -> List[str]:
    """Return what a person should see although the module does not fail."""
    told = list(prepared.unmatched)
    for step in done.steps:
        if step.outcome is Outcome.NEEDS_RESTART:
            told.append(f"{step.candidate.name}: {step.reason}; it needs: {how_to_restart(step.candidate)}")
        elif step.outcome is Outcome.GONE:
            told.append(f"{step.candidate.name}: {step.reason}")
    return told


def failures(done: Done) -> List[str]:
    """Return what went wrong; empty when nothing did."""
    failed = [f"{step.candidate.name}: {step.reason}" for step in done.steps if step.outcome is Outcome.FAILED]
    return [*done.not_raised, *failed]


def _listener(step: Step, wanted: int, settings: Dict[int, str]) -> Dict[str, Any]:
    one = step.candidate
    holder = one.holders[0] if one.holders else None
    return {
        "owner": as_plain(holder.owner if holder is not None else one.owner),
        "namespace": one.namespace.inode,
        "address": one.listener.address,
        "port": one.listener.port,
        "process": {"pid": holder.pid if holder is not None else None, "name": one.process},
        "unit": holder.unit if holder is not None else None,
        "before": step.before,
        "after": step.after,
        "wanted": wanted,
        "outcome": step.outcome.value,
        "reason": step.reason,
        "restart": how_to_restart(one) if step.outcome is Outcome.NEEDS_RESTART else None,
        "next_start": settings[holder.pid] if holder is not None else next_start(None, wanted),
    }


def _lines(values: Dict[str, Any]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in values.items())
