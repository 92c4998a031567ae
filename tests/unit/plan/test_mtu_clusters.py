# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts of an inventory the plan gives one size: those of one cluster, as the audit tells clusters apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.cluster import overlays
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_view import view_host
from ansible_collections.netfit.cluster.tests.unit import builders as b
from ansible_collections.netfit.cluster.tests.unit.plan import clusters as c
from ansible_collections.netfit.cluster.tests.unit.plan.test_mtu_plan import swarm

Facts = Dict[str, Any]


def node(cluster: int, place: int, others: Sequence[int], uplink: int, pod: int, declared: bool = False) -> Facts:
    """A node of flannel with one pod. Each cluster has a network of its own for nodes, and one for pods."""
    home = [
        b.link("eth0", uplink, "physical", 2, f"192.0.{cluster}.{place}/24"),
        b.link("cali1", pod, "veth", 70, peer=b.peer(900, 3, "eth0", pod)),
        b.link(
            "flannel.1",
            uplink - 50,
            "vxlan",
            4,
            f"10.{cluster}.{place}.0/32",
            encapsulation=b.tunnel(underlay_mtu=uplink, identifier=1),
        ),
    ]
    routes = [b.route("0.0.0.0/0", "eth0", f"192.0.{cluster}.254")]
    for other in others:
        if other != place:
            routes.append(b.route(f"10.{cluster}.{other}.0/24", "flannel.1", f"10.{cluster}.{other}.0"))
    inside = b.pod_network(900, b.pod(f"web{cluster}{place}"), pod, f"10.{cluster}.{place}.5/32", 70)
    return b.facts(
        [b.network(b.HOST_INODE, b.host(f"n{cluster}{place}"), home, routes), inside],
        [replace(b.subnet_env(uplink - 50), network=f"10.{cluster}.0.0/16")] if declared else [],
    )


def groups(facts: Dict[str, Facts]) -> List[str]:
    return [" ".join(group["hosts"]) for group in c.plan_of(facts)["cluster"]["groups"]]


def two_clusters() -> Dict[str, Facts]:
    healthy = {f"a{place}": node(1, place, [1, 2], 9001, 8951) for place in (1, 2)}
    return {**healthy, **{f"b{place}": node(2, place, [1, 2], 1450, 1500) for place in (1, 2)}}


def test_a_narrow_cluster_does_not_cut_another_one() -> None:
    plan = c.plan_of(two_clusters())
    assert [group["hosts"] for group in plan["cluster"]["groups"]] == [["a1", "a2"], ["b1", "b2"]]
    assert {name: host["pod_mtu"] for name, host in plan["hosts"].items()} == {
        "a1": 8951,
        "a2": 8951,
        "b1": 1400,
        "b2": 1400,
    }
    assert plan["cluster"]["changed_hosts"] == ["b1", "b2"]
    assert {name: host["wish"]["pod_mtu"] for name, host in plan["hosts"].items() if name[0] == "a"} == {
        "a1": 8951,
        "a2": 8951,
    }


def test_nodes_whose_mates_are_not_in_the_inventory_are_told_apart_too() -> None:
    hosts = {"a1": node(1, 1, [1, 3], 9001, 8951), "a2": node(1, 2, [1, 3], 9001, 8951)}
    assert groups({**hosts, "b1": node(2, 1, [2], 1450, 1400)}) == ["a1 a2", "b1"]


def test_clusters_of_one_node_share_nothing() -> None:
    hosts = {"a1": node(1, 1, [], 9001, 8951, declared=True), "b1": node(2, 1, [], 1450, 1400, declared=True)}
    plan = c.plan_of(hosts)
    assert [group["encapsulation"] for group in plan["cluster"]["groups"]] == ["vxlan", "vxlan"]
    assert groups(hosts) == ["a1", "b1"]


def test_where_routes_name_no_node_all_count_as_one_cluster() -> None:
    hosts = two_clusters()
    hosts["odd"] = node(3, 1, [2], 1450, 1400)
    hosts["odd"]["netfit_mtu"]["namespaces"][0]["routes"][1]["gateway"] = None
    assert groups(hosts) == ["a1 a2 b1 b2 odd"]


def test_overlays_that_bridges_join_are_known_by_their_identifier() -> None:
    two = {**swarm(1450, 1450, 1450, 1500), "d2": swarm(1450, 1450, 1450, 1450)["d1"]}
    assert groups(two) == ["d1 d2"]


AUDITED = st.sets(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1)


@settings(deadline=None)
@given(AUDITED, st.integers(2, 4))
def test_the_plan_and_the_audit_tell_clusters_apart_alike(audited: Any, cut: int) -> None:
    facts = {f"n{one}{place}": node(one, place, range(1, cut + 1), 1500, 1450) for one, place in sorted(audited)}
    shared = [
        " ".join(one.host.name for one in nodes) for nodes in overlays([view_host(*one) for one in facts.items()])
    ]
    assert [names for names in groups(facts) if " " in names] == sorted(shared)
