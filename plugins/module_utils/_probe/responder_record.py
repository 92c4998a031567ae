# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is known on disk about responders that run: enough to find and stop them, and no secret."""

from __future__ import annotations

import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import List, Optional, Tuple

from .._model.fact import Fact

DIRECTORY = "/run/netfit"
PROC = "/proc"
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_BEGINNING, _END = "responder-", ".json"
_ATTEMPTS = 5
_STATE_FIELD, _START_FIELD = 3, 22


@dataclass(frozen=True)
class Record(Fact):
    """A responder. run: name of its run. pid, start_time: the process, the latter in clock ticks since boot.

    expires: when it ends at the latest, in seconds since 1970. namespaces: inodes. proof: shows to a holder of the
    token that it is the responder's (Seal.proof of "run pid start_time").
    """

    run: str
    pid: int
    start_time: int
    port: int
    expires: int
    namespaces: Tuple[int, ...]
    proof: str

    @property
    def proven_text(self) -> str:
        """What the proof is made of."""
        return f"{self.run} {self.pid} {self.start_time}"


def start_time(pid: int, proc: str = PROC) -> Optional[int]:
    """Return when a process was started, field 22 of /proc/PID/stat (proc(5)); None when it is gone or has ended."""
    try:
        with open(f"{proc}/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else int(fields[_START_FIELD - _STATE_FIELD])


def is_running(record: Record, proc: str = PROC) -> bool:
    """Tell whether the process of a record is that very process, and has not ended."""
    return start_time(record.pid, proc) == record.start_time


def write_record(record: Record, directory: str = DIRECTORY) -> None:
    """Write a record atomically, for its owner's eyes only. Raises OSError; PermissionError where others may write."""
    temporary = os.path.join(directory, f".{record.run}.{record.pid}")
    for attempt in range(_ATTEMPTS):
        _make_directory(directory)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            # The last responder of another run has just taken the directory away.
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            break
    with open(descriptor, "w", encoding="ascii") as file:
        json.dump(record.as_fact(), file)
    os.replace(temporary, _path(record.run, directory))


def remove_record(record: Record, directory: str = DIRECTORY) -> None:
    """Remove a record, if it is still that of the same process, and the directory with the last one."""
    if _read(_path(record.run, directory)) == record:
        with suppress(OSError):
            os.unlink(_path(record.run, directory))
        with suppress(OSError):
            os.rmdir(directory)


def read_running(directory: str = DIRECTORY, proc: str = PROC) -> List[Record]:
    """Return the records of responders that run, by name of the run; those of dead processes are left out."""
    return [record for record in _read_all(directory) if is_running(record, proc)]


def remove_stale(directory: str = DIRECTORY, proc: str = PROC) -> None:
    """Remove the records of processes that were killed."""
    for record in _read_all(directory):
        if not is_running(record, proc):
            remove_record(record, directory)


def _read_all(directory: str) -> List[Record]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    paths = [os.path.join(directory, name) for name in names if name.startswith(_BEGINNING) and name.endswith(_END)]
    return [record for record in map(_read, paths) if record is not None]


def _path(run: str, directory: str) -> str:
    return os.path.join(directory, f"{_BEGINNING}{run}{_END}")


def _read(path: str) -> Optional[Record]:
    """Return a record; None for what is none, and for what others than root and ourselves could have written."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, encoding="ascii") as file:
            if os.fstat(descriptor).st_uid not in (0, os.geteuid()):
                return None
            content = json.load(file)
        record = Record(**{**content, "namespaces": tuple(content["namespaces"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    numbers = (record.pid, record.start_time, record.port, record.expires)
    counted = all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in numbers)
    sound = counted and isinstance(record.run, str)
    return record if sound else None


def _make_directory(directory: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(directory, 0o700)
    status = os.lstat(directory)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022:
        raise PermissionError(f"{directory} is no directory that only root can write to; remove it")
