# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes part, what each path should carry, and what each host is told to measure."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.addresses import is_usable
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.members import (
    Member,
    from_facts,
    from_variables,
    with_distinct_addresses,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.plan import Node, plan, rows
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.targets import (
    CLASSES,
    Assignment,
    Settings,
    Work,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_view import view_host
from ansible_collections.netfit.cluster.tests.unit import builders as b

ALL = Settings(CLASSES["all"], 47815)


def member(name: str, facts: Dict[str, Any], stated: Optional[str] = None, login: Optional[str] = None) -> Member:
    return from_facts(name, facts, view_host(name, facts), stated, login)


def canal(number: int, pod_mtu: int = 1500, pods: Any = ("gateway",), **node: Any) -> Dict[str, Any]:
    """A node of four with pods that have the given names."""
    ends = [
        b.link(f"cali{place}", pod_mtu, index=70 + place, peer=b.peer(9000 + place, 3, "eth0", pod_mtu))
        for place in range(len(pods))
    ]
    networks = [
        b.pod_network(9000 + place, b.pod(name), pod_mtu, f"10.42.{number}.{5 + place}/32", 70 + place)
        for place, name in enumerate(pods)
    ]
    return b.facts([b.node(number, extra=ends, **node), *networks], [b.subnet_env(node.get("overlay_mtu", 1450))])


def cluster(**pods: Any) -> Dict[str, Member]:
    return {f"n{number}": member(f"n{number}", canal(number, **pods.get(f"n{number}", {}))) for number in (1, 2, 3, 4)}


def assign(
    members: Dict[str, Member], settings: Settings = ALL, probers: Any = None
) -> Tuple[Dict[str, Work], Assignment]:
    taking_part = set(members) if probers is None else set(probers)
    assignment = Assignment(members, taking_part, settings)
    assignment.add_pairs(rows(plan(Node(name) for name in members), taking_part))
    return assignment.work, assignment


def by_class(work: Dict[str, Work], kind: str) -> List[Dict[str, Any]]:
    return [target for one in work.values() for target in one.targets if target["about"]["class"] == kind]


def test_a_host_is_known_by_the_source_of_its_default_route() -> None:
    assert member("n2", canal(2)).address == "198.18.7.12"


def test_the_address_beside_the_gateway_is_taken_among_several() -> None:
    links = [b.link("eth0", 1500, "physical", 2, "10.9.9.9/32")]
    links[0] = replace(links[0], addresses=(*links[0].addresses, *b.link("x", 1, address="192.0.2.7/24").addresses))
    facts = b.facts([b.network(b.HOST_INODE, b.host("a"), links, [b.route("0.0.0.0/0", "eth0", "192.0.2.1")])])
    assert member("a", facts).address == "192.0.2.7"


def test_the_source_that_a_default_route_names_comes_first() -> None:
    links = [b.link("eth0", 1500, "physical", 2, "192.0.2.7/24")]
    routes = [b.route("0.0.0.0/0", "eth0", "192.0.2.1", source="192.0.2.99")]
    assert member("a", b.facts([b.network(b.HOST_INODE, b.host("a"), links, routes)])).address == "192.0.2.99"


@pytest.mark.parametrize(
    ("stated", "login", "address"),
    [
        ("203.0.113.5", "192.0.2.1", "203.0.113.5"),
        (None, "192.0.2.1", "198.18.7.12"),
    ],
)
def test_netfit_address_wins_and_ansible_host_is_the_last_resort(stated: Any, login: Any, address: str) -> None:
    assert member("n2", canal(2), stated, login).address == address


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("node1.example.com", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::ffff:192.0.2.1", False),
        ("192.0.2", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_what_can_be_the_address_of_a_peer(text: str, usable: bool) -> None:
    assert is_usable(text) is usable


def test_without_a_default_route_there_is_ansible_host() -> None:
    links = [b.link("eth0", 1500, "physical", 2, "192.0.2.7/24")]
    facts = b.facts([b.network(b.HOST_INODE, b.host("a"), links, [])])
    assert member("a", facts, None, "192.0.2.7").address == "192.0.2.7"
    assert member("a", facts, None, "127.0.0.1").address is None


def test_an_address_that_several_claim_is_nobodys() -> None:
    """As with virtual machines behind their own translating networks."""

    def machine(name: str, login: Optional[str]) -> Member:
        links = [b.link("eth0", 1500, "physical", 2, "10.0.2.15/24")]
        network = b.network(b.HOST_INODE, b.host(name), links, [b.route("0.0.0.0/0", "eth0", "10.0.2.2")])
        return member(name, b.facts([network]), None, login)

    found = with_distinct_addresses([machine("a", "192.168.56.2"), machine("b", "192.168.56.3"), machine("c", None)])
    assert [one.address for one in found] == ["192.168.56.2", "192.168.56.3", None]


def test_one_pod_for_each_network_takes_part_the_first_by_name() -> None:
    (pod,) = member("n2", canal(2, pods=("zebra", "api", "gateway"))).pods
    assert (pod.name, pod.network, pod.addresses, pod.mtu) == ("prod/api", "flannel.1", ("10.42.2.6",), 1500)
    assert pod.source == {"pod": "prod/api"}


def test_pods_that_do_not_run_or_have_no_address_take_no_part() -> None:
    facts = canal(2, pods=("dead", "mute", "alive"))
    networks = facts["netfit_mtu"]["namespaces"]
    networks[1]["owner"]["pid"] = None
    networks[2]["links"][1]["addresses"] = []
    assert [pod.name for pod in member("n2", facts).pods] == ["prod/alive"]


def test_two_namespaces_of_one_pod_are_told_apart_by_their_inode() -> None:
    facts = canal(2, pods=("gateway", "gateway"))
    assert member("n2", facts).pods[0].source == {"namespace": "9000"}


def test_containers_take_no_part() -> None:
    facts = canal(2)
    facts["netfit_mtu"]["namespaces"][1]["owner"]["kind"] = "container"
    assert member("n2", facts).pods == ()


def test_each_pair_of_nodes_is_measured_in_each_class() -> None:
    work, assignment = assign(cluster())
    assert len(by_class(work, "host-host")) == 6
    assert len(by_class(work, "pod-pod")) == 6
    assert len(by_class(work, "host-pod")) == 12
    assert assignment.left_out == []
    assert all(one.responder_sources for one in work.values())


def test_a_target_says_all_that_the_module_needs() -> None:
    work, _assignment = assign(cluster())
    (pods,) = [
        target for target in work["n1"].targets if target["name"] == "pod prod/gateway on n1 to pod prod/gateway on n2"
    ]
    about = pods.pop("about")
    assert pods == {
        "address": "10.42.2.5",
        "name": "pod prod/gateway on n1 to pod prod/gateway on n2",
        "source": {"pod": "prod/gateway"},
        "method": "auto",
        "expected_mtu": 1450,
        "responder_port": 47815,
    }
    assert (about["class"], about["peer"]["host"], about["peer"]["owner"]["pod"]) == ("pod-pod", "n2", "gateway")
    assert about["expected_because"] == (
        "flannel.1 on n1 1450, flannel.1 on n2 1450, pod prod/gateway on n1 1500, pod prod/gateway on n2 1500"
    )
    hosts = next(target for target in work["n1"].targets if target["about"]["class"] == "host-host")
    assert "source" not in hosts


@pytest.mark.parametrize(
    ("probe", "classes"),
    [
        ("none", set()),
        ("hosts", {"host-host"}),
        ("pods", {"pod-pod", "host-pod"}),
        ("all", {"host-host", "pod-pod", "host-pod"}),
    ],
)
def test_netfit_probe_chooses_the_classes(probe: str, classes: Any) -> None:
    work, _assignment = assign(cluster(), Settings(CLASSES[probe], 47815))
    assert {target["about"]["class"] for one in work.values() for target in one.targets} == classes


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ({}, 1450),
        ({"n1": {"pod_mtu": 1400}}, 1400),
        ({"n2": {"pod_mtu": 1400}}, 1400),
        ({"n1": {"overlay_mtu": 1370}}, 1370),
        ({"n2": {"overlay_mtu": 1370}}, 1370),
        ({"n1": {"pod_mtu": 9000, "overlay_mtu": 8950}, "n2": {"pod_mtu": 9000, "overlay_mtu": 8900}}, 8900),
    ],
)
def test_what_a_path_between_pods_should_carry(nodes: Any, expected: int) -> None:
    work, _assignment = assign(cluster(**nodes))
    found = [
        target["expected_mtu"]
        for name, other in (("n1", "n2"), ("n2", "n1"))
        for target in work[name].targets
        if target["about"]["class"] == "pod-pod" and target["about"]["peer"]["host"] == other
    ]
    assert found == [expected]


def test_a_host_reaches_a_pod_through_the_overlay() -> None:
    work, _assignment = assign(cluster(n1={"pods": (), "overlay_mtu": 1430}, n2={"pod_mtu": 1440}))
    expected = {
        (name, target["about"]["peer"]["host"]): target["expected_mtu"]
        for name, one in work.items()
        for target in one.targets
        if target["about"]["class"] == "host-pod"
    }
    assert expected["n1", "n2"] == 1430 and expected["n3", "n2"] == 1440 and ("n2", "n1") not in expected


def test_hosts_should_carry_what_the_narrower_uplink_does() -> None:
    work, _assignment = assign(cluster(n1={"underlay_mtu": 9000}, n2={"underlay_mtu": 8900}))
    expected = {
        frozenset((name, target["about"]["peer"]["host"])): (target["expected_mtu"], target["about"])
        for name, one in work.items()
        for target in one.targets
        if target["about"]["class"] == "host-host"
    }
    assert expected[frozenset(("n1", "n2"))][0] == 8900
    assert expected[frozenset(("n1", "n2"))][1]["expected_because"] == "eth0 of n2 8900, eth0 of n1 9000"
    assert expected[frozenset(("n1", "n3"))][0] == 1500


def test_an_address_on_another_link_counts_with_that_link() -> None:
    facts = canal(1)
    facts["netfit_mtu"]["namespaces"][0]["links"].append(
        {"index": 9, "name": "eth1", "kind": "physical", "mtu": 9000, "up": True, "operational_state": "up"}
        | {"addresses": [{"family": "ipv4", "address": "10.1.1.1", "prefix_length": 24}]}
    )
    members = {"n1": member("n1", facts, "10.1.1.1"), "n9": from_variables("n9", "10.1.1.9", None)}
    work, _assignment = assign(members, probers={"n1"})
    (target,) = work["n1"].targets
    assert (target["expected_mtu"], target["about"]["expected_because"]) == (9000, "eth1 of n1 9000")


def test_an_expected_mtu_can_be_stated() -> None:
    work, _assignment = assign(cluster(), Settings(CLASSES["all"], 47815, expected_mtu=1400))
    found = {(target["expected_mtu"], target["about"]["expected_because"]) for target in work["n1"].targets}
    assert found == {(1400, "netfit_expected_mtu says so")}


@pytest.mark.parametrize(("pod_mtu", "uplink", "pods", "host"), [(1500, 9000, 1500, 1500), (9000, 1500, 9000, 1500)])
def test_what_the_ends_promise_knows_nothing_of_the_overlay(pod_mtu: int, uplink: int, pods: int, host: int) -> None:
    node = {"pod_mtu": pod_mtu, "underlay_mtu": uplink}
    work, _assignment = assign(cluster(n1=node, n2=node), Settings(CLASSES["all"], promised=True))
    expected = {target["name"]: target["expected_mtu"] for target in work["n1"].targets + work["n2"].targets}
    assert expected["pod prod/gateway on n1 to pod prod/gateway on n2"] == pods
    assert expected["n1 to pod prod/gateway on n2"] == host


def test_pods_of_two_clusters_with_overlays_of_one_name_do_not_meet() -> None:
    other = canal(7)
    text = str(other).replace("10.42.", "10.99.").replace("198.18.7.", "198.18.9.")
    members = {"n1": member("n1", canal(1)), "m7": member("m7", ast.literal_eval(text))}
    work, _assignment = assign(members)
    assert {target["about"]["class"] for one in work.values() for target in one.targets} == {"host-host"}


def test_pods_without_an_overlay_meet_where_a_host_has_a_route_to_them() -> None:
    def routed(number: int, other: int) -> Dict[str, Any]:
        facts = canal(number)
        home = facts["netfit_mtu"]["namespaces"][0]
        home["links"] = [link for link in home["links"] if link["name"] != "flannel.1"]
        home["routes"] = home["routes"][:1]
        if number == 1:
            home["routes"].append(
                {"family": "ipv4", "type": "unicast", "destination": f"10.42.{other}.0/26", "device": "eth0"}
                | {"gateway": f"198.18.7.1{other}", "table": 254}
            )
        facts["netfit_mtu"]["declared"] = []
        return facts

    members = {"n1": member("n1", routed(1, 2)), "n2": member("n2", routed(2, 1)), "n3": member("n3", routed(3, 1))}
    work, _assignment = assign(members)
    names = {target["name"]: target["expected_mtu"] for one in work.values() for target in one.targets}
    assert {name for name in names if "pod" in name} == {
        "pod prod/gateway on n1 to pod prod/gateway on n2",
        "n1 to pod prod/gateway on n2",
    }
    assert names["n1 to pod prod/gateway on n2"] == 1500


def test_pods_meet_in_each_family_that_both_have() -> None:
    def dual(number: int) -> Dict[str, Any]:
        facts = canal(number)
        pod = facts["netfit_mtu"]["namespaces"][1]["links"][1]
        pod["addresses"] += [
            {"family": "ipv6", "address": "fe80::1", "prefix_length": 64},
            {"family": "ipv6", "address": f"fd00:42::{number}", "prefix_length": 128},
        ]
        return facts

    members = {"n1": member("n1", dual(1)), "n2": member("n2", dual(2)), "n3": member("n3", canal(3))}
    work, _assignment = assign(members)
    found = {(target["name"], target["address"]) for target in by_class(work, "pod-pod")}
    assert found >= {
        ("pod prod/gateway on n1 to pod prod/gateway on n2", "10.42.2.5"),
        ("pod prod/gateway on n1 to pod prod/gateway on n2 (IPv6)", "fd00:42::2"),
    }
    assert len(found) == 4
    names = [target["name"] for one in work.values() for target in one.targets]
    assert len(names) == len(set(names))


def test_outside_the_run_nobody_answers_by_responder() -> None:
    work, _assignment = assign(cluster(), probers={"n2", "n3"})
    assert set(work) == {"n2", "n3"}
    ports = {
        target["about"]["peer"]["host"]: target.get("responder_port")
        for one in work.values()
        for target in one.targets
        if target["about"]["class"] == "host-host"
    }
    assert ports.pop("n2", 47815) == 47815 and ports.pop("n3", 47815) == 47815
    assert ports == {"n1": None, "n4": None}
    assert len(by_class(work, "host-host")) == 5


def test_responders_are_where_somebody_asks_them() -> None:
    work, _assignment = assign(cluster(n1={"pods": ()}), Settings(CLASSES["pods"], 47815))
    assert work["n1"].responder_sources == []
    assert work["n2"].responder_sources == [{"pod": "prod/gateway"}]
    work, _assignment = assign(cluster(), Settings(CLASSES["all"], None))
    assert all(one.responder_sources == [] for one in work.values())
    assert all("responder_port" not in target for one in work.values() for target in one.targets)


def test_peers_that_are_data_are_measured_with_their_pods() -> None:
    peers = from_variables("n4", "198.18.7.14", None, [{"name": "prod/far", "address": "10.42.4.5"}])
    work, _assignment = assign({"n1": member("n1", canal(1)), "n4": peers}, probers={"n1"})
    found = {target["name"]: target.get("expected_mtu") for target in work["n1"].targets}
    assert found == {
        "n1 to n4": 1500,
        "pod prod/gateway on n1 to pod prod/far on n4": 1450,
        "n1 to pod prod/far on n4": 1450,
    }


def test_a_node_without_an_address_is_named() -> None:
    members = {"n1": member("n1", canal(1)), "n9": from_variables("n9", None, None)}
    work, assignment = assign(members, probers={"n1"})
    assert work["n1"].targets == []
    assert [(one.name, "netfit_address" in one.reason) for one in assignment.left_out] == [("n1 to n9", True)]


def test_a_host_does_not_probe_itself_under_another_name() -> None:
    members = {"n1": member("n1", canal(1)), "again": from_variables("again", "10.42.1.0", None)}
    work, assignment = assign(members, probers={"n1"})
    assert work["n1"].targets == [] and "an address of n1 itself" in assignment.left_out[0].reason


def test_vantage_hosts_measure_every_node_port_of_every_node() -> None:
    members = cluster()
    assignment = Assignment(members, members, Settings(CLASSES["all"], 47815, node_ports=(30004, 443)))
    assignment.add_vantages(["lb"], members.values())
    work = assignment.work["lb"]
    assert [target["name"] for target in work.tcp_targets][:3] == ["lb to n1:30004", "lb to n1:443", "lb to n2:30004"]
    assert len(work.tcp_targets) == 8 and work.targets == []
    assert work.tcp_targets[0]["about"]["class"] == "outside-nodeport"
    assert "expected_mtu" not in work.tcp_targets[0]
