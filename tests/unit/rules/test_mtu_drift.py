# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU-008, MTU-009 and MTU-010: each fires on one table of facts and not on its healthy neighbour."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import MtuMeaning
from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Finding
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.commands import fix_commands, keep_hint
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
Facts = Dict[str, Any]
RULES = ("MTU-005", "MTU-008", "MTU-009", "MTU-010")


def found(facts: Facts, paths: Any = ()) -> List[Finding]:
    measured = read_measured("n2", list(paths))
    return [one for one in assess_host("n2", facts, POLICY, measured) if one.id in RULES]


def shown(facts: Facts, paths: Any = ()) -> List[Tuple[str, str, str]]:
    return [(one.id, one.severity.value, one.confidence.value) for one in found(facts, paths)]


def node(*declarations: Any, uplink: int = 1500, overlay: int = 1450, **more: Any) -> Facts:
    return b.facts([b.node(2, overlay_mtu=overlay, underlay_mtu=uplink, **more)], declarations)


def networkd(value: int, link: str = "eth0", stack: str = "networkd", active: bool = True) -> Any:
    file = "/etc/systemd/network/10-eth0.network"
    return b.declared(stack, value, MtuMeaning.INTERFACE, file, "MTUBytes", link=link, active=active)


def to_n3(size: int, verdict: Any = b.reduced) -> Facts:
    return b.path("n3", verdict(size), verdict(size))


LINKS = [
    ("as live", node(networkd(1500)), [], []),
    ("larger than live", node(networkd(1500), uplink=1400, overlay=1350), [], [("MTU-009", "medium", "derived")]),
    (
        "larger than live, and than measured",
        node(networkd(1500), uplink=1450, overlay=1350),
        [to_n3(1400)],
        [("MTU-009", "high", "measured")],
    ),
    (
        "larger than live, and nothing but the link limits",
        node(networkd(1500), uplink=1400, overlay=1350),
        [b.path("n3", b.direction(1400), b.direction(1400), link_mtu=1400)],
        [("MTU-009", "medium", "derived")],
    ),
    ("smaller than live", node(networkd(1400)), [], [("MTU-005", "medium", "derived")]),
    ("not in force", node(networkd(1500, active=False), uplink=1400, overlay=1350), [], []),
    ("another link", node(networkd(1500, "eth7"), uplink=1400, overlay=1350), [], []),
    (
        "no manager of links",
        node(networkd(1500, stack="docker"), uplink=1400, overlay=1350),
        [],
        [("MTU-005", "low", "derived")],
    ),
]


@pytest.mark.parametrize(("facts", "paths", "expected"), [row[1:] for row in LINKS], ids=[row[0] for row in LINKS])
def test_what_a_link_gets_when_it_comes_up_again(facts: Facts, paths: Any, expected: Any) -> None:
    assert shown(facts, paths) == expected


@pytest.mark.parametrize("stack", ["networkd", "netplan", "network_manager", "ifupdown", "ifcfg", "wicked"])
def test_every_manager_of_links_counts(stack: str) -> None:
    [finding] = found(node(networkd(1500, stack=stack), uplink=1400, overlay=1350))
    assert finding.id == "MTU-009"
    assert finding.remedy is not None and finding.remedy.tag == "link_mtu"
    assert finding.remedy.variables == {"links": [{"link": "eth0", "mtu": 1400}], "persist": True}
    assert finding.observed == "/etc/systemd/network/10-eth0.network:7 MTUBytes declares 1500"
    assert "the file says more" in (keep_hint(finding.as_fact()) or "")


def test_what_two_files_say_of_one_link_is_one_finding() -> None:
    netplan = b.declared("netplan", 1500, MtuMeaning.INTERFACE, "/etc/netplan/1.yaml", "mtu", link="eth0")
    [finding] = found(node(netplan, networkd(1500), uplink=1400, overlay=1350))
    assert [one.source for one in finding.evidence][:2] == [
        "/etc/netplan/1.yaml:7 mtu",
        "/etc/systemd/network/10-eth0.network:7 MTUBytes",
    ]
    assert (finding.target.link, finding.target.path) == ("eth0", None)


def test_the_next_pod_is_told_once() -> None:
    facts = node(b.conflist(1500))
    [finding] = found(facts)
    assert (finding.id, finding.severity.value) == ("MTU-009", "high")
    assert finding.remedy is not None
    assert (finding.remedy.tag, finding.remedy.variables["pod_mtu"]) == ("cni_mtu", 1450)
    assert found(node(b.conflist(1450))) == []


def test_a_pod_that_is_too_large_already_is_no_drift() -> None:
    assert found(b.incident()["n2"]) == []


def guard(rolled_back: Any = None, pending: Optional[Facts] = None) -> Facts:
    facts = node()
    facts["netfit_mtu"]["guard"] = {"pending": pending, "rolled_back": rolled_back or []}
    return facts


UNDONE = {"run": "20261126T0100", "moment": "2026-11-26T01:00:12Z", "reason": "no fresh connection in 60 seconds"}


def test_a_change_that_was_rolled_back() -> None:
    [finding] = found(guard([{**UNDONE, "changes": ["eth0 1450 to 1500"]}]))
    assert (finding.id, finding.severity.value, finding.confidence.value) == ("MTU-008", "high", "measured")
    assert finding.observed == "undone at 2026-11-26T01:00:12Z: no fresh connection in 60 seconds"
    assert finding.target.key == "run 20261126T0100"
    assert "eth0 1450 to 1500" in [one.value for one in finding.evidence]
    assert fix_commands(finding.as_fact()) == []


def test_each_run_that_was_rolled_back_is_one_finding() -> None:
    runs = [one.target.key for one in found(guard([{**UNDONE, "changes": []}, {**UNDONE, "run": "later"}]))]
    assert runs == ["run 20261126T0100", "run later"]


@pytest.mark.parametrize(
    "facts",
    [node(), guard(), guard(pending={"run": "now", "deadline": "2026-11-26T01:00:12Z"})],
    ids=["no guard", "nothing undone", "one under way"],
)
def test_no_change_was_rolled_back(facts: Facts) -> None:
    assert found(facts) == []


def calico(value: int, kind: str = "vxlan", overhead: int = 50, uplink: int = 1500, file: str = "10-calico") -> Facts:
    name = {"vxlan": "vxlan.calico", "ipip": "tunl0"}[kind]
    tunnel = b.tunnel(kind=kind, overhead=overhead, underlay_mtu=uplink)
    links = [
        b.link("eth0", uplink, "physical", 2, "198.18.7.12/24"),
        b.link(name, uplink - overhead, kind, 3, "10.42.2.0/32", encapsulation=tunnel),
    ]
    routes = [b.route("0.0.0.0/0", "eth0", "198.18.7.1"), b.route("10.42.1.0/26", name, "10.42.1.0")]
    path = f"/etc/cni/net.d/{file}.conflist"
    declared = b.declared("calico", value, MtuMeaning.INTERFACE, path, "plugins.0.mtu")
    return b.facts([b.network(b.HOST_INODE, b.host(), links, routes)], [declared])


def flannel(value: int, uplink: int = 1500, overlay: int = 1450) -> Facts:
    net_conf = "/etc/kube-flannel/net-conf.json"
    return node(
        b.declared("flannel", value, MtuMeaning.UNDERLAY, net_conf, "Backend.MTU", link="flannel.1"),
        uplink=uplink,
        overlay=overlay,
    )


def cilium(value: int) -> Facts:
    tunnel = b.tunnel(collect_metadata=True)
    links = [
        b.link("eth0", 1500, "physical", 2, "198.18.7.12/24"),
        b.link("cilium_vxlan", 1500, "vxlan", 3, encapsulation=tunnel),
    ]
    declared = b.declared("cilium", value, MtuMeaning.UNDERLAY, "/etc/cni/net.d/05-cilium.conflist", "plugins.0.mtu")
    routes = [b.route("0.0.0.0/0", "eth0", "198.18.7.1")]
    return b.facts([b.network(b.HOST_INODE, b.host(), links, routes)], [declared])


def swarm(value: int, uplink: int = 1500) -> Facts:
    links = [b.link("eth0", uplink, "physical", 2, "192.0.2.10/24")]
    home = b.network(b.HOST_INODE, b.host(), links, [b.route("0.0.0.0/0", "eth0", "192.0.2.1")])
    declared = b.declared("docker", value, MtuMeaning.UNDERLAY, "/etc/docker/daemon.json", "default-network-opts")
    return b.facts([home], [declared])


MEANINGS = [
    ("calico over vxlan, the underlay's", calico(1500), [("MTU-010", "high", "derived")]),
    ("calico over vxlan, final", calico(1450), []),
    ("calico over ipip, the underlay's", calico(9000, "ipip", 20, 9000), [("MTU-010", "high", "derived")]),
    ("calico over ipip, final", calico(8980, "ipip", 20, 9000), []),
    ("calico, too large without being the underlay's", calico(1480), [("MTU-009", "high", "derived")]),
    ("flannel, final", flannel(1450, overlay=1400), [("MTU-010", "low", "derived")]),
    ("flannel, final, live is larger", flannel(1450), [("MTU-010", "low", "derived")]),
    ("flannel, the underlay's", flannel(1500), []),
    ("flannel, some other number", flannel(1460, overlay=1410), []),
    ("cilium, final", cilium(1450), [("MTU-010", "low", "derived")]),
    ("cilium, the underlay's", cilium(1500), []),
    ("docker overlay, final", swarm(1450), [("MTU-010", "low", "derived")]),
    ("docker overlay, the underlay's", swarm(1500), []),
]


@pytest.mark.parametrize(("facts", "expected"), [row[1:] for row in MEANINGS], ids=[row[0] for row in MEANINGS])
def test_meanings(facts: Facts, expected: Any) -> None:
    assert shown(facts) == expected


def test_a_number_that_was_measured_is_the_truth_about_the_underlay() -> None:
    paths = [to_n3(1450, b.black)]
    assert shown(flannel(1450, overlay=1400), paths) == []
    assert shown(calico(1500), paths) == [("MTU-010", "high", "derived")]


def test_what_calico_found_by_itself_is_nobodys_mistake() -> None:
    facts = calico(1500)
    facts["netfit_mtu"]["declared"][0]["source"]["file"] = "/var/lib/calico/mtu"
    assert [one.id for one in found(facts)] == ["MTU-009"]


def test_a_confused_meaning_says_which_number_is_meant() -> None:
    [large] = found(calico(1500))
    assert large.expected == "1450: to calico it is the final MTU, nothing is subtracted"
    assert large.remedy is not None
    assert large.remedy.variables == {"files": ["/etc/cni/net.d/10-calico.conflist:7 plugins.0.mtu"], "pod_mtu": 1450}
    [small] = found(flannel(1450))
    assert small.expected == "1500: to flannel it is the underlay's MTU, and 50 are subtracted from it"
    assert small.remedy is not None and small.remedy.variables["underlay_mtu"] == 1500
    assert keep_hint(small.as_fact()) == (
        "set the MTU of the underlay to 1500 where /etc/kube-flannel/net-conf.json:7 Backend.MTU says less"
    )
