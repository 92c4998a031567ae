# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How slices that run at once tell each other what they need: files in a directory that all of them see.

Each slice writes which hosts it has and what the plan needs to know of them, then marks that its responders answer, and
that it has measured. All files of it are gone when it has ended; those of a slice that died count for an hour.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import AbstractSet, Any, Callable, Dict, Iterator, List, Optional, Set

from .._rules import plain

FOLDER = ".slices"
LONGEST_LIFE = 3600.0
"""Seconds after which what a slice has left is no longer believed."""
PAUSE = 0.25
"""Seconds between two looks."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ANSWERING, MEASURED = "answering", "measured"


class SliceError(ValueError):
    """Something about a slice cannot be used; the message says what, and what can be done."""


@dataclass(frozen=True)
class Clock:
    """Time, and waiting. now: seconds since 1970; monotonic: seconds that only go forward."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Other:
    """Another slice. hosts: what the plan needs to know of them (see nodes.describe_node), with why it has no facts."""

    name: str
    hosts: Mapping[str, Mapping[str, Any]]


def check_name(option: str, name: str, empty: bool = False) -> str:
    """Return a name that can be part of a file's name. Raises SliceError."""
    if NAME.fullmatch(name) or (empty and not name):
        return name
    raise SliceError(
        f"{option} is {name!r}, but must be 1 to 64 letters, digits, dots, dashes or underscores that begin with a"
        " letter or digit"
    )


class Exchange:
    """One slice's place among the others. directory: one that all slices see; run: a name that only they share."""

    def __init__(self, directory: Path, name: str, run: str = "", clock: Clock = Clock()) -> None:
        self._name = check_name("netfit_slice", name)
        check_name("netfit_slice_run", run, empty=True)
        self._folder = directory / FOLDER / (f"run-{run}" if run else "run")
        self._clock = clock

    @property
    def token_file(self) -> Path:
        """The file with what responders and those who ask them share."""
        return self._folder / "token"

    def tell(self, hosts: Mapping[str, Mapping[str, Any]]) -> None:
        """Say which hosts this slice has. Marks of an earlier run are gone afterwards. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for mark in (ANSWERING, MEASURED):
            self._path(self._name, mark).unlink(missing_ok=True)
        self._write(self._path(self._name, "hosts"), json.dumps({"hosts": hosts}, separators=(",", ":")))

    def share_token(self) -> Path:
        """Return the file with the token of all slices, which the first of them makes. Raises OSError."""
        with self._alone():
            if not self._fresh(self.token_file):
                self._write(self.token_file, secrets.token_hex(32))
        return self.token_file

    def mark(self, mark: str) -> None:
        """Say how far this slice has come. Raises OSError."""
        self._write(self._path(self._name, mark), "")

    def others(self) -> List[Other]:
        """Return the other slices that have told their hosts, by name. Raises SliceError where a file is no such."""
        return [Other(name, self._hosts(name)) for name in self._heard()]

    def wait_for_hosts(self, wanted: AbstractSet[str], seconds: float) -> Set[str]:
        """Wait until other slices have told of all these hosts, so long at most; return those that none told of."""
        known: Dict[str, Set[str]] = {}

        def missing() -> Set[str]:
            for name in self._heard():
                if name not in known:
                    known[name] = set(self._hosts(name))
            return set(wanted).difference(*known.values())

        return self._wait(missing, seconds)

    def wait_for_mark(self, mark: str, seconds: float) -> Set[str]:
        """Wait until all slices that have told their hosts are that far, so long at most; return those that aren't.

        A slice that has ended is as far as one can be.
        """
        return self._wait(lambda: {name for name in self._heard() if not self._fresh(self._path(name, mark))}, seconds)

    def leave(self) -> None:
        """Remove what this slice has told, and the token with the last of them. Raises OSError."""
        if not self._folder.is_dir():
            return
        with self._alone():
            for what in ("hosts", ANSWERING, MEASURED):
                self._path(self._name, what).unlink(missing_ok=True)
            if not self._heard():
                self.token_file.unlink(missing_ok=True)

    def _wait(self, missing: Callable[[], Set[str]], seconds: float) -> Set[str]:
        end = self._clock.monotonic() + seconds
        while True:
            left = missing()
            if not left or self._clock.monotonic() >= end:
                return left
            self._clock.sleep(min(PAUSE, max(end - self._clock.monotonic(), 0.01)))

    def _heard(self) -> List[str]:
        paths = [path for path in self._folder.glob("*.hosts") if self._fresh(path)]
        return sorted(path.name[: -len(".hosts")] for path in paths if path != self._path(self._name, "hosts"))

    def _hosts(self, name: str) -> Dict[str, Mapping[str, Any]]:
        path = self._path(name, "hosts")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise SliceError(f"{path} could not be read: {error}; remove it") from error
        hosts = plain.record(content, "hosts") if isinstance(content, Mapping) else {}
        return {str(host): entry for host, entry in hosts.items() if isinstance(entry, Mapping)}

    def _fresh(self, path: Path) -> bool:
        try:
            return self._clock.now() - path.stat().st_mtime <= LONGEST_LIFE
        except FileNotFoundError:
            return False

    def _path(self, name: str, what: str) -> Path:
        return self._folder / f"{name}.{what}"

    def _write(self, path: Path, text: str) -> None:
        """Whole or not at all, and for nobody else to read."""
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        partial.replace(path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with open(self._folder / "lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def exchange_of(settings: Optional[Mapping[str, Any]], clock: Clock = Clock()) -> Optional[Exchange]:
    """Return the exchange that an action's option is about: name, directory and run; None where it is not given."""
    if not settings or not plain.text(settings, "name"):
        return None
    directory = Path(str(settings.get("directory") or "netfit-report")).expanduser().absolute()
    return Exchange(directory, str(settings["name"]), str(settings.get("run") or ""), clock)
