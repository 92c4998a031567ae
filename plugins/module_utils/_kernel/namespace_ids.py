# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Ids by which one network namespace knows others.

Source: net/core/net_namespace.c (rtnl_net_getid); include/uapi/linux/net_namespace.h.
"""

from __future__ import annotations

import struct
from typing import Optional

from .attributes import pack_attribute, parse_attributes, read_s32
from .netlink import NetlinkSocket

RTM_GETNSID = 90
NETNSA_NSID, NETNSA_FD = 1, 3
HEADER = struct.Struct("=B3x")
"""struct rtgenmsg with its padding."""


def namespace_id(netlink: NetlinkSocket, descriptor: int) -> Optional[int]:
    """Return the id that the socket's namespace has given to the one that ``descriptor`` is open on, or None.

    None also means: it is the same namespace. Asking assigns nothing. Raises OSError and NetlinkError.
    """
    answer = netlink.request(RTM_GETNSID, HEADER.pack(0) + pack_attribute(NETNSA_FD, struct.pack("=I", descriptor)))
    if answer is None:
        return None
    found = parse_attributes(answer.payload, HEADER.size)
    identifier = read_s32(found[NETNSA_NSID]) if NETNSA_NSID in found else -1
    return identifier if identifier >= 0 else None
