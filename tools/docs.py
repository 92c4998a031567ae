# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make docs: the documentation as a site in build/site, made with what .venv-docs has."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from environments import ensure_environment
from steps import ROOT, StepFailed, fail, run_quietly, say

ENVIRONMENT = ROOT / ".venv-docs"
REQUIREMENTS = Path(__file__).with_name("docs_requirements.txt")
SITE = ROOT / "build" / "site"


def main() -> int:
    """Build the site. Returns the exit status."""
    os.umask(0o022)
    try:
        python = ensure_environment(ENVIRONMENT, sys.executable, [REQUIREMENTS])
        say("builds the site")
        run_quietly([str(python), str(Path(__file__).with_name("docs_site.py")), str(SITE)])
    except StepFailed as error:
        return fail(error)
    say(f"open {SITE.relative_to(ROOT)}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
