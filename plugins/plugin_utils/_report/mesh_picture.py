# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measured mesh for a person: a matrix where it fits, else what deviates. Marks say all that colours do."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .._rules.path_words import CLASS_WORDS
from .line import Line

MOST_MEMBERS = 16
MOST_DEVIATIONS = 20
LONGEST_NAME = 30
INDENT = 4
CORNER = "from \\ to"
FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One direction. size: bytes that pass. tone: see Line."""

    sender: str
    receiver: str
    verdict: str
    size: Optional[int]
    short: bool
    reason: Optional[str]

    @property
    def mark(self) -> str:
        """What stands beside the size."""
        if self.verdict == "ok":
            return "<" if self.short else ""
        return {"reduced, ICMP works": "~", "black hole": "!", "unreachable": "x"}.get(self.verdict, "?")

    @property
    def text(self) -> str:
        """The cell of the matrix."""
        return f"{'' if self.size is None or self.mark in ('x', '?') else self.size}{self.mark}"

    @property
    def words(self) -> str:
        """The same as a verb and its object."""
        return {"x": "unreachable (x)", "?": "not known (?)"}.get(self.mark, f"carry {self.text}")

    @property
    def tone(self) -> Optional[str]:
        """The colour of a line with this cell alone."""
        return {"!": "critical", "x": "high", "~": "medium", "<": "high", "?": "error"}.get(self.mark)


MARKS = {
    "!": "black hole: larger packets vanish without ICMP",
    "x": "unreachable",
    "<": "less than is expected",
    "~": "larger packets are refused or fragmented",
    "?": "not known",
}
"""Worst first."""


def picture(paths: Sequence[Entry], columns: int) -> List[Line]:
    """Return the lines of all meshes. paths: of the report. columns: of the terminal."""
    groups: Dict[Tuple[str, str, str], List[Entry]] = {}
    for entry in paths:
        key = (str(entry["class"]), str(entry["family"]), str(entry["network"] or ""))
        groups.setdefault(key, []).append(entry)
    lines: List[Line] = []
    used: List[str] = []
    for name in sorted(groups):
        cells = _cells(groups[name])
        lines.extend([*_group(name, groups[name], cells, columns), Line("")])
        used.extend(cell.mark for cell in cells)
    if not lines:
        return []
    legend = ", ".join(f"{mark} {words}" for mark, words in MARKS.items() if mark in used)
    return [Line("Measured paths, largest IP packet in bytes:"), *lines, *_legend(legend, columns)]


def _legend(text: str, columns: int) -> List[Line]:
    if not text:
        return []
    return [*[Line(part) for part in textwrap.wrap(f"  {text}", columns, subsequent_indent="  ")], Line("")]


def _cells(entries: Sequence[Entry]) -> List[Cell]:
    found = []
    for entry in entries:
        source, peer, expected = str(entry["source"]["name"]), str(entry["peer"]["name"]), entry["expected_mtu"]
        if entry["kind"] == "tcp":
            found.append(_cell(source, peer, entry, expected))
            continue
        found.append(_cell(source, peer, entry["forward"], expected))
        found.append(_cell(peer, source, entry["back"], expected))
    best: Dict[Tuple[str, str], Cell] = {}
    for cell in found:
        best.setdefault((cell.sender, cell.receiver), cell)
    return list(best.values())


def _cell(sender: str, receiver: str, direction: Entry, expected: Optional[int]) -> Cell:
    size = direction["path_mtu"] or direction["at_least"] or None
    short = expected is not None and direction["path_mtu"] is not None and direction["path_mtu"] < expected
    return Cell(sender, receiver, direction["verdict"], size, short, direction.get("reason"))


def _group(name: Tuple[str, str, str], entries: Sequence[Entry], cells: Sequence[Cell], columns: int) -> List[Line]:
    members = sorted({end for cell in cells for end in (cell.sender, cell.receiver)}, key=natural)
    title = f"{CLASS_WORDS.get(name[0], name[0])}, {FAMILIES[name[1]]}" + (f", network {name[2]}" if name[2] else "")
    counts = f"{title}: {len(entries)} path{'' if len(entries) == 1 else 's'}, {_totals(cells)}"
    head = [Line(part) for part in textwrap.wrap(counts, columns, initial_indent="  ", subsequent_indent="    ")]
    deviating = [cell for cell in cells if cell.mark]
    if not deviating and len({cell.size for cell in cells}) <= 1:
        return head
    dense = 2 * len(cells) >= len(members) * (len(members) - 1)
    matrix = _matrix(members, cells, columns) if dense and 2 < len(members) <= MOST_MEMBERS else None
    return [*head, *(matrix if matrix is not None else _deviations(deviating, columns))]


def natural(name: str) -> List[Tuple[int, str]]:
    """Sort key that puts n2 before n10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _totals(cells: Sequence[Cell]) -> str:
    """Return how many directions carry what: "directions: 10 carry 1500, 2 carry 1400!, 1 not known (?)"."""
    counts = Counter(cell.words for cell in cells)
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    named = [f"{count} {text}" for text, count in ordered[:6]]
    more = f" and {len(ordered) - 6} other values" if len(ordered) > 6 else ""
    return f"directions: {', '.join(named)}{more}"


def _matrix(members: Sequence[str], cells: Sequence[Cell], columns: int) -> Optional[List[Line]]:
    """Rows send, columns receive. Long names are numbered, and stand below where they are too long for that, too.

    None where it is wider than the terminal.
    """
    numbered = any(len(name) > 6 for name in members)
    heads = [str(position) for position in range(1, len(members) + 1)] if numbered else list(members)
    labels = [_label(head, name if numbered else "") for head, name in zip(heads, members)]
    column = max([4, *[len(text) for text in heads], *[len(cell.text) for cell in cells]]) + 1
    below: List[str] = []
    if INDENT + _row_width(labels) + column * len(members) > columns:
        below, labels = labels, [head.rjust(2) for head in heads]
    row = _row_width(labels)
    if INDENT + row + column * len(members) > columns or (below and not numbered):
        return None
    by_ends = {(cell.sender, cell.receiver): cell for cell in cells}
    lines = [Line(" " * INDENT + CORNER.ljust(row) + "".join(head.rjust(column) for head in heads))]
    for sender, label in zip(members, labels):
        own = [by_ends.get((sender, receiver)) for receiver in members]
        texts = ["-" if sender == name else "." if cell is None else cell.text for name, cell in zip(members, own)]
        lines.append(Line(" " * INDENT + label.ljust(row) + "".join(text.rjust(column) for text in texts), _worst(own)))
    return [*lines, *[Line(" " * INDENT + name) for name in below]]


def _row_width(labels: Sequence[str]) -> int:
    return max(len(label) for label in [*labels, CORNER])


def _label(head: str, name: str) -> str:
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 12] + "..." + name[-9:]
    return f"{head.rjust(2)} {short}" if name else head


def _worst(cells: Sequence[Optional[Cell]]) -> Optional[str]:
    tones = [cell.tone for cell in cells if cell is not None]
    return next((tone for tone in ("critical", "high", "medium", "error") if tone in tones), None)


def _deviations(cells: Sequence[Cell], columns: int) -> List[Line]:
    lines: List[Line] = []
    ranks = list(MARKS)
    ordered = sorted(cells, key=lambda cell: (ranks.index(cell.mark), natural(cell.sender), natural(cell.receiver)))
    for cell in ordered[:MOST_DEVIATIONS]:
        reason = f" ({' '.join(cell.reason.split())})" if cell.reason and cell.mark == "?" else ""
        text = f"{cell.sender} to {cell.receiver}: {cell.text}{reason}"
        parts = textwrap.wrap(
            text,
            columns,
            initial_indent="    ",
            subsequent_indent="      ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines.extend(Line(part, cell.tone) for part in parts)
    if len(cells) > MOST_DEVIATIONS:
        lines.append(Line(f"    and {len(cells) - MOST_DEVIATIONS} more in the report"))
    return lines
