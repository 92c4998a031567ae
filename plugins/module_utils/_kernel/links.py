# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Network interfaces and their addresses, by rtnetlink.

Source: rtnetlink(7); include/uapi/linux/if_link.h; net/core/rtnetlink.c (rtnl_fill_ifinfo).
"""

from __future__ import annotations

import struct
from typing import Dict, List, NamedTuple, Optional, Tuple

from .._model.link import Address, Encapsulation, Link
from .attributes import (
    Attributes,
    parse_attributes,
    read_address,
    read_s32,
    read_text,
    read_u8,
    read_u32,
    unpack,
)
from .netlink import NetlinkSocket
from .scopes import scope_name
from .tunnels import decode_tunnel

RTM_GETLINK = 18
RTM_GETADDR = 22
LINK_HEADER = struct.Struct("=BxHiII")
"""struct ifinfomsg: family, hardware type, index, flags, change mask."""
ADDRESS_HEADER = struct.Struct("=BBBBI")
"""struct ifaddrmsg: family, prefix length, flags, scope, index."""
LINK_STATISTICS_DROPPED = struct.Struct("=QQ")
LINK_STATISTICS_DROPPED_OFFSET = 48
"""struct rtnl_link_stats64: rx_dropped and tx_dropped are its seventh and eighth number."""

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER, IFLA_OPERSTATE = 1, 3, 4, 5, 10, 16
IFLA_LINKINFO, IFLA_STATS64, IFLA_LINK_NETNSID, IFLA_GSO_MAX_SEGS, IFLA_GSO_MAX_SIZE = 18, 23, 37, 40, 41
IFLA_MIN_MTU, IFLA_MAX_MTU = 50, 51
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
IFA_ADDRESS, IFA_LOCAL = 1, 2
IFF_UP = 0x1
ARPHRD_LOOPBACK = 772
OPERATIONAL_STATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
FAMILIES = {2: "ipv4", 10: "ipv6"}


class _Received(NamedTuple):
    """One link as far as it can be understood alone. number: its interface index."""

    number: int
    flags: int
    attributes: Attributes
    kind: str
    encapsulation: Optional[Encapsulation]
    lower_index: Optional[int]


def read_links(netlink: NetlinkSocket) -> List[Link]:
    """Return every interface of the socket's network namespace with its addresses, in the order of their indexes.

    The dump asks for no virtual functions. It makes the kernel do what ``ip link`` makes it do: a lower device in
    another namespace gets an id there if it has none yet (rtnl_fill_link_netnsid), which it normally has since it was
    made. Raises OSError and NetlinkError.
    """
    request = LINK_HEADER.pack(0, 0, 0, 0, 0)
    received = [_receive(message.payload) for message in netlink.dump(RTM_GETLINK, request)]
    addresses = read_addresses(netlink)
    by_index = {link.number: link for link in received}
    return [_link(by_index[index], by_index, addresses.get(index, [])) for index in sorted(by_index)]


def read_addresses(netlink: NetlinkSocket) -> Dict[int, List[Address]]:
    """Return the addresses of both families by interface index. Raises OSError and NetlinkError."""
    found: Dict[int, List[Address]] = {}
    for message in netlink.dump(RTM_GETADDR, ADDRESS_HEADER.pack(0, 0, 0, 0, 0)):
        family, prefix_length, _flags, scope, index = unpack(ADDRESS_HEADER, message.payload)
        attributes = parse_attributes(message.payload, ADDRESS_HEADER.size)
        value = attributes.get(IFA_LOCAL) or attributes.get(IFA_ADDRESS)
        if family in FAMILIES and value is not None:
            address = Address(FAMILIES[family], read_address(value), prefix_length, scope_name(scope))
            found.setdefault(index, []).append(address)
    return found


def _receive(payload: bytes) -> _Received:
    _family, hardware_type, index, flags, _change = unpack(LINK_HEADER, payload)
    found = parse_attributes(payload, LINK_HEADER.size)
    kind, encapsulation, lower_index = _kind(found, hardware_type)
    if lower_index is None and IFLA_LINK in found:
        told = read_u32(found[IFLA_LINK])
        # A tunnel that was moved to another namespace and is bound to no device names itself.
        lower_index = None if told == 0 or (encapsulation is not None and told == index) else told
    return _Received(index, flags, found, kind, encapsulation, lower_index)


def _link(received: _Received, by_index: Dict[int, _Received], addresses: List[Address]) -> Link:
    found = received.attributes
    rx_dropped, tx_dropped = _dropped(found)
    link_netnsid = read_s32(found[IFLA_LINK_NETNSID]) if IFLA_LINK_NETNSID in found else None
    is_here = link_netnsid is None and received.kind != "veth"
    master = by_index.get(_optional_u32(found, IFLA_MASTER) or 0)
    return Link(
        index=received.number,
        name=_name(received) or "",
        kind=received.kind,
        mtu=_optional_u32(found, IFLA_MTU) or 0,
        min_mtu=_optional_u32(found, IFLA_MIN_MTU),
        max_mtu=_optional_u32(found, IFLA_MAX_MTU) or None,
        hardware_address=found[IFLA_ADDRESS].hex(":") if found.get(IFLA_ADDRESS) else None,
        up=bool(received.flags & IFF_UP),
        operational_state=_operational_state(found),
        lower_index=received.lower_index,
        link_netnsid=link_netnsid,
        lower=_name(by_index.get(received.lower_index or 0)) if is_here else None,
        master=_name(master),
        bridge=_name(master) if master and master.kind == "bridge" else None,
        encapsulation=received.encapsulation,
        addresses=tuple(addresses),
        gso_max_size=_optional_u32(found, IFLA_GSO_MAX_SIZE),
        gso_max_segs=_optional_u32(found, IFLA_GSO_MAX_SEGS),
        rx_dropped=rx_dropped,
        tx_dropped=tx_dropped,
    )


def _name(received: Optional[_Received]) -> Optional[str]:
    return read_text(received.attributes.get(IFLA_IFNAME, b"")) if received else None


def _kind(found: Attributes, hardware_type: int) -> Tuple[str, Optional[Encapsulation], Optional[int]]:
    """Return the kind of a link, the tunnel that it is, and the device that the tunnel is bound to."""
    information = parse_attributes(found.get(IFLA_LINKINFO, b""))
    if IFLA_INFO_KIND not in information:
        return ("loopback" if hardware_type == ARPHRD_LOOPBACK else "physical"), None, None
    kind = read_text(information[IFLA_INFO_KIND])
    tunnel = decode_tunnel(kind, information.get(IFLA_INFO_DATA, b""))
    return (kind, tunnel.encapsulation, tunnel.lower_index) if tunnel else (kind, None, None)


def _optional_u32(found: Attributes, kind: int) -> Optional[int]:
    return read_u32(found[kind]) if kind in found else None


def _operational_state(found: Attributes) -> str:
    state = read_u8(found[IFLA_OPERSTATE]) if IFLA_OPERSTATE in found else 0
    return OPERATIONAL_STATES[state] if state < len(OPERATIONAL_STATES) else str(state)


def _dropped(found: Attributes) -> Tuple[int, int]:
    if IFLA_STATS64 not in found:
        return 0, 0
    received, sent = unpack(LINK_STATISTICS_DROPPED, found[IFLA_STATS64], LINK_STATISTICS_DROPPED_OFFSET)
    return received, sent
