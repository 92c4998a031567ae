# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Next hop objects, which routes may name instead of gateways (Linux 5.3).

Source: include/uapi/linux/nexthop.h; net/ipv4/nexthop.c.
"""

from __future__ import annotations

import struct
from typing import Dict, List, Mapping, Tuple

from .._model.route import NextHop
from .attributes import parse_attributes, read_address, read_u32, unpack
from .netlink import NetlinkSocket

RTM_GETNEXTHOP = 106
HEADER = struct.Struct("=BBBBI")
"""struct nhmsg: family, scope, protocol, reserved, flags."""
MEMBER = struct.Struct("=IBBH")
"""struct nexthop_grp: id, weight less one, its high byte (Linux 6.12), reserved."""
NHA_ID, NHA_GROUP, NHA_OIF, NHA_GATEWAY = 1, 2, 5, 6


def read_next_hops(netlink: NetlinkSocket, link_names: Mapping[int, str]) -> Dict[int, Tuple[NextHop, ...]]:
    """Return the legs of every next hop object by its id. Raises OSError and NetlinkError."""
    single: Dict[int, NextHop] = {}
    groups: Dict[int, List[Tuple[int, int]]] = {}
    for message in netlink.dump(RTM_GETNEXTHOP, HEADER.pack(0, 0, 0, 0, 0)):
        found = parse_attributes(message.payload, HEADER.size)
        identifier = read_u32(found.get(NHA_ID, b""))
        if NHA_GROUP in found:
            groups[identifier] = _members(found[NHA_GROUP])
            continue
        gateway = read_address(found[NHA_GATEWAY]) if NHA_GATEWAY in found else None
        device = link_names.get(read_u32(found[NHA_OIF])) if NHA_OIF in found else None
        single[identifier] = NextHop(gateway, device, 1)
    legs = {identifier: (hop,) for identifier, hop in single.items()}
    return {**legs, **{identifier: _legs(members, single) for identifier, members in groups.items()}}


def _members(value: bytes) -> List[Tuple[int, int]]:
    """Return pairs of id and weight."""
    found = []
    for offset in range(0, len(value), MEMBER.size):
        identifier, low, high, _reserved = unpack(MEMBER, value, offset)
        found.append((identifier, (high << 8 | low) + 1))
    return found


def _legs(members: List[Tuple[int, int]], single: Mapping[int, NextHop]) -> Tuple[NextHop, ...]:
    """Return the legs of a group; members that are gone since are left out."""
    present = [(single[identifier], weight) for identifier, weight in members if identifier in single]
    return tuple(NextHop(hop.gateway, hop.device, weight) for hop, weight in present)
