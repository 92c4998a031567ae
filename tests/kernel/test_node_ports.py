# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NodePorts read back from rules that the kernel holds, loaded by kube-proxy's own programs in namespaces of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, cast

import pytest
from network_lab import Lab, run

from ansible_collections.netfit.cluster.plugins.module_utils._facts.mtu_fact import completed_links
from ansible_collections.netfit.cluster.plugins.module_utils._facts.node_port_fact import node_ports_of
from ansible_collections.netfit.cluster.plugins.module_utils._facts.options import GatherOptions, Subset
from ansible_collections.netfit.cluster.plugins.module_utils._facts.reading import Reader
from ansible_collections.netfit.cluster.plugins.module_utils._facts.survey import Survey
from ansible_collections.netfit.cluster.plugins.module_utils._kernel import node_ports
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.node_ports import read_node_ports
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Problem
from ansible_collections.netfit.cluster.plugins.module_utils._model.node_port import NodePort
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Namespace

DATA = Path(__file__).resolve().parents[1] / "unit" / "data" / "kube-proxy"
VERSIONS = ("1.20", "1.23", "1.25", "1.31")
SHOWN = {
    30004: ("prod/gateway:http", "cluster", [("10.42.2.5", 1.0)]),
    30053: ("kube-system/dns:dns", "cluster", [("10.42.2.8", 1.0)]),
    30080: ("shop/web", "cluster", [("10.42.1.7", 0.333333), ("10.42.2.7", 0.333333), ("10.42.3.7", 0.333333)]),
    30443: ("edge/ingress:https", "local", [("10.42.1.9", 1.0)]),
    30444: ("edge/away:https", "local", []),
}

Read = Tuple[List[NodePort], List[Problem]]


@pytest.fixture
def node(lab: Lab) -> Lab:
    """A namespace without any rule."""
    lab.add("node")
    return lab


def load(lab: Lab, *command: str, file: str) -> None:
    text = (DATA / file).read_text(encoding="utf-8")
    lab.inside("node", lambda: run(*command, given=text))


def read(lab: Lab, running: bool = True) -> Read:
    return lab.inside("node", lambda: read_node_ports([], ["lo"], running))


def shown(ports: List[NodePort]) -> Dict[int, Any]:
    return {
        one.port: (
            one.service,
            one.external_traffic_policy.value,
            [(end.address, pytest.approx(end.share, abs=2e-6)) for end in one.endpoints],
        )
        for one in ports
    }


def state(lab: Lab) -> str:
    """Everything that netfilter has there: tables of nf_tables, and names of the legacy ones."""

    def look() -> str:
        names = [
            Path(f"/proc/thread-self/net/{family}_tables_names").read_text(encoding="ascii") for family in ("ip", "ip6")
        ]
        return run("nft", "-s", "list", "ruleset") + "".join(names)

    return lab.inside("node", look)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["nft", "legacy"])
def test_iptables_rules_are_read_back(node: Lab, kind: str, version: str) -> None:
    load(node, f"iptables-{kind}-restore", "--noflush", file=f"iptables-{version}.rules")
    before = state(node)
    ports, problems = read(node)
    assert shown(ports) == SHOWN
    assert problems == []
    assert {(one.family, one.mode.value, one.source) for one in ports} == {
        ("ipv4", "iptables", f"iptables-{kind}-save -t nat, chain KUBE-NODEPORTS")
    }
    assert state(node) == before


@pytest.mark.parametrize("kind", ["nft", "legacy"])
def test_rules_of_ipv6_are_read_back(node: Lab, kind: str) -> None:
    load(node, f"ip6tables-{kind}-restore", "--noflush", file="iptables-1.31-ipv6.rules")
    (port,), problems = read(node)
    assert (port.family, port.port, port.endpoints[0].address, problems) == ("ipv6", 30004, "fd42:2::5", [])


def test_the_table_of_nftables_is_read_back_and_comes_before_what_iptables_left_behind(node: Lab) -> None:
    load(node, "iptables-nft-restore", "--noflush", file="iptables-1.20.rules")
    load(node, "nft", "-f", "-", file="nftables-1.31.nft")
    before = state(node)
    ports, problems = read(node)
    assert shown([one for one in ports if one.family == "ipv4"]) == SHOWN
    assert [one.port for one in ports if one.family == "ipv6"] == [30004]
    assert {one.mode.value for one in ports} == {"nftables"}
    assert problems == [] and state(node) == before


@pytest.mark.parametrize("running", [False, True])
def test_a_host_without_kube_proxy_s_rules_is_left_alone_and_says_nothing(node: Lab, running: bool) -> None:
    """Not even the nat table comes to be there: iptables-legacy-save would make it."""
    assert read(node, running) == ([], [])
    assert state(node) == ""


def without(monkeypatch: pytest.MonkeyPatch, nft: bool = True, save: bool = True) -> None:
    if nft:
        monkeypatch.setattr(node_ports, "find_nft", lambda: None)
    if save:
        monkeypatch.setattr(node_ports, "find_save_command", lambda _kind, _family: None)


def test_without_the_programs_it_is_a_problem_only_where_kube_proxy_runs(
    node: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch)
    assert read(node, running=False) == ([], [])
    ports, (problem,) = read(node, running=True)
    assert ports == []
    assert problem.reason.startswith("kube-proxy runs here, and its rules cannot be read: iptables-save")
    assert "nft is not installed (package nftables)" in problem.reason


def test_chains_that_nothing_here_can_read_are_a_problem(node: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    load(node, "iptables-nft-restore", "--noflush", file="iptables-1.31.rules")
    without(monkeypatch, nft=False)
    ports, (problem,) = read(node, running=False)
    assert ports == [] and problem.reason == (
        "kube-proxy's chain KUBE-NODEPORTS is in table ip nat: "
        "iptables-save for nf_tables is not installed (package iptables)"
    )


@pytest.mark.parametrize(("file", "told"), [("iptables-1.31.rules", True), ("", False)])
def test_a_program_that_fails_is_a_problem_only_with_kube_proxy_s_chains(
    node: Lab, monkeypatch: pytest.MonkeyPatch, file: str, told: bool
) -> None:
    load(node, "iptables-nft-restore", "--noflush", file=file or "iptables-1.31.rules")
    if not file:
        node.inside("node", lambda: run("iptables-nft-restore", given="*nat\nCOMMIT\n"))
    monkeypatch.setattr(node_ports, "find_save_command", lambda kind, _family: ("false",) if kind == "nft" else None)
    ports, problems = read(node, running=False)
    assert ports == [] and [one.reason.endswith("false: 1") for one in problems] == [True] * told


def test_an_nft_that_fails_leaves_iptables_save(node: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise OSError("nft: JSON support not compiled-in")

    load(node, "iptables-nft-restore", "--noflush", file="iptables-1.31.rules")
    monkeypatch.setattr(node_ports, "read_tables", refuse)
    ports, problems = read(node)
    assert shown(ports) == SHOWN and problems == []


def test_iptables_save_is_enough_for_iptables(node: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    load(node, "iptables-nft-restore", "--noflush", file="iptables-1.31.rules")
    without(monkeypatch, save=False)
    ports, problems = read(node)
    assert shown(ports) == SHOWN and problems == []


def test_too_many_are_cut_and_said(node: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    load(node, "nft", "-f", "-", file="nftables-1.31.nft")
    monkeypatch.setattr(node_ports, "MOST_ENDPOINTS", 4)
    ports, (problem,) = read(node)
    assert [one.port for one in ports] == [30004, 30053]
    assert problem.reason.startswith("only the first 2 of 6 are listed")


def test_the_recorded_json_is_what_nft_still_prints(node: Lab) -> None:
    load(node, "nft", "-f", "-", file="nftables-1.31.nft")
    text = node.inside("node", lambda: run("nft", "-j", "list", "table", "ip", "kube-proxy"))
    recorded = json.loads((DATA / "nftables-1.31-ipv4.json").read_text(encoding="utf-8"))
    kinds = {kind for entry in json.loads(text)["nftables"] for kind in entry}
    assert kinds == {kind for entry in recorded["nftables"] for kind in entry}


WORLD = (
    "link add eth0 type veth peer name eth0 netns {far}",
    "link set eth0 up",
    "address add 192.0.2.1/24 dev eth0",
    "link add flannel.1 type vxlan id 1 dstport 8472 local 192.0.2.1 dev eth0 nolearning",
    "link set flannel.1 up",
    "link add cali9 type veth peer name eth0 netns {pod}",
    "link set cali9 up",
    "link add cni0 type bridge",
    "link add veth7 type veth peer name eth0 netns {other}",
    "link set veth7 up master cni0",
    "link set cni0 up",
    "route add 10.42.1.9/32 dev cali9",
    "route add 10.42.1.7/32 dev cni0",
    "route add 10.42.2.0/24 dev flannel.1",
    "route add 10.42.3.0/24 via 192.0.2.3",
)
"""A node with an overlay, a plain route to other pods, a pod behind a veth and one behind a bridge."""


@pytest.mark.parametrize("widened", [False, True])
def test_where_endpoints_are_follows_from_the_host_s_routes_and_namespaces(node: Lab, widened: bool) -> None:
    """widened: the bridge has a tunnel as a port, so that pods of other hosts may be behind it."""
    node.add("far", "pod", "other")
    node.ip("node", *WORLD)
    node.ip("pod", "address add 10.42.1.9/32 dev eth0", "link set eth0 up")
    if widened:
        node.ip(
            "node", "link add wide0 type vxlan id 9 dstport 4789 local 192.0.2.1 dev eth0", "link set wide0 master cni0"
        )
    load(node, "iptables-nft-restore", "--noflush", file="iptables-1.31.rules")
    found: Dict[str, Tuple[Optional[bool], Optional[str]]] = {}
    names = ("node", "pod")
    spaces = [Namespace(node.inode(name), (node.path(name),), host=name == "node") for name in names]
    reader = Reader(GatherOptions(frozenset({Subset.MTU})))
    nothing = Survey(spaces, cast(Any, None), {}, {}, [])
    seen = Survey(spaces, nothing.owners, nothing.visit(spaces, reader.read), {}, [])
    for port in node_ports_of(seen, completed_links(seen)):
        found.update({end.address: (end.local, end.device) for end in port.endpoints})
    assert found == {
        "10.42.1.9": (True, "cali9"),
        "10.42.1.7": (None if widened else True, "cni0"),
        "10.42.2.5": (False, "flannel.1"),
        "10.42.2.7": (False, "flannel.1"),
        "10.42.2.8": (False, "flannel.1"),
        "10.42.3.7": (False, "eth0"),
    }
    assert seen.problems == []
    node.ip("node", "route del 10.42.3.0/24")
    ends = [end for port in node_ports_of(seen, completed_links(seen)) for end in port.endpoints]
    assert [(end.local, end.device) for end in ends if end.address == "10.42.3.7"] == [(None, None)]
