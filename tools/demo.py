# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make demo: prepare .venv and the lab, and show the incident. From the environment: ARGS, for molecule/lab/demo."""

from __future__ import annotations

import os
import shlex
import sys

from lab import prepare_lab
from prepare import prepare
from steps import ROOT, StepFailed, fail


def main() -> int:
    """Run the demo in place of this process. Returns an exit status only when it could not be started."""
    os.umask(0o022)
    try:
        python = prepare_lab()
        playbook = prepare() / "ansible-playbook"
        arguments = shlex.split(os.environ.get("ARGS", ""))
    except ValueError as error:
        return fail(StepFailed(f"ARGS={os.environ['ARGS']}: {error}; quote it as for a shell"))
    except StepFailed as error:
        return fail(error)
    sys.stdout.flush()
    demo = str(ROOT / "molecule" / "lab" / "demo")
    os.execv(python, [str(python), demo, "--ansible-playbook", str(playbook), *arguments])


if __name__ == "__main__":
    sys.exit(main())
