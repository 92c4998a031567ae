# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The computed truth about a path is what the kernel does with packets that are written by hand."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Dict, Iterator, List, Sequence

import pytest
from instrument import observe
from judge import largest_answers
from network_lab import Lab
from path_lab import Row, address
from plan import TARGET, Plan
from random_plans import random_plan
from truth import fate, gates, learns, truth

PLANS_OF_A_KIND = int(os.environ.get("NETFIT_TRUTHS", "8"))
TAUGHT = "netfit-77"
"""Seed of a path whose overlay inherits DF, over an underlay of which a router tells that it is narrow."""
KINDS = [(family, overlay) for family in (4, 6) for overlay in (False, True)]


@pytest.fixture(scope="module")
def rows() -> Iterator[Dict[int, Row]]:
    """A row of nodes for each family."""
    with Lab() as lab:
        yield {family: Row(lab, f"v{family}-", family) for family in (4, 6)}


def ends(row: Row, plan: Plan, forward: bool) -> List[tuple[str, str]]:
    """Namespace and address of the sender and of the receiver."""
    both = [(row.path(node), address(plan.family, node)) for node in (plan.start, TARGET)]
    return both if forward else both[::-1]


def without_loss(plan: Plan) -> Plan:
    """The same path, on which nothing is lost by chance."""
    return replace(plan, loss_forward=0, loss_back=0)


def interesting(plan: Plan, forward: bool) -> List[int]:
    """Sizes around the truth and around every limit on the way, but for those that pass only at first."""
    known = truth(plan, forward)
    near = {known.path_mtu + more for more in (-1, 0, 1, 4, 5)} | {known.link_mtu, 576, 1280, 1400}
    near |= {gate.mtu + more for gate in gates(plan, forward) for more in (0, 1, 4, 5)}
    least = 576 if plan.family == 4 else 1280
    near -= set(range(known.later_mtu + 1, known.path_mtu + 1))
    return sorted(size for size in near if least <= size <= known.link_mtu)


def whole(plan: Plan, size: int, pieces: Sequence[int]) -> List[int]:
    """Return the sizes of all fragments of a packet; none where one of them is missing."""
    header = 20 if plan.family == 4 else 40
    return sorted(pieces) if sum(piece - header for piece in pieces) == size - header else []


@pytest.mark.parametrize(("family", "overlay"), KINDS, ids=[f"v{f}-{'vxlan' if o else 'routed'}" for f, o in KINDS])
@pytest.mark.parametrize("number", range(PLANS_OF_A_KIND))
def test_packets_do_what_the_rules_say(rows: Dict[int, Row], family: int, overlay: bool, number: int) -> None:
    plan = without_loss(random_plan(f"truth {family} {overlay} {number}", family, overlay))
    row = rows[family]
    row.become(plan)
    for forward in (True, False):
        sender, receiver = ends(row, plan, forward)
        observe(family, sender, receiver, [1280], True)
        for df in (True, False) if family == 4 else (True,):
            sizes = interesting(plan, forward)
            seen = observe(family, sender, receiver, sizes, df)
            met = gates(plan, forward)
            told = not learns(family, met)
            rules, found = {}, {}
            for size in sizes:
                expected, one = fate(met, family, size, df), seen[size]
                rules[size] = (sorted(expected.pieces), expected.told if told else 0, expected.local)
                found[size] = (whole(plan, size, one.pieces), one.told if told else 0, one.local)
            assert found == rules, (plan, forward, df)


def test_an_overlay_that_was_taught_fragments_what_may_be(rows: Dict[int, Row]) -> None:
    """With df inherit a message about a packet with DF makes the node split the outer packets of those without."""
    plan = without_loss(random_plan(TAUGHT))
    rows[4].become(plan)
    sender, receiver = ends(rows[4], plan, forward=False)
    untaught, taught = sorted(largest_answers(plan))

    def whole_ones(sizes: Sequence[int]) -> List[int]:
        seen = observe(4, sender, receiver, sizes, False)
        return [size for size in sizes if seen[size].pieces == (size,)]

    asked = [untaught, untaught + 1, taught, taught + 1]
    assert whole_ones(asked) == [untaught]
    observe(4, sender, receiver, [untaught], True)
    assert whole_ones(asked) == [untaught, untaught + 1, taught]
