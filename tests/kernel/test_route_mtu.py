# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTUs of routes, set and taken away: ip(8) shows that nothing else of any route has changed."""

from __future__ import annotations

import ast
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
from network_lab import Lab
from tcp_lab import PORT, Server

from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError, Gone
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.route_mtu import (
    RouteStep,
    route_changes,
    route_steps,
    route_wishes_of,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import choose_run, plan_undo, undo
from ansible_collections.netfit.cluster.plugins.module_utils._facts.link_census import take_link_census
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.route_setting import (
    KnownRoute,
    find_route,
    read_known_routes,
    set_route_mtu,
)

KERNEL, ADVERTISED = 2, 9
TCP_TIMESTAMPS = 12
"""Bytes that the option takes from each segment."""
EXTRA = (
    "route add 10.50.0.0/16 via 10.1.0.2 tos 0x10 metric 5",
    "route add 10.51.0.0/16 via 10.1.0.2 dev up0 onlink realm 7 initcwnd 20 rto_min 50ms",
    "route add 10.52.0.0/16 encap ip id 9 dst 10.1.0.2 dev vxext",
    "route add fd50::/64 via fd01::2 dev up0 metric 77 pref high",
    "route add fd51::/64 via fd01::2 dev up0 expires 500",
    "route add fd52::/64 nexthop via fd01::2 dev up0 weight 2 nexthop via fd02::2 dev up1 weight 3",
    "route add fd53::/64 from fd01::/64 via fd01::2 dev up0",
)
"""Not every kernel takes all of them."""


@pytest.fixture(scope="module")
def routed(zoo: Lab) -> Lab:
    """The zoo with rarer routes."""
    for command in EXTRA:
        with suppress(AssertionError):
            zoo.ip("host", command)
    return zoo


def known_routes(lab: Lab, name: str = "host") -> List[KnownRoute]:
    def read() -> List[KnownRoute]:
        with NetlinkSocket(NETLINK_ROUTE) as netlink:
            return read_known_routes(netlink, names())

    return lab.inside(name, read)


def names() -> Dict[int, str]:
    return dict(socket.if_nameindex())


def set_mtu(lab: Lab, known: KnownRoute, mtu: Optional[int]) -> None:
    def change() -> None:
        with NetlinkSocket(NETLINK_ROUTE) as netlink:
            set_route_mtu(netlink, find_route(netlink, names(), known.key), mtu)

    lab.inside("host", change)


def shown(lab: Lab, name: str = "host") -> List[str]:
    """Every route as ip(8) shows it, on one line each.

    Seconds that run down are left out, and what the kernel makes by itself for link-local addresses, whenever it likes.
    """
    found = []
    for family in ("-4", "-6"):
        for entry in lab.ip_json(name, family, "-d", "route", "show", "table", "all"):
            if entry.get("table") != "255" and not entry["dst"].startswith(("fe80:", "ff00:")):
                found.append(repr(sorted((key, value) for key, value in entry.items() if key != "expires")))
    return sorted(found)


def changeable(known: KnownRoute) -> bool:
    route = known.route
    by_the_kernel = route.family == "ipv6" and route.protocol in (KERNEL, ADVERTISED)
    return route.type == "unicast" and known.alone and not by_the_kernel


def test_every_route_gets_an_mtu_and_keeps_everything_else(routed: Lab) -> None:
    everything = shown(routed)
    chosen = [known for known in known_routes(routed) if changeable(known)]
    assert len(chosen) >= 25
    assert {known.key.destination for known in chosen} >= {"10.22.0.0/16", "10.30.0.0/16", "10.41.0.0/16", "fd50::/64"}
    for known in chosen:
        set_mtu(routed, known, 1444)
        after = shown(routed)
        new, old = set(after) - set(everything), set(everything) - set(after)
        assert len(after) == len(everything) and len(new) == len(old) == 1, known.key
        assert without_mtu(new.pop()) == without_mtu(old.pop()), known.key
        set_mtu(routed, known, known.route.mtu)
        assert shown(routed) == everything, known.key


def without_mtu(text: str) -> str:
    """A line of shown() without the MTU and what is empty without it."""
    entry = dict(ast.literal_eval(text))
    (metrics,) = entry.get("metrics") or [{}]
    metrics.pop("mtu", None)
    return repr(sorted({**entry, "metrics": metrics}.items()))


def test_expiry_and_next_hop_objects_are_kept(routed: Lab) -> None:
    for known in known_routes(routed):
        if known.key.destination in ("fd51::/64", "10.40.0.0/16", "10.41.0.0/16"):
            set_mtu(routed, known, 1333)
    (expiring,) = routed.ip_json("host", "-6", "route", "show", "fd51::/64")
    assert 480 <= expiring["expires"] <= 500 and expiring["metrics"] == [{"mtu": 1333}]
    for number, destination in ((1, "10.40.0.0/16"), (10, "10.41.0.0/16")):
        (entry,) = routed.ip_json("host", "route", "show", destination)
        assert (entry["nhid"], entry["metrics"]) == (number, [{"mtu": 1333}])


def test_of_two_with_the_same_metric_neither_is_touched(lab: Lab) -> None:
    """The kernel would replace the first of them, whichever was meant."""
    lab.add("a")
    lab.ip("a", "link add v0 type veth peer name v1", "link set v0 up", "link set v1 up")
    lab.ip(
        "a", "route add 10.9.0.0/16 dev v0", "route append 10.9.0.0/16 dev v1", "route add 10.9.0.0/16 dev v1 metric 9"
    )
    before = shown(lab, "a")
    (first, second, third) = steps(lab, "a", {"destination": "10.9.0.0/16", "mtu": 1400})
    assert first.reason == second.reason and first.reason.startswith(
        "another route has the same destination and metric"
    )
    assert (third.reason, third.after) == ("", 1400)
    named = third.change.target["namespace"] if third.change else None
    target = {"route": known_routes(lab, "a")[0].key.as_fact(), "namespace": named}
    with pytest.raises(ChangeError, match=r"MTU of the route 10.9.0.0/16 dev v0 cannot be set: another route"):
        RESOURCES["route_mtu"].write(target, 1400)
    assert shown(lab, "a") == before


def steps(lab: Lab, name: str, *entries: Dict[str, Any]) -> Tuple[RouteStep, ...]:
    where = {"namespace": lab.path(name)}
    return route_steps(route_wishes_of([{**where, **entry} for entry in entries]), take_link_census("/"))


@pytest.fixture
def pod(lab: Lab) -> Lab:
    """A pod as Cilium leaves it: links of 1500, and the smaller MTU in its default routes."""
    lab.add("node", "pod")
    lab.ip("node", "link add lxc1 type veth peer name eth0 netns {pod}", "link set lxc1 up")
    lab.ip("node", "addr add 10.0.1.1/32 dev lxc1", "addr add 10.7.0.1/32 dev lo", "route add 10.0.1.7 dev lxc1")
    lab.ip("pod", "link set eth0 up", "addr add 10.0.1.7/32 dev eth0", "addr add fd00::7/128 dev eth0 nodad")
    lab.ip("pod", "route add 10.0.1.1 dev eth0 scope link", "route add default via 10.0.1.1 dev eth0 mtu 1500")
    lab.ip("pod", "route add fd00::1 dev eth0", "route add default via fd00::1 dev eth0 mtu 1500")
    return lab


def default_mtus(lab: Lab) -> Dict[str, Any]:
    found = {}
    for family in ("-4", "-6"):
        (entry,) = lab.ip_json("pod", family, "route", "show", "default")
        found[family] = entry.get("metrics", [{}])[0].get("mtu")
    return found


def test_the_routes_of_a_pod_are_changed_and_changed_back(pod: Lab, tmp_path: Path) -> None:
    before = shown(pod, "pod")
    found = steps(pod, "pod", {"destination": "default", "device": "eth0", "mtu": 1450})
    assert [(step.route, step.before, step.after, step.reason) for step in found] == [
        ("0.0.0.0/0 via 10.0.1.1 dev eth0", 1500, 1450, ""),
        ("::/0 via fd00::1 dev eth0", 1500, 1450, ""),
    ]
    assert shown(pod, "pod") == before
    journal, lock = str(tmp_path / "journal"), str(tmp_path / "lock")
    with Session("one", "test", RESOURCES, journal, lock) as session:
        session.change_all(route_changes(found))
    assert default_mtus(pod) == {"-4": 1450, "-6": 1450}
    again = steps(pod, "pod", {"destination": "default", "mtu": 1450})
    assert [(step.before, step.after, step.change) for step in again] == [(1450, 1450, None)] * 2
    chosen = choose_run("one", journal)
    assert chosen is not None
    undo(chosen, plan_undo(chosen, RESOURCES), RESOURCES, journal)
    assert shown(pod, "pod") == before


def test_new_connections_are_offered_what_the_route_leaves(pod: Lab) -> None:
    """The pod's own device has 1500 all the time."""
    Server(pod, "pod")

    def offered() -> int:
        with socket.create_connection(("10.0.1.7", PORT), timeout=3, source_address=("10.7.0.1", 0)) as connection:
            return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) + TCP_TIMESTAMPS

    assert pod.inside("node", offered) == 1460
    (step,) = steps(pod, "pod", {"destination": "default", "family": "ipv4", "mtu": 1450})
    assert step.change is not None
    RESOURCES["route_mtu"].write(step.change.target, 1450)
    assert pod.inside("node", offered) == 1410


def test_one_family_and_no_mtu_at_all(pod: Lab, tmp_path: Path) -> None:
    found = steps(pod, "pod", {"destination": "default", "family": "ipv6"}, {"destination": "10.0.1.1", "mtu": 1400})
    with Session("one", "test", RESOURCES, str(tmp_path / "journal"), str(tmp_path / "lock")) as session:
        session.change_all(route_changes(found))
    assert default_mtus(pod) == {"-4": 1500, "-6": None}
    (entry,) = pod.ip_json("pod", "route", "show", "10.0.1.1")
    assert (entry["metrics"], entry["scope"]) == ([{"mtu": 1400}], "253")


def test_what_is_not_there_or_cannot_be_is_a_step_with_a_reason(pod: Lab) -> None:
    found = steps(
        pod,
        "pod",
        {"destination": "10.9.0.0/16", "mtu": 1400},
        {"destination": "default", "device": "eth7", "mtu": 1400},
        {"destination": "default", "family": "ipv6", "mtu": 1200},
        {"destination": "fd00::7/128", "mtu": 1400},
    )
    assert [step.reason for step in found] == [
        "there is no such route",
        "there is no such route",
        "ipv6 needs an MTU of 1280 at least, and 1200 is asked for",
        "the kernel has made it with an address: set the MTU of its device instead",
    ]
    assert route_changes(found) == []


def test_a_route_or_a_pod_that_is_no_more_needs_no_undoing(pod: Lab) -> None:
    first, _second = steps(pod, "pod", {"destination": "default", "mtu": 1450})
    assert first.change is not None
    pod.ip("pod", "route del default")
    with pytest.raises(Gone, match="the route is no more"):
        RESOURCES["route_mtu"].write(first.change.target, 1450)
    pod.ip("pod", "route add default via 10.0.1.1 dev eth0 metric 9")
    with pytest.raises(Gone, match="the route is no more"):
        RESOURCES["route_mtu"].read(first.change.target)
    pod.delete("pod")
    with pytest.raises(Gone, match="its network namespace is no more"):
        RESOURCES["route_mtu"].read(first.change.target)


def test_a_namespace_that_never_was_is_refused(pod: Lab) -> None:
    census = take_link_census("/")
    for where, said in (({"namespace": "/etc/passwd"}, "/etc/passwd"), ({"namespace": "/run/none"}, "/run/none")):
        wishes = route_wishes_of([{"destination": "default", "mtu": 1400, **where}])
        with pytest.raises(ValueError, match=f"routes: default in {said}: {said} is no network namespace"):
            route_steps(wishes, census)
        (step,) = route_steps(wishes, census, skip_gone=True)
        assert step.change is None and f"{said} is no network namespace" in step.reason
