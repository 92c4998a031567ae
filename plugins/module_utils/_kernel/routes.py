# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Routing tables and learned path MTUs, by rtnetlink.

Source: rtnetlink(7); include/uapi/linux/rtnetlink.h; net/ipv4/fib_frontend.c (inet_dump_fib), net/ipv4/route.c
(fib_dump_info_fnhe), net/ipv6/ip6_fib.c (inet6_dump_fib).
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

from .._model.fact import Problem
from .._model.route import NextHop, PathMtuException, Route
from .attributes import (
    Attributes,
    MalformedMessage,
    parse_attributes,
    read_address,
    read_s32,
    read_u32,
    unpack,
)
from .netlink import NetlinkSocket
from .next_hops import read_next_hops
from .scopes import scope_name

RTM_GETROUTE = 26
HEADER = struct.Struct("=BBBBBBBBI")
"""struct rtmsg: family, destination length, source length, TOS, table, protocol, scope, type, flags."""
NEXT_HOP_HEADER = struct.Struct("=HBBi")
"""struct rtnexthop: length, flags, weight less one, index."""
FLAGS_OFFSET = struct.Struct("=8xI")
RTM_F_CLONED = 0x200
TABLE_LOCAL = 255
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS, RTA_MULTIPATH = 1, 4, 5, 6, 7, 8, 9
RTA_CACHEINFO, RTA_TABLE, RTA_VIA, RTA_NH_ID = 12, 15, 18, 30
RTAX_LOCK, RTAX_MTU, RTAX_ADVMSS = 1, 2, 8
EXPIRES_OFFSET = struct.Struct("=8xi")
"""struct rta_cacheinfo: its third number, in clock ticks of user space."""
USER_HZ = 100
FAMILIES = {2: ("ipv4", "0.0.0.0"), 10: ("ipv6", "::")}
TYPES = {
    0: "unspec",
    1: "unicast",
    2: "local",
    3: "broadcast",
    4: "anycast",
    5: "multicast",
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
    9: "throw",
    10: "nat",
    11: "xresolve",
}


class Metrics(NamedTuple):
    """What RTA_METRICS says about sizes, in bytes."""

    mtu: Optional[int]
    mtu_locked: bool
    advertised_mss: Optional[int]


def read_routes(
    netlink: NetlinkSocket, link_names: Mapping[int, str], limit: int = 10000
) -> Tuple[List[Route], List[Problem]]:
    """Return the routes of every table but ``local``, of both families, at most ``limit`` of them.

    link_names: names of the interfaces of the socket's namespace by index. What lies beyond the limit is counted in a
    Problem. Raises OSError and NetlinkError.
    """
    dump = netlink.dump_some(RTM_GETROUTE, HEADER.pack(0, 0, 0, 0, 0, 0, 0, 0, 0), 0, is_wanted, limit)
    decoded = [decode_route(message.payload, link_names) for message in dump.messages]
    routes = _with_next_hops(netlink, decoded, link_names)
    if dump.total <= limit:
        return routes, []
    reason = f"{dump.total} routes, of which the first {limit} were read"
    return routes, [Problem("routes", reason)]


def read_path_mtu_exceptions(netlink: NetlinkSocket, link_names: Mapping[int, str]) -> List[PathMtuException]:
    """Return the path MTUs that the kernel has learned and not yet forgotten, of both families.

    Raises OSError and NetlinkError.
    """
    request = HEADER.pack(0, 0, 0, 0, 0, 0, 0, 0, RTM_F_CLONED)
    dump = netlink.dump_some(RTM_GETROUTE, request, 0, _is_exception)
    found = [_decode_exception(message.payload, link_names) for message in dump.messages]
    return [exception for exception in found if exception is not None]


def is_wanted(payload: bytes) -> bool:
    """Tell routes from entries of the table ``local``, from learned ones, and from other families (multicast)."""
    if len(payload) < HEADER.size:
        raise MalformedMessage(f"a route of {len(payload)} bytes")
    return payload[4] != TABLE_LOCAL and payload[0] in FAMILIES and not _is_exception(payload)


def _is_exception(payload: bytes) -> bool:
    """Without strict checking a kernel lists all entries, whatever was asked for."""
    (flags,) = unpack(FLAGS_OFFSET, payload)
    return payload[0] in FAMILIES and bool(flags & RTM_F_CLONED)


def decode_route(payload: bytes, link_names: Mapping[int, str]) -> Tuple[Route, Optional[int]]:
    """Return a route, and the id of its next hop object where the kernel names nothing but that."""
    family, length, _source, _tos, table, protocol, scope, kind, _flags = unpack(HEADER, payload)
    found = parse_attributes(payload, HEADER.size)
    metrics = decode_metrics(found)
    route = Route(
        family=FAMILIES[family][0],
        type=TYPES.get(kind, str(kind)),
        destination=f"{_destination(family, found)}/{length}",
        table=read_u32(found[RTA_TABLE]) if RTA_TABLE in found else table,
        gateway=_gateway(found),
        device=_device(found, link_names),
        priority=read_u32(found[RTA_PRIORITY]) if RTA_PRIORITY in found else None,
        protocol=protocol,
        scope=scope_name(scope),
        source=read_address(found[RTA_PREFSRC]) if RTA_PREFSRC in found else None,
        mtu=metrics.mtu,
        mtu_locked=metrics.mtu_locked,
        advertised_mss=metrics.advertised_mss,
        next_hops=_next_hops(found, link_names),
    )
    unresolved = RTA_NH_ID in found and RTA_OIF not in found and RTA_MULTIPATH not in found
    return route, read_u32(found[RTA_NH_ID]) if unresolved else None


def _with_next_hops(
    netlink: NetlinkSocket, decoded: List[Tuple[Route, Optional[int]]], link_names: Mapping[int, str]
) -> List[Route]:
    """Fill in the next hop objects; they are asked for only where net.ipv4.nexthop_compat_mode is off."""
    if all(identifier is None for _route, identifier in decoded):
        return [route for route, _identifier in decoded]
    legs = read_next_hops(netlink, link_names)
    return [_with_legs(route, legs.get(identifier or 0, ())) for route, identifier in decoded]


def _with_legs(route: Route, legs: Tuple[NextHop, ...]) -> Route:
    if len(legs) == 1:
        return replace(route, gateway=legs[0].gateway, device=legs[0].device)
    return replace(route, next_hops=legs) if legs else route


def _decode_exception(payload: bytes, link_names: Mapping[int, str]) -> Optional[PathMtuException]:
    """Return a learned path MTU; None for what was learned without one, by a redirect."""
    family, length = payload[0], payload[1]
    found = parse_attributes(payload, HEADER.size)
    metrics = decode_metrics(found)
    expires = unpack(EXPIRES_OFFSET, found[RTA_CACHEINFO])[0] if RTA_CACHEINFO in found else 0
    if metrics.mtu is None or expires <= 0:
        return None
    suffix = "" if length in (32, 128) else f"/{length}"
    return PathMtuException(
        family=FAMILIES[family][0],
        destination=_destination(family, found) + suffix,
        mtu=metrics.mtu,
        locked=metrics.mtu_locked,
        gateway=_gateway(found),
        device=_device(found, link_names),
        expires_seconds=expires / USER_HZ,
    )


def _destination(family: int, found: Attributes) -> str:
    return read_address(found[RTA_DST]) if RTA_DST in found else FAMILIES[family][1]


def _gateway(found: Attributes) -> Optional[str]:
    """Return the gateway; RTA_VIA is one of the other family (RFC 5549) after two bytes that name the family."""
    if RTA_GATEWAY in found:
        return read_address(found[RTA_GATEWAY])
    return read_address(found[RTA_VIA][2:]) if RTA_VIA in found else None


def _device(found: Attributes, link_names: Mapping[int, str]) -> Optional[str]:
    return link_names.get(read_s32(found[RTA_OIF])) if RTA_OIF in found else None


def decode_metrics(found: Attributes) -> Metrics:
    """Return what the attributes of a route say about sizes; nothing where they say nothing."""
    if RTA_METRICS not in found:
        return Metrics(None, False, None)
    values: Dict[int, int] = {kind: read_u32(value) for kind, value in _sized(found[RTA_METRICS]).items()}
    locked = bool(values.get(RTAX_LOCK, 0) & (1 << RTAX_MTU))
    return Metrics(values.get(RTAX_MTU), locked, values.get(RTAX_ADVMSS))


def _sized(metrics: bytes) -> Attributes:
    """Return the metrics that are numbers; the name of a congestion control is not."""
    wanted = (RTAX_LOCK, RTAX_MTU, RTAX_ADVMSS)
    return {kind: value for kind, value in parse_attributes(metrics).items() if kind in wanted}


def _next_hops(found: Attributes, link_names: Mapping[int, str]) -> Tuple[NextHop, ...]:
    """Return the legs of a multipath route, in the kernel's order."""
    value = found.get(RTA_MULTIPATH, b"")
    legs: List[NextHop] = []
    offset = 0
    while offset + NEXT_HOP_HEADER.size <= len(value):
        length, _flags, hops, index = unpack(NEXT_HOP_HEADER, value, offset)
        if length < NEXT_HOP_HEADER.size or offset + length > len(value):
            raise MalformedMessage(f"next hop of {length} bytes at offset {offset} of {len(value)}")
        inner = parse_attributes(value[offset : offset + length], NEXT_HOP_HEADER.size)
        legs.append(NextHop(_gateway(inner), link_names.get(index), hops + 1))
        offset += (length + 3) & ~3
    return tuple(legs)
