# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes as they are asked for."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._change.route_mtu import RouteWish, route_wishes_of
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.route_setting import KnownRoute, RouteKey
from ansible_collections.netfit.cluster.plugins.module_utils._model.route import Route

POD = "/run/netns/pod"


def known(family: str, destination: str, device: str = "eth0", table: int = 254, kind: str = "unicast") -> KnownRoute:
    key = RouteKey(family, destination, table, device=device)
    return KnownRoute(key, Route(family, kind, destination, table, device=device), b"", True)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"destination": "default", "mtu": 1450}, RouteWish("default", 1450)),
        ({"destination": "10.0.1.1"}, RouteWish("10.0.1.1/32", None, "ipv4")),
        (
            {
                "destination": "fd00::/64",
                "family": "ipv6",
                "device": "eth0",
                "mtu": 1400,
                "namespace": POD,
                "pid": None,
            },
            RouteWish("fd00::/64", 1400, "ipv6", "eth0", namespace=POD),
        ),
        (
            {"destination": "default", "family": "ipv4", "device": "", "pid": 7},
            RouteWish("default", None, "ipv4", pid=7),
        ),
    ],
)
def test_what_is_asked_for(entry: Dict[str, Any], expected: RouteWish) -> None:
    assert route_wishes_of([entry]) == [expected]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "routes[1].destination is ''; it is default, an address, or a network"),
        ({"destination": "10.0.0.1/8"}, "routes[1].destination is '10.0.0.1/8'"),
        ({"destination": "host.example"}, "routes[1].destination is 'host.example'"),
        ({"destination": "10.0.0.0/8", "family": "ipv6"}, "10.0.0.0/8 is no destination of ipv6"),
        ({"destination": "default", "family": "ipx"}, "routes[1].family is 'ipx'; it is ipv4 or ipv6"),
        ({"destination": "default", "mtu": 67}, "routes[1].mtu is 67; an MTU is from 68 to 65535 bytes"),
        ({"destination": "default", "mtu": 65536}, "routes[1].mtu is 65536"),
        ({"destination": "default", "table": 0}, "routes[1].table is 0"),
        ({"destination": "default", "namespace": POD, "pid": 7}, "namespace and pid both say where the route is"),
    ],
)
def test_bad_input_is_refused_with_its_entry(entry: Dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        route_wishes_of([{"destination": "default", "mtu": 1400}, entry])
    assert said in str(refused.value)


def test_which_routes_are_meant() -> None:
    everything = known("ipv4", "0.0.0.0/0"), known("ipv6", "::/0"), known("ipv4", "10.0.0.0/8")
    others = known("ipv4", "0.0.0.0/0", table=100), known("ipv4", "0.0.0.0/0", kind="blackhole")
    (both, four, other_device, other_table, network) = route_wishes_of(
        [
            {"destination": "default"},
            {"destination": "default", "family": "ipv4"},
            {"destination": "default", "device": "eth1"},
            {"destination": "default", "table": 100},
            {"destination": "10.0.0.0/8"},
        ]
    )
    chosen = {
        wish: [one for one in (*everything, *others) if wish.means(one)]
        for wish in (both, four, other_device, other_table, network)
    }
    assert chosen[both] == [everything[0], everything[1]]
    assert chosen[four] == [everything[0]]
    assert chosen[other_device] == []
    assert chosen[other_table] == [others[0]]
    assert chosen[network] == [everything[2]]
