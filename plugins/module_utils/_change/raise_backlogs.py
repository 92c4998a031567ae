# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Raises the backlogs of running listeners: look, plan, change, look again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._facts.listener_census import SOMAXCONN, read_effective_backlogs, take_listener_census
from .._model.backlog import Candidate, Outcome, Plan, Selection, SomaxconnStep, Step, choose, make_plan, unmatched
from .._model.fact import Problem
from .journal import Change
from .listen_backlog_resource import backlog_target
from .namespace_target import name_namespace
from .resource import ChangeError, Gone
from .resources import RESOURCES
from .session import Session
from .unit_restart import Restarter, Restarts

Errors = Dict[int, Exception]
"""Why a change could not be made, by its place in the list of changes."""


@dataclass(frozen=True)
class Prepared:
    """A plan, and what it takes to carry it out. targets: of the listeners that can be raised, by inode of the socket.

    unmatched: what of the selection means no listener. problems: what could not be read.
    """

    plan: Plan
    targets: Mapping[int, Dict[str, Any]]
    unmatched: Sequence[str]
    problems: Sequence[Problem]


@dataclass(frozen=True)
class Done:
    """What came of a plan: steps as they ended, parameters that were raised and those that could not be."""

    steps: Sequence[Step]
    sysctls: Sequence[SomaxconnStep]
    not_raised: Sequence[str]
    restarted: Sequence[str]


def prepare(selection: Selection, restart: bool, root: str = "/") -> Prepared:
    """Plan in full, without a change. selection: a valid one. restart: whether systemd units may be restarted.

    Each socket is borrowed for a moment, so that a kernel which refuses says so now.
    """
    census = take_listener_census(root)
    targets: Dict[int, Dict[str, Any]] = {}

    def hindrance(candidate: Candidate) -> Optional[Tuple[Outcome, str]]:
        try:
            targets[candidate.listener.inode] = backlog_target(candidate)
        except Gone as error:
            return Outcome.GONE, str(error)
        except ChangeError as error:
            return Outcome.NEEDS_RESTART, str(error)
        return None

    chosen = choose(census.candidates, selection)
    plan = make_plan(chosen, selection.backlog, census.somaxconn, hindrance, restart)
    return Prepared(plan, targets, unmatched(census.candidates, selection), census.problems)


def expected(prepared: Prepared) -> Done:
    """Return what carrying it out is going to give, when all goes well."""
    plan = prepared.plan
    return Done(plan.steps, plan.sysctls, (), plan.restarts)


def carry_out(prepared: Prepared, session: Session, restarter: Restarter) -> Done:
    """Raise somaxconn where it is in the way, then the backlogs, then restart what was allowed; and read back.

    What fails is told in the steps, and the others go on.
    """
    plan = prepared.plan
    sysctls, failures = _raise_somaxconn(plan.sysctls, session)
    capped = {step.namespace.inode: reason for step, reason in failures}
    steps = _raise_backlogs([_held_back(step, capped) for step in plan.steps], prepared, session)
    restarts = Restarts(restarter, plan.restarts)
    steps = [restarts.after(step, plan.wanted) for step in _read_back(steps, plan.wanted)]
    not_raised = [f"{SOMAXCONN} of {_whose(step)}: {reason}" for step, reason in failures]
    return Done(steps, sysctls, not_raised, restarts.done)


def _raise_somaxconn(
    steps: Sequence[SomaxconnStep], session: Session
) -> Tuple[List[SomaxconnStep], List[Tuple[SomaxconnStep, str]]]:
    failures: List[Tuple[SomaxconnStep, str]] = []
    named: List[SomaxconnStep] = []
    changes: List[Change] = []
    for step in steps:
        try:
            target = {"key": SOMAXCONN, "namespace": name_namespace(step.namespace), "owner": _whose(step)}
        except (Gone, ChangeError) as error:
            failures.append((step, str(error)))
            continue
        named.append(step)
        changes.append(Change("sysctl", target, str(step.before), str(step.after)))
    errors = _change_each(session, changes)
    failures += [(named[place], str(error)) for place, error in errors.items()]
    return [step for place, step in enumerate(named) if place not in errors], failures


def _whose(step: SomaxconnStep) -> str:
    return step.owner.name or f"network namespace {step.namespace.inode}"


def _held_back(step: Step, capped: Mapping[int, str]) -> Step:
    """Return the step, failed where somaxconn stays in its way: listening again could then even lower the backlog."""
    reason = capped.get(step.candidate.namespace.inode)
    if reason is None or step.outcome is not Outcome.RAISED:
        return step
    return replace(step, after=step.before, outcome=Outcome.FAILED, reason=f"{SOMAXCONN} caps it: {reason}")


def _raise_backlogs(steps: Sequence[Step], prepared: Prepared, session: Session) -> List[Step]:
    raised = [step for step in steps if step.outcome is Outcome.RAISED]
    targets = [prepared.targets[step.candidate.listener.inode] for step in raised]
    changes = [
        Change("listen_backlog", target, step.before, prepared.plan.wanted) for step, target in zip(raised, targets)
    ]
    errors = _change_each(session, changes)
    failed = {raised[place].candidate.listener.inode: error for place, error in errors.items()}
    return [_with_error(step, failed.get(step.candidate.listener.inode)) for step in steps]


def _with_error(step: Step, error: Optional[Exception]) -> Step:
    if error is None or step.outcome is not Outcome.RAISED:
        return step
    outcome = Outcome.GONE if isinstance(error, Gone) else Outcome.FAILED
    return replace(step, after=None, outcome=outcome, reason=str(error))


def _change_each(session: Session, changes: Sequence[Change]) -> Errors:
    """Make all changes, also those after one that fails; the journal is written once where none does."""
    try:
        session.change_all(changes)
        return {}
    except (Gone, ChangeError):
        pass
    errors: Errors = {}
    for place, change in enumerate(changes):
        try:
            if RESOURCES[change.kind].read(change.target) != change.after:
                session.change(change.kind, change.target, change.before, change.after)
        except (Gone, ChangeError) as error:
            errors[place] = error
    return errors


def _read_back(steps: Sequence[Step], wanted: int) -> List[Step]:
    """Return the steps with the backlogs that sock_diag shows now."""
    concerned = {step.candidate.namespace for step in steps if step.outcome is not Outcome.ALREADY}
    found = read_effective_backlogs(sorted(concerned, key=lambda namespace: namespace.inode))
    backlogs = {
        (inode, listener.inode): listener.effective_backlog
        for inode, listeners in found.items()
        for listener in listeners
    }
    return [_compared(step, backlogs, wanted) for step in steps]


def _compared(step: Step, backlogs: Mapping[Tuple[int, int], int], wanted: int) -> Step:
    if step.outcome in (Outcome.ALREADY, Outcome.GONE):
        return step
    now = backlogs.get((step.candidate.namespace.inode, step.candidate.listener.inode))
    if now is None:
        return replace(step, after=None, outcome=Outcome.GONE, reason="it was closed meanwhile")
    if step.outcome is Outcome.RAISED and now < wanted:
        reason = f"it was told to listen with a backlog of {wanted}, and sock_diag shows {now}"
        return replace(step, after=now, outcome=Outcome.FAILED, reason=reason)
    return replace(step, after=now)
