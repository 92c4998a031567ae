# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/http.md are those of the collection's data: run this file to print them."""

from __future__ import annotations

from pathlib import Path
from typing import List

from ansible_collections.netfit.cluster.plugins.module_utils._model.idle_defaults import LOAD_BALANCERS, SERVERS
from ansible_collections.netfit.cluster.plugins.module_utils._model.idle_timeouts import BALANCERS, judge_default

PAGE = Path(__file__).resolve().parents[3] / "docs" / "http.md"
BEHIND = ("aws_alb", "alibaba_alb", "gcp_alb")


def balancer_table() -> List[str]:
    """Return the load balancers."""
    rows = ["| `netfit_load_balancer` | load balancer | keeps idle connections | can be set to | source |"]
    rows.append("|---|---|---|---|---|")
    for one in LOAD_BALANCERS:
        idle = "" if one.idle_seconds is None else f"{one.idle_seconds:g} s"
        layer = " (layer 4)" if one.layer == 4 else ""
        note = f"; {one.note}" if idle and one.note else one.note
        to = f"{one.range[0]} to {one.range[1]} s" if one.range is not None else ""
        rows.append(f"| `{one.key}` | {one.name}{layer} | {idle}{note} | {to} | {one.source} |")
    return rows


def server_table() -> List[str]:
    """Return the servers, with what becomes of each behind some load balancers."""
    names = " | ".join(f"behind `{key}`" for key in BEHIND)
    rows = [f"| server | keeps idle connections | requests on one | {names} | what raises it | source |"]
    rows.append("|---|---|---|" + "---|" * len(BEHIND) + "---|---|")
    for one in SERVERS:
        keeps = "" if one.keep_seconds is None else f"{one.keep_seconds:g} s".replace("inf s", "without limit")
        note = f"; {one.note}" if keeps and one.note else one.note
        verdicts = " | ".join(judge_default(one, BALANCERS[key]).value for key in BEHIND)
        requests = "" if one.requests is None else str(one.requests)
        setting = f"`{one.setting.replace('SECONDS', 'N')}`"
        rows.append(f"| {one.name} | {keeps}{note} | {requests} | {verdicts} | {setting} | {one.source} |")
    return rows


def test_the_tables_are_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for table in (balancer_table(), server_table()):
        assert "\n".join(table) in text


def test_every_load_balancer_has_a_key_and_a_source_of_its_own() -> None:
    assert len(BALANCERS) == len(LOAD_BALANCERS) and list(BALANCERS) == [one.key for one in LOAD_BALANCERS]
    assert all(one.source for one in [*LOAD_BALANCERS, *SERVERS])


if __name__ == "__main__":
    print("\n".join([*balancer_table(), "", *server_table()]))
