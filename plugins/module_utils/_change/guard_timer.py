# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What undoes an unconfirmed change when its time is over: a program of its own, started by a timer of the host.

systemd's timers outlive the session, the connection and the module; where there is no systemd a process of its own
waits. By default systemd fires a timer up to a minute late (systemd.timer(5), AccuracySec=).

The module that arms the guard vanishes from the disk as soon as it ends. So the program is the source of what the
module has imported, packed into one file beside the guard: it undoes with the same code that made the change.
"""

from __future__ import annotations

import os
import sys
import time
import zipfile
from contextlib import suppress
from typing import Any, Dict, List, Mapping, Optional

from .._kernel.commands import output_of, start_detached
from .guard import Outcome, Paths, Pending, read_pending, roll_back
from .resource import ChangeError
from .resources import RESOURCES
from .session import LOCK, HostLock

SYSTEMD = "/run/systemd/system"
"""Is there exactly when systemd is process 1: sd_booted(3)."""
ACCURACY = "100ms"
PACKAGE = __name__.rpartition(".")[0].rpartition(".")[0]
"""That of module_utils."""
PATIENCE = 600.0
"""Seconds that the timer waits for another run that holds the host's lock."""


def start_timer(pending: Pending, paths: Paths) -> Dict[str, Any]:
    """Start what undoes at the end of the guard's time; returns what stop_timer() needs. Raises ChangeError."""
    code = paths.code(pending.token)
    try:
        pack_program(code)
        if os.path.isdir(SYSTEMD):
            return _start_unit(pending, code)
        return {"pid": start_detached(*_program(code, pending.token, pending.seconds))}
    except OSError as error:
        raise ChangeError(f"the timer that undoes an unconfirmed change cannot be started: {error}") from error


def stop_timer(timer: Mapping[str, Any]) -> None:
    """Stop it, as a courtesy: a timer whose guard is not pending any more does nothing. Raises nothing."""
    unit = timer.get("unit")
    if unit:
        with suppress(OSError):
            output_of("systemctl", "stop", f"{unit}.timer")


def pack_program(path: str) -> None:
    """Write the source of every part of module_utils that is loaded into one file that Python runs. Raises OSError."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, source in sorted(_sources().items()):
            archive.writestr(name, source)


def _sources() -> Dict[str, str]:
    parents = PACKAGE.split(".")
    found = {"/".join([*parents[: level + 1], "__init__.py"]): "" for level in range(len(parents))}
    for name, module in list(sys.modules.items()):
        if not name.startswith(f"{PACKAGE}."):
            continue
        source = getattr(getattr(module, "__loader__", None), "get_source", lambda _name: None)(name)
        end = "/__init__.py" if hasattr(module, "__path__") else ".py"
        found[name.replace(".", "/") + end] = source or ""
    return found


def _program(code: str, token: str, wait: float) -> List[str]:
    program = f"import sys; sys.path.insert(0, {code!r}); from {__name__} import main; main({token!r}, {wait!r})"
    return [sys.executable, "-I", "-B", "-c", program]


def _start_unit(pending: Pending, code: str) -> Dict[str, Any]:
    unit = f"netfit-guard-{pending.token}"
    output_of(
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit={unit}",
        f"--description=Undo what run {pending.run} of netfit has changed, unless it is confirmed",
        f"--on-active={pending.seconds:.3f}",
        f"--timer-property=AccuracySec={ACCURACY}",
        "--",
        *_program(code, pending.token, 0.0),
    )
    return {"unit": unit}


def main(token: str, wait: float) -> None:
    """Wait for so many seconds, then undo if nobody has confirmed meanwhile. Ends with 1 where something is left."""
    time.sleep(wait)
    outcome = expire(token, Paths(), LOCK)
    raise SystemExit(1 if outcome is not None and outcome.errors else 0)


def expire(token: str, paths: Paths, lock: str) -> Optional[Outcome]:
    """Undo what the guard of that token covers, if it is still pending. Raises ChangeError."""
    held = HostLock(lock, PATIENCE)
    try:
        pending = read_pending(paths)
        if pending is None or pending.token != token:
            return None
        return _roll_back(pending, paths)
    finally:
        held.release()


def end_overdue(paths: Paths) -> Optional[Outcome]:
    """Undo what is pending beyond its time: its timer was killed, or never got the host's lock. None: there is nothing.

    The caller holds the host's lock. Raises ChangeError.
    """
    pending = read_pending(paths)
    return _roll_back(pending, paths) if pending is not None and pending.left <= 0 else None


def _roll_back(pending: Pending, paths: Paths) -> Outcome:
    return roll_back(pending, f"it was not confirmed within {pending.seconds:g} seconds", RESOURCES, paths)
