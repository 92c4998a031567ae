# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search over simulated paths: right where it answers, whatever is lost."""

from __future__ import annotations

import random
from typing import List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from ansible_collections.netfit.cluster.plugins.module_utils._probe.tcp_search import (
    DOUBT,
    End,
    SizeSearch,
    chance,
    outcomes,
)


def simulate(
    search: SizeSearch, path_mtu: int, reports: bool = False, loss: float = 0.0, seed: int = 0, late: bool = False
) -> SizeSearch:
    """Send the rounds over a path that loses what is larger than path_mtu, and a part of the rest."""
    luck = random.Random(seed)
    delayed: List[int] = []
    while True:
        sizes = search.next_round()
        if not sizes:
            return search
        for size in delayed:
            search.arrive(size, search.rounds - 1)
        delayed = []
        for size in sizes:
            if size > path_mtu and reports and luck.random() >= loss:
                search.report(size, path_mtu, "192.0.2.1")
            elif size <= path_mtu and luck.random() >= loss:
                if late and luck.random() < 0.2:
                    delayed.append(size)
                else:
                    search.arrive(size, search.rounds)


@given(some.integers(600, 9000), some.integers(500, 9000), some.booleans(), some.lists(some.integers(500, 9000)))
@settings(max_examples=300)
def test_without_loss_it_is_exact(path_mtu: int, link_mtu: int, reports: bool, first: List[int]) -> None:
    search = simulate(SizeSearch(576, link_mtu, first, 1000), path_mtu, reports)
    assert search.best == min(path_mtu, link_mtu)
    expected = End.LINK if path_mtu >= link_mtu else End.REPORTED if reports else End.SILENT
    assert search.end is expected
    assert search.doubt < DOUBT


@given(some.integers(600, 9000), some.booleans(), some.floats(0, 0.9), some.integers(), some.booleans())
@settings(max_examples=500)
def test_with_loss_it_is_exact_or_undecided(path_mtu: int, reports: bool, loss: float, seed: int, late: bool) -> None:
    search = simulate(SizeSearch(576, 9000, [path_mtu], 2000), path_mtu, reports, loss, seed, late)
    if search.end in (End.LINK, End.REPORTED, End.SILENT):
        assert search.best == path_mtu
    else:
        assert search.best <= path_mtu


def test_a_dead_path_ends_soon() -> None:
    search = simulate(SizeSearch(576, 1500, [1450], 300), 0)
    assert (search.end, search.best, search.doubt) == (End.NOTHING, 0, 1.0)
    assert sum(search.sent.values()) < 20


def test_the_number_of_segments_is_bounded() -> None:
    search = simulate(SizeSearch(576, 9000, [], 50), 4321, loss=0.4, seed=1)
    assert sum(search.sent.values()) <= 50


def test_a_limit_that_something_larger_disproves_is_not_believed() -> None:
    search = SizeSearch(576, 1500, [1450, 1451], 300)
    search.next_round()
    search.report(1500, 1400, "192.0.2.1")
    search.arrive(1450, 1)
    assert search.named is None


def test_a_lie_about_the_limit_does_not_decide() -> None:
    """A router names 1300 and nothing of that size arrives: then the answer is found by trying."""
    search = SizeSearch(576, 1500, [], 2000)
    while True:
        sizes = search.next_round()
        if not sizes:
            break
        for size in sizes:
            if size <= 1200:
                search.arrive(size, search.rounds)
            else:
                search.report(size, 1300, "192.0.2.1")
    assert (search.end, search.best) == (End.SILENT, 1200)


def test_a_size_that_this_host_cannot_send_is_the_link_s_limit() -> None:
    search = SizeSearch(576, 1501, [1500], 300)
    for size in search.next_round():
        if size > 1500:
            search.refuse(size)
        else:
            search.arrive(size, 1)
    assert search.next_round() == []
    assert (search.end, search.best) == (End.LINK, 1500)
    assert ("refused", 1501) in [(outcome, size) for size, outcome, _report in outcomes(search)]


@pytest.mark.parametrize(
    "arrived, controls, tries, expected",
    [(0, 10, 10, 1.0), (10, 10, 10, 1 / 184756), (5, 10, 10, 252 / 15504), (1, 1, 1, 0.5)],
)
def test_the_chance_is_fisher_s(arrived: int, controls: int, tries: int, expected: float) -> None:
    assert chance(arrived, controls, tries) == pytest.approx(expected)
