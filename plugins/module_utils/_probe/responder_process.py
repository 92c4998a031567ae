# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Run a function in a process of its own that outlives us and ends by itself.

Everything that it needs must be imported before: the file that an Ansible module runs from vanishes with the module.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from contextlib import suppress
from typing import Callable, Collection, NoReturn, Optional

from .responder_record import Record, is_running, start_time

NAME = b"netfit-answers"
"""As ps(1) shows it, 15 characters at most."""
_PR_SET_NAME = 15
_GRACE = 5.0
"""Seconds after its lifetime at which the kernel ends a process that has not ended by itself."""
_CLOSING_TIME = 3.0
_LOOK_INTERVAL = 0.01


class Stopped(BaseException):
    """SIGTERM came."""


def run_detached(
    announce: Callable[[int, int], None],
    serve: Callable[[], None],
    farewell: Callable[[], None],
    lifetime: float,
    keep: Collection[int],
) -> Optional[int]:
    """Start a process in a session of its own, without a terminal, and return its pid; None when it could not begin.

    announce(pid, start_time) is called in it first; we return when that is done. Then serve(), and at the end, also
    after SIGTERM, farewell(). lifetime: seconds; a timer of the kernel ends it soon after. keep: descriptors; all
    others are closed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _second_fork(announce, serve, farewell, lifetime, {*keep, writing}, writing)
    os.close(writing)
    with open(reading, "rb") as told:
        answer = told.read()
    os.waitpid(child, 0)
    return int(answer) if answer else None


def _second_fork(
    announce: Callable[[int, int], None],
    serve: Callable[[], None],
    farewell: Callable[[], None],
    lifetime: float,
    keep: Collection[int],
    writing: int,
) -> NoReturn:
    """Leave session and parent; never returns, whatever happens: what follows belongs to the process that we left."""
    status = 1
    try:
        os.setsid()
        if os.fork() == 0:
            _become_a_service(lifetime, keep)
            pid = os.getpid()
            try:
                announce(pid, start_time(pid) or 0)
                os.write(writing, b"%d" % pid)
                os.close(writing)
                serve()
            except Stopped:
                pass
            finally:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                farewell()
        status = 0
    finally:
        os._exit(status)


def _become_a_service(lifetime: float, keep: Collection[int]) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, lifetime + _GRACE)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.chdir("/")
    os.umask(0o077)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in keep:
            with suppress(OSError):
                os.close(int(name))
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_NAME, NAME, 0, 0, 0)


def _stop(_number: int, _frame: object) -> NoReturn:
    raise Stopped


def end(record: Record) -> bool:
    """End the process of a record, and wait for it; True when it ran. No other process is ever signalled.

    Raises OSError where we may not, TimeoutError when it does not end.
    """
    if not is_running(record):
        return False
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        if is_running(record):
            with suppress(ProcessLookupError):
                os.kill(record.pid, signal_number)
        until = time.monotonic() + _CLOSING_TIME
        while time.monotonic() < until:
            if not is_running(record):
                return True
            time.sleep(_LOOK_INTERVAL)
    raise TimeoutError(f"process {record.pid} of run {record.run} does not end")
