# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts, those first that need somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, List, Tuple

from ..document import is_healthy
from ..mesh_picture import natural
from .words import SEVERITIES, counted, listed

MOST_ROWS = 50


@dataclass(frozen=True)
class HostRow:
    """counts: findings in words. tone: the worst severity, error where it was not audited, healthy."""

    name: str
    status: str
    tone: str
    counts: str
    kernel: str
    reason: str


@dataclass(frozen=True)
class HostList:
    """rows: the first; further: those behind them. healthy: names on which nothing was found, in words."""

    rows: Tuple[HostRow, ...]
    further: Tuple[HostRow, ...]
    healthy: str
    healthy_count: int


def list_hosts(hosts: Mapping[str, Mapping[str, Any]]) -> HostList:
    """Return the hosts that are not healthy as rows, worst first, and the healthy ones by name."""
    healthy = sorted([name for name, host in hosts.items() if is_healthy(host)], key=natural)
    rows = sorted([_row(name, host) for name, host in hosts.items() if not is_healthy(host)], key=_order)
    return HostList(tuple(rows[:MOST_ROWS]), tuple(rows[MOST_ROWS:]), listed(healthy, 30), len(healthy))


def _order(row: HostRow) -> Tuple[int, List[Tuple[int, str]]]:
    return ("error", *SEVERITIES, "healthy").index(row.tone), natural(row.name)


def _row(name: str, host: Mapping[str, Any]) -> HostRow:
    audited = host["status"] == "audited"
    worst = next((severity for severity in SEVERITIES if host["severity"].get(severity)), "error")
    errors = f"{host['errors']} could not be checked" if host["errors"] else ""
    found = counted(host["severity"])
    return HostRow(
        name=name,
        status=str(host["status"]).replace("_", " "),
        tone=worst if audited else "error",
        counts="; ".join(part for part in (found if found != "none" or not errors else "", errors) if part),
        kernel=str(host["kernel"] or ""),
        reason=str(host["reason"] or ""),
    )
