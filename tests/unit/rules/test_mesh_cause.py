# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cause that is planted into a mesh is the one that is named, and nobody is blamed for what he did not do."""

from __future__ import annotations

import random
from typing import Callable, Dict, FrozenSet, List, Optional, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.mesh_cause import (
    Cause,
    CauseKind,
    Edge,
    Fault,
    components,
    find_causes,
)

BLACK: Fault = ("black hole", 1400)
OTHER: Fault = ("black hole", 1300)
Judge = Callable[[str, str], Optional[Fault]]


def full(size: int) -> Set[FrozenSet[str]]:
    """Every pair of that many ends."""
    names = [f"n{number:02}" for number in range(size)]
    return {frozenset((one, other)) for one in names for other in names if one < other}


def circulant(size: int) -> Set[FrozenSet[str]]:
    """Each end with those that are 1, 2, 4, 8 ... further on, as the plan of a large mesh has it."""
    names = [f"n{number:02}" for number in range(size)]
    steps = [1 << exponent for exponent in range(size.bit_length()) if 1 << exponent < size]
    return {frozenset((names[at], names[(at + step) % size])) for at in range(size) for step in steps}


def edges(pairs: Set[FrozenSet[str]], judge: Judge) -> List[Edge]:
    found = []
    for pair in pairs:
        one, other = sorted(pair)
        found.extend([Edge(one, other, judge(one, other)), Edge(other, one, judge(other, one))])
    return found


def named(causes: List[Cause]) -> List[Tuple[str, Tuple[str, ...], Optional[Fault], Optional[Fault]]]:
    return [(cause.kind.value, cause.members, cause.leaving, cause.arriving) for cause in causes]


MESHES = st.one_of(st.integers(4, 16).map(full), st.integers(5, 60).map(circulant))


def ends_of(pairs: Set[FrozenSet[str]]) -> List[str]:
    return sorted({end for pair in pairs for end in pair})


@settings(max_examples=150)
@given(MESHES, st.data())
def test_one_bad_end_is_named(pairs: Set[FrozenSet[str]], data: st.DataObject) -> None:
    culprit = data.draw(st.sampled_from(ends_of(pairs)))
    leaving, arriving = data.draw(st.sampled_from([(BLACK, None), (None, BLACK), (BLACK, BLACK), (BLACK, OTHER)]))

    def judge(sender: str, receiver: str) -> Optional[Fault]:
        return leaving if sender == culprit else arriving if receiver == culprit else None

    mesh = edges(pairs, judge)
    causes = find_causes(mesh)
    assert named(causes) == [("end", (culprit,), leaving, arriving)]
    assert set(causes[0].edges) == {edge for edge in mesh if edge.fault is not None}


@settings(max_examples=100)
@given(st.integers(6, 16).map(full), st.data())
def test_two_bad_ends_are_both_named(pairs: Set[FrozenSet[str]], data: st.DataObject) -> None:
    one, other = sorted(data.draw(st.lists(st.sampled_from(ends_of(pairs)), min_size=2, max_size=2, unique=True)))

    def judge(sender: str, receiver: str) -> Optional[Fault]:
        return OTHER if other in (sender, receiver) else BLACK if one in (sender, receiver) else None

    mesh = edges(pairs, judge)
    causes = find_causes(mesh)
    assert named(causes) == [("end", (one,), BLACK, BLACK), ("end", (other,), OTHER, OTHER)]
    assert {edge for cause in causes for edge in cause.edges} == {edge for edge in mesh if edge.fault is not None}


@settings(max_examples=100)
@given(MESHES, st.data(), st.booleans())
def test_a_border_between_two_groups_is_named(pairs: Set[FrozenSet[str]], data: st.DataObject, both: bool) -> None:
    ends = ends_of(pairs)
    cut = data.draw(st.integers(2, len(ends) - 2))
    low, high = ends[:cut], ends[cut:]

    def judge(sender: str, receiver: str) -> Optional[Fault]:
        if sender in low and receiver in high:
            return BLACK
        return BLACK if both and sender in high and receiver in low else None

    (cause,) = find_causes(edges(pairs, judge))
    assert cause.kind is CauseKind.BORDER
    assert sorted([cause.members, cause.others]) == sorted([tuple(low), tuple(high)])
    assert len(cause.members) <= len(cause.others)


@settings(max_examples=100)
@given(MESHES)
def test_what_is_the_same_everywhere_is_nobodys_fault(pairs: Set[FrozenSet[str]]) -> None:
    (cause,) = find_causes(edges(pairs, lambda sender, receiver: BLACK))
    assert cause.kind is CauseKind.EVERYWHERE and cause.members == tuple(ends_of(pairs))


@settings(max_examples=150)
@given(st.integers(6, 20), st.randoms(use_true_random=False))
def test_single_broken_paths_blame_nobody(size: int, chance: random.Random) -> None:
    pairs = full(size)
    names = ends_of(pairs)
    chance.shuffle(names)
    broken = {frozenset(names[at : at + 2]) for at in range(0, 2 * chance.randint(0, size // 3), 2)}
    forward_only = chance.random() < 0.5

    def judge(sender: str, receiver: str) -> Optional[Fault]:
        bad = frozenset((sender, receiver)) in broken and (sender < receiver or not forward_only)
        return BLACK if bad else None

    assert find_causes(edges(pairs, judge)) == []


@settings(max_examples=150)
@given(MESHES, st.randoms(use_true_random=False), st.floats(0, 1))
def test_faults_that_are_all_different_have_no_common_cause(
    pairs: Set[FrozenSet[str]], chance: random.Random, share: float
) -> None:
    sizes = iter(range(576, 65535))
    assert find_causes(edges(pairs, lambda *_: ("black hole", next(sizes)) if chance.random() < share else None)) == []


@settings(max_examples=150)
@given(MESHES, st.randoms(use_true_random=False), st.floats(0, 1))
def test_whoever_is_blamed_is_cut_off_by_all_that_was_measured(
    pairs: Set[FrozenSet[str]], chance: random.Random, share: float
) -> None:
    faults: Dict[Tuple[str, str], Optional[Fault]] = {}

    def judge(sender: str, receiver: str) -> Optional[Fault]:
        return faults.setdefault((sender, receiver), BLACK if chance.random() < share else None)

    mesh = edges(pairs, judge)
    for cause in find_causes(mesh):
        assert len(cause.edges) > 1 and all(edge.fault == BLACK for edge in cause.edges)
        if cause.kind is CauseKind.END:
            (culprit,) = cause.members
            good = [edge for edge in mesh if edge.fault is None]
            group = next(one for one in components(ends_of(pairs), good) if culprit in one)
            assert group == (culprit,)
    assert find_causes(list(reversed(mesh))) == find_causes(mesh)


@pytest.mark.parametrize("size", [2, 3])
def test_too_few_ends_blame_nobody(size: int) -> None:
    names = ["a", "b", "c"][:size]
    mesh = [Edge("a", "b", BLACK), Edge("b", "a", None)]
    mesh += [Edge(one, other, None) for one in names for other in names if "c" in (one, other) and one != other]
    assert find_causes(mesh) == []


def test_two_paths_are_not_everywhere() -> None:
    pairs = [("a", "b"), ("a", "c")]
    assert find_causes([Edge(*ends, BLACK) for one, other in pairs for ends in ((one, other), (other, one))]) == []


def test_three_ends_suffice_where_the_other_two_get_on() -> None:
    mesh = [Edge("a", "b", BLACK), Edge("a", "c", BLACK), Edge("b", "c", None), Edge("c", "b", None)]
    mesh += [Edge("b", "a", None), Edge("c", "a", None)]
    assert named(find_causes(mesh)) == [("end", ("a",), BLACK, None)]


def test_components_are_those_that_reach_each_other() -> None:
    ring = [Edge("a", "b", None), Edge("b", "c", None), Edge("c", "a", None), Edge("c", "d", None)]
    assert components(["a", "b", "c", "d", "e"], ring) == [("a", "b", "c"), ("d",), ("e",)]
