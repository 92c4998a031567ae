# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person ought to know before a plan is carried out."""

from __future__ import annotations

from typing import List, Sequence

from .._rules.view import HostView
from .changes import LinkChange
from .settings import KERNEL_DEFAULT, Setting
from .targets import Targets
from .underlay import CLAIMED, Underlay
from .wish import PlanWish


def notes(
    host: HostView,
    underlay: Underlay,
    targets: Targets,
    wanted: Sequence[LinkChange],
    settings: Sequence[Setting],
    wish: PlanWish,
) -> List[str]:
    """Return the notes about one host."""
    found = [*_about_underlay(underlay, targets, wish), *_about_raising(targets, wish)]
    for step in wanted:
        if not step.enterable:
            found.append(f"{step.link} of {step.where.name} has {step.now}: there is no way into its namespace")
    for one in settings:
        if one.changes and one.now is None:
            found.append(f"nothing on this host says what new {one.stack} interfaces get: {one.knob} has to")
    return found


def _about_underlay(underlay: Underlay, targets: Targets, wish: PlanWish) -> List[str]:
    found = []
    if underlay.source == CLAIMED:
        found.append(f"{underlay.link} claims {underlay.link_mtu}; what its paths carry is claimed, not measured")
    if underlay.source != CLAIMED and underlay.unmeasured:
        found.append(f"{underlay.unmeasured} directions of its paths could not be measured, and count for nothing")
    narrow = underlay.path_mtu is not None and underlay.path_mtu < underlay.link_mtu
    if narrow and not wish.lower_uplinks and wish.uplink_mtu is None:
        found.append(
            f"{underlay.link} sends {underlay.link_mtu} and {underlay.peer} carries {underlay.path_mtu}: the host's "
            "own connections still depend on ICMP; uplinks: lower ends that"
        )
    if targets.underlay < underlay.mtu:
        found.append(f"this host's paths carry {underlay.mtu}, but another node's only {targets.underlay}")
    return found


def _about_raising(targets: Targets, wish: PlanWish) -> List[str]:
    found = []
    if wish.raise_smaller and not targets.raising:
        found.append("nothing is raised: what the network carries was not measured on all of the cluster's hosts")
    if targets.raising and targets.container > KERNEL_DEFAULT:
        found.append(f"new containers of every runtime get {targets.container}, also where no file says anything yet")
    if targets.pod < targets.most and not targets.raising:
        device = targets.overlay.device.name if targets.overlay is not None else "the overlay"
        found.append(f"pods could have {targets.most}, but {device} is smaller; ask for raise to change that")
    return found
