# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that may never return, because the network under them is being changed: done in a process that can be ended."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Dict, Optional

FORK = multiprocessing.get_context("fork")
GRACE = 2.0
"""Seconds for a process to be gone that was killed."""

Answer = Dict[str, Any]


def bounded(seconds: float, function: Callable[[], Answer]) -> Optional[Answer]:
    """Return what a function returns, a dictionary; None where it has not within so many seconds.

    It runs in a process group of its own, which is killed then, with whatever ssh(1) it has started. An exception of it
    is an answer, too: {"failed": True, "unreachable": ..., "msg": ...}.
    """
    reading, writing = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_work, args=(writing, function))
    process.start()
    writing.close()
    try:
        if reading.poll(max(0.0, seconds)):
            with suppress(EOFError):
                answer: Answer = reading.recv()
                return answer
        return None
    finally:
        _end(process)
        reading.close()


def _work(writing: Any, function: Callable[[], Answer]) -> None:
    os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    try:
        answer = function()
    except Exception as error:
        answer = {"failed": True, "unreachable": "unreachable" in type(error).__name__.lower(), "msg": str(error)}
    writing.send(answer)
    writing.close()


def _end(process: Any) -> None:
    process.join(0.2)
    if process.is_alive():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.join(GRACE)
