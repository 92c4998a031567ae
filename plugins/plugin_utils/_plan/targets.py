# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes that a cluster is to have: what its overlays, pods and containers get. All are bytes of IP packet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence

from .._rules.mtu import uplink
from .hosts import PlanHost
from .overlays import Identity, Overlay, main_overlay
from .underlay import CLAIMED, Underlay
from .wish import PlanWish


@dataclass(frozen=True)
class Targets:
    """What one host is to have.

    underlay: what its whole cluster carries. own: what this host's paths carry. overlay: the main one, None for plain
    routes. overhead: bytes that it takes. pod: the largest packet of a pod; most: the same, if every device on the way
    were as large as the underlay allows. container: behind a plain bridge. devices: what each overlay is to carry.
    raising: whether links and settings are made larger, too.
    """

    underlay: int
    own: int
    overlay: Optional[Overlay]
    overhead: int
    pod: int
    most: int
    container: int
    devices: Mapping[Identity, int]
    raising: bool

    @property
    def encapsulation(self) -> str:
        """Kind of the main overlay, "none" for plain routes."""
        return self.overlay.tunnel.kind if self.overlay is not None else "none"

    def device_fits(self, overlay: Overlay) -> int:
        """Return the most that an overlay's own device may have."""
        return self.underlay - overlay.reserve

    def clamp(self, now: Optional[int], fits: int) -> int:
        """Return what becomes of a size: what fits, but never more than now unless things are to be raised."""
        return fits if self.raising or now is None else min(now, fits)


def find_targets(
    members: Sequence[PlanHost],
    overlays: Mapping[str, Sequence[Overlay]],
    underlays: Mapping[str, Underlay],
    wish: PlanWish,
) -> Dict[str, Targets]:
    """Return the targets of each host of one cluster.

    What is only claimed is not raised to: a link that says 9001 may lead through a network that carries 1500.
    """
    underlay = min(underlays[host.name].mtu for host in members)
    if wish.uplink_mtu is not None:
        underlay = min(underlay, wish.uplink_mtu)
    raising = wish.raise_smaller and all(underlays[host.name].source != CLAIMED for host in members)
    devices: Dict[Identity, int] = {}
    for host in members:
        for overlay in overlays[host.name]:
            fits = underlay - overlay.reserve
            size = fits if raising or not overlay.limits else min(overlay.device.mtu, fits)
            devices[overlay.identity] = min(size, devices.get(overlay.identity, size))
    found = {}
    for host in members:
        own = underlays[host.name].mtu if wish.uplink_mtu is None else min(underlays[host.name].mtu, wish.uplink_mtu)
        found[host.name] = _targets(host, list(overlays[host.name]), underlay, own, devices, raising)
    return found


def _targets(
    host: PlanHost,
    overlays: List[Overlay],
    underlay: int,
    own: int,
    devices: Mapping[Identity, int],
    raising: bool,
) -> Targets:
    main = main_overlay(overlays)
    overhead = main.reserve if main is not None else 0
    carried = [devices[one.identity] for one in overlays if one.network.is_host]
    way_out = uplink(host.view)
    return Targets(
        underlay=underlay,
        own=own,
        overlay=main,
        overhead=overhead,
        pod=min([underlay - overhead, *carried]),
        most=underlay - overhead,
        container=min(own, way_out[1]) if way_out is not None else own,
        devices=devices,
        raising=raising,
    )
