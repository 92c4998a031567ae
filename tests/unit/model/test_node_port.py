# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of NodePorts: shares of endpoints, and the share of requests that crosses the overlay."""

from __future__ import annotations

from fractions import Fraction
from typing import Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.node_port import (
    chained_shares,
    crossing_share,
    mean_crossing,
)

weights = st.lists(st.integers(1, 100), min_size=1, max_size=12)
homes = st.integers(2, 40).flatmap(
    lambda nodes: st.tuples(
        st.just(nodes), st.lists(st.tuples(st.integers(0, nodes - 1), st.integers(1, 9)), min_size=1)
    )
)
"""How many nodes there are, and for each endpoint the node that it is on, and its weight."""


def seen_from(node: int, ends: List[Tuple[int, int]]) -> Optional[float]:
    return crossing_share([(weight, home != node) for home, weight in ends])


def every_node(nodes: int, ends: List[Tuple[int, int]]) -> Dict[str, Optional[float]]:
    return {f"n{node}": seen_from(node, ends) for node in range(nodes)}


@given(st.integers(1, 200))
def test_rules_in_a_row_share_evenly_with_kube_proxy_s_probabilities(count: int) -> None:
    shares = chained_shares([1 / (count - number) for number in range(count)])
    assert shares == pytest.approx([1 / count] * count, abs=2e-6)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_shares_are_parts_of_one(probabilities: List[float]) -> None:
    shares = chained_shares(probabilities)
    assert all(0 <= share <= 1 for share in shares) and sum(shares) <= 1 + 1e-5
    assert sum(chained_shares([*probabilities, 1.0])) == pytest.approx(1, abs=1e-4)


@given(weights, st.integers(1, 50))
def test_only_the_proportions_of_weights_count(given_weights: List[int], factor: int) -> None:
    ends = [(float(weight), number % 2 == 0) for number, weight in enumerate(given_weights)]
    larger = [(weight * factor, crosses) for weight, crosses in ends]
    assert crossing_share(ends) == pytest.approx(crossing_share(larger))
    exact = Fraction(sum(given_weights[::2]), sum(given_weights))
    assert crossing_share(ends) == pytest.approx(float(exact))


def test_the_incident_s_share() -> None:
    assert mean_crossing({"n1": 1.0, "n2": 0.0, "n3": 1.0, "n4": 1.0}, 4, True) == 0.75


@given(homes)
def test_each_request_crosses_on_all_nodes_but_one_wherever_the_pods_are(
    case: Tuple[int, List[Tuple[int, int]]],
) -> None:
    nodes, ends = case
    assert mean_crossing(every_node(nodes, ends), nodes, True) == pytest.approx((nodes - 1) / nodes)


@given(homes, st.data())
def test_what_some_nodes_show_is_enough(case: Tuple[int, List[Tuple[int, int]]], data: st.DataObject) -> None:
    nodes, ends = case
    audited = data.draw(st.sets(st.sampled_from([f"n{node}" for node in range(nodes)]), min_size=1))
    seen = {name: share for name, share in every_node(nodes, ends).items() if name in audited}
    assert mean_crossing(seen, nodes, True) == pytest.approx((nodes - 1) / nodes)


@given(st.dictionaries(st.text(max_size=3), st.none() | st.floats(0, 1), max_size=9), st.integers(0, 30), st.booleans())
def test_a_mean_is_a_share_or_nothing(seen: Dict[str, Optional[float]], nodes: int, spread: bool) -> None:
    mean = mean_crossing(seen, nodes, spread)
    assert (mean is None) == all(share is None for share in seen.values())
    assert mean is None or 0 <= mean <= 1


def test_a_node_that_drops_answers_nothing() -> None:
    assert crossing_share([]) is None
    assert mean_crossing({"n1": None, "n2": 0.0}, 4, False) == 0.0
    assert mean_crossing({"n1": None}, 2, False) is None
