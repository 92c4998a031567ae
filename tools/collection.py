# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing this checkout's collection into an environment, exactly as ansible-galaxy builds and installs it.

Runs with the Python of that environment, since galaxy.yml is read with what ansible-core brings.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Dict, Iterator, List

import yaml
from steps import ROOT, StepFailed, fail, run_quietly, say

NEVER_PUBLISHED = [".git", "*.pyc", "*.retry", "tests/output", "__pycache__"]
"""What ansible-galaxy leaves out on its own account."""


def main() -> int:
    """Install the collection unless it is there as the sources are now. Returns the exit status."""
    try:
        install(Path(sysconfig.get_paths()["purelib"]))
    except StepFailed as error:
        return fail(error)
    return 0


def install(site_packages: Path) -> None:
    """Build the collection from the checkout and install it below site_packages. Raises StepFailed."""
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    installed = site_packages / "ansible_collections" / galaxy["namespace"] / galaxy["name"]
    stamp = site_packages / "ansible_collections" / f".{galaxy['namespace']}.{galaxy['name']}"
    sources = fingerprint(galaxy)
    if (installed / "MANIFEST.json").exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == sources:
        return
    say(f"installs {galaxy['namespace']}.{galaxy['name']} {galaxy['version']} into {_short(site_packages)}")
    with tempfile.TemporaryDirectory(prefix="netfit-build-") as scratch:
        artifact = build(Path(scratch))
        stamp.unlink(missing_ok=True)
        command = ["install", "--force", "--no-deps", "--offline", "--collections-path", str(site_packages)]
        _ansible_galaxy(Path(scratch), *command, str(artifact))
    stamp.write_text(sources, encoding="utf-8")


def build(scratch: Path) -> Path:
    """Build the artifact in a scratch directory and return its path. Raises StepFailed."""
    _ansible_galaxy(scratch, "build", "--force", "--output-path", str(scratch), str(ROOT))
    return next(scratch.glob("*.tar.gz"))


def fingerprint(galaxy: Dict[str, Any]) -> str:
    """Say what the artifact would be made of: name, size, mode and time of change of each file."""
    digest = hashlib.sha256()
    for path in _published_files(NEVER_PUBLISHED + list(galaxy.get("build_ignore") or [])):
        status = path.stat()
        digest.update(f"{path.relative_to(ROOT)}\0{status.st_size}\0{status.st_mode}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _published_files(ignored: List[str]) -> Iterator[Path]:
    """Yield the files that no pattern names by its path from the root or by its own name."""
    for folder, directories, files in os.walk(ROOT):
        here = Path(folder)

        def published(name: str, here: Path = here) -> bool:
            relative = (here / name).relative_to(ROOT).as_posix()
            return not any(fnmatch(relative, pattern) or fnmatch(name, pattern) for pattern in ignored)

        directories[:] = sorted(filter(published, directories))
        yield from (here / name for name in sorted(filter(published, files)))


def _ansible_galaxy(scratch: Path, *arguments: str) -> None:
    """Run ansible-galaxy of this environment, untouched by the user's configuration. Raises StepFailed."""
    configuration = scratch / "ansible.cfg"
    configuration.touch()
    neutral = {"ANSIBLE_CONFIG": str(configuration), "ANSIBLE_HOME": str(scratch / "home")}
    run_quietly([sys.executable, "-m", "ansible.cli.galaxy", "collection", *arguments], neutral)


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if ROOT in path.parents else str(path)


if __name__ == "__main__":
    sys.exit(main())
