# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a watcher writes down for the one who collects: one small file per run, gone when it was read."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from .lifetimes import is_running, pid_namespace

DIRECTORY = "/run/netfit"
KEPT_SECONDS = 600.0
"""How long what nobody collected is kept."""
ATTEMPTS = 5


def path_of(run: str, directory: str = DIRECTORY) -> str:
    """Return the file of a run. run: checked by make_tag()."""
    return f"{directory}/trace-{run}.json"


def write(run: str, content: Mapping[str, Any], directory: str = DIRECTORY) -> None:
    """Write a run's record whole or not at all, for root's eyes only. Raises OSError."""
    path = path_of(run, directory)
    for attempt in range(ATTEMPTS):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(f"{path}.new", flags, 0o600)
            break
        except FileNotFoundError:
            # Whoever was the last one here has just taken the directory away.
            if attempt == ATTEMPTS - 1:
                raise
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.rename(f"{path}.new", path)


def read(run: str, directory: str = DIRECTORY) -> Optional[Dict[str, Any]]:
    """Return a run's record, None where there is none. Raises OSError."""
    return _load(path_of(run, directory))


def remove(run: str, directory: str = DIRECTORY) -> None:
    """Remove a run's record, and the directory with the last one."""
    with suppress(FileNotFoundError):
        os.unlink(path_of(run, directory))
    with suppress(OSError):
        os.rmdir(directory)


def is_alive(record: Mapping[str, Any]) -> bool:
    """Tell whether the watcher that wrote a record still runs."""
    pid, started = record.get("pid"), record.get("started")
    return isinstance(pid, int) and isinstance(started, int) and is_running(pid, started)


def remove_stale(directory: str = DIRECTORY) -> None:
    """Remove what watchers left behind that were killed, or whose observations nobody wanted."""
    for run, path in _listed(directory):
        try:
            record = _load(path) or {}
            age = time.time() - os.stat(path).st_mtime
        except OSError:
            continue
        if record.get("pids", pid_namespace()) != pid_namespace() or is_alive(record):
            continue
        if record.get("state") != "done" or age > KEPT_SECONDS:
            remove(run, directory)


def _listed(directory: str) -> Iterator[Tuple[str, str]]:
    with suppress(OSError):
        for name in sorted(os.listdir(directory)):
            if name.startswith("trace-") and name.endswith(".json"):
                yield name[len("trace-") : -len(".json")], f"{directory}/{name}"


def _load(path: str) -> Optional[Dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
