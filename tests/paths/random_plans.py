# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of paths by chance: the same seed gives the same plan."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Dict, Optional

from plan import LAST_ROUTER, TARGET, DontFragment, Form, Link, Overlay, Plan, Segment
from truth import VXLAN_OVERHEAD, truth

SMALLEST = {4: 576, 6: 1280}
LARGEST = 9000
USUAL = (1500, 1492, 1450, 1420, 1400, 1376, 1280, 9000, 8951, 8950, 4000)
"""Sizes that links have in practice."""


def random_plan(seed: str, family: Optional[int] = None, overlay: Optional[bool] = None) -> Plan:
    """Return a plan. family: 4 or 6; overlay: whether it has one; None: by chance.

    One in which a larger packet may arrive although a smaller one doesn't is not taken: there "the path MTU" is no
    number (fragments of an overlay's outer packets that fit where the whole one didn't).
    """
    chance = random.Random(seed)
    while True:
        plan = _plan(chance, family or chance.choice((4, 6)), chance.random() < 0.3 if overlay is None else overlay)
        if _too_narrow(plan):
            continue
        try:
            if min(truth(plan, True).path_mtu, truth(plan, False).path_mtu) >= SMALLEST[plan.family]:
                return plan
        except ValueError:
            continue


def _plan(chance: random.Random, family: int, overlay: bool) -> Plan:
    start = chance.choice((0, 1, 2)) if overlay else chance.choice((0, 1, 2, 3))
    base = chance.choice((1500, 1500, 1500, 9000, chance.randint(SMALLEST[family] + 100, LARGEST)))
    segments = tuple(
        _segment(chance, family, base, pod=overlay and node in (start, LAST_ROUTER)) for node in range(start, TARGET)
    )
    routers = list(range(start + 1, TARGET))
    lossy = [node for node in routers if not overlay or node not in (start + 1, LAST_ROUTER)] or routers
    plan = Plan(
        family=family,
        start=start,
        segments=segments,
        locked_forward={} if overlay else _locks(chance, family, base, routers),
        locked_back={} if overlay else _locks(chance, family, base, routers),
        mute=_mute(chance, routers),
        loss_forward=_loss(chance),
        loss_back=_loss(chance),
        lossy_forward=chance.choice(lossy),
        lossy_back=chance.choice(lossy),
    )
    return replace(plan, overlay=_overlay(chance, plan)) if overlay else plan


def _size(chance: random.Random, family: int, most: int) -> int:
    usual = [size for size in USUAL if SMALLEST[family] <= size <= most]
    if usual and chance.random() < 0.5:
        return chance.choice(usual)
    return chance.randint(SMALLEST[family], most)


def _segment(chance: random.Random, family: int, base: int, pod: bool) -> Segment:
    """A pod's link is a veth pair of its own; its two ends are mostly as wide as each other."""
    form = Form.DIRECT if pod else chance.choice((Form.DIRECT, Form.DIRECT, Form.PARALLEL, Form.BRIDGED))
    forward = _link(chance, family, base, form)
    return Segment(form, forward, _link(chance, family, base, form) if form is Form.PARALLEL else forward)


def _link(chance: random.Random, family: int, base: int, form: Form) -> Link:
    near = base if chance.random() < 0.6 else _size(chance, family, base)
    far = near if chance.random() < 0.75 else _size(chance, family, base)
    if form is not Form.BRIDGED:
        return Link(near, far)
    first, second = (max(near, far) if chance.random() < 0.7 else _size(chance, family, base) for _end in range(2))
    return Link(near, far, (first, second))


def _locks(chance: random.Random, family: int, base: int, routers: list[int]) -> Dict[int, int]:
    return {node: _size(chance, family, base) for node in routers if chance.random() < 0.12}


def _mute(chance: random.Random, routers: list[int]) -> tuple[int, ...]:
    """Nobody, everybody, or some."""
    way = chance.random()
    return () if way < 0.4 else tuple(routers) if way < 0.75 else tuple(n for n in routers if chance.random() < 0.5)


def _loss(chance: random.Random) -> int:
    """Per mille: none, 50, or up to 200."""
    way = chance.random()
    return 0 if way < 0.6 else 50 if way < 0.8 else chance.randint(1, 200)


def _overlay(chance: random.Random, plan: Plan) -> Overlay:
    """An overlay whose devices' MTU is right for their own link, or as large as that link's."""
    left, right = plan.segment(plan.first_router).forward.near, plan.segment(LAST_ROUTER - 1).back.far
    with_device = chance.random() < 0.6
    near, far = (under - VXLAN_OVERHEAD if with_device or chance.random() < 0.4 else under for under in (left, right))
    return Overlay(near, far, chance.choice(tuple(DontFragment)), with_device, chance.random() < 0.35)


def _too_narrow(plan: Plan) -> bool:
    """Tell whether an overlay has less room than every IP link must have: there kernels learn nonsense (min_pmtu)."""
    if plan.overlay is None:
        return False
    links = [one for segment in plan.segments[1:-1] for one in (segment.forward, segment.back)]
    return min(min(link.near, link.far) for link in links) < SMALLEST[plan.family] + VXLAN_OVERHEAD
