# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test sanity on a copy of the collection, without Docker and without its own downloads.

ansible-test looks for python3.N on PATH, and bootstraps pip in the environments that it makes by a script that it
would fetch from outside of the package index. Both are put in place here, in a home folder of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from interpreters import find_interpreter

TARGET_VERSIONS = [f"3.{minor}" for minor in range(8, 15)]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOOTSTRAP = """\
import runpy
import sys

wheel = {wheel!r}
sys.path.insert(0, wheel)
sys.argv[1:] = ["install", "--quiet", "--no-index", wheel]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


UNPUBLISHED = ("bench/", "molecule/", "tests/unit/data/")
"""Programs that are no part of the artifact, and files as other programs have them: the rules are not for those."""
FEWEST_TESTS = 20
"""ansible-test returns 0 also when it found nothing to test."""


def main() -> int:
    """Run the tests in the current directory. Returns 0 when they ran and passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="kept between runs: ansible-test's environments")
    parser.add_argument("--pip", required=True, help="version of pip that this ansible-test bootstraps")
    arguments = parser.parse_args()
    home: Path = arguments.home
    put_pip(home, arguments.pip)
    command = [str(Path(sys.executable).with_name("ansible-test")), "sanity", "--color", "no"]
    command += [argument for folder in UNPUBLISHED if Path(folder).is_dir() for argument in ("--exclude", folder)]
    done = subprocess.run(
        command,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout, flush=True)
    ran = done.stdout.count("\nRunning sanity test")
    if ran < FEWEST_TESTS:
        print(f"only {ran} sanity tests ran, of at least {FEWEST_TESTS}")
        return 1
    return done.returncode


def put_pip(home: Path, version: str) -> None:
    """Put pip's wheel and a bootstrap script that installs it where ansible-test looks for one."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    if not list(home.glob(f"pip-{version}-*.whl")):
        download = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        subprocess.run([*download, "--dest", str(home), f"pip=={version}"], check=True)
    wheel = next(home.glob(f"pip-{version}-*.whl"))
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    script.write_text(BOOTSTRAP.format(wheel=str(wheel)), encoding="utf-8")


def environment(home: Path) -> Dict[str, str]:
    """Return the environment for ansible-test: every Python of this machine on PATH, and nothing of the user's."""
    pythons = home / "pythons"
    pythons.mkdir(exist_ok=True)
    for version in TARGET_VERSIONS:
        link = pythons / f"python{version}"
        link.unlink(missing_ok=True)
        interpreter = find_interpreter(version)
        if interpreter:
            link.symlink_to(interpreter)
    path: List[str] = [str(Path(sys.executable).parent), str(pythons), SYSTEM_PATH]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    return {**kept, "HOME": str(home), "PATH": ":".join(path), "PIP_QUIET": "1"}


if __name__ == "__main__":
    sys.exit(main())
