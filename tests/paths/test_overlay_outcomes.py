# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an overlay does with packets of full size, by its MTU, its DF, its underlay and whether routers speak.

Two pods on two nodes, two routers between the nodes. What packets written by hand show, what the rules say, and what
is measured are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional, Tuple

import pytest
from far_ends import PORT, TOKEN, answering
from instrument import observe
from network_lab import Lab, in_namespace
from path_lab import Row, address
from plan import TARGET, DontFragment, Form, Link, Overlay, Plan, Segment
from truth import BLACK_HOLE, OK, REDUCED, truth

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import PathMeasurement
from ansible_collections.netfit.cluster.plugins.module_utils._probe.measure import MeasureOptions, measure

UNSET, SET, INHERIT = DontFragment.UNSET, DontFragment.SET, DontFragment.INHERIT
SIZES = tuple(size + more for size in (1350, 1400, 1450, 1500) for more in (0, 1) if size + more <= 1500)


@dataclass(frozen=True)
class Outcome:
    """A line of the table: how the overlay is made, and what follows.

    vxlan, underlay, pod: MTU. path_mtu: the largest packet with DF that arrives. told: MTU in the message about one of
    1500 bytes that is not the first; None: silence. verdicts: what may be said.
    """

    vxlan: int
    df: DontFragment
    underlay: int
    pod: int
    silent: bool
    path_mtu: int
    told: Optional[int]
    verdicts: Tuple[str, ...]
    bridged: bool = False
    by_learning: bool = False

    def __str__(self) -> str:
        way = "bridged" if self.bridged else "routed"
        more = " ip_forward_use_pmtu" if self.by_learning else ""
        mute = " silent" if self.silent else ""
        return f"{way} vxlan {self.vxlan} df {self.df.value} underlay {self.underlay} pod {self.pod}{mute}{more}"


OUTCOMES = (
    *(Outcome(1450, df, 1500, 1450, False, 1450, None, (OK,)) for df in DontFragment),
    *(Outcome(1450, df, 1500, 1500, False, 1450, 1450, (REDUCED,)) for df in DontFragment),
    Outcome(1500, UNSET, 1500, 1500, False, 1500, None, (OK,)),
    Outcome(1500, SET, 1500, 1500, False, 1450, None, (BLACK_HOLE,)),
    Outcome(1500, INHERIT, 1500, 1500, False, 1450, None, (BLACK_HOLE,)),
    Outcome(1450, UNSET, 1400, 1500, False, 1450, 1450, (REDUCED,)),
    Outcome(1450, UNSET, 1400, 1500, True, 1450, None, (BLACK_HOLE,)),
    Outcome(1450, UNSET, 1400, 1450, True, 1450, None, (OK,)),
    Outcome(1450, SET, 1400, 1450, False, 1350, None, (BLACK_HOLE,)),
    Outcome(1450, INHERIT, 1400, 1450, False, 1350, None, (BLACK_HOLE,)),
    Outcome(1450, SET, 1400, 1450, True, 1350, None, (BLACK_HOLE,)),
    Outcome(1450, INHERIT, 1400, 1450, True, 1350, None, (BLACK_HOLE,)),
    Outcome(1500, SET, 1500, 1500, False, 1450, 1450, (REDUCED, BLACK_HOLE), by_learning=True),
    Outcome(1450, SET, 1400, 1500, False, 1350, 1350, (REDUCED, BLACK_HOLE), by_learning=True),
    *(Outcome(1500, df, 1500, 1500, False, 1450, 1450, (REDUCED,), bridged=True) for df in DontFragment),
    Outcome(1450, SET, 1400, 1450, False, 1350, None, (REDUCED, BLACK_HOLE), bridged=True),
    Outcome(1450, UNSET, 1500, 1500, False, 1450, None, (BLACK_HOLE,), bridged=True),
)


def plan_of(outcome: Outcome) -> Plan:
    """Return the path of a line."""

    def segment(mtu: int) -> Segment:
        link = Link(mtu, mtu)
        return Segment(Form.DIRECT, link, link)

    fitting = outcome.vxlan + 50 <= 1500
    overlay = Overlay(outcome.vxlan, outcome.vxlan, outcome.df, with_device=fitting, bridged=outcome.bridged)
    return Plan(
        family=4,
        start=0,
        segments=tuple(segment(mtu) for mtu in (outcome.pod, 1500, outcome.underlay, 1500, outcome.pod)),
        locked_forward={},
        locked_back={},
        mute=(1, 2, 3, 4) if outcome.silent else (),
        overlay=overlay,
    )


@pytest.fixture(scope="module")
def row() -> Iterator[Row]:
    """Pods, nodes and routers, and a responder in the far pod."""
    with Lab() as lab:
        made = Row(lab, "o", 4)
        with answering([made.path(TARGET)]):
            yield made


def learning(row: Row, on: bool) -> None:
    """Let both nodes forward by what they have learned, or not."""

    def write() -> None:
        with open("/proc/sys/net/ipv4/ip_forward_use_pmtu", "w", encoding="ascii") as file:
            file.write(str(int(on)))

    for node in (1, 4):
        in_namespace(row.path(node), write)


def measured(row: Row, method: str) -> PathMeasurement:
    """Measure from the near pod to the far one."""
    source = {"namespace": row.path(0)}
    target = {"address": address(4, TARGET), "source": source, "method": method, "responder_port": PORT}
    return measure(MeasureOptions(targets=[target], token=TOKEN)).paths[0]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=str)
def test_what_an_overlay_carries(row: Row, outcome: Outcome) -> None:
    plan = plan_of(outcome)
    if not outcome.by_learning:
        assert truth(plan, True).path_mtu == outcome.path_mtu
        assert truth(plan, True).verdicts == set(outcome.verdicts)
    for method in ("udp", "icmp"):
        row.become(plan)
        learning(row, outcome.by_learning)
        found = measured(row, method)
        assert found.forward.path_mtu == outcome.path_mtu, (method, found.forward)
        assert found.forward.verdict.value in outcome.verdicts, (method, found.forward)
        if method == "udp":
            assert found.back.path_mtu == outcome.path_mtu, (method, found.back)
            assert found.back.verdict.value in outcome.verdicts, (method, found.back)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=str)
def test_what_packets_with_df_meet(row: Row, outcome: Outcome) -> None:
    row.become(plan_of(outcome))
    learning(row, outcome.by_learning)
    ends = [(row.path(node), address(4, node)) for node in (0, TARGET)]
    sizes = [size for size in SIZES if size <= outcome.pod]
    if outcome.by_learning:
        for _turn in range(2):
            observe(4, ends[0], ends[1], [1500], True)
    seen = observe(4, ends[0], ends[1], sizes, True)
    assert max(size for size, one in seen.items() if one.pieces) == outcome.path_mtu
    if outcome.pod == 1500:
        assert seen[1500].told == outcome.told
