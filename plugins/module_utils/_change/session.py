# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One module's changes in one run: under the host's lock, in the journal first, and taken back on failure."""

from __future__ import annotations

import fcntl
import os
import time
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Type

from .journal import DIRECTORY, Change, JournalFile, check_run_name, new_run_name
from .resource import ChangeError, Gone, Resource

LOCK = "/run/lock/netfit"
LOCK_SECONDS = 30.0
"""How long another run on the same host is waited for."""
LOCK_STEP = 0.05


class HostLock:
    """Held by whoever changes something on this host; the kernel lets go of it when its holder ends, however."""

    def __init__(self, path: str = LOCK, seconds: float = LOCK_SECONDS) -> None:
        """Take it. Raises ChangeError when another one holds it for so many seconds."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        until = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > until:
                    os.close(self._descriptor)
                    raise ChangeError(
                        f"another run changes this host, for more than {seconds:g} seconds: wait for it and run again"
                    ) from None
            time.sleep(LOCK_STEP)

    def release(self) -> None:
        """Let go."""
        os.close(self._descriptor)


class Session:
    """Changes that belong together. Leaving it by an exception takes back what it has done, where that is possible."""

    def __init__(
        self,
        run: Optional[str],
        module: str,
        resources: Mapping[str, Resource],
        directory: str = DIRECTORY,
        lock: str = LOCK,
    ) -> None:
        """run: name of the run; None or "": a new one. module: which writes. resources: the kinds that it changes.

        Raises ValueError for a bad name.
        """
        self.run = check_run_name(run) if run else new_run_name()
        self.not_taken_back: List[str] = []
        self._module = module
        self._directory = directory
        self._resources = resources
        self._lock_path = lock
        self._lock: Optional[HostLock] = None
        self._journal: Optional[JournalFile] = None
        self._done: Dict[int, Change] = {}

    def __enter__(self) -> Session:
        try:
            self._lock = HostLock(self._lock_path)
        except OSError as error:
            advice = "; run as root (become: true)" if isinstance(error, PermissionError) else ""
            raise ChangeError(f"{self._lock_path} cannot be locked: {error.strerror}{advice}") from error
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        try:
            if error is not None:
                self._take_back()
        finally:
            if self._journal is not None:
                self._journal.close()
            if self._lock is not None:
                self._lock.release()

    def change(self, kind: str, target: Dict[str, Any], before: Any, after: Any) -> None:
        """Make one change. Raises Gone, ChangeError."""
        self.change_all([Change(kind, target, before, after)])

    def change_all(self, changes: Sequence[Change], gone_is_fine: bool = False) -> List[Change]:
        """Write down all changes, then make them in order. Raises Gone, ChangeError at the first that fails.

        gone_is_fine: go on where a target is no more. Returns the changes of which that is so.
        """
        gone: List[Change] = []
        if not changes:
            return gone
        if self._journal is None:
            self._journal = JournalFile(self.run, self._directory)
        for number, change in zip(self._journal.record(self._module, changes), changes):
            self._done[number] = change
            try:
                self._resources[change.kind].write(change.target, change.after)
            except Gone:
                if not gone_is_fine:
                    raise
                gone.append(change)
        return gone

    def _take_back(self) -> None:
        """Undo what this session has done, the last first. What can't be undone stays in the journal as standing."""
        undone = []
        for number, change in reversed(list(self._done.items())):
            resource = self._resources[change.kind]
            try:
                if resource.read(change.target) != change.before:
                    resource.write(change.target, change.before)
                undone.append(number)
            except Gone:
                undone.append(number)
            except ChangeError as error:
                self.not_taken_back.append(f"{resource.describe(change.target)}: {error}")
        if undone and self._journal is not None:
            self._journal.record_undone(undone)
