# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of HTTP requests, as a map of nodes by body size, and of idle connections, as bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ....module_utils._model.http_result import End
from ..mesh_picture import natural
from .heat_map import Field
from .queues import BAR_WIDTH
from .words import percent, plural

Record = Mapping[str, Any]

MOST_MAPS = 12
MOST_ROWS = 40
MOST_BARS = 40


@dataclass(frozen=True)
class RateMap:
    """The targets of one service as one host saw them. more: rows that are left out.

    rows: (name, fields), a field for each size; None where none of it was sent there.
    """

    title: str
    columns: Tuple[str, ...]
    rows: Tuple[Tuple[str, Tuple[Optional[Field], ...]], ...]
    notes: Tuple[str, ...]
    more: int


@dataclass(frozen=True)
class IdleBar:
    """How long a server kept an idle connection. width, mark: pixels of BAR_WIDTH; mark: the load balancer's time."""

    label: str
    host: str
    words: str
    width: int
    mark: Optional[int]


def rate_maps(entries: Iterable[Record]) -> Tuple[List[RateMap], int]:
    """Return the maps of what report.json has under "http", and how many are left out."""
    groups: Dict[Tuple[str, str], List[Record]] = {}
    for entry in entries:
        groups.setdefault((entry["host"], entry["service"]), []).append(entry)
    ordered = sorted(groups.items(), key=lambda group: [natural(word) for word in group[0]])
    maps = [_map(host, service, targets) for (host, service), targets in ordered[:MOST_MAPS]]
    return maps, max(len(ordered) - MOST_MAPS, 0)


def idle_bars(entries: Iterable[Record]) -> Tuple[List[IdleBar], int]:
    """Return the bars of what report.json has under "keepalive", and how many are left out."""
    ordered = sorted(entries, key=lambda one: [natural(one["host"]), natural(_label(one))])
    return [_bar(entry) for entry in ordered[:MOST_BARS]], max(len(ordered) - MOST_BARS, 0)


def _map(host: str, service: str, targets: Sequence[Record]) -> RateMap:
    sizes = sorted({size["body_bytes"] for target in targets for size in target["sizes"]})
    ordered = sorted(targets, key=lambda one: natural(_target(one)))
    rows = []
    for target in ordered[:MOST_ROWS]:
        by_size = {size["body_bytes"]: size for size in target["sizes"]}
        fields = [_field(by_size[size]) if size in by_size else None for size in sizes]
        rows.append((_target(target), tuple(fields)))
    return RateMap(
        title=f"{service}, from {host}",
        columns=tuple(plural(size, "byte") for size in sizes),
        rows=tuple(rows),
        notes=tuple(f"{_target(one)}: {one['reason']}" for one in ordered[:MOST_ROWS] if one["reason"]),
        more=max(len(ordered) - MOST_ROWS, 0),
    )


def _target(entry: Record) -> str:
    return str(entry["node"] or entry["name"])


def _field(size: Record) -> Field:
    sent, failed = size["sent"], size["failed"]
    refused = f", {size['too_large']} refused as too large (413)" if size["too_large"] else ""
    if not sent:
        return Field("not sent" if not refused else "413", "unknown", f"none sent that counts{refused}")
    style = "hole" if failed == sent else "reduced" if failed else "ok"
    words = f"{failed:,} of {sent:,} failed{_between(size['interval'])}{refused}{_instead(size)}"
    return Field(f"{percent(failed, sent)} of {sent:,}", style, words)


def _between(interval: Optional[Sequence[float]]) -> str:
    if interval is None:
        return ""
    low, high = (100 * bound for bound in interval)
    return f" (95 % interval: {low:.1f} to {high:.1f} %)"


def _instead(size: Record) -> str:
    statuses = [f"{count:,} x {status}" for status, count in sorted(size["statuses"].items())]
    others = [f"{count:,} {name}" for name, count in sorted(size["outcomes"].items()) if name != "answered"]
    return f": {', '.join([*statuses, *others])}" if statuses or others else ""


def _label(entry: Record) -> str:
    service, name = entry["service"], _target(entry)
    return service if service == name else f"{service}: {name}"


def _bar(entry: Record) -> IdleBar:
    ended, idle = entry["ended"], entry["idle_seconds"]
    kept, words = _kept(entry)
    if idle is not None:
        words += f"; {entry['load_balancer'] or 'the load balancer'} keeps it for {idle:g} s"
        if kept is not None and kept <= idle and ended != End.OPEN.value:
            words += ", longer than the server"
    if entry["reason"]:
        words += f" ({entry['reason']})"
    most = max(kept or 0, idle or 0, 1)
    width = max(round(BAR_WIDTH * kept / most), 2) if kept else 0
    mark = round(BAR_WIDTH * idle / most) if idle is not None else None
    return IdleBar(_label(entry), entry["host"], words, width, mark)


def _kept(entry: Record) -> Tuple[Optional[float], str]:
    """Return the seconds for which a connection was kept, so far as is known, and how it ended."""
    ended = entry["ended"]
    kept, at_least = entry["kept_seconds"], entry["at_least_seconds"]
    if ended == End.NOT_KEPT.value:
        return 0.0, "closed with the answer"
    if kept is not None:
        return kept, f"{'reset' if ended == End.RESET.value else 'closed'} after {kept:.1f} s"
    if ended == End.OPEN.value and at_least is not None:
        return at_least, f"still open after {at_least:.1f} s"
    if ended == End.SILENT.value and at_least is not None:
        return at_least, f"gone without a word within {at_least:.1f} s"
    return None, "no answer to begin with"
