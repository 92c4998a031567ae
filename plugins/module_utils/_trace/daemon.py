# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A watcher of its own that outlives the module: started here, ended by whoever collects or by its own clock."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from contextlib import suppress
from typing import Any, Callable, Dict, List, NoReturn

from .._model.fact import Problem, as_plain
from . import records
from .lifetimes import pid_namespace, start_time
from .watcher import Watcher

START_SECONDS = 30.0
COLLECT_SECONDS = 30.0
POLL = 0.02
MakeWatcher = Callable[[], Watcher]


class CannotWatch(RuntimeError):
    """A watcher could not be started or collected; the message says who must do what."""


def start(run: str, lifetime: float, make: MakeWatcher, also: List[int]) -> Dict[str, Any]:
    """Start a watcher in a process of its own; return {"watched", "problems"} when it sees everything.

    lifetime: seconds after which it ends by itself, what it saw written down. make: called in that process. also: see
    Watcher.finish(). Raises CannotWatch.
    """
    try:
        records.remove_stale()
        known = records.read(run)
        if known is not None and records.is_alive(known):
            raise CannotWatch(f"run {run} is being watched already; take another name")
    except OSError as error:
        raise CannotWatch(_not_writable(error)) from error
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        _detach(lambda: _work(run, lifetime, make, also, sending), sending)
    os.close(sending)
    try:
        os.waitpid(child, 0)
        answer = _receive(receiving)
    finally:
        os.close(receiving)
    if "error" in answer:
        raise CannotWatch(answer["error"])
    return answer


def collect(run: str) -> Dict[str, Any]:
    """End a run's watcher, return the trace as it wrote it, and remove its record. Raises CannotWatch."""
    try:
        record = _finished(run)
        records.remove(run)
    except OSError as error:
        raise CannotWatch(_not_writable(error)) from error
    trace = record.get("trace")
    if not isinstance(trace, dict):
        raise CannotWatch(record.get("error") or f"the watcher of run {run} was ended before it had written anything")
    return trace


def _finished(run: str) -> Dict[str, Any]:
    """Return the record when the watcher has ended."""
    record = records.read(run)
    if record is None:
        raise CannotWatch(f"run {run} is not watched here: phase watch comes first, and its lifetime is bounded")
    if record.get("pids") != pid_namespace():
        raise CannotWatch(f"run {run} is watched from another PID namespace: collect from there")
    deadline = time.monotonic() + COLLECT_SECONDS
    if record.get("state") != "done" and records.is_alive(record):
        with suppress(ProcessLookupError):
            os.kill(record["pid"], signal.SIGTERM)
    while records.is_alive(record):
        if time.monotonic() > deadline:
            raise CannotWatch(f"the watcher of run {run}, process {record['pid']}, does not end")
        time.sleep(POLL)
    return records.read(run) or {}


def _detach(work: Callable[[], None], sending: int) -> NoReturn:
    """In the child: start the real one, without a terminal, open files or a parent that waits."""
    status = 1
    try:
        os.setsid()
        if os.fork() == 0:
            os.chdir("/")
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            for name in os.listdir("/proc/self/fd"):
                if int(name) > 2 and int(name) != sending:
                    with suppress(OSError):
                        os.close(int(name))
            work()
        status = 0
    finally:
        # Nothing of what the module has registered to be done at its end is ours to do.
        os._exit(status)


def _work(run: str, lifetime: float, make: MakeWatcher, also: List[int], sending: int) -> None:
    ended: List[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    until = time.monotonic() + lifetime
    record: Dict[str, Any] = {"run": run, "pid": os.getpid(), "started": start_time(os.getpid())}
    record.update(pids=pid_namespace(), state="watching")
    try:
        watcher = make()
    except (OSError, ValueError, RuntimeError) as error:
        _answer(sending, {"error": f"the watcher could not begin: {error}"})
        return
    try:
        try:
            records.write(run, record)
        except OSError as error:
            _answer(sending, {"error": _not_writable(error)})
            return
        _answer(sending, {"watched": watcher.watched, "problems": as_plain(watcher.problems)})
        watcher.watch(until, lambda: bool(ended))
        if ended:
            watcher.rest()
        else:
            reason = f"nobody collected within {lifetime:g} s; what came later was not seen"
            watcher.problems.append(Problem("lifetime of the watcher", reason))
        record.update(state="done", trace=watcher.finish(also).as_fact())
    except Exception as error:
        record.update(state="done", error=f"the watcher failed: {type(error).__name__}: {error}")
    finally:
        watcher.close()
    records.write(run, record)


def _answer(sending: int, content: Dict[str, Any]) -> None:
    os.write(sending, json.dumps(content).encode("ascii")[: select.PIPE_BUF * 8])
    os.close(sending)


def _receive(receiving: int) -> Dict[str, Any]:
    parts: List[bytes] = []
    deadline = time.monotonic() + START_SECONDS
    while select.select([receiving], [], [], max(0.0, deadline - time.monotonic()))[0]:
        part = os.read(receiving, 65536)
        if not part:
            break
        parts.append(part)
    try:
        content = json.loads(b"".join(parts))
    except ValueError:
        return {"error": f"the watcher did not begin within {START_SECONDS:g} s"}
    return content if isinstance(content, dict) else {"error": "the watcher said nothing"}


def _not_writable(error: OSError) -> str:
    return f"{records.DIRECTORY}: {error.strerror}; watching takes root (become: true)"
