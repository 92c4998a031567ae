# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How many bytes a tunnel adds: arithmetic only.

Counted is what the tunnel puts between the packet inside and the packet outside, the outer IP header included.
The outer Ethernet header is not part of the IP MTU and is not counted; the inner one is, for tunnels that carry frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

OUTER_HEADER: Dict[str, int] = {"ipv4": 20, "ipv6": 40}
"""Bytes of an IP header without options: RFC 791 section 3.1, RFC 8200 section 3."""
ETHERNET = 14
UDP = 8
"""RFC 768."""
VXLAN = 8
"""RFC 7348 section 5; the generic protocol extension (draft-ietf-nvo3-vxlan-gpe) has the same length."""
GENEVE = 8
"""RFC 8926 section 3.4, without options."""
GRE = 4
GRE_OPTION = 4
"""RFC 2784 section 2 and RFC 2890: checksum, key and sequence number take four bytes each."""
ERSPAN: Dict[int, int] = {0: 0, 1: 4 + 8, 2: 4 + 12}
"""Beyond GRE: sequence number and ERSPAN header by version (draft-foschiano-erspan; include/net/erspan.h)."""
ENCAPSULATION_LIMIT = 8
"""RFC 2473 section 5.1: a destination options header, which Linux adds to ip6tnl and ip6gre unless told not to."""
GUE = 4
GUE_REMOTE_CHECKSUM = 8
"""include/net/gue.h: base header; private flags and remote checksum option."""
WIREGUARD = 4 + 4 + 8 + 16
"""Type, receiver, counter and tag of a data message (WireGuard whitepaper section 5.4.6), after UDP."""

BOTH = ("ipv4", "ipv6")
FAMILIES: Dict[str, Tuple[str, ...]] = {
    "vxlan": BOTH,
    "vxlan-gpe": BOTH,
    "geneve": BOTH,
    "wireguard": BOTH,
    "gre": ("ipv4",),
    "gretap": ("ipv4",),
    "erspan": ("ipv4",),
    "ipip": ("ipv4",),
    "sit": ("ipv4",),
    "ip6gre": ("ipv6",),
    "ip6gretap": ("ipv6",),
    "ip6erspan": ("ipv6",),
    "ip6tnl": ("ipv6",),
}
"""What each kind of link can be carried by; the first is what Linux takes when nothing else is said."""

UDP_ENCAPSULATIONS = ("fou", "gue")


@dataclass(frozen=True)
class TunnelOptions:
    """What makes two tunnels of a kind differ in length.

    key, checksum, sequence: optional fields of GRE, in what is sent. encapsulation_limit: of ip6tnl and ip6gre.
    udp_encapsulation: None, "fou" or "gue". remote_checksum: of GUE. inner_ethernet: False for a Geneve device that
    carries IP packets instead of frames. erspan_version: 0, 1 or 2.
    """

    key: bool = False
    checksum: bool = False
    sequence: bool = False
    encapsulation_limit: bool = False
    udp_encapsulation: Optional[str] = None
    remote_checksum: bool = False
    inner_ethernet: bool = True
    erspan_version: int = 1


DEFAULT_OPTIONS = TunnelOptions()


def overhead(kind: str, family: str, options: TunnelOptions = DEFAULT_OPTIONS) -> int:
    """Return the bytes that a tunnel takes from the MTU of its underlay.

    kind: a key of FAMILIES; family: ipv4 or ipv6, that of the outer packet.
    Raises ValueError for a kind that is not known, a family that cannot carry it, or options that no such tunnel has.
    """
    if kind not in FAMILIES:
        raise ValueError(f"kind: {kind!r} is no tunnel; known are {', '.join(sorted(FAMILIES))}")
    if family not in FAMILIES[kind]:
        raise ValueError(f"family: {kind} is carried by {' or '.join(FAMILIES[kind])}, not by {family!r}")
    return OUTER_HEADER[family] + _udp_encapsulation(options) + _beyond_outer_header(kind, options)


def _beyond_outer_header(kind: str, options: TunnelOptions) -> int:
    fixed = {
        "vxlan": UDP + VXLAN + ETHERNET,
        "vxlan-gpe": UDP + VXLAN,
        "geneve": UDP + GENEVE + (ETHERNET if options.inner_ethernet else 0),
        "wireguard": UDP + WIREGUARD,
        "ipip": 0,
        "sit": 0,
    }
    if kind in fixed:
        return fixed[kind]
    limit = ENCAPSULATION_LIMIT if kind.startswith("ip6") and options.encapsulation_limit else 0
    if kind == "ip6tnl":
        return limit
    if kind.endswith("erspan"):
        return limit + GRE + _erspan(options) + ETHERNET
    return limit + _gre(options) + (ETHERNET if kind.endswith("tap") else 0)


def _gre(options: TunnelOptions) -> int:
    return GRE + GRE_OPTION * sum((options.key, options.checksum, options.sequence))


def _erspan(options: TunnelOptions) -> int:
    if options.erspan_version not in ERSPAN:
        raise ValueError(f"erspan_version: {options.erspan_version}; allowed are 0, 1 and 2")
    return ERSPAN[options.erspan_version]


def _udp_encapsulation(options: TunnelOptions) -> int:
    if options.udp_encapsulation is None:
        return 0
    if options.udp_encapsulation not in UDP_ENCAPSULATIONS:
        raise ValueError(f"udp_encapsulation: {options.udp_encapsulation!r}; allowed are fou and gue")
    if options.udp_encapsulation == "fou":
        return UDP
    return UDP + GUE + (GUE_REMOTE_CHECKSUM if options.remote_checksum else 0)
