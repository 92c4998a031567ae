# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make venv: an environment with ansible-core and this collection in it, for use from any directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from environments import ensure_environment
from steps import ROOT, StepFailed, fail

ENVIRONMENT = ROOT / ".venv"
INSTALLER = Path(__file__).with_name("collection.py")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def prepare() -> Path:
    """Bring .venv up to date with the checkout and return its folder of commands. Raises StepFailed."""
    python = ensure_environment(ENVIRONMENT, sys.executable, [REQUIREMENTS])
    if subprocess.run([str(python), str(INSTALLER)], stdin=subprocess.DEVNULL, check=False).returncode:
        raise StepFailed(f"the collection could not be installed into {ENVIRONMENT.name}")
    return python.parent


def main() -> int:
    """Prepare .venv. Returns the exit status."""
    os.umask(0o022)
    try:
        prepare()
    except StepFailed as error:
        return fail(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
