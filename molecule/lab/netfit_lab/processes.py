# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes by number and start time: a number alone may belong to another process by now."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessIdentity:
    """pid: as this process's PID namespace counts. start_time: clock ticks since boot (proc(5), stat field 22)."""

    pid: int
    start_time: int

    def is_running(self) -> bool:
        """Return whether that very process exists and is no zombie."""
        state = _state_and_start_time(self.pid)
        return state is not None and state[0] not in "ZX" and state[1] == self.start_time

    def kill(self, timeout: float = 20.0) -> bool:
        """Kill that very process and wait until it is gone. timeout: seconds. Returns whether it is gone."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            # The descriptor pins the process: if it is ours now, it stays ours, whatever happens to the number.
            if not self.is_running():
                return True
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        except ProcessLookupError:
            return True
        finally:
            os.close(descriptor)
        deadline = time.monotonic() + timeout
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True


def identify(pid: int) -> ProcessIdentity | None:
    """Return the identity of a running process, None when there is none of that number."""
    state = _state_and_start_time(pid)
    return ProcessIdentity(pid, state[1]) if state is not None else None


def _state_and_start_time(pid: int) -> tuple[str, int] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])
