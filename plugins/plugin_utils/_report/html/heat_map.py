# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measured meshes as heat maps: rows send, columns receive, so that each direction has a cell of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ..._rules import plain
from ..._rules.path_words import CLASS_WORDS, METHODS
from ..mesh_picture import FAMILIES, MARKS, Cell, natural
from .mesh_groups import Group, group_ends
from .words import in_order, listed, plural

Record = Mapping[str, Any]

MOST_MEMBERS = 24
"""Up to which each member has a row and a column."""
MOST_LISTED = 200
STYLES = {"": "ok", "!": "hole", "x": "dead", "<": "short", "~": "reduced", "?": "unknown"}
"""Class of the style sheet, by mark."""
LEGEND = {"": "as expected", **MARKS}


@dataclass(frozen=True)
class Field:
    """A cell of the table. text: what stands in it; words: the same as a sentence, with the evidence."""

    text: str
    style: str
    words: str


@dataclass(frozen=True)
class Row:
    """fields: in the order of the columns; None where nothing was measured, or the member would meet itself."""

    name: str
    full_name: str
    fields: Tuple[Optional[Field], ...]


@dataclass(frozen=True)
class HeatMap:
    """grouped: whether rows stand for several members. deviations: what is not as it should be, worst first.

    more: deviations that are left out. legend: sign, class of the style sheet and meaning.
    """

    title: str
    totals: str
    grouped: bool
    columns: Tuple[str, ...]
    rows: Tuple[Row, ...]
    deviations: Tuple[Field, ...]
    more: int
    legend: Tuple[Tuple[str, str, str], ...]


@dataclass(frozen=True)
class Measurement:
    """One direction with where it comes from. direction: of the path, or the path itself for TCP."""

    cell: Cell
    entry: Record
    direction: Record


def heat_maps(paths: Sequence[Record]) -> List[HeatMap]:
    """Return a map for each class, family and network of the report's paths."""
    groups: Dict[Tuple[str, str, str], List[Record]] = {}
    for entry in paths:
        key = (str(entry["class"]), str(entry["family"]), str(entry["network"] or ""))
        groups.setdefault(key, []).append(entry)
    return [_heat_map(name, groups[name]) for name in sorted(groups)]


def _heat_map(name: Tuple[str, str, str], entries: Sequence[Record]) -> HeatMap:
    measured = _measurements(entries)
    cells = {(one.cell.sender, one.cell.receiver): one for one in measured}
    senders, receivers = in_order([ends[0] for ends in cells]), in_order([ends[1] for ends in cells])
    grouped = max(len(senders), len(receivers)) > MOST_MEMBERS
    if grouped:
        columns, rows = _grouped(cells)
    else:
        columns, rows = tuple(receivers), _rows(cells, senders, receivers)
    deviating = sorted((one for one in measured if one.cell.mark), key=_worst_first)
    used = {one.cell.mark for one in measured}
    sample = next((one.cell.text for one in measured if not one.cell.mark), "")
    return HeatMap(
        title=_title(name),
        totals=_totals(len(entries), measured),
        grouped=grouped,
        columns=columns,
        rows=rows,
        deviations=tuple(_field(one) for one in deviating[:MOST_LISTED]),
        more=max(len(deviating) - MOST_LISTED, 0),
        legend=tuple((mark or sample, STYLES[mark], words) for mark, words in LEGEND.items() if mark in used),
    )


def _title(name: Tuple[str, str, str]) -> str:
    words = CLASS_WORDS.get(name[0], name[0])
    return f"{words[:1].upper()}{words[1:]}, {FAMILIES.get(name[1], name[1])}" + (
        f", network {name[2]}" if name[2] else ""
    )


def _measurements(entries: Sequence[Record]) -> List[Measurement]:
    """Return each direction once; of those measured from both ends, the worse one."""
    found: Dict[Tuple[str, str], Measurement] = {}
    for entry in entries:
        source, peer = str(entry["source"]["name"]), str(entry["peer"]["name"])
        ways: List[Tuple[str, str, Any]] = [(source, peer, entry)]
        if entry["kind"] != "tcp":
            ways = [(source, peer, entry["forward"]), (peer, source, entry["back"])]
        for sender, receiver, direction in ways:
            if direction is None:
                continue
            one = Measurement(_cell(sender, receiver, direction, entry["expected_mtu"]), entry, direction)
            known = found.get((sender, receiver))
            if known is None or _rank(one.cell.mark) < _rank(known.cell.mark):
                found[sender, receiver] = one
    return list(found.values())


def _cell(sender: str, receiver: str, direction: Record, expected: Optional[int]) -> Cell:
    size = direction["path_mtu"] or direction["at_least"] or None
    short = expected is not None and direction["path_mtu"] is not None and direction["path_mtu"] < expected
    return Cell(sender, receiver, direction["verdict"], size, short, direction.get("reason"))


def _rank(mark: str) -> int:
    """Position of a mark, worst first."""
    return list(MARKS).index(mark) if mark in MARKS else len(MARKS)


def _worst_first(one: Measurement) -> Any:
    return _rank(one.cell.mark), natural(one.cell.sender), natural(one.cell.receiver)


def _rows(
    cells: Mapping[Tuple[str, str], Measurement], senders: Sequence[str], receivers: Sequence[str]
) -> Tuple[Row, ...]:
    found = []
    for sender in senders:
        own = [cells.get((sender, receiver)) for receiver in receivers]
        found.append(Row(sender, sender, tuple(None if one is None else _field(one) for one in own)))
    return tuple(found)


def _field(one: Measurement) -> Field:
    cell = one.cell
    text = cell.text if cell.mark not in ("x", "?") else cell.mark
    return Field(text, STYLES[cell.mark], f"{cell.sender} to {cell.receiver}: {_evidence(one)}")


def _evidence(one: Measurement) -> str:
    cell, direction = one.cell, one.direction
    parts = [cell.words if cell.mark in ("x", "?") else f"carries {cell.size} bytes"]
    parts[0] = {"x": "unreachable", "?": "not known"}.get(cell.mark, parts[0])
    if cell.mark in ("!", "<", "~"):
        parts[0] += f", {MARKS[cell.mark]}"
    if cell.reason:
        parts.append(" ".join(cell.reason.split()))
    router, reported = plain.text(direction, "router"), plain.whole(direction, "reported_mtu")
    if reported is not None:
        parts.append(f"{router or 'a router'} said by ICMP that it takes {reported}")
    if one.entry.get("expected_mtu"):
        parts.append(f"expected {one.entry['expected_mtu']} ({one.entry.get('expected_because')})")
    tries, confidence = plain.whole(direction, "tries_above"), plain.number(direction, "confidence")
    if tries and cell.mark == "!":
        parts.append(f"{tries} larger packets did not pass")
    if confidence is not None and cell.mark not in ("x", "?"):
        parts.append(f"confidence {confidence:.6g}")
    method = METHODS.get(plain.text(one.entry, "method") or "")
    return "; ".join([*parts, *([f"measured by {method} from {one.entry.get('host')}"] if method else [])])


def _totals(paths: int, measured: Sequence[Measurement]) -> str:
    counts = Counter(one.cell.words for one in measured)
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    named = [f"{count:,} {text}" for text, count in ordered[:6]]
    more = f" and {len(ordered) - 6} other values" if len(ordered) > 6 else ""
    return f"{plural(paths, 'path')}; directions: {', '.join(named)}{more}"


def _grouped(cells: Mapping[Tuple[str, str], Measurement]) -> Tuple[Tuple[str, ...], Tuple[Row, ...]]:
    outcomes = {ends: one.cell.text if one.cell.mark else "" for ends, one in cells.items()}
    senders, receivers = group_ends(outcomes)
    row_of = {name: number for number, group in enumerate(senders) for name in group.members}
    column_of = {name: number for number, group in enumerate(receivers) for name in group.members}
    blocks: Dict[Tuple[int, int], List[Measurement]] = {}
    for (sender, receiver), one in cells.items():
        blocks.setdefault((row_of[sender], column_of[receiver]), []).append(one)
    rows = [
        Row(
            _group_name(sender),
            listed(sender.members, 60),
            tuple(_block(sender, receiver, blocks.get((row, column), [])) for column, receiver in enumerate(receivers)),
        )
        for row, sender in enumerate(senders)
    ]
    return tuple(_group_name(group) for group in receivers), tuple(rows)


def _group_name(group: Group) -> str:
    return f"{'the others' if group.rest else listed(group.members, 3)}" + (
        f" ({len(group.members):,})" if len(group.members) > 1 else ""
    )


def _block(sender: Group, receiver: Group, inside: Sequence[Measurement]) -> Optional[Field]:
    if not inside:
        return None
    worst = min(inside, key=_worst_first)
    odd = [one for one in inside if one.cell.mark == worst.cell.mark]
    sizes = sorted({one.cell.size for one in odd if one.cell.size is not None})
    span = "" if worst.cell.mark in ("x", "?") or not sizes else str(sizes[0]) + (f"-{sizes[-1]}" if sizes[1:] else "")
    count = f"{len(odd):,} of {len(inside):,}" if len(odd) < len(inside) else f"{len(inside):,}"
    names = f"{_group_name(sender)} to {_group_name(receiver)}"
    example = (
        f", for example {worst.cell.sender} to {worst.cell.receiver}: {_evidence(worst)}" if worst.cell.mark else ""
    )
    words = (
        f"{names}: {count} directions {worst.cell.words if worst.cell.mark in ('x', '?') else f'carry {span} bytes'}"
    )
    times = " \N{MULTIPLICATION SIGN} " if span else " "
    return Field(f"{span}{worst.cell.mark}{times}{count}", STYLES[worst.cell.mark], words + example)
