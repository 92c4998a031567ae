# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the device-specific part of a link message says about a tunnel.

Source: include/uapi/linux/if_link.h (IFLA_VXLAN_*, IFLA_GENEVE_*), include/uapi/linux/if_tunnel.h (IFLA_GRE_*,
IFLA_IPTUN_*).
"""

from __future__ import annotations

from typing import Callable, Dict, NamedTuple, Optional, Tuple

from .._model.encapsulation import FAMILIES, TunnelOptions, overhead
from .._model.link import Encapsulation
from .attributes import Attributes, parse_attributes, read_address, read_be16, read_be32, read_u8, read_u16, read_u32

VXLAN_ID, VXLAN_GROUP, VXLAN_LINK, VXLAN_LOCAL, VXLAN_PORT = 1, 2, 3, 4, 15
VXLAN_GROUP6, VXLAN_LOCAL6, VXLAN_COLLECT_METADATA, VXLAN_GPE, VXLAN_DF = 16, 17, 25, 27, 29
GENEVE_ID, GENEVE_REMOTE, GENEVE_PORT, GENEVE_COLLECT_METADATA, GENEVE_REMOTE6 = 1, 2, 5, 6, 7
GENEVE_DF, GENEVE_INNER_PROTO_INHERIT = 13, 14
GRE_LINK, GRE_OUTPUT_FLAGS, GRE_OUTPUT_KEY, GRE_LOCAL, GRE_REMOTE = 1, 3, 5, 6, 7
GRE_FLAGS, GRE_ENCAP_TYPE, GRE_ENCAP_FLAGS, GRE_ENCAP_DPORT, GRE_COLLECT_METADATA = 13, 14, 15, 17, 18
GRE_ERSPAN_VERSION = 22
IPTUN_LINK, IPTUN_LOCAL, IPTUN_REMOTE, IPTUN_FLAGS = 1, 2, 3, 8
IPTUN_ENCAP_TYPE, IPTUN_ENCAP_FLAGS, IPTUN_ENCAP_DPORT, IPTUN_COLLECT_METADATA = 15, 16, 18, 19

GRE_BIT_CHECKSUM, GRE_BIT_KEY, GRE_BIT_SEQUENCE = 0x8000, 0x2000, 0x1000
IGNORE_ENCAPSULATION_LIMIT = 0x1
ENCAPSULATIONS: Dict[int, Optional[str]] = {0: None, 1: "fou", 2: "gue"}
ENCAPSULATION_FLAG_REMOTE_CHECKSUM = 0x4
DONT_FRAGMENT = {0: "unset", 1: "set", 2: "inherit"}


class Tunnel(NamedTuple):
    """A tunnel, and the index of the device that it is bound to (None when it is bound to none)."""

    encapsulation: Encapsulation
    lower_index: Optional[int]


def decode_tunnel(kind: str, information: bytes) -> Optional[Tunnel]:
    """Return the tunnel that a link of this kind is, or None for a kind that is no tunnel.

    kind: IFLA_INFO_KIND. information: the value of IFLA_INFO_DATA, may be empty.
    Raises MalformedMessage.
    """
    decoder = _DECODERS.get(kind)
    return decoder(kind, parse_attributes(information)) if decoder else None


def _address(found: Attributes, *kinds: int) -> Optional[str]:
    """Return the first address that is there and not all zeros: a zero address is how the kernel says "any"."""
    for kind in kinds:
        value = found.get(kind)
        if value is not None and any(value):
            return read_address(value)
    return None


def _index(found: Attributes, kind: int) -> Optional[int]:
    return (read_u32(found[kind]) or None) if kind in found else None


def _flag(found: Attributes, kind: int) -> bool:
    """Return whether a flag is there; some kernels send it as a byte that may be zero."""
    return kind in found and (not found[kind] or found[kind][0] != 0)


def _family(kind: str, addresses: Tuple[Optional[str], ...]) -> Tuple[str, bool]:
    """Return the family of the outer packets, and whether it had to be assumed."""
    possible = FAMILIES[kind]
    for address in addresses:
        if address is not None:
            return ("ipv6" if ":" in address else "ipv4"), False
    return possible[0], len(possible) > 1


def _vxlan(kind: str, found: Attributes) -> Tunnel:
    local = _address(found, VXLAN_LOCAL, VXLAN_LOCAL6)
    remote = _address(found, VXLAN_GROUP, VXLAN_GROUP6)
    family, assumed = _family(kind, (remote, local))
    return Tunnel(
        Encapsulation(
            kind=kind,
            overhead=overhead("vxlan-gpe" if VXLAN_GPE in found else "vxlan", family),
            underlay_family=family,
            family_assumed=assumed,
            identifier=read_u32(found[VXLAN_ID]) if VXLAN_ID in found else None,
            port=read_be16(found[VXLAN_PORT]) if VXLAN_PORT in found else None,
            local=local,
            remote=remote,
            dont_fragment=_dont_fragment(found, VXLAN_DF),
            collect_metadata=_flag(found, VXLAN_COLLECT_METADATA),
        ),
        _index(found, VXLAN_LINK),
    )


def _dont_fragment(found: Attributes, kind: int) -> str:
    """Kernels before 5.0 do not have the option and never set DF."""
    value = read_u8(found[kind]) if kind in found else 0
    return DONT_FRAGMENT.get(value, str(value))


def _geneve(kind: str, found: Attributes) -> Tunnel:
    remote = _address(found, GENEVE_REMOTE, GENEVE_REMOTE6)
    family, assumed = _family(kind, (remote,))
    options = TunnelOptions(inner_ethernet=GENEVE_INNER_PROTO_INHERIT not in found)
    return Tunnel(
        Encapsulation(
            kind=kind,
            overhead=overhead(kind, family, options),
            underlay_family=family,
            family_assumed=assumed,
            identifier=read_u32(found[GENEVE_ID]) if GENEVE_ID in found else None,
            port=read_be16(found[GENEVE_PORT]) if GENEVE_PORT in found else None,
            remote=remote,
            dont_fragment=_dont_fragment(found, GENEVE_DF),
            collect_metadata=_flag(found, GENEVE_COLLECT_METADATA),
        ),
        None,
    )


def _udp_encapsulation(found: Attributes, type_kind: int, flags_kind: int) -> Tuple[Optional[str], bool]:
    """Return the encapsulation in UDP, if any, and whether it has a remote checksum."""
    encapsulation = ENCAPSULATIONS.get(read_u16(found[type_kind])) if type_kind in found else None
    flags = read_u16(found[flags_kind]) if flags_kind in found else 0
    return encapsulation, bool(flags & ENCAPSULATION_FLAG_REMOTE_CHECKSUM)


def _limits_encapsulation(kind: str, found: Attributes, flags_kind: int) -> bool:
    """Tunnels over IPv6 carry an encapsulation limit unless a flag forbids it."""
    if not kind.startswith("ip6"):
        return False
    flags = read_u32(found[flags_kind]) if flags_kind in found else 0
    return not flags & IGNORE_ENCAPSULATION_LIMIT


def _gre(kind: str, found: Attributes) -> Tunnel:
    flags = read_be16(found[GRE_OUTPUT_FLAGS]) if GRE_OUTPUT_FLAGS in found else 0
    encapsulation, remote_checksum = _udp_encapsulation(found, GRE_ENCAP_TYPE, GRE_ENCAP_FLAGS)
    options = TunnelOptions(
        key=bool(flags & GRE_BIT_KEY),
        checksum=bool(flags & GRE_BIT_CHECKSUM),
        sequence=bool(flags & GRE_BIT_SEQUENCE),
        encapsulation_limit=_limits_encapsulation(kind, found, GRE_FLAGS),
        udp_encapsulation=encapsulation,
        remote_checksum=remote_checksum,
        erspan_version=min(read_u8(found[GRE_ERSPAN_VERSION]), 2) if GRE_ERSPAN_VERSION in found else 1,
    )
    keyed = GRE_OUTPUT_KEY in found and (options.key or kind.endswith("erspan"))
    family, _assumed = _family(kind, ())
    return Tunnel(
        Encapsulation(
            kind=kind,
            overhead=overhead(kind, family, options),
            underlay_family=family,
            identifier=read_be32(found[GRE_OUTPUT_KEY]) if keyed else None,
            port=_udp_port(found, encapsulation, GRE_ENCAP_DPORT),
            local=_address(found, GRE_LOCAL),
            remote=_address(found, GRE_REMOTE),
            collect_metadata=_flag(found, GRE_COLLECT_METADATA),
        ),
        _index(found, GRE_LINK),
    )


def _udp_port(found: Attributes, encapsulation: Optional[str], kind: int) -> Optional[int]:
    return read_be16(found[kind]) if encapsulation is not None and kind in found else None


def _ip_in_ip(kind: str, found: Attributes) -> Tunnel:
    encapsulation, remote_checksum = _udp_encapsulation(found, IPTUN_ENCAP_TYPE, IPTUN_ENCAP_FLAGS)
    options = TunnelOptions(
        encapsulation_limit=_limits_encapsulation(kind, found, IPTUN_FLAGS),
        udp_encapsulation=encapsulation,
        remote_checksum=remote_checksum,
    )
    family, _assumed = _family(kind, ())
    return Tunnel(
        Encapsulation(
            kind=kind,
            overhead=overhead(kind, family, options),
            underlay_family=family,
            port=_udp_port(found, encapsulation, IPTUN_ENCAP_DPORT),
            local=_address(found, IPTUN_LOCAL),
            remote=_address(found, IPTUN_REMOTE),
            collect_metadata=_flag(found, IPTUN_COLLECT_METADATA),
        ),
        _index(found, IPTUN_LINK),
    )


def _wireguard(kind: str, found: Attributes) -> Tunnel:
    """A WireGuard link says nothing: its peers, hence its family, are told by generic netlink only."""
    family, assumed = _family(kind, ())
    return Tunnel(Encapsulation(kind, overhead(kind, family), family, family_assumed=assumed), None)


_DECODERS: Dict[str, Callable[[str, Attributes], Tunnel]] = {
    "vxlan": _vxlan,
    "geneve": _geneve,
    "gre": _gre,
    "gretap": _gre,
    "erspan": _gre,
    "ip6gre": _gre,
    "ip6gretap": _gre,
    "ip6erspan": _gre,
    "ipip": _ip_in_ip,
    "sit": _ip_in_ip,
    "ip6tnl": _ip_in_ip,
    "wireguard": _wireguard,
}
