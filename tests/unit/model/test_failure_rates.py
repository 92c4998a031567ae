# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intervals and exact tests, against what scipy says."""

from __future__ import annotations

from typing import Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, hypergeom

from ansible_collections.netfit.cluster.plugins.module_utils._model.failure_rates import (
    chance_of_more,
    percentile,
    wilson_interval,
)

counts = st.integers(1, 400).flatmap(lambda sent: st.tuples(st.integers(0, sent), st.just(sent)))


@given(counts)
def test_the_interval_is_scipy_s(count: Tuple[int, int]) -> None:
    interval = wilson_interval(*count)
    wanted = binomtest(*count).proportion_ci(confidence_level=0.95, method="wilson")
    assert interval == pytest.approx((wanted.low, wanted.high), abs=1e-12)


@given(counts)
def test_the_interval_holds_the_rate_and_has_a_width(count: Tuple[int, int]) -> None:
    interval = wilson_interval(*count)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= count[0] / count[1] <= high <= 1 and high - low > 0.001


@given(counts, counts)
def test_the_chance_is_that_of_the_hypergeometric_distribution(one: Tuple[int, int], other: Tuple[int, int]) -> None:
    wanted = hypergeom(one[1] + other[1], one[0] + other[0], one[1]).sf(one[0] - 1)
    assert chance_of_more(*one, *other) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@given(counts, counts)
def test_more_failures_are_never_more_likely(one: Tuple[int, int], other: Tuple[int, int]) -> None:
    if one[0] < one[1]:
        assert chance_of_more(one[0] + 1, one[1], *other) <= chance_of_more(*one, *other) + 1e-12


@pytest.mark.parametrize(
    "one, other", [((0, 90000), (50000, 90000)), ((50000, 90000), (0, 90000)), ((3, 5), (9, 90000))]
)
def test_many_requests_are_no_trouble(one: Tuple[int, int], other: Tuple[int, int]) -> None:
    wanted = hypergeom(one[1] + other[1], one[0] + other[0], one[1]).sf(one[0] - 1)
    assert chance_of_more(*one, *other) == pytest.approx(wanted, rel=1e-6)


def test_a_rate_of_nothing_is_not_known() -> None:
    assert wilson_interval(0, 0) is None


@pytest.mark.parametrize("failures, requests", [(1, 0), (-1, 3), (4, 3)])
def test_impossible_counts_are_refused(failures: int, requests: int) -> None:
    with pytest.raises(ValueError, match="failures of"):
        wilson_interval(failures, requests)
    with pytest.raises(ValueError, match="more failures"):
        chance_of_more(failures, requests, 0, 1)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    found = percentile(sorted(values), percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)
