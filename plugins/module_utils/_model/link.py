# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Links, their addresses, and the encapsulation that some of them do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from .fact import Fact


@dataclass(frozen=True)
class Address(Fact):
    """An address of a link. family: ipv4 or ipv6. scope: global, site, link, host or a number as text."""

    family: str
    address: str
    prefix_length: int
    scope: str


@dataclass(frozen=True)
class Peer(Fact):
    """The other end of a veth pair.

    namespace: inode of the network namespace that it is in; None where that namespace could not be found.
    index: its interface index there. name, mtu: None where the namespace could not be read.
    """

    namespace: Optional[int]
    index: int
    name: Optional[str] = None
    mtu: Optional[int] = None


@dataclass(frozen=True)
class Encapsulation(Fact):
    """The tunnel that a link is.

    kind: as the kernel names it (vxlan, geneve, gre, gretap, ipip, sit, ip6tnl, wireguard ...).
    overhead: bytes that it adds below the link's IP packet, for underlay_family.
    underlay_family: ipv4 or ipv6. family_assumed: True where the device does not say and ipv4 was taken.
    identifier: VNI or key. port: UDP destination port. local, remote: outer addresses.
    dont_fragment: unset, set or inherit (vxlan, geneve), None where the kind has no such option.
    collect_metadata: True when the outer header comes per packet ("external").
    underlay: name of the link that carries the outer packets; underlay_namespace: inode of its network namespace;
    underlay_mtu: its MTU in bytes; underlay_source: "device" when the tunnel is bound to it, "route" when it was
    found by the route to the remote or by the default route; all None where it could not be found.
    """

    kind: str
    overhead: int
    underlay_family: str
    family_assumed: bool = False
    identifier: Optional[int] = None
    port: Optional[int] = None
    local: Optional[str] = None
    remote: Optional[str] = None
    dont_fragment: Optional[str] = None
    collect_metadata: bool = False
    underlay: Optional[str] = None
    underlay_namespace: Optional[int] = None
    underlay_mtu: Optional[int] = None
    underlay_source: Optional[str] = None


@dataclass(frozen=True)
class Link(Fact):
    """A network interface.

    kind: IFLA_INFO_KIND (veth, bridge, vxlan ...), "loopback", or "physical" where the kernel names no kind.
    mtu, min_mtu, max_mtu: bytes; a limit that the kernel does not give is None.
    hardware_address: colon-separated, None where there is none. up: administratively up.
    operational_state: up, down, lowerlayerdown, unknown ... (RFC 2863).
    lower_index: IFLA_LINK: the lower device, for a veth the other end; link_netnsid: the id of the namespace that it
    is in as seen from here, None for "the same". lower: name of the lower device; None for a veth.
    lower_namespace: inode of the namespace of the lower device.
    master: name of the device that it is enslaved to; bridge: the same where that is a bridge.
    peer: the other end, for a veth. encapsulation: for a tunnel.
    gso_max_size bytes, gso_max_segs: what may be handed to the link in one go.
    rx_dropped, tx_dropped: packets, since the link was made.
    """

    index: int
    name: str
    kind: str
    mtu: int
    min_mtu: Optional[int]
    max_mtu: Optional[int]
    hardware_address: Optional[str]
    up: bool
    operational_state: str
    lower_index: Optional[int] = None
    link_netnsid: Optional[int] = None
    lower: Optional[str] = None
    lower_namespace: Optional[int] = None
    master: Optional[str] = None
    bridge: Optional[str] = None
    peer: Optional[Peer] = None
    encapsulation: Optional[Encapsulation] = None
    addresses: Tuple[Address, ...] = ()
    gso_max_size: Optional[int] = None
    gso_max_segs: Optional[int] = None
    rx_dropped: int = 0
    tx_dropped: int = 0
