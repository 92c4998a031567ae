# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Tell whether a process that wrote its name down is still the same one. Source: proc_pid_stat(5)."""

from __future__ import annotations

import os
from typing import Optional


def start_time(pid: int, proc: str = "/proc") -> Optional[int]:
    """Return when a process was started, in clock ticks since boot; None for one that is gone."""
    try:
        with open(f"{proc}/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    # A process that has ended and wasn't waited for does nothing any more.
    return None if len(fields) < 20 or fields[0] in "ZX" else int(fields[19])


def is_running(pid: int, started: int, proc: str = "/proc") -> bool:
    """Tell whether the process of that pid is there and not another one that got its number."""
    return start_time(pid, proc) == started


def pid_namespace() -> int:
    """Return the inode of our PID namespace: the same number means another process elsewhere."""
    return os.stat("/proc/self/ns/pid").st_ino
