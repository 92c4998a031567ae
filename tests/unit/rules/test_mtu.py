# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU rules: each fires on one table of facts and not on its healthy neighbour."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import MtuMeaning
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import as_plain
from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Finding
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Owner, OwnerKind
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_cluster, assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
Facts = Dict[str, Any]


def found(facts: Facts, name: str = "n2") -> List[Finding]:
    return [one for one in assess_host(name, facts, POLICY) if one.severity.value != "info"]


def ids(facts: Facts) -> List[Tuple[str, str]]:
    return [(one.id, one.target.link or one.target.path or "") for one in found(facts)]


def canal(
    pod_mtu: int,
    address: str = "10.42.2.5/32",
    owner: Any = None,
    declarations: Any = (),
    routes: Any = None,
    host_end: Any = None,
    **node: Any,
) -> Facts:
    """A canal node with one pod."""
    end = b.link("cali7", host_end or pod_mtu, "veth", 7, peer=b.peer(9002, 3, "eth0", pod_mtu))
    networks = [b.node(2, extra=[end], **node), b.pod_network(9002, owner or b.pod(), pod_mtu, address, 7, routes)]
    return b.facts(networks, declarations)


def docker(
    mtu: int,
    uplink: int = 1500,
    bridge: int = 1500,
    declarations: Any = (),
    port: Any = None,
    routes: Any = None,
    kind: str = "veth",
    extra: Any = (),
) -> Facts:
    """A host with docker0 and one container."""
    links = [
        b.link("eth0", uplink, "physical", 2, "192.0.2.10/24"),
        b.link("docker0", bridge, "bridge", 4, "172.17.0.1/16"),
        b.link("veth9", port or mtu, "veth", 9, master="docker0", bridge="docker0", peer=b.peer(77, 8, "eth0", mtu)),
        *extra,
    ]
    inside = [b.link("eth0", mtu, kind, 8, "172.17.0.2/16", peer=b.peer(b.HOST_INODE, 9, "veth9", port or mtu))]
    default = [b.route("0.0.0.0/0", "eth0", "172.17.0.1")] if routes is None else routes
    return b.facts(
        [
            b.network(b.HOST_INODE, b.host(), links, [b.route("0.0.0.0/0", "eth0", "192.0.2.1")]),
            b.network(77, b.container(), inside, default, ["/run/docker/netns/77"]),
        ],
        declarations,
    )


def swarm(container_mtu: int, overlay_mtu: int) -> Facts:
    """A docker swarm overlay: bridge and vxlan live in a namespace without processes."""
    hidden = [
        b.link("br0", overlay_mtu, "bridge", 2),
        b.link("vxlan0", overlay_mtu, "vxlan", 3, master="br0", bridge="br0", encapsulation=b.tunnel(identifier=4097)),
        b.link(
            "veth0", container_mtu, "veth", 4, master="br0", bridge="br0", peer=b.peer(78, 5, "eth0", container_mtu)
        ),
    ]
    inside = [b.link("eth0", container_mtu, "veth", 5, "10.0.1.7/24", peer=b.peer(900, 4, "veth0", container_mtu))]
    return b.facts(
        [
            b.network(
                b.HOST_INODE, b.host(), [b.link("eth0", 1500, "physical")], [b.route("0.0.0.0/0", "eth0", "192.0.2.1")]
            ),
            b.network(900, Owner(OwnerKind.UNKNOWN), hidden, [], ["/run/docker/netns/1-abc"]),
            b.network(78, b.container(), inside, [b.route("10.0.1.0/24", "eth0")]),
        ]
    )


OVERLAY = [
    ("the incident", canal(1500, declarations=[b.subnet_env()]), [("MTU-001", "eth0")]),
    ("healed", canal(1450, declarations=[b.subnet_env()]), []),
    ("no file: span of routes and own subnet", canal(1500), [("MTU-001", "eth0")]),
    ("a plain container on the same overlay", canal(1500, owner=b.container()), [("MTU-001", "eth0")]),
    ("an address outside of the cluster", canal(1500, "172.17.0.2/16", b.container()), []),
    (
        "route MTU lowers the link's (Cilium)",
        canal(1500, routes=[b.route("0.0.0.0/0", "eth0", "10.42.2.1", mtu=1450)]),
        [],
    ),
    ("underlay 1460, pods fixed at 1450", canal(1450, overlay_mtu=1410, underlay_mtu=1460), [("MTU-001", "eth0")]),
    ("swarm", swarm(1500, 1450), [("MTU-001", "eth0")]),
    ("healthy swarm", swarm(1450, 1450), []),
    ("one cause, one finding: host end already lowered", canal(1500, host_end=1450), [("MTU-001", "eth0")]),
]


@pytest.mark.parametrize(("facts", "expected"), [row[1:] for row in OVERLAY], ids=[row[0] for row in OVERLAY])
def test_pod_against_overlay(facts: Facts, expected: List[Tuple[str, str]]) -> None:
    assert ids(facts) == expected


def test_incident_finding_says_what_a_person_needs() -> None:
    [finding] = found(b.incident()["n2"])
    assert finding.severity.value == "critical" and finding.confidence.value == "derived"
    assert finding.target.owner is not None and finding.target.owner.name == "prod/gateway"
    assert (finding.observed, finding.expected) == ("MTU 1500", "at most 1450 (flannel.1 on n2)")
    text = "\n".join(f"{one.what}|{one.value}|{one.source}" for one in finding.evidence)
    for part in (
        "eth0 (veth) in pod prod/gateway on n2|1500",
        "other end cali7|1500",
        "overlay flannel.1 (vxlan) on n2|1450",
        "underlay eth0, before the 50 bytes of vxlan|1500",
        "|1450|/run/flannel/subnet.env:3 FLANNEL_MTU",
        "|1500|/etc/cni/net.d/10-canal.conflist:7",
        "3 of 4 NodePort or load balancer requests (75 %)",
    ):
        assert part in text
    assert finding.remedy is not None
    assert finding.remedy.variables == {
        "links": [
            {"namespace": "/var/run/netns/cni-9002", "link": "eth0", "mtu": 1450},
            {"link": "cali7", "mtu": 1450},
        ],
        "pod_mtu": 1450,
        "overlay": "flannel.1",
        "files": ["/etc/cni/net.d/10-canal.conflist:7 plugins.0.mtu"],
    }


def test_learned_path_mtus_and_refused_packets_are_evidence() -> None:
    facts = b.incident()["n2"]
    facts["netfit_mtu"]["namespaces"][1]["path_mtu_exceptions"] = as_plain([b.learned("10.42.1.9", 1450)])
    facts["netfit_listen_queues"]["namespaces"][0]["rates"] = {"Icmp.OutDestUnreachs": 2.0}
    whats = {one.what: one.value for one in found(facts)[0].evidence}
    assert whats["path MTU learned towards 10.42.1.9"] == 1450
    assert whats["Icmp.OutDestUnreachs a second on n2"] == 2.0


def test_healthy_incident_gives_nothing() -> None:
    healthy = b.incident(pod_mtu=1450)
    assert [found(facts, name) for name, facts in healthy.items()] == [[], [], [], []]
    assert assess_cluster(healthy, POLICY) == []


def _with_overlay(mtu: int, master: Any = None, **tunnel: Any) -> Facts:
    links = [
        b.link("eth0", 1500, "physical"),
        b.link("flannel.1", mtu, "vxlan", 3, master=master, encapsulation=b.tunnel(**tunnel)),
    ]
    return b.facts([b.network(b.HOST_INODE, b.host(), links, [b.route("10.42.1.0/24", "flannel.1", "10.42.1.0")])])


@pytest.mark.parametrize(
    ("facts", "severities"),
    [
        (_with_overlay(1450), []),
        (_with_overlay(1500), ["medium"]),
        (_with_overlay(1450, underlay_mtu=1400), ["medium"]),
        (_with_overlay(1500, dont_fragment="set"), ["critical"]),
        (_with_overlay(1500, dont_fragment="inherit"), ["critical"]),
        (_with_overlay(1500, dont_fragment="set", master="br0"), ["high"]),
        (_with_overlay(1450, overhead=70, underlay_family="ipv6"), ["medium"]),
        (_with_overlay(1430, overhead=70, underlay_family="ipv6"), []),
        (_with_overlay(1500, underlay_mtu=None), []),
    ],
)
def test_overlay_against_underlay(facts: Facts, severities: List[str]) -> None:
    assert [(one.id, one.severity.value) for one in found(facts)] == [("MTU-002", one) for one in severities]


def test_a_program_that_feeds_the_tunnel_decides_itself() -> None:
    facts = _with_overlay(1500, collect_metadata=True)
    facts["netfit_mtu"]["namespaces"][0]["routes"] = []
    assert found(facts) == []


SEGMENTS = [
    ("all the same", docker(1500), []),
    ("bridge larger than its port", docker(1450, bridge=1500), ["MTU-003"]),
    ("port larger than the bridge", docker(1500, bridge=1400), ["MTU-003"]),
    ("no ports at all", b.facts([b.network(b.HOST_INODE, b.host(), [b.link("docker0", 1500, "bridge")], [])]), []),
    (
        "a port without carrier",
        docker(
            1500, extra=[b.link("tap0", 1400, "tun", 30, master="docker0", bridge="docker0", operational_state="down")]
        ),
        [],
    ),
    ("ends of a veth differ", docker(1500, port=1450, bridge=1450), ["MTU-004"]),
    ("ends of a veth differ, case F", canal(1450, host_end=1500), ["MTU-004"]),
]


@pytest.mark.parametrize(("facts", "expected"), [row[1:] for row in SEGMENTS], ids=[row[0] for row in SEGMENTS])
def test_one_segment(facts: Facts, expected: List[str]) -> None:
    assert [one.id for one in found(facts)] == expected


def test_bridge_finding_says_who_drops() -> None:
    [finding] = found(docker(1500, bridge=1400))
    assert finding.observed == "docker0 1400, veth9 1500"
    assert finding.evidence[-1].what == "docker0 silently drops what its larger ports send beyond 1400 bytes"
    assert finding.evidence[1].what == "MTU of port veth9 (veth), eth0 of container web on n2"


def test_veth_finding_changes_the_larger_end_only() -> None:
    [finding] = found(canal(1450, host_end=1500))
    assert finding.target.owner is not None and finding.target.owner.name == "prod/gateway"
    assert finding.remedy is not None and finding.remedy.variables == {"links": [{"link": "cali7", "mtu": 1450}]}


def _daemon(value: int, active: bool = True) -> Any:
    return b.declared("docker", value, MtuMeaning.INTERFACE, "/etc/docker/daemon.json", link="docker0", active=active)


DECLARED = [
    ("as declared", docker(1450, bridge=1450, declarations=[_daemon(1450)]), []),
    ("made before the change", docker(1500, declarations=[_daemon(1450)]), [("MTU-005", "eth0", "medium")]),
    ("smaller than declared", docker(1400, bridge=1400, declarations=[_daemon(1450)]), [("MTU-005", "eth0", "low")]),
    ("not in force", docker(1500, declarations=[_daemon(1450, active=False)]), []),
    ("no such link", docker(1500, declarations=[replace(_daemon(1450), link="br-9")]), []),
    (
        "overlay below FLANNEL_MTU",
        canal(1400, overlay_mtu=1400, declarations=[b.subnet_env(1450)]),
        [("MTU-005", "flannel.1", "high")],
    ),
    (
        "underlay value less overhead fits",
        canal(
            1450,
            declarations=[
                b.declared("flannel", 1500, MtuMeaning.UNDERLAY, "/etc/kube-flannel/net-conf.json", link="flannel.1")
            ],
        ),
        [],
    ),
    (
        "underlay value does not",
        canal(
            1450,
            declarations=[
                b.declared("flannel", 1400, MtuMeaning.UNDERLAY, "/etc/kube-flannel/net-conf.json", link="flannel.1")
            ],
        ),
        [("MTU-005", "flannel.1", "medium")],
    ),
    (
        "the next pod will be too large",
        canal(1450, declarations=[b.subnet_env(), b.conflist(1500), b.conflist(1450)]),
        [("MTU-009", "/etc/cni/net.d/10-canal.conflist", "high")],
    ),
    ("pod from before the change", canal(1400, declarations=[b.conflist(1450)]), [("MTU-005", "eth0", "low")]),
    ("told by MTU-001 already", canal(1500, declarations=[b.conflist(1450)]), [("MTU-001", "eth0", "critical")]),
]


@pytest.mark.parametrize(("facts", "expected"), [row[1:] for row in DECLARED], ids=[row[0] for row in DECLARED])
def test_declared_against_live(facts: Facts, expected: Any) -> None:
    assert [(one.id, one.target.link or one.target.path, one.severity.value) for one in found(facts)] == expected


UPLINK = [
    ("as large as the uplink", docker(1500), []),
    ("larger than the uplink", docker(1500, uplink=1450), [("MTU-007", "eth0")]),
    ("no way out", docker(1500, uplink=1450, routes=[b.route("172.17.0.0/16", "eth0")]), []),
    ("user-mode network", docker(65520, bridge=65520, kind="tun"), []),
    ("route MTU lowers it", docker(1500, uplink=1450, routes=[b.route("0.0.0.0/0", "eth0", mtu=1450)]), []),
    ("told by MTU-001 already", canal(1500, overlay_mtu=1350, underlay_mtu=1400), [("MTU-001", "eth0")]),
]


@pytest.mark.parametrize(("facts", "expected"), [row[1:] for row in UPLINK], ids=[row[0] for row in UPLINK])
def test_container_against_uplink(facts: Facts, expected: List[Tuple[str, str]]) -> None:
    assert ids(facts) == expected


def cluster(*mtus: Tuple[int, int]) -> Dict[str, Facts]:
    """Nodes by (underlay MTU, overlay MTU)."""
    return {
        f"n{number}": b.facts([b.node(number, len(mtus), overlay, underlay)])
        for number, (underlay, overlay) in enumerate(mtus, 1)
    }


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (cluster((1500, 1450), (1500, 1450), (1500, 1450)), []),
        (cluster((1500, 1450), (9001, 8951), (1500, 1450)), [("MTU-006", "n2", "flannel.1")]),
        (cluster((1500, 1450), (9001, 8951)), [("MTU-006", "n2", "flannel.1")]),
        (cluster((1500, 1450), (1500, 1450), (1400, 1350)), [("MTU-006", "n3", "flannel.1")]),
        (cluster((1500, 1450), (9001, 1450), (1500, 1450)), [("MTU-006", "n2", "eth0")]),
        ({"a": docker(1500), "b": docker(1400, uplink=1400, bridge=1400)}, []),
    ],
)
def test_nodes_disagree(hosts: Dict[str, Facts], expected: Any) -> None:
    assert [(one.id, one.target.host, one.target.link) for one in assess_cluster(hosts, POLICY)] == expected


def test_pod_that_fits_its_own_node_only() -> None:
    hosts = cluster((9001, 8951), (9001, 8951), (1500, 1450))
    end = as_plain(b.link("cali7", 8951, "veth", 7, peer=b.peer(9002, 3, "eth0", 8951)))
    hosts["n2"]["netfit_mtu"]["namespaces"][0]["links"].append(end)
    hosts["n2"]["netfit_mtu"]["namespaces"].append(b.pod_network(9002, b.pod(), 8951, "10.42.2.5/32", 7))
    assert found(hosts["n2"]) == []
    [between] = [one for one in assess_cluster(hosts, POLICY) if one.id == "MTU-001"]
    assert (between.target.host, between.target.link) == ("n2", "eth0")
    assert between.expected == "at most 1450 (flannel.1 on n3)"


def test_refusing_nodes_are_evidence_for_the_same_finding() -> None:
    hosts = b.incident()
    [own] = found(hosts["n2"])
    [again] = assess_cluster(hosts, POLICY)
    assert again.fingerprint == own.fingerprint
    more = again.evidence[len(own.evidence) :]
    assert [(one.what, one.value) for one in more] == [("Ip.FragFails a second on n1", 3.5)]
