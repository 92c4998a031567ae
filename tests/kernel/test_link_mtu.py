# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTUs of real links in network namespaces, compared with what ip(8) says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from network_lab import Lab

from ansible_collections.netfit.cluster.plugins.module_utils._change.link_mtu import (
    LinksPlan,
    carry_out,
    plan_links,
    wishes_of,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import choose_run, plan_undo, undo

NODE = (
    "link add eth0 mtu 1500 type veth peer name far0 netns {far}",
    "link set eth0 up",
    "addr add 10.1.0.1/24 dev eth0",
    "link add flannel.1 mtu 1450 type vxlan id 1 local 10.1.0.1 remote 10.1.0.2 dev eth0 dstport 8472",
    "link add cni0 type bridge",
    "link add veth1 type veth peer name eth0 netns {pod}",
    "link add veth2 type veth peer name eth0 netns {other}",
    "link set veth1 master cni0",
    "link set veth2 master cni0",
    "link add mac0 link eth0 type macvlan mode bridge",
)


@pytest.fixture
def node() -> Iterator[Lab]:
    """A node with an uplink, an overlay, a bridge and two pods."""
    with Lab() as lab:
        lab.add("node", "pod", "other", "far")
        lab.ip("node", *NODE)
        lab.ip("pod", "link set eth0 up", "addr add 10.42.0.2/24 dev eth0", "addr add fd42::2/64 dev eth0 nodad")
        yield lab


def mtus(lab: Lab, name: str) -> Dict[str, int]:
    return {link["ifname"]: link["mtu"] for link in lab.ip_json(name, "link") if link["ifname"] != "lo"}


def wish(lab: Lab, name: str, link: str, mtu: int) -> Dict[str, Any]:
    return {"link": link, "mtu": mtu, "namespace": lab.path(name)}


def planned(*entries: Dict[str, Any]) -> LinksPlan:
    return plan_links(wishes_of(entries), persist=False)


def applied(tmp_path: Path, *entries: Dict[str, Any]) -> List[str]:
    """Set them; returns the links in the order in which they were set."""
    changes = planned(*entries).changes(live=True)
    carry_out(changes, "one", str(tmp_path / "journal"))
    return [change.target["link"] for change in changes]


def test_both_ends_of_a_pair_are_set_together_the_pods_first(node: Lab, tmp_path: Path) -> None:
    for name, link in (("pod", "eth0"), ("node", "veth1")):
        order = applied(tmp_path, wish(node, name, link, 1400 if name == "pod" else 1380))
        assert order == ["eth0", "veth1"]
        wanted = 1400 if name == "pod" else 1380
        assert (mtus(node, "pod")["eth0"], mtus(node, "node")["veth1"]) == (wanted, wanted)
    assert applied(tmp_path, wish(node, "pod", "eth0", 1450)) == ["veth1", "eth0"]
    assert planned(wish(node, "pod", "eth0", 1450)).changes(live=True) == []


def test_it_says_how_long_it_lasts(node: Lab) -> None:
    plan = planned(wish(node, "pod", "eth0", 1400)).as_result(live=True)
    lasts = "it lasts until the pod or container is made anew"
    assert [(one["persisted"], one["reason"]) for one in plan["links"]] == [(False, lasts)] * 2


def test_a_whole_node_is_lowered_from_the_top_down_and_the_bridge_keeps_it(node: Lab, tmp_path: Path) -> None:
    everything = [
        wish(node, "node", "eth0", 1400),
        wish(node, "node", "flannel.1", 1350),
        wish(node, "node", "cni0", 1350),
        wish(node, "pod", "eth0", 1350),
        wish(node, "other", "eth0", 1350),
        wish(node, "node", "mac0", 1400),
    ]
    order = applied(tmp_path, *everything)
    assert set(order[-4:]) == {"eth0", "far0", "veth1", "veth2"}, "what carries the others comes last"
    assert mtus(node, "node") == {
        "eth0": 1400, "flannel.1": 1350, "cni0": 1350, "veth1": 1350, "veth2": 1350, "mac0": 1400,
    }  # fmt: skip
    assert mtus(node, "far")["far0"] == 1400
    node.ip("node", "link add late type veth peer name late1", "link set late master cni0")
    assert mtus(node, "node")["cni0"] == 1350
    chosen = choose_run("one", str(tmp_path / "journal"))
    assert chosen is not None
    undo(chosen, plan_undo(chosen, RESOURCES), RESOURCES, str(tmp_path / "journal"))
    before = {"eth0": 1500, "flannel.1": 1450, "cni0": 1500, "veth1": 1500, "veth2": 1500, "mac0": 1500}
    assert {name: mtu for name, mtu in mtus(node, "node").items() if not name.startswith("late")} == before


def test_a_raise_goes_from_the_bottom_up(node: Lab, tmp_path: Path) -> None:
    order = applied(tmp_path, wish(node, "node", "flannel.1", 8951), wish(node, "node", "eth0", 9001))
    assert order.index("eth0") < order.index("flannel.1")
    assert mtus(node, "node")["flannel.1"] == 8951


def test_what_is_gone_at_an_undo_needs_none(node: Lab, tmp_path: Path) -> None:
    applied(tmp_path, wish(node, "pod", "eth0", 1400))
    node.ip("node", "link del veth1")
    chosen = choose_run("one", str(tmp_path / "journal"))
    assert chosen is not None
    assert [step.gone for step in plan_undo(chosen, RESOURCES)] == [True, True]


def test_a_refused_link_takes_back_the_others(node: Lab, tmp_path: Path) -> None:
    plan = planned(wish(node, "pod", "eth0", 1400), wish(node, "node", "mac0", 1400))
    broken = [
        *plan.changes(live=True),
        type(plan.changes(live=True)[0])("link_mtu", dict(plan.steps[-1].target), 1400, 70000),
    ]
    with pytest.raises(ChangeError, match=r"cannot be set to 70000: .*what was changed before is taken back"):
        carry_out(broken, "one", str(tmp_path / "journal"))
    assert (mtus(node, "pod")["eth0"], mtus(node, "node")["veth1"], mtus(node, "node")["mac0"]) == (1500, 1500, 1500)


@pytest.mark.parametrize(
    ("name", "link", "mtu", "said"),
    [
        ("node", "eth0", 67, r"links\[0\].mtu is 67; an MTU is from 68 bytes \(1280 with IPv6\) to 65535"),
        ("node", "eth0", 65536, r"links\[0\].mtu is 65536"),
        ("pod", "eth0", 1279, "eth0 cannot have 1279: it has IPv6 addresses, and IPv6 needs 1280"),
        (
            "node",
            "flannel.1",
            1451,
            "flannel.1 cannot have 1451: eth0, which carries it, has 1500, and vxlan over ipv4",
        ),
        ("node", "mac0", 1501, "mac0 cannot have 1501: eth0, which carries it, has 1500"),
        ("node", "eth7", 1400, "there is no eth7 in .*; there are cni0, eth0, flannel.1, lo, mac0"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything(name: str, link: str, mtu: int, said: str, node: Lab) -> None:
    with pytest.raises(ValueError, match=said):
        planned(wish(node, name, link, mtu))


def test_a_tunnel_may_grow_with_its_underlay(node: Lab) -> None:
    with pytest.raises(ValueError, match="1350 at most"):
        planned(wish(node, "node", "eth0", 1400), wish(node, "node", "flannel.1", 1400))
    assert planned(wish(node, "node", "eth0", 1600), wish(node, "node", "flannel.1", 1550)).changes(live=True)


def test_two_wishes_that_contradict_each_other_are_refused(node: Lab) -> None:
    with pytest.raises(ValueError, match=r"is to have 1400 and .* is to have 1300, but they are the same link or"):
        planned(wish(node, "pod", "eth0", 1400), wish(node, "node", "veth1", 1300))
    assert len(planned(wish(node, "pod", "eth0", 1400), wish(node, "node", "veth1", 1400)).steps) == 2


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            {"link": "eth0", "mtu": 1400, "namespace": "/run/netns/none-of-ours"},
            "is no network namespace: No such file",
        ),
        ({"link": "eth0", "mtu": 1400, "namespace": "/proc/self/ns/mnt"}, "/proc/self/ns/mnt is no network namespace"),
        ({"link": "eth0", "mtu": 1400, "namespace": "/run/netns/a", "pid": 1}, "namespace and pid both say"),
        ({"link": "eth0", "mtu": 1400, "pid": 4194304}, "/proc/4194304/ns/net is no network namespace"),
    ],
)
def test_a_place_that_is_none_is_refused(entry: Dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        planned(entry)


def test_what_is_gone_by_then_is_told_and_all_else_is_set(node: Lab, tmp_path: Path) -> None:
    """A pod that ended between a plan and its change: both of its ends, in a namespace that is no more."""
    entries = [
        wish(node, "pod", "eth0", 1400),
        {"link": "eth0", "mtu": 1400, "namespace": "/var/run/netns/cni-gone"},
        {"link": "eth0", "mtu": 1400, "pid": 4194304},
        wish(node, "node", "veth7", 1400),
    ]
    for entry in entries[1:]:
        with pytest.raises(ValueError, match=r"is no network namespace|there is no veth7"):
            planned(entry)
    plan = plan_links(wishes_of(entries), persist=False, skip_gone=True)
    assert list(plan.gone) == [
        "eth0 in /var/run/netns/cni-gone: /var/run/netns/cni-gone is no network namespace: No such file or directory",
        "eth0 of process 4194304: /proc/4194304/ns/net is no network namespace: No such file or directory",
        f"there is no veth7 in {node.path('node')}; there are cni0, eth0, flannel.1, lo, mac0, veth1, veth2",
    ]
    carry_out(plan.changes(live=True), "one", str(tmp_path / "journal"), skip_gone=True)
    assert (mtus(node, "pod")["eth0"], mtus(node, "node")["veth1"]) == (1400, 1400)


def test_what_goes_while_the_others_are_set_takes_nothing_back(node: Lab, tmp_path: Path) -> None:
    entries = [wish(node, "pod", "eth0", 1400), wish(node, "other", "eth0", 1400)]
    plan = plan_links(wishes_of(entries), persist=False, skip_gone=True)
    node.ip("node", "link del veth1")
    changes = plan.changes(live=True)
    with pytest.raises(ChangeError, match="the link is no more; what was changed before is taken back"):
        carry_out(changes, "strict", str(tmp_path / "journal"))
    assert mtus(node, "other")["eth0"] == 1500
    _run, gone = carry_out(changes, "one", str(tmp_path / "journal"), skip_gone=True)
    assert (mtus(node, "other")["eth0"], mtus(node, "node")["veth2"]) == (1400, 1400)
    left = plan.without(gone)
    assert {step.name.name for step in left.steps} == {"eth0", "veth2"} and len(left.steps) == 2
    assert sorted(left.gone) == sorted(
        f"MTU of {change.target['link']} of {change.target['owner']}: it went before it could be set" for change in gone
    )
    assert [change.target["link"] for change in gone] == ["eth0", "veth1"]


@pytest.mark.parametrize("where", [{"pid": os.getpid()}, {"namespace": "/proc/self/ns/net"}])
def test_a_process_that_is_the_hosts_own_by_now_does_not_stand_for_a_container(where: Dict[str, Any]) -> None:
    """Process ids are given away again: the host's own lo would be changed, without a guard."""
    entries = [{"link": "lo", "mtu": 1400, **where}]
    with pytest.raises(ValueError, match=r"is in the host's own network namespace.*leave out namespace and pid"):
        planned(*entries)
    plan = plan_links(wishes_of(entries), persist=False, skip_gone=True)
    assert plan.steps == () and len(plan.gone) == 1
