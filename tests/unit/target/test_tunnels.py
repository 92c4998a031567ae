# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tunnels as pyroute2 encodes them: kinds that not every kernel has."""

from __future__ import annotations

import struct
from typing import Any, Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from scripted_kernel import dump_of, scripted

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.attributes import (
    MalformedMessage,
    pack_attribute,
    pack_attributes,
)
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.links import read_links
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.tunnels import decode_tunnel
from ansible_collections.netfit.cluster.plugins.module_utils._model.link import Link

Attributes = List[Tuple[str, Any]]


def encoded(kind: str, prefix: str, values: Dict[str, Any], link: Optional[int] = None) -> bytes:
    """Return a link message without its header."""
    message = ifinfmsg()
    message["index"] = 7
    data = [(prefix + name, value) for name, value in values.items()]
    information: Attributes = [("IFLA_INFO_KIND", kind)]
    if data:
        information.append(("IFLA_INFO_DATA", {"attrs": data}))
    message["attrs"] = [
        ("IFLA_IFNAME", "tunnel0"),
        ("IFLA_MTU", 1400),
        *([("IFLA_LINK", link)] if link is not None else []),
        ("IFLA_LINKINFO", {"attrs": information}),
    ]
    message.encode()
    return bytes(message.data[16:])


def read(payload: bytes) -> Link:
    netlink, _connection = scripted(dump_of(payload), dump_of())
    (link,) = read_links(netlink)
    return link


CASES: List[Tuple[str, str, Dict[str, Any], Dict[str, Any]]] = [
    (
        "geneve",
        "IFLA_GENEVE_",
        {"ID": 7, "REMOTE": "10.1.0.2", "PORT": 6081, "DF": 1},
        {
            "overhead": 50,
            "underlay_family": "ipv4",
            "identifier": 7,
            "port": 6081,
            "remote": "10.1.0.2",
            "dont_fragment": "set",
        },
    ),
    (
        "geneve",
        "IFLA_GENEVE_",
        {"ID": 8, "REMOTE6": "fd01::2"},
        {"overhead": 70, "underlay_family": "ipv6", "identifier": 8, "remote": "fd01::2", "dont_fragment": "unset"},
    ),
    (
        "geneve",
        "IFLA_GENEVE_",
        {"COLLECT_METADATA": True},
        {
            "overhead": 50,
            "underlay_family": "ipv4",
            "family_assumed": True,
            "collect_metadata": True,
            "dont_fragment": "unset",
        },
    ),
    (
        "gre",
        "IFLA_GRE_",
        {"LOCAL": "10.1.0.1", "REMOTE": "10.1.0.2"},
        {"overhead": 24, "underlay_family": "ipv4", "local": "10.1.0.1", "remote": "10.1.0.2"},
    ),
    (
        "gretap",
        "IFLA_GRE_",
        {"OFLAGS": 0x2000, "OKEY": 42, "REMOTE": "10.1.0.2"},
        {"overhead": 42, "underlay_family": "ipv4", "identifier": 42, "remote": "10.1.0.2"},
    ),
    (
        "gre",
        "IFLA_GRE_",
        {"OFLAGS": 0xB000, "OKEY": 1},
        {"overhead": 36, "underlay_family": "ipv4", "identifier": 1},
    ),
    ("ipip", "IFLA_IPIP_", {"REMOTE": "10.1.0.2"}, {"overhead": 20, "underlay_family": "ipv4", "remote": "10.1.0.2"}),
    (
        "ipip",
        "IFLA_IPIP_",
        {"LOCAL": "10.1.0.1", "ENCAP_TYPE": 1, "ENCAP_DPORT": 5555},
        {"overhead": 28, "underlay_family": "ipv4", "local": "10.1.0.1", "port": 5555},
    ),
    (
        "sit",
        "IFLA_SIT_",
        {"LOCAL": "10.1.0.1", "REMOTE": "10.1.0.2"},
        {"overhead": 20, "underlay_family": "ipv4", "local": "10.1.0.1", "remote": "10.1.0.2"},
    ),
    (
        "ip6tnl",
        "IFLA_IP6TNL_",
        {"LOCAL": "fd01::1", "REMOTE": "fd01::2", "FLAGS": 0},
        {"overhead": 48, "underlay_family": "ipv6", "local": "fd01::1", "remote": "fd01::2"},
    ),
    ("ip6tnl", "IFLA_IP6TNL_", {"FLAGS": 1}, {"overhead": 40, "underlay_family": "ipv6"}),
    ("wireguard", "", {}, {"overhead": 60, "underlay_family": "ipv4", "family_assumed": True}),
    (
        "vxlan",
        "IFLA_VXLAN_",
        {"ID": 1, "LOCAL": "10.1.0.1", "PORT": 8472, "DF": 2},
        {
            "overhead": 50,
            "underlay_family": "ipv4",
            "identifier": 1,
            "local": "10.1.0.1",
            "port": 8472,
            "dont_fragment": "inherit",
        },
    ),
]
UNSET = {
    "family_assumed": False,
    "identifier": None,
    "port": None,
    "local": None,
    "remote": None,
    "dont_fragment": None,
    "collect_metadata": False,
    "underlay": None,
    "underlay_namespace": None,
    "underlay_mtu": None,
    "underlay_source": None,
}


@pytest.mark.parametrize(("kind", "prefix", "values", "expected"), CASES)
def test_tunnels(kind: str, prefix: str, values: Dict[str, Any], expected: Dict[str, Any]) -> None:
    link = read(encoded(kind, prefix, values))
    assert link.encapsulation is not None
    assert link.encapsulation.as_fact() == {**UNSET, "kind": kind, **expected}


def test_the_device_that_a_tunnel_is_bound_to() -> None:
    assert read(encoded("gre", "IFLA_GRE_", {"LINK": 3}, link=3)).lower_index == 3
    assert read(encoded("ipip", "IFLA_IPIP_", {"LINK": 0}, link=0)).lower_index is None
    assert read(encoded("vxlan", "IFLA_VXLAN_", {"LINK": 4}, link=7)).lower_index == 4


def link_message(index: int, name: bytes, kind: bytes, master: int) -> bytes:
    """Return struct ifinfomsg with name, kind and master."""
    return struct.pack("=BxHiII", 0, 1, index, 0, 0) + pack_attributes(
        [(3, name), (10, struct.pack("=I", master)), (18, pack_attribute(1, kind))]
    )


@pytest.mark.parametrize(("kind", "bridge"), [(b"bridge", "upper"), (b"bond", None), (b"vrf", None)])
def test_a_master_is_a_bridge_or_not(kind: bytes, bridge: Optional[str]) -> None:
    netlink, _connection = scripted(
        dump_of(link_message(8, b"upper", kind, 0), link_message(7, b"port", b"veth", 8)), dump_of()
    )
    port, upper = read_links(netlink)
    assert (port.name, port.master, port.bridge) == ("port", "upper", bridge)
    assert (upper.master, upper.bridge) == (None, None)


GRE_OPTIONS = [
    ("ip6gre", [(13, (0).to_bytes(4, "little"))], 52),
    ("ip6gre", [(13, (1).to_bytes(4, "little"))], 44),
    ("ip6gretap", [], 66),
    ("erspan", [(3, b"\x30\x00"), (22, b"\x01")], 50),
    ("erspan", [(22, b"\x02")], 54),
    ("erspan", [(22, b"\x00")], 38),
    ("erspan", [(22, b"\x09")], 54),
    ("gre", [(14, (2).to_bytes(2, "little")), (15, (4).to_bytes(2, "little"))], 24 + 8 + 4 + 8),
]


@pytest.mark.parametrize(("kind", "values", "overhead"), GRE_OPTIONS)
def test_options_that_pyroute2_does_not_know(kind: str, values: List[Tuple[int, bytes]], overhead: int) -> None:
    tunnel = decode_tunnel(kind, b"".join(pack_attribute(number, value) for number, value in values))
    assert tunnel is not None
    assert tunnel.encapsulation.overhead == overhead


def test_geneve_that_carries_packets() -> None:
    tunnel = decode_tunnel("geneve", pack_attribute(14, b""))
    assert tunnel is not None
    assert tunnel.encapsulation.overhead == 36


def test_other_kinds_are_no_tunnels() -> None:
    assert decode_tunnel("veth", b"\xff") is None
    link = read(encoded("veth", "", {}, link=9))
    assert (link.kind, link.encapsulation, link.lower_index, link.lower) == ("veth", None, 9, None)


KINDS = ("vxlan", "geneve", "gre", "ip6gretap", "erspan", "ipip", "sit", "ip6tnl", "wireguard")


@given(some.sampled_from(KINDS), some.lists(some.tuples(some.integers(0, 31), some.binary(max_size=17))))
def test_odd_values_end_in_a_tunnel_or_one_error(kind: str, values: List[Tuple[int, bytes]]) -> None:
    information = b"".join(pack_attribute(number, value) for number, value in values)
    try:
        tunnel = decode_tunnel(kind, information)
    except MalformedMessage:
        return
    assert tunnel is not None
    assert 20 <= tunnel.encapsulation.overhead <= 150


@given(some.binary(max_size=300))
def test_garbage_for_a_link_ends_in_a_link_or_one_error(payload: bytes) -> None:
    netlink, _connection = scripted(dump_of(payload), dump_of())
    try:
        links = read_links(netlink)
    except MalformedMessage:
        return
    assert len(links) == 1
