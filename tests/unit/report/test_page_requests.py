# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of report.html about HTTP requests and idle connections."""

from __future__ import annotations

from typing import Any, List

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.http_result import End
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html import requests as part
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.heat_map import Field
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.queues import BAR_WIDTH
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.http import describe_http, describe_idle
from ansible_collections.netfit.cluster.tests.unit import builders as b
from ansible_collections.netfit.cluster.tests.unit.report.pages import (
    by_class,
    recorded,
    section,
    text_of,
    tree,
    with_requests,
)


def maps(*targets: Any) -> List[part.RateMap]:
    return part.rate_maps(describe_http({"lb": {"http_requests": list(targets)}}))[0]


def bar_of(**idle: Any) -> part.IdleBar:
    return part.idle_bars(describe_idle({"lb": {"keepalive": [b.idle_target("n1", **idle)]}}))[0][0]


def test_rows_are_nodes_and_columns_sizes() -> None:
    one, other = maps(*[b.http_target(f"n{n}", {1000: (0, 8), 20000: (8 * (n != 2), 8)}) for n in (10, 2, 1)]), maps()
    assert other == [] and len(one) == 1
    assert one[0].title == "port 30004/ of the nodes, from lb"
    assert one[0].columns == ("1,000 bytes", "20,000 bytes")
    assert [(name, [field.text if field else None for field in row]) for name, row in one[0].rows] == [
        ("n1", ["0 % of 8", "100 % of 8"]),
        ("n2", ["0 % of 8", "0 % of 8"]),
        ("n10", ["0 % of 8", "100 % of 8"]),
    ]
    assert [field.style for field in one[0].rows[0][1] if field] == ["ok", "hole"]


def test_a_size_that_only_others_were_sent_is_no_field() -> None:
    rows = maps(b.http_target("n1", {0: (0, 8)}), b.http_target("n2", {1000: (2, 8)}))[0].rows
    assert [[field and field.text for field in row] for _name, row in rows] == [["0 % of 8", None], [None, "25 % of 8"]]


def test_a_rare_failure_is_not_rounded_away_and_its_interval_is_told() -> None:
    field = maps(b.http_target(None, {1000: (1, 2500)}))[0].rows[0][1][0]
    assert field is not None and (field.text, field.style) == ("<1 % of 2,500", "reduced")
    assert field.words == "1 of 2,500 failed (95 % interval: 0.0 to 0.2 %): 2,499 x 200, 1 timed out"


def test_what_the_server_refuses_as_too_large_is_told_apart() -> None:
    target = b.http_target("n1", {20000: (0, 8)})
    target["sizes"][0].update(statuses={"413": 8})
    field = maps(target)[0].rows[0][1][0]
    assert field == Field("413", "unknown", "none sent that counts, 8 refused as too large (413)")


def test_large_fleets_stay_small() -> None:
    targets = [b.http_target(None, {0: (0, 1)}, name=f"t{number}") for number in range(30)]
    shown, left = part.rate_maps(describe_http({"lb": {"http_requests": targets}}))
    assert (len(shown), left) == (part.MOST_MAPS, 30 - part.MOST_MAPS)
    nodes = [b.http_target(f"n{number}", {0: (0, 1)}, host="shop.example.org") for number in range(100)]
    assert (len(maps(*nodes)[0].rows), maps(*nodes)[0].more) == (part.MOST_ROWS, 100 - part.MOST_ROWS)


@pytest.mark.parametrize(
    ("idle", "words", "width", "mark"),
    [
        ({"kept": 5.0}, "closed after 5.0 s; AWS Application Load Balancer keeps it for 60 s, longer than the server",
         BAR_WIDTH // 12, BAR_WIDTH),
        ({"kept": 120.0}, "closed after 120.0 s; AWS Application Load Balancer keeps it for 60 s", BAR_WIDTH,
         BAR_WIDTH // 2),
        ({"kept": None}, "still open after 130.0 s; AWS Application Load Balancer keeps it for 60 s", BAR_WIDTH, 111),
        ({"kept": 5.0, "ended": End.RESET, "idle_seconds": None}, "reset after 5.0 s", BAR_WIDTH, None),
        ({"kept": None, "ended": End.FAILED, "idle_seconds": None, "reason": "refused"},
         "no answer to begin with (refused)", 0, None),
        ({"kept": None, "ended": End.NOT_KEPT, "idle_seconds": None}, "closed with the answer", 0, None),
        ({"kept": None, "ended": End.SILENT, "idle_seconds": None}, "gone without a word within 130.0 s", BAR_WIDTH,
         None),
    ],
)  # fmt: skip
def test_a_bar_says_how_long_and_how_it_ended(idle: Any, words: str, width: int, mark: Any) -> None:
    made = bar_of(**idle)
    assert (made.words, made.width, made.mark, made.host) == (words, width, mark, "lb")


def test_the_page_has_the_part_only_where_something_was_sent() -> None:
    root = tree(with_requests(recorded("incident")))
    requests = section(root, "requests")
    assert len(by_class(requests, "heat")) == 2 and len(by_class(requests, "bar")) == 3
    assert "stopped after 120 s" in text_of(requests)
    assert [one for one in root.iter("a") if one.get("href") == "#requests"]
    without = tree(recorded("incident"))
    assert not [one for one in without.iter("section") if one.get("id") == "requests"]
    assert not [one for one in without.iter("a") if one.get("href") == "#requests"]
