# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the changes of a plan mean for what runs."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from .changes import Level, LinkChange, RouteChange
from .knobs import BY_NAME
from .settings import Setting

RECONNECT = "connections that are open keep the segment size that they agreed on when they were made"


def restarts(settings: Sequence[Setting]) -> List[str]:
    """Return what has to be restarted for changed settings to reach new pods and containers."""
    texts = [f"{one.knob}: {BY_NAME[one.knob].restart}" for one in settings if one.changes]
    return list(dict.fromkeys(texts))


def disruption(steps: Sequence[LinkChange], routes: Sequence[RouteChange], settings: Sequence[Setting]) -> List[str]:
    """Return what running traffic notices."""
    texts = []
    if routes or any(step.level in (Level.PAIR, Level.BRIDGE) for step in steps):
        texts.append("running pods and containers: none for packets that fit; lost when they are made again")
    if any(step.level is Level.TUNNEL for step in steps):
        texts.append("overlay devices: packets in flight that are larger than the new size are lost and sent again")
    if any(step.level is Level.UPLINK for step in steps):
        texts.append("the host's own links: every connection of the host sends smaller packets, this one included")
    if any(one.changes for one in settings):
        texts.append("settings: pods and containers that run keep what they have until they are made again")
    return texts


def stays_broken(steps: Sequence[LinkChange], routes: Sequence[RouteChange]) -> List[str]:
    """Return whose connections stay as they are until they are made again."""
    names = [step.where.name for step in steps if step.level is Level.PAIR and step.inner and step.lowers]
    names += [route.where.name for route in routes if route.mtu < route.now]
    texts = [f"{name}: {RECONNECT}; load balancers' keep-alive connections too" for name in dict.fromkeys(names)]
    own = [step for step in steps if step.level is Level.UPLINK and step.lowers]
    return texts + [f"{step.where.name}, {step.link}: {RECONNECT}" for step in own]


def waits_for_owner(settings: Sequence[Setting]) -> List[Dict[str, Any]]:
    """Return the settings that only the Kubernetes API can change, unless RKE1, RKE2 or K3s read them from a file."""
    return [
        {
            **one.as_result(),
            "reason": "an object of the Kubernetes API decides, unless RKE1, RKE2 or K3s read it from a file on a node",
        }
        for one in settings
        if one.changes and one.by_api
    ]
