# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own links: devices of overlays, and the links that the underlay is made of."""

from __future__ import annotations

from typing import List, Sequence

from .._rules.making import place
from .._rules.view import HostView, LinkView
from .changes import Level, LinkChange
from .overlays import Overlay
from .targets import Targets
from .underlay import Underlay
from .wish import PlanError, PlanWish


def tunnel_changes(host: HostView, overlays: Sequence[Overlay], targets: Targets) -> List[LinkChange]:
    """Return what becomes of the devices of overlays."""
    changes = []
    for overlay in overlays:
        device = overlay.device
        wanted = targets.clamp(device.mtu, targets.device_fits(overlay))
        if overlay.limits and device.mtu != wanted:
            where = place(host.name, overlay.network)
            why = f"{targets.underlay} of the underlay less {overlay.words}"
            changes.append(LinkChange(where, Level.TUNNEL, device.name, device.mtu, wanted, why))
    return changes


def uplink_changes(host: HostView, underlay: Underlay, wish: PlanWish) -> List[LinkChange]:
    """Return what becomes of the links that the underlay is made of; nothing unless it was asked for.

    Raises PlanError where a size was asked for that the path is known not to carry, or that is a raise unasked.
    """
    home = host.host_network
    if home is None or not (wish.lower_uplinks or wish.uplink_mtu is not None):
        return []
    wanted = wish.uplink_mtu if wish.uplink_mtu is not None else min(underlay.mtu, underlay.link_mtu)
    narrow = underlay.path_mtu is not None and underlay.path_mtu < underlay.link_mtu
    if narrow and underlay.path_mtu is not None and wanted > underlay.path_mtu:
        raise PlanError(
            f"uplinks: {wanted}; allowed is at most {underlay.path_mtu} on {host.name}, as {underlay.peer} carries that"
        )
    if wanted > underlay.link_mtu and not wish.raise_smaller:
        raise PlanError(
            f"uplinks: {wanted} is more than the {underlay.link_mtu} of {underlay.link} on {host.name}; ask for raise "
            "as well, and be sure that the network carries it"
        )
    why = f"{underlay.peer} carries {wanted}" if wanted == underlay.path_mtu else "asked for"
    where = place(host.name, home)
    links = [link for link in [home.link(underlay.link)] if link is not None]
    links += [port for port in home.ports(underlay.link) if _hardware(links, port)]
    return [
        LinkChange(where, Level.UPLINK, link.name, link.mtu, wanted, why)
        for link in links
        if (wanted < link.mtu or wish.raise_smaller) and link.mtu != wanted
    ]


def _hardware(links: Sequence[LinkView], port: LinkView) -> bool:
    """Ports of a bridge have MTUs of their own; those of a bond follow it."""
    return any(link.kind == "bridge" for link in links) and port.kind != "veth" and port.tunnel is None
