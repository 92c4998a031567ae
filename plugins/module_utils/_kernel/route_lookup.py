# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How the kernel would send to one address: asked by rtnetlink, one answer per question.

Source: rtnetlink(7), RTM_GETROUTE without NLM_F_DUMP; net/ipv4/route.c (inet_rtm_getroute), net/ipv6/route.c
(inet6_rtm_getroute).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Optional

from .attributes import pack_attribute, parse_attributes, read_address, read_s32, unpack
from .netlink import NetlinkSocket
from .routes import HEADER, RTA_DST, RTA_METRICS, RTA_OIF, RTA_PREFSRC, RTM_GETROUTE, TYPES, Metrics, decode_metrics

AF_INET, AF_INET6 = 2, 10


@dataclass(frozen=True)
class RouteLookup:
    """The kernel's answer. type: unicast, local, broadcast, ...; mtu: of the route or of a learned exception."""

    type: str
    device_index: Optional[int]
    source: Optional[str]
    metrics: Metrics


def look_up_route(netlink: NetlinkSocket, address: str) -> RouteLookup:
    """Return how the namespace of the socket would send to an IPv4 or IPv6 address.

    Raises OSError where it would not (ENETUNREACH, EHOSTUNREACH, EACCES), NetlinkError for what makes no sense.
    """
    packed = ipaddress.ip_address(address).packed
    family = AF_INET if len(packed) == 4 else AF_INET6
    request = HEADER.pack(family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0) + pack_attribute(RTA_DST, packed)
    answer = netlink.request(RTM_GETROUTE, request)
    if answer is None:
        return RouteLookup("unspec", None, None, Metrics(None, False, None))
    kind = unpack(HEADER, answer.payload)[7]
    found = parse_attributes(answer.payload, HEADER.size)
    return RouteLookup(
        type=TYPES.get(kind, str(kind)),
        device_index=read_s32(found[RTA_OIF]) if RTA_OIF in found else None,
        source=read_address(found[RTA_PREFSRC]) if RTA_PREFSRC in found else None,
        metrics=decode_metrics(found) if RTA_METRICS in found else Metrics(None, False, None),
    )
