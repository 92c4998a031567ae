# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The service manager, by systemctl(1)."""

from __future__ import annotations

import os

from .commands import output_of

RUNNING = "/run/systemd/system"
"""Source: sd_booted(3)."""
START_SECONDS = 60.0


def runs(root: str = "/") -> bool:
    """Tell whether systemd is this host's init."""
    return os.path.isdir(os.path.join(root, RUNNING.lstrip("/")))


def reload_units() -> None:
    """Let it read its files anew. Raises OSError."""
    output_of("systemctl", "daemon-reload", seconds=START_SECONDS)


def is_active(unit: str) -> bool:
    """Tell whether a unit is active; a oneshot that remains after exit is. Raises OSError."""
    return output_of("systemctl", "show", "--property=ActiveState", "--", unit).strip() == "ActiveState=active"


def start(unit: str) -> None:
    """Start a unit and wait until it is. Raises OSError."""
    output_of("systemctl", "start", "--", unit, seconds=START_SECONDS)


def stop(unit: str) -> None:
    """Stop a unit and wait until it is. Raises OSError."""
    output_of("systemctl", "stop", "--", unit, seconds=START_SECONDS)
