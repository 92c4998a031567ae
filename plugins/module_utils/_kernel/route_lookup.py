# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which way the kernel would send to an address.

Source: rtnetlink(7), RTM_GETROUTE for one destination; net/ipv4/route.c (inet_rtm_getroute).
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Optional

from .attributes import pack_attribute, parse_attributes, read_address, read_s32
from .netlink import NetlinkSocket
from .routes import HEADER, RTA_DST, RTA_GATEWAY, RTA_OIF, RTA_PREFSRC, RTM_GETROUTE, TYPES


@dataclass(frozen=True)
class Chosen:
    """What the kernel answered. kind: as in routes.TYPES (unicast, local, broadcast ...). index: of the link."""

    kind: str
    index: Optional[int]
    gateway: Optional[str]
    source: Optional[str]


def look_up(netlink: NetlinkSocket, address: str, index: Optional[int] = None) -> Chosen:
    """Ask for the route to one address, in the network namespace of the socket.

    index: of the link, for a link-local address. Raises OSError: ENETUNREACH, EHOSTUNREACH, EACCES where there is
    none, and NetlinkError.
    """
    packed = ipaddress.ip_address(address).packed
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    request = HEADER.pack(family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0) + pack_attribute(RTA_DST, packed)
    if index is not None:
        request += pack_attribute(RTA_OIF, index.to_bytes(4, "little" if socket.ntohs(1) != 1 else "big"))
    message = netlink.request(RTM_GETROUTE, request)
    if message is None:
        return Chosen("unreachable", None, None, None)
    found = parse_attributes(message.payload, HEADER.size)
    kind = HEADER.unpack_from(message.payload)[7]
    return Chosen(
        kind=TYPES.get(kind, str(kind)),
        index=read_s32(found[RTA_OIF]) if RTA_OIF in found else None,
        gateway=read_address(found[RTA_GATEWAY]) if RTA_GATEWAY in found else None,
        source=read_address(found[RTA_PREFSRC]) if RTA_PREFSRC in found else None,
    )
