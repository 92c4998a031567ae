# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments that are made once and again only when what they are made of changes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Sequence

from packages import install_packages, may_install, on_debian
from steps import ROOT, StepFailed, run_quietly, say

STAMP = "netfit-made-of"


def ensure_environment(path: Path, interpreter: str, requirements: Sequence[Path]) -> Path:
    """Make the environment unless it is there as asked, and return its Python.

    path: where; absolute. interpreter: path of the Python to make it with. requirements: files for pip.
    Raises StepFailed.
    """
    python = path / "bin" / "python"
    made_of = _fingerprint(path, interpreter, requirements)
    stamp = path / STAMP
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == made_of:
        return python
    _require_venv(interpreter)
    say(f"makes {path.relative_to(ROOT)} with {_version(interpreter)}")
    shutil.rmtree(path, ignore_errors=True)
    run_quietly([interpreter, "-m", "venv", str(path)])
    files = [argument for file in requirements for argument in ("--requirement", str(file))]
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run_quietly([*pip, "install", "--quiet", *files])
    stamp.write_text(made_of, encoding="utf-8")
    return python


def _fingerprint(path: Path, interpreter: str, requirements: Sequence[Path]) -> str:
    """Say what an environment is made of. The path is part of it: environments can't be moved."""
    digest = hashlib.sha256()
    for part in (str(path), interpreter, _version(interpreter)):
        digest.update(part.encode() + b"\0")
    for file in requirements:
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def _version(interpreter: str) -> str:
    return run_quietly([interpreter, "--version"]).strip()


def _require_venv(interpreter: str) -> None:
    """Make sure that the interpreter can make environments: Debian ships that part apart. Raises StepFailed."""
    if _can_make_environments(interpreter):
        return
    version = run_quietly([interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
    package = f"python{version}-venv"
    if not on_debian():
        raise StepFailed(
            f"{interpreter} lacks the modules venv and ensurepip: install them (package {package} on Debian)"
        )
    if not may_install():
        raise StepFailed(f"{interpreter} lacks ensurepip; run as root: apt-get install {package}")
    install_packages([package])
    if not _can_make_environments(interpreter):
        raise StepFailed(f"{interpreter} lacks ensurepip although {package} is installed")


def _can_make_environments(interpreter: str) -> bool:
    return (
        subprocess.run(
            [interpreter, "-c", "import ensurepip, venv; ensurepip.version()"], capture_output=True, check=False
        ).returncode
        == 0
    )
