# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after in the terminal."""

from __future__ import annotations

import textwrap
from typing import List, Optional, Sequence

from .comparison import Comparison, FindingChange, PathChange, State
from .line import Line

MOST_PATHS, MOST_FINDINGS = 60, 60
BAR = 20
"""Columns of the widest bar."""
TONES = {State.GONE: "healthy", State.NEW: "critical", State.STILL_THERE: "medium", State.WAITING: "medium"}


def comparison_lines(comparison: Comparison, columns: int) -> List[Line]:
    """Return what paths carried before and carry now, what has become of the findings, and broken promises."""
    changed = [one for one in comparison.paths if one.changed or one.broken is not None]
    lines = [Line("Before and after, largest IP packet in bytes:")]
    widest = max([size for one in changed for size in (one.size_then, one.size_now) if size is not None], default=1)
    for one in changed[:MOST_PATHS]:
        lines.extend(_path(one, widest, columns))
    if len(changed) > MOST_PATHS:
        lines.append(Line(f"  and {len(changed) - MOST_PATHS} more that changed"))
    same = len(comparison.paths) - len(changed)
    if same:
        lines.append(Line(f"  {same} {'path is' if same == 1 else 'paths are'} as before"))
    lines.extend(_findings(comparison.findings, columns))
    for text in comparison.broken:
        lines.extend(_wrapped(f"BROKEN PROMISE  {text}", "critical", columns))
    if comparison.promised and not comparison.broken:
        lines.append(Line("All that was promised holds.", "healthy"))
    return lines


def _path(one: PathChange, widest: int, columns: int) -> List[Line]:
    promised = f", promised {one.minimum}" if one.minimum is not None else ""
    tone = "critical" if one.broken is not None else None
    return [
        *_wrapped(f"{one.name} (expected {one.expected}{promised})", tone, columns),
        Line(f"    before {_bar(one.size_then, widest)} {one.then or 'not measured'}"),
        Line(f"    now    {_bar(one.size_now, widest)} {one.now or 'not measured'}", tone or "healthy"),
    ]


def _bar(size: Optional[int], widest: int) -> str:
    length = 0 if size is None else max(1, round(BAR * size / widest))
    return "[" + "#" * length + " " * (BAR - length) + "]"


def _findings(findings: Sequence[FindingChange], columns: int) -> List[Line]:
    if not findings:
        return []
    lines = [Line("Findings of before, and of now:")]
    order = list(State)
    for one in sorted(findings, key=lambda entry: order.index(entry.state))[:MOST_FINDINGS]:
        lines.extend(_wrapped(f"{one.state.value}: {one.id} on {one.host}, {one.title}", TONES[one.state], columns))
    if len(findings) > MOST_FINDINGS:
        lines.append(Line(f"  and {len(findings) - MOST_FINDINGS} more"))
    return lines


def _wrapped(text: str, tone: Optional[str], columns: int) -> List[Line]:
    parts = textwrap.wrap(text, columns, initial_indent="  ", subsequent_indent=" " * 6, break_on_hyphens=False)
    return [Line(part, tone) for part in parts]
