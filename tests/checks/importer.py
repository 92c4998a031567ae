# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the artifact and import it as Galaxy would. Whatever the importer warns of is a failure here."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import List, Mapping, Tuple

SETTINGS = {
    "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true",
    "GALAXY_IMPORTER_OFFLINE_ANSIBLE_LINT": "true",
    "GALAXY_IMPORTER_RUN_ANSIBLE_TEST": "false",  # needs a container engine; sanity is a check of its own
}
COMPLAINTS = ("WARNING", "ERROR", "CRITICAL")


def main() -> int:
    """Build in a scratch folder, then import. Returns 0 when the importer has nothing to say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", type=Path, required=True)
    scratch: Path = parser.parse_args().scratch.resolve()
    commands = Path(sys.executable).parent
    environment = {**os.environ, **SETTINGS, "PATH": f"{commands}:{os.environ['PATH']}"}
    environment.update(ANSIBLE_HOME=str(scratch / "home"), GALAXY_IMPORTER_ANSIBLE_LOCAL_TMP=str(scratch / "tmp"))
    build = [str(commands / "ansible-galaxy"), "collection", "build", "--force", "--output-path", str(scratch)]
    if run(build, Path.cwd(), environment)[0]:
        return 1
    artifact = next(scratch.glob("*.tar.gz"))
    status, lines = run([sys.executable, "-m", "galaxy_importer.main", str(artifact)], scratch, environment)
    return 1 if status or any(line.startswith(COMPLAINTS) for line in lines) else 0


def run(command: List[str], directory: Path, environment: Mapping[str, str]) -> Tuple[int, List[str]]:
    """Run a command, print what it says, and return its status and lines."""
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout, end="", flush=True)
    return done.returncode, done.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
