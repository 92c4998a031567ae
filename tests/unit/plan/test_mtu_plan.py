# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan changes, in which order, and what it leaves alone."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import MtuMeaning
from ansible_collections.netfit.cluster.tests.unit import builders as b
from ansible_collections.netfit.cluster.tests.unit.plan import clusters as c

Facts = Dict[str, Any]


def links(host: Facts, *lists: str) -> List[Tuple[str, int, int]]:
    return [(one["link"], one["now"], one["mtu"]) for name in lists or ("steps",) for one in host[name]]


def test_the_incident_is_healed_in_the_pod_and_nowhere_else() -> None:
    plan = c.plan_of(b.incident())
    assert plan["cluster"]["changed_hosts"] == ["n2"]
    host = plan["hosts"]["n2"]
    assert [{key: one[key] for key in one if key != "why"} for one in host["live"]] == [
        {"namespace": "/var/run/netns/cni-9002", "link": "eth0", "mtu": 1450, "now": 1500, "raises": False},
        {"link": "cali7", "mtu": 1450, "now": 1500, "raises": False},
    ]
    assert (host["tunnels"], host["uplinks"], host["routes"]) == ([], [], [])
    assert [(one["knob"], one["meaning"], one["now"], one["value"], one["file"]) for one in host["knobs"]] == [
        ("Canal veth_mtu", "final", 1500, 1450, "/etc/cni/net.d/10-canal.conflist:7 plugins.0.mtu")
    ]
    assert [one["knob"] for one in host["waits_for_owner"]] == ["Canal veth_mtu"]
    assert host["wish"] == {"underlay_mtu": 1500, "pod_mtu": 1450, "container_mtu": 1500, "raise": False}
    assert len(host["stays_broken"]) == 1 and "pod prod/gateway on n2" in host["stays_broken"][0]
    assert any("rollout restart daemonset canal" in text for text in host["restarts"])


def test_lowering_goes_from_the_top_down() -> None:
    host = c.plan_of(c.pair(1400, link_mtu=1500), uplinks="lower")["hosts"]["n1"]
    assert [(one["level"], one["link"], one["mtu"]) for one in host["steps"]] == [
        ("pair", "eth0", 1350),
        ("pair", "cali1", 1350),
        ("tunnel", "flannel.1", 1350),
        ("uplink", "eth0", 1400),
    ]


def test_raising_goes_from_the_bottom_up_and_only_when_asked() -> None:
    facts = c.pair(9001, pod_mtu=1450, device_mtu=1450, declarations=[b.conflist(1450)])
    kept = c.plan_of(facts)
    assert kept["cluster"]["changes"] == 0
    assert kept["hosts"]["n1"]["wish"]["pod_mtu"] == 1450
    assert any("pods could have 8951" in note for note in kept["hosts"]["n1"]["notes"])
    host = c.plan_of(facts, **{"raise": True})["hosts"]["n1"]
    assert [(one["level"], one["link"], one["mtu"]) for one in host["steps"]] == [
        ("tunnel", "flannel.1", 8951),
        ("pair", "cali1", 8951),
        ("pair", "eth0", 8951),
    ]
    assert [(one["now"], one["value"]) for one in host["knobs"]] == [(1450, 8951)]
    assert host["wish"]["pod_mtu"] == 8951


def test_a_node_without_pods_asks_for_no_larger_ones_than_the_others_have() -> None:
    facts = c.pair(9001, pod_mtu=1450, device_mtu=8951, declarations=[b.conflist(1450)])
    empty = facts["n2"]["netfit_mtu"]
    empty["declared"], empty["namespaces"] = [], empty["namespaces"][:1]
    assert [host["wish"]["pod_mtu"] for host in c.plan_of(facts)["hosts"].values()] == [1450, 1450]
    raised = c.plan_of(facts, **{"raise": True})["hosts"].values()
    assert [(host["wish"]["pod_mtu"], host["wish"]["raise"]) for host in raised] == [(8951, True), (8951, True)]


def test_what_is_only_claimed_is_not_raised_to() -> None:
    facts = c.pair(9001, pod_mtu=1450, device_mtu=1450, declarations=[b.conflist(1450)])
    facts["n1"]["netfit_assessment"]["paths"] = []
    plan = c.plan_of(facts, **{"raise": True})
    assert plan["cluster"]["changes"] == 0
    assert any(note.startswith("nothing is raised") for note in plan["hosts"]["n2"]["notes"])
    assert plan["hosts"]["n2"]["wish"]["raise"] is False


def test_pods_fit_the_narrowest_node_of_their_cluster() -> None:
    nodes = {"n1": c.node(1, 3), "n2": c.node(2, 3), "n3": c.node(3, 3)}
    facts = c.with_paths(nodes, n1=[c.measured("n2", 1500), c.measured("n3", 1500, back=1420)])
    plan = c.plan_of(facts)
    assert [plan["hosts"][name]["underlay"]["mtu"] for name in ("n1", "n2", "n3")] == [1420, 1500, 1420]
    assert {host["underlay_mtu"] for host in plan["hosts"].values()} == {1420}
    assert {host["pod_mtu"] for host in plan["hosts"].values()} == {1370}
    assert plan["hosts"]["n2"]["container_mtu"] == 1500
    assert plan["cluster"]["groups"][0]["narrowest"]["peer"] == "the path from n3 to n1"
    assert any("another node's only 1420" in note for note in plan["hosts"]["n2"]["notes"])


def test_a_path_to_a_host_outside_the_cluster_does_not_make_pods_smaller() -> None:
    outside = b.facts(
        [
            b.network(
                b.HOST_INODE,
                b.host("db"),
                [b.link("eth0", 1500, "physical", 2, "203.0.113.5/24")],
                [b.route("0.0.0.0/0", "eth0", "203.0.113.1")],
            )
        ]
    )
    nodes = {"n1": c.node(1), "n2": c.node(2), "db": outside}
    plan = c.plan_of(c.with_paths(nodes, n1=[c.measured("n2", 1500), c.measured("db", 1380)]))
    assert [group["hosts"] for group in plan["cluster"]["groups"]] == [["db"], ["n1", "n2"]]
    assert plan["hosts"]["n1"]["pod_mtu"] == 1450
    assert plan["hosts"]["db"]["container_mtu"] == 1380


def test_what_could_not_be_measured_counts_for_nothing_and_is_said() -> None:
    nodes = {"n1": c.node(1, 3), "n2": c.node(2, 3), "n3": c.node(3, 3)}
    lost = b.path("n3", b.unknown(), b.unreachable())
    plan = c.plan_of(c.with_paths(nodes, n1=[c.measured("n2", 1420), lost]))
    assert [(one["underlay"]["source"], one["underlay"]["unmeasured"]) for one in plan["hosts"].values()] == [
        ("measured", 2),
        ("measured", 0),
        ("claimed", 2),
    ]
    assert "2 directions of its paths could not be measured, and count for nothing" in plan["hosts"]["n1"]["notes"]
    assert {host["underlay_mtu"] for host in plan["hosts"].values()} == {1420}


def test_the_family_that_carries_the_overlay_decides() -> None:
    nodes = {"n1": c.node(1), "n2": c.node(2)}
    both = [c.measured("n2", 1480), c.measured("n2", 1300, family="ipv6")]
    assert c.plan_of(c.with_paths(nodes, n1=both))["hosts"]["n1"]["underlay_mtu"] == 1480
    assert c.plan_of(c.with_paths(nodes, n1=both[1:]))["hosts"]["n1"]["underlay_mtu"] == 1300


def test_an_overlay_over_a_vpn_has_both_overheads() -> None:
    facts = {}
    for number in (1, 2):
        facts[f"n{number}"] = c.node(number)
        home = facts[f"n{number}"]["netfit_mtu"]["namespaces"][0]
        vpn = b.link("wg0", 1420, "wireguard", 9, encapsulation=b.tunnel(kind="wireguard", overhead=60))
        home["links"].append(vpn.as_fact())
        flannel = next(link for link in home["links"] if link["name"] == "flannel.1")
        flannel["encapsulation"].update(underlay="wg0", underlay_mtu=1420)
    assert c.plan_of(facts)["hosts"]["n1"]["pod_mtu"] == 1370
    measured = c.plan_of(c.with_paths(facts, n1=[c.measured("n2", 1400)]))["hosts"]["n1"]
    assert (measured["underlay"]["link"], measured["underlay_mtu"], measured["pod_mtu"]) == ("wg0", 1340, 1290)


def test_plain_routes_between_nodes_make_a_cluster_too() -> None:
    nodes = {"n1": c.node(1, kind=None), "n2": c.node(2, kind=None)}
    plan = c.plan_of(c.with_paths(nodes, n1=[c.measured("n2", 1400)]))
    assert [group["hosts"] for group in plan["cluster"]["groups"]] == [["n1", "n2"]]
    assert links(plan["hosts"]["n2"]) == [("eth0", 1500, 1400), ("cali1", 1500, 1400)]


def docker(mtu: int, bridge: int, uplink: int = 1400, other: int = 1500, runtime_file: Any = ()) -> Facts:
    """A host with two containers on docker0; the other end of a third is in a namespace that is not known."""
    home = [
        b.link("eth0", uplink, "physical", 2, "192.0.2.10/24"),
        b.link("docker0", bridge, "bridge", 5, "172.17.0.1/16"),
        b.link("veth1", mtu, "veth", 11, master="docker0", bridge="docker0", peer=b.peer(801, 3, "eth0", mtu)),
        b.link("veth2", other, "veth", 12, master="docker0", bridge="docker0", peer=b.peer(802, 3, "eth0", other)),
        b.link("veth3", mtu, "veth", 13, master="docker0", bridge="docker0", peer=b.peer(803, 3)),
    ]
    routes = [b.route("0.0.0.0/0", "eth0", "192.0.2.1"), b.route("172.17.0.0/16", "docker0")]
    networks = [b.network(b.HOST_INODE, b.host("d1"), home, routes)]
    for inode, size, index, path in ((801, mtu, 11, "/run/docker/netns/ab"), (802, other, 12, None)):
        networks.append(
            b.network(
                inode,
                b.container(f"web{inode}", pid=inode),
                [b.link("eth0", size, "veth", 3, "172.17.0.2/16", peer=b.peer(b.HOST_INODE, index))],
                [b.route("0.0.0.0/0", "eth0", "172.17.0.1")],
                [path] if path else [],
            )
        )
    return {"d1": b.facts(networks, runtime_file)}


def test_all_members_of_a_bridged_segment_change_together() -> None:
    host = c.plan_of(docker(1500, 1500))["hosts"]["d1"]
    assert [(one["level"], one["link"], one.get("namespace"), one.get("pid")) for one in host["steps"]] == [
        ("pair", "eth0", "/run/docker/netns/ab", None),
        ("pair", "veth1", None, None),
        ("pair", "eth0", None, 802),
        ("pair", "veth2", None, None),
        ("pair", "veth3", None, None),
        ("bridge", "docker0", None, None),
    ]
    assert {one["mtu"] for one in host["steps"]} == {1400}
    assert [(one["knob"], one["now"], one["value"]) for one in host["knobs"]] == [("Docker daemon mtu", None, 1400)]
    assert host["wish"]["container_mtu"] == 1400
    assert host["waits_for_owner"] == []


def test_containers_that_fit_are_left_alone() -> None:
    assert c.plan_of(docker(1400, 1400, other=1280))["hosts"]["d1"]["steps"] == []


def test_the_smaller_end_of_a_pair_decides() -> None:
    facts = {"n2": c.node(2, pod_mtu=1450)}
    facts["n2"]["netfit_mtu"]["namespaces"][0]["links"][2]["mtu"] = 1500
    assert links(c.plan_of(facts)["hosts"]["n2"]) == [("cali1", 1500, 1450)]


def swarm(container: int, overlay: int, bridge: int, uplink: int, driver: int = 0) -> Facts:
    home = b.network(
        b.HOST_INODE,
        b.host("d1"),
        [b.link("eth0", uplink, "physical", 2, "192.0.2.10/24")],
        [b.route("0.0.0.0/0", "eth0", "192.0.2.1")],
    )
    hidden = b.network(
        700,
        b.Owner(b.OwnerKind.UNKNOWN),
        [
            b.link("br0", bridge, "bridge", 2, "10.0.1.1/24"),
            b.link(
                "vxlan0",
                overlay,
                "vxlan",
                3,
                encapsulation=b.tunnel(identifier=4097, underlay_mtu=uplink),
                master="br0",
                bridge="br0",
            ),
            b.link("veth0", container, "veth", 4, master="br0", bridge="br0", peer=b.peer(701, 9, "eth0", container)),
        ],
        [],
        ["/run/docker/netns/1-abc"],
    )
    inside = b.network(
        701,
        b.container("app"),
        [b.link("eth0", container, "veth", 9, "10.0.1.5/24", peer=b.peer(700, 4, "veth0", container))],
        [],
        ["/run/docker/netns/def"],
    )
    default = b.declared("docker", driver, MtuMeaning.UNDERLAY, "/etc/docker/daemon.json", "default-network-opts")
    return {"d1": b.facts([home, hidden, inside], [default] if driver else [])}


def test_a_swarm_overlay_is_changed_in_its_hidden_namespace() -> None:
    host = c.plan_of(swarm(1450, 1450, 1450, 1450))["hosts"]["d1"]
    assert [(one["level"], one["link"], one["namespace"], one["mtu"]) for one in host["steps"]] == [
        ("pair", "eth0", "/run/docker/netns/def", 1400),
        ("pair", "veth0", "/run/docker/netns/1-abc", 1400),
        ("bridge", "br0", "/run/docker/netns/1-abc", 1400),
        ("tunnel", "vxlan0", "/run/docker/netns/1-abc", 1400),
    ]
    assert [(one["knob"], one["now"], one["value"]) for one in host["knobs"]] == [
        ("Docker overlay network driver.mtu", None, 1450)
    ]
    assert c.plan_of(swarm(1400, 1400, 1400, 1450, driver=1450))["cluster"]["changes"] == 0


def cilium(link_mtu: int, route_mtu: int, wireguard: bool = False) -> Facts:
    """Cilium's way: the pod's link is as wide as the underlay, and its default route is limited."""
    links = [
        b.link("eth0", 1500, "physical", 2, "198.18.7.1/24"),
        b.link("cilium_vxlan", 1500, "vxlan", 3, encapsulation=b.tunnel(collect_metadata=True)),
        b.link("cilium_host", 1500, "veth", 4, "10.0.1.1/32"),
        b.link("lxc1", link_mtu, "veth", 7, peer=b.peer(900, 3, "eth0", link_mtu)),
    ]
    if wireguard:
        encrypted = b.tunnel(kind="wireguard", overhead=60)
        links.append(b.link("cilium_wg0", 1420, "wireguard", 5, encapsulation=encrypted))
    routes = [
        b.route("0.0.0.0/0", "eth0", "198.18.7.254"),
        b.route("10.0.1.0/24", "cilium_host", "10.0.1.1"),
        b.route("10.0.2.0/24", "cilium_host", "10.0.1.1"),
    ]
    pod_routes = [b.route("0.0.0.0/0", "eth0", "10.0.1.1", mtu=route_mtu), b.route("10.0.1.1/32", "eth0")]
    home = b.network(b.HOST_INODE, b.host("n1"), links, routes)
    return {"n1": b.facts([home, b.pod_network(900, b.pod(), link_mtu, "10.0.1.5/32", 7, pod_routes)])}


def test_cilium_limits_packets_by_the_route_of_the_pod() -> None:
    host = c.plan_of(cilium(1500, 1500))["hosts"]["n1"]
    assert host["steps"] == []
    assert [
        (one["namespace"], one["destination"], one["device"], one["now"], one["mtu"]) for one in host["routes"]
    ] == [("/var/run/netns/cni-900", "default", "eth0", 1500, 1450)]
    assert c.plan_of(cilium(1500, 1450))["cluster"]["changes"] == 0


def test_cilium_with_wireguard_takes_both_overheads() -> None:
    host = c.plan_of(cilium(1500, 1450, wireguard=True))["hosts"]["n1"]
    assert (host["overhead"], host["pod_mtu"]) == (130, 1370)
    assert [one["mtu"] for one in host["routes"]] == [1370]


def test_pods_without_a_way_in_are_noted_and_not_changed() -> None:
    facts = {"n2": c.node(2)}
    pod = facts["n2"]["netfit_mtu"]["namespaces"][1]
    pod["paths"], pod["owner"]["pid"] = [], None
    host = c.plan_of(facts)["hosts"]["n2"]
    assert links(host) == [("cali1", 1500, 1450)]
    assert "eth0 of pod prod/web2 on n2 has 1500: there is no way into its namespace" in host["notes"]


def test_ipv6_pods_need_1280() -> None:
    facts = c.pair(1320)
    for own in facts.values():
        own["netfit_mtu"]["namespaces"][1]["links"][1]["addresses"].append(
            {"family": "ipv6", "address": "2001:db8:42::5", "prefix_length": 128, "scope": "global"}
        )
    plan = c.plan_of(facts)
    assert plan["hosts"] == {}
    assert plan["not_planned"][0] == {
        "host": "n1",
        "reason": "pods would get 1270, and IPv6 needs 1280: the network below has to carry more",
    }


def test_an_ipv6_overlay_beside_an_ipv4_one_decides_for_both() -> None:
    six = b.tunnel(underlay_family="ipv6", overhead=70, identifier=2)
    nodes = {
        f"n{number}": c.node(
            number, pod_mtu=1450, extra=[b.link("flannel-v6.1", 1430, "vxlan", 8, "fd00::1/128", encapsulation=six)]
        )
        for number in (1, 2)
    }
    for own in nodes.values():
        own["netfit_mtu"]["namespaces"][0]["routes"].append(b.route("fd00:2::/64", "flannel-v6.1", "fd00::2").as_fact())
    host = c.plan_of(nodes)["hosts"]["n1"]
    assert (host["overhead"], host["family"], host["pod_mtu"]) == (70, "ipv6", 1430)
    assert links(host, "live") == [("eth0", 1450, 1430), ("cali1", 1450, 1430)]


def test_k3s_reads_its_setting_from_a_file_of_the_node() -> None:
    file = "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json"
    conf = b.declared("flannel", 1500, MtuMeaning.UNDERLAY, file, "Backend.MTU", link="flannel.1")
    host = c.plan_of(c.pair(1400, link_mtu=1500, declarations=[conf]))["hosts"]["n1"]
    [knob] = [one for one in host["knobs"] if one["stack"] == "flannel"]
    assert (knob["knob"], knob["now"], knob["value"]) == ("K3s flannel net-conf.json Backend.MTU", 1500, 1400)
    assert all(one["stack"] != "flannel" for one in host["waits_for_owner"])
    assert host["wish"]["underlay_mtu"] == 1400


UPLINKS = [
    ("keep", {}, []),
    ("lower", {"uplinks": "lower"}, [("eth0", 1500, 1400)]),
    ("a number", {"uplinks": 1380}, [("eth0", 1500, 1380)]),
    ("a number as text", {"uplinks": "1380"}, [("eth0", 1500, 1380)]),
    ("by the policy", {"policy": {"mtu": {"uplinks": "lower"}}}, [("eth0", 1500, 1400)]),
    ("an option wins over the policy", {"policy": {"mtu": {"uplinks": "lower"}}, "uplinks": "keep"}, []),
]


@pytest.mark.parametrize(("options", "expected"), [row[1:] for row in UPLINKS], ids=[row[0] for row in UPLINKS])
def test_uplinks_change_only_when_asked(options: Facts, expected: Any) -> None:
    host = c.plan_of(c.pair(1400, link_mtu=1500), **options)["hosts"]["n1"]
    assert links(host, "uplinks") == expected


def test_pods_shrink_with_an_uplink_that_is_made_smaller() -> None:
    host = c.plan_of(c.pair(1500), uplinks=1300)["hosts"]["n1"]
    assert links(host) == [("eth0", 1500, 1250), ("cali1", 1500, 1250), ("flannel.1", 1450, 1250), ("eth0", 1500, 1300)]


def test_the_ports_of_a_bridge_that_is_the_uplink_follow_it() -> None:
    links_ = [
        b.link("br0", 1500, "bridge", 2, "198.18.7.1/24"),
        b.link("eth0", 1500, "physical", 3, master="br0", bridge="br0"),
        b.link("veth5", 1500, "veth", 4, master="br0", bridge="br0"),
    ]
    home = b.network(b.HOST_INODE, b.host("n1"), links_, [b.route("0.0.0.0/0", "br0", "198.18.7.254")])
    facts = c.with_paths({"n1": b.facts([home])}, n1=[c.measured("n2", 1400)])
    assert links(c.plan_of(facts, uplinks="lower")["hosts"]["n1"]) == [("br0", 1500, 1400), ("eth0", 1500, 1400)]


REFUSED = [
    ("more than was measured", {"underlay_mtu": 1450}, "underlay_mtu: 1450; allowed is at most 1400, as the path from"),
    ("no number", {"underlay_mtu": "big"}, "underlay_mtu: 'big'; allowed is a whole number from 68 to 65535"),
    ("too small", {"underlay_mtu": 67}, "underlay_mtu: 67; allowed is a whole number from 68"),
    ("a boolean", {"underlay_mtu": True}, "underlay_mtu: True; allowed is"),
    ("uplinks above the path", {"uplinks": 1450}, "uplinks: 1450; allowed is at most 1400 on n1"),
    ("a word", {"uplinks": "raise"}, "uplinks: 'raise'; allowed is keep, lower, or a whole number"),
    ("raise", {"raise": "perhaps"}, "raise: 'perhaps'; allowed are true and false"),
    ("an option", {"underlay": 1400}, "no such option: underlay; known are underlay_mtu, raise, uplinks"),
    ("a host", {"hosts": ["n1", "n9"]}, "hosts: n9 not in the input"),
    ("a policy", {"policy": {"mtu": {"uplinks": "up"}}}, "mtu.uplinks is 'up', but must be keep, lower or a whole"),
    ("a policy's size", {"policy": {"mtu": {"underlay_mtu": 40}}}, "mtu.underlay_mtu is 40, but must be null or"),
    ("a policy's name", {"policy": {"mtu": {"uplink": "keep"}}}, "mtu.uplink is no setting of MTU plans; did you mean"),
]


@pytest.mark.parametrize(("options", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_bad_input_is_refused(options: Facts, message: str) -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        c.plan_of(c.pair(1400, link_mtu=1500), **options)
    assert message in str(refused.value)


def test_an_uplink_is_raised_only_when_that_is_asked_for_as_well() -> None:
    facts = c.pair(1500)
    with pytest.raises(AnsibleFilterError, match=r"uplinks: 9000 is more than the 1500 of eth0 on n1; ask for raise"):
        c.plan_of(facts, uplinks=9000)
    host = c.plan_of(facts, uplinks=9000, **{"raise": True})["hosts"]["n1"]
    assert links(host, "uplinks") == [("eth0", 1500, 9000)]
    assert host["pod_mtu"] == 1450


def test_what_a_person_says_wins_over_what_is_claimed() -> None:
    facts = c.pair(1500)
    facts["n1"]["netfit_assessment"]["paths"] = []
    host = c.plan_of(facts, underlay_mtu="1400")["hosts"]["n1"]
    assert (host["underlay"]["source"], host["underlay_mtu"], host["pod_mtu"]) == ("given", 1400, 1350)
    with pytest.raises(AnsibleFilterError, match=r"at most 1500, as eth0 of n1 sends 1500"):
        c.plan_of(facts, underlay_mtu=1501)


def test_hosts_without_facts_are_not_planned_and_say_why() -> None:
    facts = b.incident()
    facts["n3"] = {"netfit_assessment": {"status": "unreachable", "reason": "timed out", "paths": []}}
    facts["n4"] = b.facts([b.network(b.HOST_INODE, b.host("n4"), [b.link("lo", 65536, "loopback")], [])])
    plan = c.plan_of({**facts, "n5": {}})
    assert sorted(plan["hosts"]) == ["n1", "n2"]
    assert plan["not_planned"] == [
        {"host": "n3", "reason": "timed out"},
        {
            "host": "n4",
            "reason": (
                "its facts show no link that leads to other nodes: no default route, no overlay, no stated address"
            ),
        },
        {"host": "n5", "reason": "it has no facts: run netfit.cluster.network_facts on it first"},
    ]


def test_hostvars_do_as_well_as_facts() -> None:
    facts = b.incident()
    hostvars = {name: {"ansible_facts": facts[name], "inventory_hostname": name} for name in facts}
    assert c.plan_of({**hostvars, "other": {}}, hosts=list(facts)) == c.plan_of(facts)


def test_a_stated_address_names_the_underlay() -> None:
    links_ = [
        b.link("eth0", 1500, "physical", 2, "192.0.2.1/24"),
        b.link("eth1", 1450, "physical", 3, "10.1.0.1/24"),
    ]
    facts = b.facts([b.network(b.HOST_INODE, b.host("n1"), links_, [b.route("0.0.0.0/0", "eth0", "192.0.2.254")])])
    hostvars = {"n1": {"ansible_facts": facts, "netfit_address": "10.1.0.1"}}
    assert c.plan_of(hostvars)["hosts"]["n1"]["underlay"]["link"] == "eth1"
    assert c.plan_of({"n1": facts})["hosts"]["n1"]["underlay"]["link"] == "eth0"


def test_the_input_must_be_a_mapping() -> None:
    with pytest.raises(AnsibleFilterError, match=r"mtu_plan: the input must be hostvars"):
        c.plan_of(["n1"])  # type: ignore[arg-type]
