# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way packets go from a host or router to each segment of the lab; pure."""

from __future__ import annotations

import ipaddress
from collections import deque
from dataclasses import dataclass

from .topology import Attachment, Topology


@dataclass(frozen=True)
class StaticRoute:
    """A route. destination: None for the default route."""

    destination: ipaddress.IPv4Network | None
    next_hop: ipaddress.IPv4Address


def next_hops(topology: Topology, attachments: tuple[Attachment, ...]) -> dict[str, ipaddress.IPv4Address]:
    """Return the next hop to each segment that is reached through routers, over the fewest of them."""
    reached = {attachment.segment for attachment in attachments}
    waiting: deque[tuple[str, ipaddress.IPv4Address | None]] = deque((item.segment, None) for item in attachments)
    found: dict[str, ipaddress.IPv4Address] = {}
    while waiting:
        segment, first_hop = waiting.popleft()
        for router in topology.routers.values():
            entry = next((item for item in router.attachments if item.segment == segment), None)
            if entry is None:
                continue
            for exit_ in router.attachments:
                if exit_.segment not in reached:
                    reached.add(exit_.segment)
                    found[exit_.segment] = first_hop or entry.address.ip
                    waiting.append((exit_.segment, found[exit_.segment]))
    return found


def routes_of_host(topology: Topology, attachments: tuple[Attachment, ...]) -> list[StaticRoute]:
    """Return the default route of a host, and routes to the segments that lie elsewhere.

    The default route goes to the first router of the first segment; without a router to the first address of the
    range, where nobody answers: a host has a default route, and nothing leaves the lab.
    """
    first = topology.segments[attachments[0].segment]
    gateway = first.addresses[1]
    for router in topology.routers.values():
        entry = next((item for item in router.attachments if item.segment == first.name), None)
        if entry is not None:
            gateway = entry.address.ip
            break
    if any(attachment.address.ip == gateway for attachment in attachments):
        return []
    return [StaticRoute(None, gateway), *_routes(topology, attachments, besides=gateway)]


def routes_of_router(topology: Topology, attachments: tuple[Attachment, ...]) -> list[StaticRoute]:
    """Return the routes of a router to the segments that it is not attached to."""
    return _routes(topology, attachments, besides=None)


def _routes(
    topology: Topology, attachments: tuple[Attachment, ...], besides: ipaddress.IPv4Address | None
) -> list[StaticRoute]:
    hops = next_hops(topology, attachments)
    return [StaticRoute(topology.segments[name].addresses, hop) for name, hop in hops.items() if hop != besides]
