# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line of the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Line:
    """A line of the terminal. tone: a severity, "healthy" or "error", which decides its colour; None for plain."""

    text: str
    tone: Optional[str] = None
