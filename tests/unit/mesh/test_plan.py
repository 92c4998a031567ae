# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who probes whom."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Dict, FrozenSet, List, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.plan import (
    FULL_MESH_LIMIT,
    Node,
    Pair,
    plan,
    rows,
)

NAMES = st.lists(st.text(min_size=1, max_size=6), min_size=0, max_size=90, unique=True)
ZONES = st.sampled_from([None, "a", "b", "c", "d"])


@st.composite
def nodes(draw: st.DrawFn) -> List[Node]:
    names = draw(NAMES)
    zones = draw(st.lists(ZONES, min_size=len(names), max_size=len(names)))
    return [Node(name, zone) for name, zone in zip(names, zones)]


def ends(pairs: List[Pair]) -> List[FrozenSet[str]]:
    return [frozenset(pair.ends) for pair in pairs]


def numbered(count: int, **more: str) -> List[Node]:
    return [Node(f"n{number:03}", **more) for number in range(count)]


def reached(pairs: List[Pair], first: str) -> Set[str]:
    near: Dict[str, Set[str]] = {}
    for pair in pairs:
        near.setdefault(pair.prober, set()).add(pair.peer)
        near.setdefault(pair.peer, set()).add(pair.prober)
    found, border = {first}, [first]
    while border:
        border = [name for name in near.get(border.pop(), ()) if name not in found] + border
        found.update(border)
    return found


@given(nodes(), st.randoms(use_true_random=False))
def test_the_order_of_the_names_does_not_matter(some: List[Node], chance: random.Random) -> None:
    shuffled = list(some)
    chance.shuffle(shuffled)
    assert plan(shuffled) == plan(some)


@given(nodes())
def test_each_pair_is_there_once_and_nobody_probes_itself(some: List[Node]) -> None:
    found = ends(plan(some))
    assert len(set(found)) == len(found)
    assert all(len(pair) == 2 for pair in found)


@given(nodes())
def test_everybody_is_connected_with_everybody(some: List[Node]) -> None:
    names = {node.name for node in some}
    if len(names) > 1:
        assert reached(plan(some), min(names)) == names


@given(nodes())
def test_every_two_zones_meet(some: List[Node]) -> None:
    zones = {node.name: node.zone for node in some}
    met = {frozenset((zones[pair.prober], zones[pair.peer])) for pair in plan(some)}
    present = {zone for zone in zones.values() if zone is not None}
    assert {frozenset(two) for two in combinations(present, 2)} <= met


@given(nodes())
def test_its_size_is_bounded(some: List[Node]) -> None:
    count, zones = len(some), len({node.zone for node in some} - {None})
    found = plan(some)
    if count <= FULL_MESH_LIMIT:
        assert len(found) == count * (count - 1) // 2
    else:
        assert len(found) <= count * count.bit_length() + zones * (zones - 1) // 2


@given(nodes(), st.integers(1, 7), st.randoms(use_true_random=False))
def test_slices_make_the_whole_plan_and_each_sees_all_paths_of_its_hosts(
    some: List[Node], slices: int, chance: random.Random
) -> None:
    whole = plan(some)
    parts: List[Set[str]] = [set() for _number in range(slices)]
    for node in some:
        chance.choice(parts).add(node.name)
    measured = [rows(plan(some), part) for part in parts]
    assert {pair for part in measured for pair in ends(part)} == set(ends(whole))
    for part, found in zip(parts, measured):
        assert all(pair.prober in part for pair in found)
        assert set(ends(found)) == {pair for pair in ends(whole) if pair & part}
        assert len(set(ends(found))) == len(found)


@given(nodes())
def test_a_run_of_all_is_the_plan_itself(some: List[Node]) -> None:
    assert rows(plan(some), {node.name for node in some}) == plan(some)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 29, 30, 31, 32, 60, 64, 100])
def test_the_work_is_spread_evenly(count: int) -> None:
    work = {node.name: 0 for node in numbered(count)}
    for pair in plan(numbered(count)):
        work[pair.prober] += 1
    assert max(work.values()) - min(work.values()) <= 1


@pytest.mark.parametrize(("count", "pairs"), [(0, 0), (1, 0), (2, 1), (4, 6), (30, 435), (31, 31 * 5), (60, 60 * 6)])
def test_how_many_pairs_there_are(count: int, pairs: int) -> None:
    assert len(plan(numbered(count))) == pairs


def test_peers_that_only_answer_are_probed_and_never_probe() -> None:
    some = [Node("a", answers_only=True), Node("b"), Node("c", answers_only=True), Node("d")]
    found = plan(some)
    assert {pair.prober for pair in found} == {"b", "d"}
    assert set(ends(found)) == {frozenset(two) for two in combinations("abcd", 2)} - {frozenset("ac")}


def test_zones_that_the_ring_keeps_apart_meet_once() -> None:
    """Places 0 and 3 of 40: neither 3 nor 37 is a power of two."""
    zones = {0: "x", 3: "y"}
    some = [Node(f"n{number:03}", zones.get(number)) for number in range(40)]
    assert ends(plan(some)).count(frozenset(("n000", "n003"))) == 1
    assert len(plan(some)) == len(plan(numbered(40))) + 1


def test_a_zone_has_another_speaker_for_each_other_zone() -> None:
    some = [Node(f"{zone}{number:02}", zone) for zone in "abcdefgh" for number in range(40)]
    crossing = [pair for pair in plan(some) if pair.prober[0] != pair.peer[0]]
    speakers = {name for pair in crossing for name in (pair.prober, pair.peer) if name.startswith("a")}
    assert len(speakers) > 3
