# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the Python versions of this machine."""

from __future__ import annotations

import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Iterable, Iterator, Optional, Tuple

Version = Tuple[int, int]


def parse_version(text: str) -> Version:
    """Turn "3.11" or "3.11.7" into (3, 11). Raises ValueError for other text."""
    match = re.match(r"(\d+)\.(\d+)", text)
    if match is None:
        raise ValueError(f"not a Python version: {text!r}")
    return int(match.group(1)), int(match.group(2))


@lru_cache(maxsize=None)
def find_interpreter(version: str) -> Optional[str]:
    """Return the path of a Python of that minor version ("3.8"), None when this machine has none."""
    for candidate in _candidates(version):
        probe = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"
        try:
            done = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        lines = done.stdout.splitlines()
        if done.returncode == 0 and lines[:1] == [version]:
            return lines[1]
    return None


def first_interpreter(versions: Iterable[str]) -> Optional[str]:
    """Return the path of the first of these versions that this machine has."""
    return next(filter(None, map(find_interpreter, versions)), None)


def _candidates(version: str) -> Iterator[str]:
    """Yield names and paths to try; a shim of pyenv on PATH may refuse, so its versions are looked at as well."""
    yield f"python{version}"
    yield f"/usr/bin/python{version}"
    yield "/usr/bin/python3"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))
