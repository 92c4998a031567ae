# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The journal on the host: what every run has changed, written down and on the disk before it happened.

One file for each run, one JSON object on each line: first what the run is, then its changes in their order, then which
of them have been undone. A line that was not finished (power cut, full disk) belongs to a change that never began, and
counts for nothing.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Tuple

from .atomic_file import sync_directory
from .resource import ChangeError

DIRECTORY = "/var/lib/netfit/journal"
SCHEMA = 1
SUFFIX = ".jsonl"
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


@dataclass(frozen=True)
class Change:
    """One change. kind: a key of RESOURCES. target, before, after: plain JSON values, see resource.py."""

    kind: str
    target: Dict[str, Any]
    before: Any
    after: Any


@dataclass(frozen=True)
class Entry:
    """A change as it stands in the journal. number: within its run, from 1."""

    number: int
    module: str
    moment: str
    change: Change


@dataclass(frozen=True)
class Run:
    """All that is known of a run. order: later runs have greater ones. undone: numbers of entries."""

    name: str
    order: int
    begun: str
    entries: Tuple[Entry, ...]
    undone: FrozenSet[int]

    @property
    def standing(self) -> List[Entry]:
        """The changes that have not been undone, in their order."""
        return [entry for entry in self.entries if entry.number not in self.undone]


def check_run_name(name: str) -> str:
    """Return the name of a run if it can be one. Raises ValueError."""
    if not RUN_NAME.match(name):
        raise ValueError(f"run is {name!r}; it takes 1 to 64 letters, digits, dots, dashes and underscores")
    return name


def new_run_name() -> str:
    """Return a name for a run that begins now: its moment in UTC, and something that no other run has."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(3).hex()}"


def read_runs(directory: str = DIRECTORY) -> List[Run]:
    """Return all runs, the earliest first. Raises ChangeError where they cannot be read."""
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(SUFFIX))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ChangeError(f"the journal {directory} cannot be read: {error.strerror}") from error
    runs = [read_run(os.path.join(directory, name)) for name in names]
    return sorted((run for run in runs if run is not None), key=lambda run: (run.order, run.name))


def read_run(path: str) -> Optional[Run]:
    """Return what a file of the journal says; None where not even its first line was finished. Raises ChangeError."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ChangeError(f"the journal {path} cannot be read: {error.strerror}") from error
    try:
        lines = [json.loads(line) for line in text.split("\n")[:-1]]
        return _run_of(lines) if lines else None
    except (ValueError, KeyError, TypeError) as error:
        raise ChangeError(f"the journal {path} is damaged ({error}); move it away to go on without it") from error


def _run_of(lines: Sequence[Dict[str, Any]]) -> Run:
    first = lines[0]
    if first["schema"] != SCHEMA:
        raise ValueError(f"schema {first['schema']}, not {SCHEMA}: a newer version of netfit has written it")
    entries = tuple(
        Entry(
            line["number"],
            line["module"],
            line["moment"],
            Change(line["kind"], line["target"], line["before"], line["after"]),
        )
        for line in lines
        if "number" in line
    )
    undone = frozenset(line["undone"] for line in lines if "undone" in line)
    return Run(first["run"], first["order"], first["begun"], entries, undone)


class JournalFile:
    """The file of one run, opened to add to it. Raises ChangeError for whatever goes wrong on the disk."""

    def __init__(self, name: str, directory: str = DIRECTORY) -> None:
        """Open or make the file. What was left unfinished in it is cut off."""
        self._path = os.path.join(directory, check_run_name(name) + SUFFIX)
        try:
            make_directories(directory)
            known = read_run(self._path) if os.path.exists(self._path) else None
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o600)
            self._cut_unfinished()
            self._number = max((entry.number for entry in known.entries), default=0) if known is not None else 0
            if known is None:
                order = max((run.order for run in read_runs(directory)), default=0) + 1
                self._append([{"schema": SCHEMA, "run": name, "order": order, "begun": _now()}])
                sync_directory(directory)
        except OSError as error:
            raise self._failure(error) from error

    def record(self, module: str, changes: Sequence[Change]) -> List[int]:
        """Write down changes that are about to be made; returns their numbers once they are on the disk."""
        numbers = list(range(self._number + 1, self._number + 1 + len(changes)))
        moment = _now()
        lines = [
            {"number": number, "module": module, "moment": moment, **vars(change)}
            for number, change in zip(numbers, changes)
        ]
        self._append(lines)
        self._number += len(changes)
        return numbers

    def record_undone(self, numbers: Sequence[int]) -> None:
        """Write down that changes have been undone."""
        self._append([{"undone": number, "moment": _now()} for number in numbers])

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _append(self, lines: Sequence[Dict[str, Any]]) -> None:
        content = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines).encode()
        size = os.fstat(self._descriptor).st_size
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
            os.fsync(self._descriptor)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, size)
            raise self._failure(error) from error

    def _cut_unfinished(self) -> None:
        size = os.fstat(self._descriptor).st_size
        content = os.pread(self._descriptor, size, 0)
        whole = content.rfind(b"\n") + 1
        if whole < size:
            os.ftruncate(self._descriptor, whole)

    def _failure(self, error: OSError) -> ChangeError:
        return ChangeError(
            f"the journal {self._path} cannot be written: {error.strerror}; without it nothing is changed, so that "
            "everything can be undone"
        )


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def make_directories(directory: str) -> None:
    """Make what is missing, so that it is there after a power cut too."""
    parent = os.path.dirname(directory)
    if not os.path.isdir(directory):
        make_directories(parent)
        with suppress(FileExistsError):
            os.mkdir(directory, 0o700)
        sync_directory(parent)
