# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that several parts of the page use."""

from __future__ import annotations

from typing import List, Mapping, Sequence

from ..mesh_picture import natural

SEVERITIES = ("critical", "high", "medium", "low", "info")
"""Worst first."""


def plural(count: int, word: str) -> str:
    """Return "1 host" or "1,000 hosts"."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return "n1, n3 and n4", or "n1, n2, n3 and 747 more" where there are more than most."""
    shown: List[str] = list(names[: most - 1]) if len(names) > most else list(names)
    rest = len(names) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def in_order(names: Sequence[str]) -> List[str]:
    """Return every name once, n2 before n10."""
    return sorted(set(names), key=natural)


def counted(counts: Mapping[str, int]) -> str:
    """Return severities with how often they were found: "2 critical, 1 high"; "none" where there are none."""
    return ", ".join(f"{counts[name]:,} {name}" for name in SEVERITIES if counts.get(name)) or "none"


def percent(part: int, whole: int) -> str:
    """Return a share as "75 %"; ">99 %" or "<1 %" where rounding would make all or none of what is neither."""
    share = round(100 * part / whole) if whole else 0
    if 0 < part < whole and share in (0, 100):
        return "<1 %" if share == 0 else ">99 %"
    return f"{share} %"
