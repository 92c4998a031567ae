# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts to read: recorded ones, and ones that a test writes itself."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Union

import pytest

DATA = Path(__file__).resolve().parent.parent / "data"

Host = Callable[..., str]


@pytest.fixture
def recorded() -> Callable[[str], str]:
    """Give the root of a recorded host by its name."""

    def root(name: str) -> str:
        assert (DATA / name).is_dir(), name
        return str(DATA / name)

    return root


@pytest.fixture
def host(tmp_path: Path) -> Callable[[str, Union[str, bytes]], str]:
    """Write a file of a host by its absolute path; give the host's root."""

    def write(path: str, content: Union[str, bytes]) -> str:
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(tmp_path)

    return write
