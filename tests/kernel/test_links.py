# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links and addresses: no difference from what ip(8) and pyroute2 say."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Set

import pytest
from network_lab import Lab
from pyroute2 import IPRoute

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.links import read_links
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from ansible_collections.netfit.cluster.plugins.module_utils._model.link import Link

SCOPES = {"0": "global", "200": "site", "253": "link", "254": "host"}
NAMESPACES = ("host", "pod", "far")


def links_of(lab: Lab, name: str) -> Dict[str, Link]:
    def read() -> List[Link]:
        with NetlinkSocket(NETLINK_ROUTE) as netlink:
            return read_links(netlink)

    return {link.name: link for link in lab.inside(name, read)}


def told_by_ip(entry: Dict[str, Any], kinds: Dict[str, Optional[str]]) -> Dict[str, Any]:
    kind = entry.get("linkinfo", {}).get("info_kind")
    master = entry.get("master")
    return {
        "index": entry["ifindex"],
        "kind": kind or ("loopback" if "LOOPBACK" in entry["flags"] else "physical"),
        "mtu": entry["mtu"],
        "min_mtu": entry["min_mtu"],
        "max_mtu": entry["max_mtu"] or None,
        "hardware_address": entry.get("address"),
        "up": "UP" in entry["flags"],
        "operational_state": entry["operstate"].lower(),
        "master": master,
        "bridge": master if master and kinds[master] == "bridge" else None,
        "link_netnsid": entry.get("link_netnsid"),
        "gso_max_size": entry["gso_max_size"],
        "gso_max_segs": entry["gso_max_segs"],
        "rx_dropped": entry["stats64"]["rx"]["dropped"],
        "tx_dropped": entry["stats64"]["tx"]["dropped"],
    }


@pytest.mark.parametrize("name", NAMESPACES)
def test_every_link_is_what_ip_says(zoo: Lab, name: str) -> None:
    told = zoo.ip_json(name, "-d", "-s", "link")
    kinds = {entry["ifname"]: entry.get("linkinfo", {}).get("info_kind") for entry in told}
    expected = {entry["ifname"]: told_by_ip(entry, kinds) for entry in told}
    found = links_of(zoo, name)
    assert len(expected) >= {"host": 18, "pod": 5, "far": 2}[name]
    assert {link: {key: getattr(found[link], key) for key in expected[link]} for link in found} == expected


@pytest.mark.parametrize("name", NAMESPACES)
def test_lower_devices_are_what_ip_says(zoo: Lab, name: str) -> None:
    found = links_of(zoo, name)
    for entry in zoo.ip_json(name, "-d", "link"):
        link = found[entry["ifname"]]
        if entry.get("link") and link.kind != "veth":
            assert link.lower == entry["link"]
        if entry.get("link_index") and link.kind != "vxlan":
            assert link.lower_index == entry["link_index"]
            assert link.lower is None
        underlay = entry.get("linkinfo", {}).get("info_data", {}).get("link")
        # Of a device that was moved here ip(8) looks the index up in the wrong namespace.
        if link.kind == "vxlan" and link.link_netnsid is None:
            assert link.lower == underlay


@pytest.mark.parametrize("name", NAMESPACES)
def test_every_address_is_what_ip_says(zoo: Lab, name: str) -> None:
    expected = {
        entry["ifname"]: {
            ({"inet": "ipv4", "inet6": "ipv6"}[item["family"]], item["local"], item["prefixlen"], SCOPES[item["scope"]])
            for item in entry["addr_info"]
        }
        for entry in zoo.ip_json(name, "addr")
    }
    found: Dict[str, Set[Any]] = {
        link.name: {(item.family, item.address, item.prefix_length, item.scope) for item in link.addresses}
        for link in links_of(zoo, name).values()
    }
    assert sum(map(len, expected.values())) >= 5
    assert found == expected


@pytest.mark.parametrize("name", NAMESPACES)
def test_every_link_is_what_pyroute2_says(zoo: Lab, name: str) -> None:
    def ask() -> List[Any]:
        with IPRoute() as route:
            return list(route.get_links())

    expected = {}
    for message in zoo.inside(name, ask):
        information = message.get_attr("IFLA_LINKINFO")
        kind = information.get_attr("IFLA_INFO_KIND") if information else None
        bound = information.get_attr("IFLA_INFO_DATA") if kind == "vxlan" else None
        lower = (bound.get_attr("IFLA_VXLAN_LINK") if bound else None) or message.get_attr("IFLA_LINK")
        expected[message["index"]] = (
            message.get_attr("IFLA_IFNAME"),
            kind,
            message.get_attr("IFLA_MTU"),
            lower,
            message.get_attr("IFLA_LINK_NETNSID"),
        )
    found = {
        link.index: (
            link.name,
            None if link.kind in ("loopback", "physical") else link.kind,
            link.mtu,
            link.lower_index,
            link.link_netnsid,
        )
        for link in links_of(zoo, name).values()
    }
    assert found == expected


def test_every_vxlan_is_what_ip_says(zoo: Lab) -> None:
    found = links_of(zoo, "host")
    seen = 0
    for entry in zoo.ip_json("host", "-d", "link"):
        if entry.get("linkinfo", {}).get("info_kind") != "vxlan":
            continue
        told = entry["linkinfo"]["info_data"]
        tunnel = found[entry["ifname"]].encapsulation
        assert tunnel is not None
        assert tunnel.local == (told.get("local") or told.get("local6"))
        remotes = ("remote", "remote6", "group", "group6")
        assert tunnel.remote == next((told[key] for key in remotes if key in told), None)
        assert tunnel.port == told["port"]
        assert tunnel.collect_metadata == told.get("external", False)
        assert tunnel.identifier == (told.get("id", 0))
        assert tunnel.dont_fragment == told.get("df", "unset")
        seen += 1
    assert seen == 7


def test_vxlan_overhead_is_what_the_kernel_subtracts(zoo: Lab) -> None:
    """A vxlan device that is bound to another one gets that one's MTU less the overhead."""
    found = links_of(zoo, "host")
    for name, family, overhead in (("vx4", "ipv4", 50), ("vx6", "ipv6", 70), ("vxgroup", "ipv4", 50)):
        link = found[name]
        assert link.encapsulation is not None
        assert link.lower is not None
        assert (link.encapsulation.underlay_family, link.encapsulation.overhead) == (family, overhead)
        assert not link.encapsulation.family_assumed
        assert link.mtu == found[link.lower].mtu - overhead


@pytest.mark.parametrize(
    ("name", "family", "assumed", "overhead"),
    [
        ("vxnone", "ipv4", True, 50),
        ("vxlocal", "ipv6", False, 70),
        ("vxext", "ipv4", True, 50),
        ("vxgpe", "ipv4", True, 36),
    ],
)
def test_family_of_an_unbound_tunnel(zoo: Lab, name: str, family: str, assumed: bool, overhead: int) -> None:
    tunnel = links_of(zoo, "host")[name].encapsulation
    assert tunnel is not None
    assert (tunnel.underlay_family, tunnel.family_assumed, tunnel.overhead) == (family, assumed, overhead)


def test_a_moved_tunnel_names_its_lower_device_by_index_only(zoo: Lab) -> None:
    moved = links_of(zoo, "pod")["vxmoved"]
    underlay = links_of(zoo, "host")["up0"]
    assert (moved.lower, moved.lower_index) == (None, underlay.index)
    assert moved.link_netnsid is not None


def test_a_moved_tunnel_that_is_bound_to_nothing_has_no_lower_device(lab: Lab) -> None:
    """The kernel names such a device as its own lower one."""
    lab.add("a", "b")
    lab.ip("a", "link add vx0 type vxlan id 1 dstport 4789", "link set vx0 netns {b}")
    moved = links_of(lab, "b")["vx0"]
    assert (moved.lower, moved.lower_index) == (None, None)
    assert moved.link_netnsid is not None


def test_both_ends_of_a_pair_name_each_other(zoo: Lab) -> None:
    host, pod = links_of(zoo, "host"), links_of(zoo, "pod")
    assert (host["up0"].lower_index, pod["eth0"].lower_index) == (pod["eth0"].index, host["up0"].index)
    assert (host["up0"].mtu, pod["eth0"].mtu) == (1600, 1550)
    assert (host["inner0"].lower_index, host["inner0"].link_netnsid) == (host["inner1"].index, None)
    assert host["inner0"].lower is None


def test_drops_of_a_link_are_counted(lab: Lab) -> None:
    """A frame that is larger than the MTU of the other end is dropped by both."""
    lab.add("a")
    lab.ip("a", "link add big type veth peer name small", "link set big up", "link set small mtu 1000 up")
    lab.ip("a", "addr add 10.1.0.1/24 dev big", "neigh add 10.1.0.2 lladdr 02:00:00:00:00:02 dev big")

    def send() -> None:
        import socket

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(bytes(1400), ("10.1.0.2", 9))

    lab.inside("a", send)
    found = links_of(lab, "a")
    assert found["big"].tx_dropped == 1
    assert found["small"].rx_dropped == 1
