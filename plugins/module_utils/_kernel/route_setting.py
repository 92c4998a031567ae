# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTU of routes that are there, by rtnetlink: everything else of a route stays as it is.

Source: rtnetlink(7), RTM_NEWROUTE with NLM_F_REPLACE; net/ipv4/fib_trie.c (fib_table_insert) and net/ipv6/ip6_fib.c
(fib6_add_rt2node): what is replaced is the first route of that destination, table, metric and type of service, whatever
its device and gateway.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .._model.fact import Fact
from .._model.route import Route
from .attributes import Attributes, pack_attributes, parse_attributes, unpack
from .netlink import FLAG_ACKNOWLEDGE, NetlinkSocket
from .routes import (
    EXPIRES_OFFSET,
    HEADER,
    NEXT_HOP_HEADER,
    RTA_CACHEINFO,
    RTA_GATEWAY,
    RTA_METRICS,
    RTA_MULTIPATH,
    RTA_NH_ID,
    RTA_OIF,
    RTA_VIA,
    RTAX_MTU,
    RTM_GETROUTE,
    USER_HZ,
    decode_route,
    is_wanted,
)

RTM_NEWROUTE = 24
FLAG_REPLACE = 0x100
RTA_IIF, RTA_FLOW, RTA_ENCAP_TYPE, RTA_ENCAP, RTA_EXPIRES = 3, 11, 21, 22, 23
OF_THE_NEXT_HOP = (RTA_OIF, RTA_GATEWAY, RTA_VIA, RTA_MULTIPATH, RTA_FLOW, RTA_ENCAP_TYPE, RTA_ENCAP)
"""What a next hop object says for the route that names it; a request may have the one or the other."""
ASKABLE_FLAGS = 0x2 | 0x4
"""RTNH_F_PERVASIVE and RTNH_F_ONLINK; the others tell a state, and fib_create_info() refuses some of them."""


@dataclass(frozen=True)
class RouteKey(Fact):
    """What names a route. family, destination, table, priority, gateway, device: as of Route."""

    family: str
    destination: str
    table: int
    priority: Optional[int] = None
    type_of_service: int = 0
    gateway: Optional[str] = None
    device: Optional[str] = None

    def __str__(self) -> str:
        via = f" via {self.gateway}" if self.gateway else ""
        device = f" dev {self.device}" if self.device else ""
        table = f" table {self.table}" if self.table != 254 else ""
        return f"{self.destination}{via}{device}{table}"


@dataclass(frozen=True)
class KnownRoute:
    """A route, and the message in which the kernel has told it. alone: nothing else could be replaced in its place."""

    key: RouteKey
    route: Route
    payload: bytes
    alone: bool


class NoSuchRoute(Exception):
    """The route is not there, or no more."""


def read_known_routes(netlink: NetlinkSocket, link_names: Mapping[int, str]) -> List[KnownRoute]:
    """Return the routes of every table but ``local``, of both families. Raises OSError and NetlinkError."""
    dump = netlink.dump_some(RTM_GETROUTE, HEADER.pack(0, 0, 0, 0, 0, 0, 0, 0, 0), 0, is_wanted)
    decoded = [(decode_route(message.payload, link_names)[0], message.payload) for message in dump.messages]
    found: Dict[Tuple[Any, ...], int] = {}
    for route, payload in decoded:
        place = _place(route, payload)
        found[place] = found.get(place, 0) + 1
    return [
        KnownRoute(_key(route, payload), route, payload, found[_place(route, payload)] == 1)
        for route, payload in decoded
    ]


def find_route(netlink: NetlinkSocket, link_names: Mapping[int, str], key: RouteKey) -> KnownRoute:
    """Return the route of a key. Raises NoSuchRoute, OSError and NetlinkError."""
    for known in read_known_routes(netlink, link_names):
        if known.key == key:
            return known
    raise NoSuchRoute(str(key))


def set_route_mtu(netlink: NetlinkSocket, known: KnownRoute, mtu: Optional[int]) -> None:
    """Give a route an MTU of its own in bytes; None takes it away, so that the device's counts.

    Path MTUs that were learned over it are forgotten. Raises OSError where the kernel refuses it, NetlinkError.
    """
    netlink.request(RTM_NEWROUTE, with_mtu(known.payload, mtu), FLAG_REPLACE | FLAG_ACKNOWLEDGE)


def with_mtu(payload: bytes, mtu: Optional[int]) -> bytes:
    """Return the message that asks for a route as it is, but for its MTU. Raises MalformedMessage."""
    *head, flags = unpack(HEADER, payload)
    found = parse_attributes(payload, HEADER.size)
    kept = {kind: value for kind, value in found.items() if kind not in (RTA_METRICS, RTA_CACHEINFO, RTA_IIF)}
    if RTA_NH_ID in kept:
        kept = {kind: value for kind, value in kept.items() if kind not in OF_THE_NEXT_HOP}
    if RTA_MULTIPATH in kept:
        kept[RTA_MULTIPATH] = _askable(kept[RTA_MULTIPATH])
    kept.update(_expiry(found))
    # Without any metrics the kernel would look for a route with that next hop object and take over its metrics, which
    # are the old ones (net/ipv4/fib_semantics.c, fib_find_info_nh); with an empty list it does not.
    kept[RTA_METRICS] = pack_attributes(list(_metrics(found, mtu).items()))
    return HEADER.pack(*head, flags & ASKABLE_FLAGS) + pack_attributes(sorted(kept.items()))


def _metrics(found: Attributes, mtu: Optional[int]) -> Attributes:
    """Return all metrics but for the MTU as they were. Whether an MTU is locked is a metric of its own, and stays."""
    metrics = parse_attributes(found[RTA_METRICS]) if RTA_METRICS in found else {}
    if mtu is None:
        metrics.pop(RTAX_MTU, None)
    else:
        metrics[RTAX_MTU] = struct.pack("=I", mtu)
    return metrics


def _askable(legs: bytes) -> bytes:
    """Return the legs of a multipath route without the flags that tell a state."""
    changed = bytearray(legs)
    offset = 0
    while offset + NEXT_HOP_HEADER.size <= len(changed):
        length, flags, hops, index = NEXT_HOP_HEADER.unpack_from(changed, offset)
        NEXT_HOP_HEADER.pack_into(changed, offset, length, flags & ASKABLE_FLAGS, hops, index)
        offset += max((length + 3) & ~3, NEXT_HOP_HEADER.size)
    return bytes(changed)


def _expiry(found: Attributes) -> Attributes:
    """Return the seconds that a route has left, for one that ends by itself."""
    left = unpack(EXPIRES_OFFSET, found[RTA_CACHEINFO])[0] if RTA_CACHEINFO in found else 0
    return {RTA_EXPIRES: struct.pack("=I", -(-left // USER_HZ))} if left > 0 else {}


def _key(route: Route, payload: bytes) -> RouteKey:
    return RouteKey(*_place(route, payload), route.gateway, route.device)


def _place(route: Route, payload: bytes) -> Tuple[str, str, int, Optional[int], int]:
    """Return what the kernel finds a route by that is to be replaced."""
    return route.family, route.destination, route.table, route.priority, payload[3]
