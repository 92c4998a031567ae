# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line per step, silence from the programs that a step runs, and their output only when they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Mapping, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent


class StepFailed(Exception):
    """A step could not be done; the message says what to do about it."""


def say(text: str) -> None:
    """Print one line at once and in one piece, also where the output is a pipe and threads share it."""
    sys.stdout.write(f"netfit: {text}\n")
    sys.stdout.flush()


def run_quietly(command: Sequence[str], environment: Optional[Mapping[str, str]] = None) -> str:
    """Run a command in the checkout without input and return its standard output.

    environment: variables to set on top of this process's own.
    Raises StepFailed with the end of its output when it fails or is not there.
    """
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise StepFailed(f"cannot run {command[0]}: {error.strerror}") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise StepFailed(f"this command failed ({done.returncode}): {' '.join(command)}\n{tail}")
    return done.stdout


def fail(error: StepFailed) -> int:
    """Print the reason and return the exit status for it."""
    sys.stdout.flush()
    print(f"netfit: {error}", file=sys.stderr, flush=True)
    return 1
