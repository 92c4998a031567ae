# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in Markdown that means itself: no mark-up, no HTML, no further cell of a table comes out of it.

The format: GitHub Flavored Markdown (https://github.github.com/gfm/), sections 2.4 backslash escapes, 4.10 tables,
6.3 code spans.
"""

from __future__ import annotations

import re
from typing import Iterable, List, Sequence

from .safe_text import one_line, writable

MARKS = re.compile(r"([\\`*_\[\]<>&|~])")
AT_THE_START = re.compile(r"([0-9]+)([.)])(?=\s|$)|([-+=#])")
"""What would begin a list or a heading."""
NEEDS_NO_ESCAPE = re.compile(r"(?<=[a-zA-Z0-9])\\_(?=[a-zA-Z0-9])")
"""Inside a word it means nothing, and names of kernel parameters stay readable."""


def prose(text: object) -> str:
    """Return one line of text, escaped."""
    escaped = NEEDS_NO_ESCAPE.sub("_", MARKS.sub(r"\\\1", one_line(text)))
    start = AT_THE_START.match(escaped)
    if start is None:
        return escaped
    head = f"{start[1]}\\{start[2]}" if start[1] else f"\\{start[3]}"
    return head + escaped[start.end() :]


def code_block(lines: Iterable[str]) -> List[str]:
    """Return lines of commands as a fenced block, with a fence that none of them can close."""
    inside = [writable(line).replace("\n", " ") for line in lines]
    longest = max((len(run) for line in inside for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}sh", *inside, fence]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> List[str]:
    """Return a table; its cells are escaped here."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(prose(cell) for cell in row) + " |" for row in rows]
