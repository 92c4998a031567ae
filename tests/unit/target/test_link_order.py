# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which links are set: no step leaves a link larger than what carries it, where it was not before."""

from __future__ import annotations

from typing import Dict, List

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.link_order import depths, in_order

POD, PORT, BRIDGE, TUNNEL, UPLINK = "pod eth0", "veth1", "cni0", "flannel.1", "eth0"
BELOW = {POD: [PORT], BRIDGE: [PORT], TUNNEL: [UPLINK], PORT: [], UPLINK: []}


def test_lower_from_the_top_down() -> None:
    changes = {UPLINK: (1500, 1400), PORT: (1450, 1350), TUNNEL: (1450, 1350), POD: (1450, 1350), BRIDGE: (1450, 1350)}
    assert in_order(changes, BELOW) == [TUNNEL, POD, BRIDGE, UPLINK, PORT]


def test_raise_from_the_bottom_up() -> None:
    changes = {TUNNEL: (1450, 8951), POD: (1450, 8951), UPLINK: (1500, 9001), PORT: (1450, 8951)}
    assert in_order(changes, BELOW) == [UPLINK, PORT, TUNNEL, POD]


def test_what_is_right_already_is_not_touched_and_lowering_comes_first() -> None:
    assert in_order({UPLINK: (1500, 1500), PORT: (1400, 1450), POD: (1500, 1450)}, BELOW) == [POD, PORT]


def test_a_circle_ends() -> None:
    assert set(depths({"a": ["b"], "b": ["a"]})) == {"a", "b"}


@st.composite
def stacks(draw: st.DrawFn) -> Dict[int, List[int]]:
    """Links by number; each stands on some of those with smaller numbers."""
    count = draw(st.integers(1, 8))
    return {
        number: draw(st.lists(st.integers(0, number - 1), unique=True, max_size=3)) if number else []
        for number in range(count)
    }


@given(stacks(), st.data())
def test_no_step_makes_a_link_larger_than_what_carries_it(below: Dict[int, List[int]], data: st.DataObject) -> None:
    """Before and after, every link fits on those below; so it does at every moment in between."""

    def fitting() -> Dict[int, int]:
        mtus: Dict[int, int] = {}
        for number in sorted(below):
            room = min([mtus[one] for one in below[number]], default=9000)
            mtus[number] = data.draw(st.integers(68, room))
        return mtus

    live, wanted = fitting(), fitting()
    for number in in_order({one: (live[one], wanted[one]) for one in below}, below):
        live[number] = wanted[number]
        assert all(live[one] <= live[carrier] for one in below for carrier in below[one])
    assert live == wanted
