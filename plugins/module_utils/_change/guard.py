# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The guard: what a run changes from now on is undone by the host itself, unless somebody confirms it in time.

What is pending is in /run, so that a reboot clears it; what was changed is in the journal. Both the timer and whoever
confirms hold the host's lock while they decide, so that exactly one of them does. That something was rolled back is
kept on the disk until a later change is confirmed, for the next audit.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._config.guard_record import PENDING, ROLLED_BACK
from .atomic_file import remove, write_whole
from .journal import DIRECTORY, Run, check_run_name, make_directories, new_run_name, read_runs
from .resource import ChangeError, Resource
from .undo import Step, plan_undo, undo

LAST = "last.json"
SECONDS = (5.0, 3600.0)
"""Within which a change has to be confirmed, at least and at most."""
CONFIRMED = "confirmed"
ROLLED_BACK_STATE = "rolled back"


@dataclass(frozen=True)
class Pending:
    """A guard that is armed. token: names it. since: number of the run's last entry that it does not concern.

    deadline: as seconds since the epoch. until: the same on CLOCK_BOOTTIME, which nobody sets.
    before: what could be reached, as the caller found it, to be compared by the caller. timer: what undoes.
    last: number of the run's last entry when it was armed.
    """

    token: str
    run: str
    since: int
    seconds: float
    deadline: float
    until: float
    before: Tuple[Mapping[str, Any], ...] = ()
    timer: Mapping[str, Any] = field(default_factory=dict)
    last: int = 0

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.until - boot_time()


@dataclass(frozen=True)
class Outcome:
    """How a guard ended.

    state: "confirmed" or "rolled back". undone: names of what is as it was again. errors: why something is not.
    changes: how many that were made while it was armed stay; None where the journal does not tell.
    """

    token: str
    run: str
    state: str
    moment: str
    reason: str = ""
    undone: Tuple[str, ...] = ()
    errors: Tuple[str, ...] = ()
    changes: Optional[int] = None

    def in_words(self) -> str:
        """Tell what was undone for another run, whose guard's time was over."""
        names = f": {', '.join(self.undone)}" if self.undone else ", nothing of which was left"
        left = f"; not undone: {'; '.join(self.errors)}" if self.errors else ""
        return f"what run {self.run} had changed was undone only now: {self.reason}{names}{left}"


@dataclass(frozen=True)
class Paths:
    """Where a guard keeps what it knows."""

    pending: str = PENDING
    rolled_back: str = ROLLED_BACK
    journal: str = DIRECTORY

    @property
    def last(self) -> str:
        """How the last guard since the host's start has ended."""
        return os.path.join(os.path.dirname(self.pending), LAST)

    def code(self, token: str) -> str:
        """The program that the timer runs."""
        return os.path.join(os.path.dirname(self.pending), f"{token}.zip")


def boot_time() -> float:
    """Return seconds since the host's start, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def check_seconds(seconds: float) -> float:
    """Return the time of a guard. Raises ValueError."""
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        raise ValueError(f"timeout is {seconds:g}; it takes {SECONDS[0]:g} to {SECONDS[1]:g} seconds")
    return seconds


def check_free(paths: Paths, spare_overdue: bool = False) -> None:
    """Raise ChangeError where a guard is pending. spare_overdue: not for one whose time is over."""
    pending = read_pending(paths)
    if pending is not None and (pending.left > 0 or not spare_overdue):
        clock = time.strftime("%H:%M:%S", time.localtime(pending.deadline))
        raise ChangeError(
            f"run {pending.run} has a change on this host that is to be confirmed until {clock} (in "
            f"{max(0.0, pending.left):.0f} s), or is undone then: wait for it and run again (guard {pending.token} in "
            f"{paths.pending})"
        )


def new_guard(
    run: Optional[str], seconds: float, before: Sequence[Mapping[str, Any]], since: Optional[int], paths: Paths
) -> Pending:
    """Return a guard that begins now; nothing is written. since: None for all that the run changes from now on.

    Raises ValueError for bad input, ChangeError. The caller holds the host's lock, and has called check_free().
    """
    name = check_run_name(run) if run else new_run_name()
    known = _run(name, paths)
    last = max((entry.number for entry in known.entries), default=0) if known is not None else 0
    return Pending(
        token=os.urandom(8).hex(),
        run=name,
        since=last if since is None else since,
        seconds=check_seconds(seconds),
        deadline=time.time() + seconds,
        until=boot_time() + seconds,
        before=tuple(before),
        last=last,
    )


def keep_pending(pending: Pending, paths: Paths) -> None:
    """Write down that a guard is armed. Raises ChangeError."""
    _keep(paths.pending, asdict(pending))


def forget_pending(paths: Paths) -> None:
    """Take back keep_pending(). Raises nothing."""
    with suppress(OSError):
        remove(paths.pending)


def read_pending(paths: Paths) -> Optional[Pending]:
    """Return the guard that is armed, None where there is none. Raises ChangeError."""
    known = _read(paths.pending)
    return None if known is None else Pending(**{**known, "before": tuple(known["before"])})


def read_last(paths: Paths) -> Optional[Outcome]:
    """Return how the last guard has ended, None where none has since the host's start. Raises ChangeError."""
    known = _read(paths.last)
    if known is None:
        return None
    return Outcome(**{**known, "undone": tuple(known["undone"]), "errors": tuple(known["errors"])})


def check_armed(token: str, run: str, paths: Paths) -> Pending:
    """Return the guard that is armed for this run. Raises ChangeError where it isn't, or has a second or less left."""
    pending = read_pending(paths)
    if pending is None or pending.token != token or pending.run != run:
        raise ChangeError(f"guard {token} is not armed for run {run!r} on this host any more: nothing was changed")
    if pending.left < 1:
        raise ChangeError(f"the time of guard {token} is over: nothing was changed")
    return pending


def confirm(token: str, paths: Paths) -> Outcome:
    """Let the changes stay. Once more for a guard that was confirmed already gives the same.

    Raises ChangeError where it was rolled back, or never was. The caller holds the host's lock.
    """
    pending = read_pending(paths)
    if pending is None or pending.token != token:
        last = read_last(paths)
        if last is not None and last.token == token and last.state == CONFIRMED:
            return last
        raise ChangeError(_not_pending(token, last))
    outcome = Outcome(token, pending.run, CONFIRMED, _now(), changes=_changes_since_armed(pending, paths))
    _end(pending, outcome, paths)
    with suppress(OSError):
        remove(paths.rolled_back)
    return outcome


def roll_back(pending: Pending, reason: str, resources: Mapping[str, Resource], paths: Paths) -> Outcome:
    """Undo what the run has changed under this guard, whatever stands against it, and say so.

    What cannot be undone is told in the outcome's errors; all else is undone all the same. The caller holds the lock.
    """
    undone, errors = _undo(pending, resources, paths)
    outcome = Outcome(pending.token, pending.run, ROLLED_BACK_STATE, _now(), reason, tuple(undone), tuple(errors))
    _end(pending, outcome, paths)
    known = _read_list(paths.rolled_back)
    record = {"run": pending.run, "moment": outcome.moment, "reason": reason, "changes": undone, "errors": errors}
    with suppress(ChangeError):  # A full disk is no reason to stop: what matters has been done.
        _keep(paths.rolled_back, [*known[-9:], record])
    return outcome


def _changes_since_armed(pending: Pending, paths: Paths) -> Optional[int]:
    try:
        run = _run(pending.run, paths)
    except ChangeError:
        return None
    return sum(entry.number > pending.last for entry in run.standing) if run is not None else 0


def _undo(pending: Pending, resources: Mapping[str, Resource], paths: Paths) -> Tuple[List[str], List[str]]:
    """Return names of what is undone, and what went wrong."""
    errors: List[str] = []
    try:
        run = _run(pending.run, paths)
    except ChangeError as error:
        return [], [str(error)]
    if run is None:
        return [], []
    mine = [entry.number for entry in run.standing if entry.number > pending.since]
    steps: List[Step] = []
    try:
        steps = plan_undo(_only(run, mine), resources)
    except ChangeError:
        for number in reversed(mine):
            try:
                steps += plan_undo(_only(run, [number]), resources)
            except ChangeError as error:
                errors.append(str(error))
    try:
        undo(run, steps, resources, paths.journal)
    except ChangeError as error:
        errors.append(str(error))
    return [step.name for step in steps if not step.done], errors


def _only(run: Run, numbers: Sequence[int]) -> Run:
    others = {entry.number for entry in run.entries} - set(numbers)
    return replace(run, undone=frozenset(run.undone | others))


def _run(name: str, paths: Paths) -> Optional[Run]:
    return next((run for run in read_runs(paths.journal) if run.name == name), None)


def _end(pending: Pending, outcome: Outcome, paths: Paths) -> None:
    """From here on it is not pending any more. Raises nothing: /run is no disk that fills up, and has room or not."""
    with suppress(ChangeError):
        _keep(paths.last, asdict(outcome))
    forget_pending(paths)
    with suppress(OSError):
        os.unlink(paths.code(pending.token))


def _not_pending(token: str, last: Optional[Outcome]) -> str:
    if last is not None and last.token == token:
        return f"the changes of run {last.run} were rolled back at {last.moment}: {last.reason}"
    return (
        "no such guard is armed on this host: it was restarted since, and what was changed live is gone with that; or "
        "another guard was armed"
    )


def _keep(path: str, value: Any) -> None:
    try:
        make_directories(os.path.dirname(path))
        write_whole(path, json.dumps(value, sort_keys=True) + "\n", 0o600)
    except OSError as error:
        raise ChangeError(f"{path} cannot be written: {error.strerror}") from error


def _read(path: str) -> Optional[Dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as file:
            found: Dict[str, Any] = json.load(file)
            return found
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ChangeError(f"{path} cannot be read ({error}): remove it if no change is under way") from error


def _read_list(path: str) -> List[Any]:
    try:
        found: Any = _read(path)
    except ChangeError:
        return []
    return found if isinstance(found, list) else []


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
