# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes and learned path MTUs: no difference from what ip(8) and pyroute2 say."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any, Dict, List, Optional, Tuple

import pytest
from network_lab import Lab
from pyroute2 import IPRoute

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.links import read_links
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.routes import read_path_mtu_exceptions, read_routes
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Problem
from ansible_collections.netfit.cluster.plugins.module_utils._model.route import PathMtuException, Route

TYPES = {"1": "unicast", "6": "blackhole", "7": "unreachable", "8": "prohibit", "9": "throw", "5": "multicast"}
SCOPES = {"0": "global", "200": "site", "253": "link", "254": "host", "255": "nowhere"}
ANYWHERE = {"ipv4": "0.0.0.0", "ipv6": "::"}
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DO = 10, 23, 2


def routes_of(lab: Lab, name: str, limit: int = 1000) -> Tuple[List[Route], List[Problem]]:
    def read() -> Tuple[List[Route], List[Problem]]:
        with NetlinkSocket(NETLINK_ROUTE) as netlink:
            names = {link.index: link.name for link in read_links(netlink)}
            return read_routes(netlink, names, limit)

    return lab.inside(name, read)


def exceptions_of(lab: Lab, name: str) -> List[PathMtuException]:
    def read() -> List[PathMtuException]:
        with NetlinkSocket(NETLINK_ROUTE) as netlink:
            return read_path_mtu_exceptions(netlink, {link.index: link.name for link in read_links(netlink)})

    return lab.inside(name, read)


def told_by_ip(entry: Dict[str, Any], family: str) -> Tuple[Any, ...]:
    """Defaults are what ip(8) leaves out."""
    whole = 32 if family == "ipv4" else 128
    destination = entry["dst"] if entry["dst"] != "default" else ANYWHERE[family] + "/0"
    metrics = (entry.get("metrics") or [{}])[0]
    hops = tuple((hop.get("gateway"), hop["dev"], hop["weight"]) for hop in entry.get("nexthops", ()))
    return (
        family,
        TYPES[entry.get("type", "1")],
        destination if "/" in destination else f"{destination}/{whole}",
        int(entry.get("table", "254")),
        entry.get("gateway") or entry.get("via", {}).get("host"),
        entry.get("dev"),
        entry.get("metric"),
        int(entry.get("protocol", "3")),
        SCOPES[entry.get("scope", "0")],
        entry.get("prefsrc"),
        metrics.get("mtu"),
        metrics.get("advmss"),
        hops,
    )


def comparable(route: Route) -> Tuple[Any, ...]:
    hops = tuple((hop.gateway, hop.device, hop.weight) for hop in route.next_hops)
    return (
        route.family,
        route.type,
        route.destination,
        route.table,
        route.gateway,
        route.device,
        route.priority,
        route.protocol,
        route.scope,
        route.source,
        route.mtu,
        route.advertised_mss,
        hops,
    )


def sort_key(route: Tuple[Any, ...]) -> str:
    return repr(route)


@pytest.mark.parametrize("name", ["host", "pod", "far"])
def test_every_route_is_what_ip_says(zoo: Lab, name: str) -> None:
    expected = []
    for family, option in (("ipv4", "-4"), ("ipv6", "-6")):
        told = zoo.ip_json(name, option, "route", "show", "table", "all")
        expected += [told_by_ip(entry, family) for entry in told if entry.get("table") != "255"]
    found, problems = routes_of(zoo, name)
    assert problems == []
    assert len(expected) >= {"host": 30, "pod": 3, "far": 3}[name]
    assert sorted(map(comparable, found), key=sort_key) == sorted(expected, key=sort_key)


def test_every_route_is_what_pyroute2_says(zoo: Lab) -> None:
    """Pyroute2 shows what the JSON of ip(8) leaves out: whether the MTU is locked."""

    def ask() -> List[Tuple[str, int, Optional[int], bool]]:
        found = []
        with IPRoute() as route:
            for family in (socket.AF_INET, socket.AF_INET6):
                for message in route.get_routes(family=family):
                    if message["table"] == 255:
                        continue
                    metrics = message.get_attr("RTA_METRICS")
                    mtu = metrics.get_attr("RTAX_MTU") if metrics else None
                    locks = (metrics.get_attr("RTAX_LOCK") if metrics else None) or 0
                    anywhere = "0.0.0.0" if family == socket.AF_INET else "::"
                    destination = f"{message.get_attr('RTA_DST') or anywhere}/{message['dst_len']}"
                    found.append((destination, message.get_attr("RTA_TABLE"), mtu, bool(locks & 4)))
        return found

    found, _problems = routes_of(zoo, "host")
    ours = [(route.destination, route.table, route.mtu, route.mtu_locked) for route in found]
    assert sorted(ours, key=repr) == sorted(zoo.inside("host", ask), key=repr)
    assert [route[0] for route in ours if route[3]] == ["10.21.0.0/16", "fd20::/64"]


def test_next_hop_objects_are_resolved_where_routes_name_nothing_else(zoo: Lab) -> None:
    usual = {route.destination: route for route in routes_of(zoo, "host")[0]}
    zoo.sysctl("host", "net.ipv4.nexthop_compat_mode", "0")
    try:
        bare = {route.destination: route for route in routes_of(zoo, "host")[0]}
    finally:
        zoo.sysctl("host", "net.ipv4.nexthop_compat_mode", "1")
    for destination in ("10.40.0.0/16", "10.41.0.0/16"):
        assert bare[destination] == usual[destination]
    assert [(hop.gateway, hop.device, hop.weight) for hop in bare["10.41.0.0/16"].next_hops] == [
        ("10.1.0.7", "up0", 3),
        ("10.2.0.7", "up1", 200),
    ]


def test_beyond_the_limit_routes_are_counted(zoo: Lab) -> None:
    everything, _problems = routes_of(zoo, "host")
    found, problems = routes_of(zoo, "host", limit=5)
    assert found == everything[:5]
    assert [problem.reason for problem in problems] == [f"{len(everything)} routes, of which the first 5 were read"]


def test_ten_thousand_routes_need_many_datagrams(lab: Lab) -> None:
    lab.add("a")
    lab.ip("a", *(f"route add 10.{high}.{low}.0/24 dev lo" for high in range(40) for low in range(250)))
    found, problems = routes_of(lab, "a", limit=20000)
    assert problems == []
    assert len({route.destination for route in found}) == 10000


@pytest.fixture(scope="module")
def path(zoo: Lab) -> Lab:
    """The zoo's host forwards, and the way from far to pod has a narrow end: host's up0 and pod's eth0."""
    zoo.sysctl("host", "net.ipv4.ip_forward", "1")
    zoo.sysctl("host", "net.ipv6.conf.all.forwarding", "1")
    zoo.ip("host", "link set up0 mtu 1400", "addr change fd01::1/64 dev up0 nodad")
    zoo.ip("pod", "link set eth0 mtu 1400", "addr change fd01::2/64 dev eth0 nodad")
    zoo.ip("far", "route add default via 10.2.0.1", "route add default via fd02::1 dev eth1")
    zoo.ip("pod", "route add default via 10.1.0.1", "route add default via fd01::1 dev eth0")

    def send() -> None:
        for family, level, option, target in (
            (socket.AF_INET, socket.IPPROTO_IP, IP_MTU_DISCOVER, "10.1.0.2"),
            (socket.AF_INET6, socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, "fd01::2"),
        ):
            with socket.socket(family, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(level, option, PMTUDISC_DO)
                for _attempt in range(30):
                    with suppress(OSError):
                        sender.sendto(bytes(1440), (target, 9))
                    time.sleep(0.1)
                    if len(exceptions_of(zoo, "far")) >= (1 if family == socket.AF_INET else 2):
                        break

    zoo.inside("far", send)
    return zoo


def test_path_mtus_learned_by_real_icmp(path: Lab) -> None:
    found = exceptions_of(path, "far")
    known = {(item.family, item.destination, item.mtu, item.locked, item.gateway, item.device) for item in found}
    assert known == {
        ("ipv4", "10.1.0.2", 1400, False, "10.2.0.1", "eth1"),
        ("ipv6", "fd01::2", 1400, False, "fd02::1", "eth1"),
    }
    assert all(item.expires_seconds is not None and 590 < item.expires_seconds <= 600 for item in found)


def test_path_mtus_are_what_ip_says(path: Lab) -> None:
    expected = set()
    for option in ("-4", "-6"):
        for entry in path.ip_json("far", option, "route", "show", "cache"):
            expected.add((entry["dst"], entry["metrics"][0]["mtu"], entry["gateway"], entry["dev"]))
    found = {(item.destination, item.mtu, item.gateway, item.device) for item in exceptions_of(path, "far")}
    assert len(expected) == 2
    assert found == expected


def test_routes_do_not_contain_what_was_learned(path: Lab) -> None:
    found, _problems = routes_of(path, "far")
    assert [route for route in found if route.mtu is not None] == []


def test_a_learned_path_mtu_below_the_minimum_is_locked(path: Lab) -> None:
    """With min_pmtu above what ICMP says, the kernel keeps the minimum and stops setting DF."""
    path.sysctl("far", "net.ipv4.route.min_pmtu", "1450")
    path.ip("pod", "addr add 10.1.0.3/24 dev eth0")

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DO)
            for _attempt in range(30):
                with suppress(OSError):
                    sender.sendto(bytes(1440), ("10.1.0.3", 9))
                time.sleep(0.1)
                if any(item.destination == "10.1.0.3" for item in exceptions_of(path, "far")):
                    return

    path.inside("far", send)
    found = {item.destination: item for item in exceptions_of(path, "far")}
    assert (found["10.1.0.3"].mtu, found["10.1.0.3"].locked) == (1450, True)
