# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium without a window, for pages of this machine alone."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import List

import pytest

PATIENCE_SECONDS = 120
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
DARK = "--blink-settings=preferredColorScheme=0"


@dataclass(frozen=True)
class Browser:
    """folder: for its profile, and for what it makes."""

    folder: Path

    def run(self, page: Path, *switches: str) -> subprocess.CompletedProcess[str]:
        """Open a file and do what the switches say; the console's messages are in stderr."""
        command = ["chromium", *SWITCHES, f"--user-data-dir={self.folder / 'profile'}", *switches, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)

    def file(self, name: str, content: str) -> Path:
        """Write a page."""
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path

    def content(self, page: Path, *switches: str) -> str:
        """Return the page's elements when its script has run."""
        return self.run(page, "--virtual-time-budget=30000", "--dump-dom", *switches).stdout

    def complaints(self, page: Path) -> List[str]:
        """Return what the browser says against the page: scripts that failed, and what its policy did not let in."""
        said = self.run(page, "--virtual-time-budget=5000", "--dump-dom").stderr.splitlines()
        return [line for line in said if "CONSOLE" in line]


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)
