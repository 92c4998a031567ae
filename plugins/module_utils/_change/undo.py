# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Undoing a run: what the journal says that it changed, the last first, and only where nobody has changed it since."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple

from .journal import DIRECTORY, Entry, JournalFile, Run, read_runs
from .resource import ChangeError, Gone, Resource


@dataclass(frozen=True)
class Step:
    """What is to be done about one thing that a run has changed, perhaps several times.

    value: what it gets. now: what it has. numbers: of the entries that are then undone.
    conflict: why it is left alone unless forced. done: whether there is nothing to do any more; gone: because the thing
    itself is no more.
    """

    entry: Entry
    name: str
    now: Any
    value: Any
    numbers: Tuple[int, ...]
    conflict: Optional[str] = None
    done: bool = False
    gone: bool = False


def choose_run(name: Optional[str], directory: str = DIRECTORY) -> Optional[Run]:
    """Return the run of that name, the last one for None or ""; None where there has been none at all.

    Raises ChangeError where there is none of that name; the message names those that there are.
    """
    runs = read_runs(directory)
    if not name:
        return runs[-1] if runs else None
    found = next((run for run in runs if run.name == name), None)
    if found is None:
        known = ", ".join(run.name for run in runs[-10:]) or "none"
        raise ChangeError(f"run {name} is not in this host's journal {directory}; the last ones are: {known}")
    return found


def plan_undo(run: Run, resources: Mapping[str, Resource]) -> List[Step]:
    """Return what undoing a run means now, in the order in which it is done. Reads, and changes nothing.

    Raises ChangeError where something cannot be read, or is of a kind that this version does not know.
    """
    grouped: Dict[Hashable, List[Entry]] = {}
    for entry in reversed(run.standing):
        kind = entry.change.kind
        if kind not in resources:
            raise ChangeError(f"run {run.name} has changed a {kind}, which this version of netfit does not know")
        key = (kind, resources[kind].identity(entry.change.target))
        grouped.setdefault(key, []).append(entry)
    return [_step(entries, resources[entries[0].change.kind]) for entries in grouped.values()]


def _step(entries: Sequence[Entry], resource: Resource) -> Step:
    """Return the step for all changes of one thing. entries: the last first."""
    last, first = entries[0].change, entries[-1].change
    name = resource.describe(last.target)
    numbers = tuple(entry.number for entry in entries)
    try:
        now = resource.read(last.target)
    except Gone as error:
        return Step(entries[0], f"{name}: {error}", None, first.before, numbers, done=True, gone=True)
    if now == first.before:
        return Step(entries[0], name, now, first.before, numbers, done=True)
    conflict = None
    # A run that was killed may have stopped between any two of its changes: each of their values is one of ours.
    if all(now != entry.change.after for entry in entries):
        conflict = (
            f"{name} is {resource.show(now)}, and this run had made it {resource.show(last.after)} from "
            f"{resource.show(first.before)}: somebody has changed it since"
        )
    return Step(entries[0], name, now, first.before, numbers, conflict)


def undo(run: Run, steps: Sequence[Step], resources: Mapping[str, Resource], directory: str = DIRECTORY) -> None:
    """Do the steps, and note each in the journal once it is done. The caller holds the lock.

    A step that fails keeps no other one from being done. Raises ChangeError at the end, with all that went wrong.
    """
    if not steps:
        return
    errors: List[str] = []
    journal = JournalFile(run.name, directory)
    try:
        for step in steps:
            try:
                _undo_step(step, resources[step.entry.change.kind])
                journal.record_undone(step.numbers)
            except ChangeError as error:
                errors.append(str(error))
    finally:
        journal.close()
    if errors:
        raise ChangeError("; ".join(dict.fromkeys(errors)))


def _undo_step(step: Step, resource: Resource) -> None:
    if not step.gone:
        resource.settle(step.entry.change.target)
    if not step.done:
        with suppress(Gone):
            resource.write(step.entry.change.target, step.value)


def original_values(
    kind: str, resources: Mapping[str, Resource], directory: str = DIRECTORY
) -> Dict[Hashable, Tuple[Any, Any]]:
    """Return {identity: (value before we first changed it, value that we last gave it)} of what is not undone."""
    found: Dict[Hashable, Tuple[Any, Any]] = {}
    for run in read_runs(directory):
        for entry in run.standing:
            if entry.change.kind == kind:
                key = resources[kind].identity(entry.change.target)
                before = found[key][0] if key in found else entry.change.before
                found[key] = (before, entry.change.after)
    return found
