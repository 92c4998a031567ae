# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes share an overlay: clusters are told apart where routes show it, and otherwise count as one."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_cluster
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.cluster import overlays
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_view import view_host
from ansible_collections.netfit.cluster.tests.unit import builders as b

Facts = Dict[str, Any]
POLICY = load_policy()


def node(
    own: str, ways: Sequence[Tuple[str, Any]], device: str = "flannel.1", mtu: int = 1450, feeder: Any = None
) -> Facts:
    """A node with that address on its overlay. ways: (destination, gateway) through the overlay, or its feeder."""
    links = [
        b.link("eth0", 1500, "physical", 2, "192.0.2.1/24"),
        b.link("docker0", 1500, "bridge", 3, "172.17.0.1/16"),
        b.link(device, mtu, "vxlan", 4, encapsulation=b.tunnel(), **({} if feeder else {"address": f"{own}/32"})),
        *([b.link(feeder, mtu, "veth", 5, f"{own}/32")] if feeder else []),
    ]
    routes = [b.route("0.0.0.0/0", "eth0", "192.0.2.254")]
    routes += [b.route(destination, feeder or device, gateway) for destination, gateway in ways]
    return b.facts([b.network(b.HOST_INODE, b.host(), links, routes)])


def flannel(cluster: int, place: int, others: Sequence[int], mtu: int = 1450) -> Facts:
    """A node of a cluster with routes to those others."""
    ways = [(f"10.{cluster}.{other}.0/24", f"10.{cluster}.{other}.0") for other in others if other != place]
    return node(f"10.{cluster}.{place}.0", ways, mtu=mtu)


def together(hosts: Dict[str, Facts]) -> List[str]:
    """The overlays as the names of their nodes, "a1 a2"."""
    return [" ".join(one.host.name for one in nodes) for nodes in overlays([view_host(*one) for one in hosts.items()])]


def two_clusters(audited: Sequence[str], others: Sequence[int] = (1, 2, 3, 4)) -> Dict[str, Facts]:
    return {name: flannel(" ab".index(name[0]), int(name[1]), others) for name in audited}


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (two_clusters(["a1", "a2", "b1", "b2"]), ["a1 a2", "b1 b2"]),
        (two_clusters(["a1", "a3", "b4"]), ["a1 a3"]),
        # The routes were cut after the first two, neither of whom was audited.
        (two_clusters(["a3", "a4", "b3", "b4"], (1, 2)), ["a3 a4", "b3 b4"]),
        (two_clusters(["a3", "a4", "b1", "b2"], (1, 2)), ["a3 a4", "b1 b2"]),
        # Each knows only one other node, and the one between them was not audited.
        (
            {"a1": flannel(1, 1, [2]), "a3": flannel(1, 3, [2]), "b1": flannel(2, 1, [2]), "b2": flannel(2, 2, [1])},
            ["a1 a3", "b1 b2"],
        ),
        # a2 has no address that is known, but the same gateways.
        ({"a1": flannel(1, 1, [2, 3]), "a2": node("10.9.9.9", [("10.1.3.0/24", "10.1.3.0")])}, ["a1 a2"]),
    ],
    ids=["apart", "one of four", "cut", "cut elsewhere", "in between", "moved"],
)
def test_nodes_belong_to_those_that_their_routes_name(hosts: Dict[str, Facts], expected: List[str]) -> None:
    assert together(hosts) == expected


def test_nodes_of_one_segment_meet_only_through_those_of_the_other() -> None:
    """Calico with vxlanMode CrossSubnet, flannel with DirectRouting: to the own segment nothing goes by the overlay."""
    hosts = {
        **{f"a{place}": flannel(1, place, [3, 4] if place < 3 else [1, 2]) for place in (1, 2, 3, 4)},
        **{f"b{place}": flannel(2, place, [3, 4] if place < 3 else [1, 2]) for place in (1, 2, 3, 4)},
    }
    assert together(hosts) == ["a1 a2 a3 a4", "b1 b2 b3 b4"]
    assert together({name: hosts[name] for name in ("a1", "a2", "b1", "b3")}) == ["a1 a2", "b1 b3"]


def test_routes_by_the_own_address_name_nobody() -> None:
    """Cilium's: the gateway is the node's own cilium_host, and two clusters may give out the same address."""

    def cilium(own: str, mtu: int = 1450) -> Facts:
        return node(own, [("10.0.9.0/24", own)], "cilium_vxlan", mtu, "cilium_host")

    hosts = {
        "a1": cilium("10.0.1.7"),
        "a2": cilium("10.0.2.7", 1400),
        "a3": cilium("10.0.3.7"),
        "b1": cilium("10.0.1.7"),
    }
    assert together(hosts) == ["a1 a2 a3 b1"]
    assert [(one.id, one.target.host) for one in assess_cluster(hosts, POLICY)] == [("MTU-006", "a2")]


def test_where_one_node_names_nobody_all_count_as_one_overlay() -> None:
    hosts = {**two_clusters(["a1", "a2", "b1", "b2"]), "c1": node("10.3.1.0", [("10.3.0.0/16", None)])}
    assert together(hosts) == ["a1 a2 b1 b2 c1"]


def test_clusters_with_the_same_addresses_count_as_one_overlay() -> None:
    hosts = {f"{cluster}{place}": flannel(1, place, [1, 2]) for cluster in "ab" for place in (1, 2)}
    assert together(hosts) == ["a1 a2 b1 b2"]


def test_addresses_that_every_host_has_join_nobody() -> None:
    hosts = {"a1": flannel(1, 1, [2]), "b1": flannel(2, 1, [2])}
    assert together(hosts) == []


def test_nothing_is_lost_where_a_node_was_not_audited() -> None:
    hosts = {f"a{place}": flannel(1, place, range(1, 6), 1400 if place == 4 else 1450) for place in range(1, 6)}
    for missing in ("a1", "a2", "a3", "a5"):
        left = {name: facts for name, facts in hosts.items() if name != missing}
        assert [(one.id, one.target.host) for one in assess_cluster(left, POLICY)] == [("MTU-006", "a4")], missing


@given(st.sets(st.tuples(st.sampled_from("abc"), st.integers(1, 6)), min_size=1), st.integers(2, 6))
def test_any_part_of_any_clusters_is_divided_by_cluster(audited: Any, cut: int) -> None:
    hosts = {f"{name}{place}": flannel("abc".index(name), place, range(1, cut + 1)) for name, place in sorted(audited)}
    clusters = [[name for name in sorted(hosts) if name[0] == cluster] for cluster in "abc"]
    assert together(hosts) == [" ".join(names) for names in clusters if len(names) > 1]
