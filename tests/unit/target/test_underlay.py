# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which link carries a tunnel."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ansible_collections.netfit.cluster.plugins.module_utils._facts.underlay import (
    NamespaceView,
    best_route,
    default_route,
    with_underlays,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.link import Address, Encapsulation, Link
from ansible_collections.netfit.cluster.plugins.module_utils._model.route import NextHop, Route


def link(index: int, name: str, mtu: int = 1500, **fields: Any) -> Link:
    defaults: Dict[str, Any] = {"min_mtu": 68, "max_mtu": 65535, "hardware_address": None}
    return Link(
        index=index,
        name=name,
        kind=fields.pop("kind", "physical"),
        mtu=mtu,
        up=True,
        operational_state="up",
        **{**defaults, **fields},
    )


def route(destination: str, device: Optional[str], **fields: Any) -> Route:
    family = "ipv6" if ":" in destination else "ipv4"
    defaults: Dict[str, Any] = {"family": family, "type": "unicast", "table": 254}
    return Route(destination=destination, device=device, **{**defaults, **fields})


def tunnel(**fields: Any) -> Encapsulation:
    return Encapsulation(**{"kind": "vxlan", "overhead": 50, "underlay_family": "ipv4", **fields})


def underlay_of(links: List[Link], routes: List[Route]) -> tuple[object, object, object]:
    found = with_underlays({1: NamespaceView(links, routes)})[1][-1].encapsulation
    assert found is not None
    return found.underlay, found.underlay_mtu, found.underlay_source


ETH0 = link(2, "eth0", mtu=9001)
ETH1 = link(3, "eth1", mtu=1400, addresses=(Address("ipv4", "192.0.2.7", 24, "global"),))
ROUTES = [route("0.0.0.0/0", "eth0", priority=100), route("198.51.100.0/24", "eth1")]


def test_a_tunnel_bound_to_a_device_is_carried_by_it() -> None:
    vxlan = link(9, "flannel.1", kind="vxlan", lower_index=3, encapsulation=tunnel())
    assert underlay_of([ETH0, ETH1, vxlan], ROUTES) == ("eth1", 1400, "device")


def test_else_by_the_link_that_has_its_local_address() -> None:
    vxlan = link(9, "vx", kind="vxlan", encapsulation=tunnel(local="192.0.2.7"))
    assert underlay_of([ETH0, ETH1, vxlan], ROUTES) == ("eth1", 1400, "address")


def test_else_by_the_route_to_the_remote() -> None:
    vxlan = link(9, "vx", kind="vxlan", encapsulation=tunnel(remote="198.51.100.9"))
    assert underlay_of([ETH0, ETH1, vxlan], ROUTES) == ("eth1", 1400, "route")


def test_else_by_the_default_route() -> None:
    vxlan = link(9, "cilium_vxlan", kind="vxlan", encapsulation=tunnel(collect_metadata=True))
    assert underlay_of([ETH0, ETH1, vxlan], ROUTES) == ("eth0", 9001, "route")


def test_a_default_route_through_the_tunnel_itself_tells_nothing() -> None:
    vpn = link(9, "wg0", kind="wireguard", encapsulation=tunnel(kind="wireguard", overhead=60))
    assert underlay_of([ETH0, vpn], [route("0.0.0.0/0", "wg0")]) == (None, None, None)


def test_a_tunnel_that_moved_is_carried_where_it_was_made() -> None:
    moved = link(5, "vx", kind="vxlan", link_netnsid=0, lower_namespace=1, encapsulation=tunnel())
    found = with_underlays({1: NamespaceView([ETH0], ROUTES), 2: NamespaceView([moved], [])})[2][0].encapsulation
    assert found is not None
    assert (found.underlay, found.underlay_namespace, found.underlay_mtu) == ("eth0", 1, 9001)


def test_the_longest_prefix_then_the_lowest_priority_wins() -> None:
    routes = [
        route("0.0.0.0/0", "low", priority=10),
        route("0.0.0.0/0", "high", priority=200),
        route("10.0.0.0/8", "eight", priority=900),
        route("10.1.0.0/16", "other-table", table=100),
        route("10.1.0.0/16", "hole", type="blackhole"),
    ]
    assert [found.device for found in (best_route(routes, "10.1.2.3"), best_route(routes, "192.0.2.1")) if found] == [
        "eight",
        "low",
    ]
    assert best_route(routes, "2001:db8::1") is None


def test_a_default_route_with_several_legs_uses_its_first() -> None:
    legs = (NextHop("192.0.2.1", "eth1", 1), NextHop("192.0.2.2", "eth0", 1))
    vxlan = link(9, "vx", kind="vxlan", encapsulation=tunnel())
    routes = [route("0.0.0.0/0", None, next_hops=legs)]
    assert underlay_of([ETH0, ETH1, vxlan], routes) == ("eth1", 1400, "route")
    assert default_route(routes, "ipv6") is None
