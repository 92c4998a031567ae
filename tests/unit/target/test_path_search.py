# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search finds the path MTU of simulated paths, and never a wrong one."""

from __future__ import annotations

import random
from typing import Any, Optional, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_path import ALL_WAYS, Run, SimulatedPath, in_pieces, run_search

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Direction, Limit, Verdict
from ansible_collections.netfit.cluster.plugins.module_utils._probe.certainty import (
    DOUBT,
    chance_if_split,
    chance_of_all_lost,
    doubt,
)
from ansible_collections.netfit.cluster.plugins.module_utils._probe.conclude import conclude_direction
from ansible_collections.netfit.cluster.plugins.module_utils._probe.ledger import Task
from ansible_collections.netfit.cluster.plugins.module_utils._probe.search import Search
from ansible_collections.netfit.cluster.plugins.module_utils._probe.sizes import AT_ONCE, between
from ansible_collections.netfit.cluster.plugins.module_utils._probe.transport import Asked, Way

LINKS = st.sampled_from([1450, 1500, 4000, 9000])
SEEDS = st.integers(0, 1 << 30)


def search(path: SimulatedPath, seed: int = 1, ceiling: int = 1500, **task: Any) -> Run:
    return run_search(path, Task(0, "ipv4", ceiling, ALL_WAYS, **task), seed)


def directions(run: Run) -> Tuple[Direction, Direction]:
    return conclude_direction(run.search, run.search.forward), conclude_direction(run.search, run.search.back)


def check(found: Direction, truth: int) -> None:
    """A value is right; bounds hold."""
    assert found.path_mtu is None or found.path_mtu == truth, found
    assert found.at_least <= truth, found
    assert found.at_most is None or found.at_most >= truth, found


NO_LOSS = st.just(0.0)
EVERY_WAY = st.just(ALL_WAYS)


@st.composite
def paths(draw: Any, loss: Any = NO_LOSS, ways: Any = EVERY_WAY) -> Tuple[SimulatedPath, int, Optional[int]]:
    ceiling = draw(LINKS)
    forward, back = draw(st.integers(576, ceiling)), draw(st.integers(576, ceiling))
    path = SimulatedPath(
        forward=draw(st.sampled_from([forward, ceiling])),
        back=draw(st.sampled_from([back, forward, ceiling])),
        loss=draw(loss),
        icmp=draw(st.booleans()),
        named=draw(st.sampled_from([None, None, 0, forward - 3, forward + 2])),
        fragmenting=draw(st.booleans()),
        split=draw(st.sampled_from([65536, 1400])),
        ways=draw(ways),
    )
    return path, ceiling, draw(st.sampled_from([None, 1400, forward]))


def uneven(path: SimulatedPath) -> bool:
    """Tell whether the far end's fragments leave a rest where a router fragments them again."""
    return (in_pieces(path.far_link) - 20) % (in_pieces(path.back) - 20) != 0


@given(paths(), SEEDS, st.booleans())
@settings(max_examples=300, deadline=None)
def test_without_loss_both_directions_are_exact(
    drawn: Tuple[SimulatedPath, int, Optional[int]], seed: int, apart: bool
) -> None:
    path, ceiling, expected = drawn
    run = search(path, seed, ceiling, expected=expected, apart=apart)
    forward, back = directions(run)
    assert forward.path_mtu == path.forward
    if path.fragmenting and path.back < ceiling and (apart or not uneven(path)):
        check(back, path.back)
    else:
        assert back.path_mtu == path.back
    assert run.packets <= 250


@given(st.integers(576, 1499), st.integers(1500, 9000), st.booleans(), SEEDS, st.floats(0.0, 0.2))
@settings(max_examples=200, deadline=None)
def test_what_the_far_end_remembers_is_never_taken_for_the_path(
    remembered: int, back: int, apart: bool, seed: int, loss: float
) -> None:
    run = search(SimulatedPath(back=back, remembered=remembered, loss=loss, fragmenting=True), seed, apart=apart)
    _forward, found = directions(run)
    check(found, 1500)
    assert found.path_mtu is None
    assert found.reason is not None


def test_fragments_of_a_router_are_told_from_those_of_the_far_end() -> None:
    path = SimulatedPath(back=1400, far_link=1500, fragmenting=True)
    run = search(path)
    assert directions(run)[1].path_mtu == 1400
    path.back, path.remembered = 1500, 1400
    _forward, back = directions(search(path))
    assert (back.verdict, back.path_mtu, back.at_most) == (Verdict.UNKNOWN, None, 1500)
    assert back.at_least == 1400
    assert "the target itself" in str(back.reason)


@given(
    paths(
        loss=st.floats(0.0, 0.3),
        ways=st.sampled_from([ALL_WAYS, (Way.ROUND,), (Way.ROUND, Way.BACK), (Way.ROUND, Way.FORWARD)]),
    ),
    SEEDS,
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_with_loss_or_a_silent_far_end_nothing_is_wrong(
    drawn: Tuple[SimulatedPath, int, Optional[int]], seed: int, apart: bool
) -> None:
    path, ceiling, expected = drawn
    run = search(path, seed, ceiling, expected=expected, apart=apart)
    for found, truth in zip(directions(run), (path.forward, path.back)):
        if found.verdict is not Verdict.UNREACHABLE:
            check(found, truth)
    assert run.packets <= 4000


@given(st.integers(1200, 1499), st.integers(1200, 1500), SEEDS)
@settings(max_examples=100, deadline=None)
def test_some_loss_leaves_everything_exact(forward: int, back: int, seed: int) -> None:
    run = search(SimulatedPath(forward, back, loss=0.025, icmp=False), seed)
    assert [found.path_mtu for found in directions(run)] == [forward, back]


def test_a_clear_path_takes_two_packets_and_one_round() -> None:
    run = search(SimulatedPath())
    forward, back = directions(run)
    assert (run.packets, run.rounds) == (2, 1)
    assert forward.verdict is back.verdict is Verdict.OK
    assert forward.path_mtu == back.path_mtu == 1500
    assert forward.limited_by is Limit.LINK


def test_a_router_that_speaks_takes_two_rounds_and_few_packets() -> None:
    run = search(SimulatedPath(forward=1400))
    forward, back = directions(run)
    assert run.rounds == 2
    assert run.packets <= 6
    assert (forward.verdict, forward.path_mtu, forward.reported_mtu) == (Verdict.REDUCED, 1400, 1400)
    assert back.verdict is Verdict.OK


def test_a_black_hole_is_told_from_a_router_that_speaks() -> None:
    forward, back = directions(search(SimulatedPath(forward=1400, icmp=False)))
    assert (forward.verdict, forward.path_mtu) == (Verdict.BLACK_HOLE, 1400)
    assert forward.confidence > 1 - DOUBT
    assert forward.tries_above >= 10
    assert back.verdict is Verdict.OK


def test_a_confirmed_expectation_is_decided_at_once() -> None:
    guided = search(SimulatedPath(forward=1433, icmp=False), expected=1433)
    unguided = search(SimulatedPath(forward=1433, icmp=False))
    assert guided.rounds < unguided.rounds


def test_a_router_that_names_too_small_a_size_is_not_believed() -> None:
    forward, _back = directions(search(SimulatedPath(forward=1400, named=1300)))
    assert (forward.path_mtu, forward.reported_mtu, forward.verdict) == (1400, 1300, Verdict.REDUCED)


def test_a_router_that_names_no_size_is_reported_so() -> None:
    forward, _back = directions(search(SimulatedPath(forward=1400, named=0)))
    assert (forward.path_mtu, forward.verdict) == (1400, Verdict.REDUCED)
    assert forward.reason is not None and "names no MTU" in forward.reason


def test_a_far_end_that_only_echoes_leaves_the_direction_open() -> None:
    forward, back = directions(search(SimulatedPath(forward=1400, icmp=False, ways=(Way.ROUND,))))
    assert forward.verdict is back.verdict is Verdict.UNKNOWN
    assert (forward.path_mtu, forward.at_least) == (None, 1400)


def test_silence_is_unreachable_and_no_black_hole() -> None:
    run = search(SimulatedPath(ways=()))
    assert {found.verdict for found in directions(run)} == {Verdict.UNREACHABLE}
    assert run.rounds == 4


def test_a_limit_gives_bounds_and_its_reason() -> None:
    run = run_search(SimulatedPath(forward=1400, icmp=False), Task(0, "ipv4", 1500, ALL_WAYS), 1, limit=20)
    forward, _back = directions(run)
    assert (forward.verdict, forward.path_mtu, forward.reason) == (Verdict.UNKNOWN, None, "the limit is reached")
    check(forward, 1400)


@pytest.mark.parametrize(
    ("tries", "controls", "arrived", "sure"),
    [(10, 10, 10, True), (9, 9, 9, False), (10, 10, 8, False), (15, 15, 12, True), (5, 5, 0, False), (0, 9, 9, False)],
)
def test_how_many_tries_it_takes(tries: int, controls: int, arrived: int, sure: bool) -> None:
    assert (doubt(tries, controls, arrived) < DOUBT) is sure


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_chances_are_chances(tries: int, controls: int, data: Any) -> None:
    arrived = data.draw(st.integers(1, controls))
    assert 0 < chance_of_all_lost(tries, controls, arrived) < 1
    assert 0 < chance_if_split(tries, controls, arrived) < 1
    assert chance_of_all_lost(tries + 1, controls, arrived) < chance_of_all_lost(tries, controls, arrived)


@given(st.integers(68, 9000), st.integers(68, 9000))
def test_sizes_between_are_between_and_few(low: int, high: int) -> None:
    sizes = between(low, high)
    assert sizes == sorted(set(sizes))
    assert all(low < size < high for size in sizes)
    assert len(sizes) <= AT_ONCE + 2
    assert bool(sizes) is (high - low > 1)
    assert not sizes or sizes[0] == low + 1


def test_a_far_end_that_is_slow_to_answer_is_waited_for() -> None:
    """It has confirmed a request, and its host is busy: what it was asked for comes late, and is not lost."""
    task = Task(0, "ipv4", 1500, (Way.FORWARD, Way.BACK))
    slow = Search(task, random.Random(1))
    assert slow.next() is not None
    slow.handle(Asked(0, (), 0.0))
    waits = []
    while (chosen := slow.next()) is not None:
        waits.append(chosen.patience(True, 0.001))
    assert waits == [0.05, 0.2, 1.0]
