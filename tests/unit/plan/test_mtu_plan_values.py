# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan's values, worked out by hand: underlays, families, encapsulations, and every setting in its own meaning."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.plugin_utils._plan.knobs import KNOBS, Sizes, value_for
from ansible_collections.netfit.cluster.tests.unit.plan.clusters import pair, plan_of

Case = Tuple[int, str, Optional[str], int, int, int, int]
VALUES: List[Case] = [
    # underlay, family, encapsulation, overhead | pods, flannel's underlay, docker's overlay
    (1400, "ipv4", "vxlan", 50, 1350, 1400, 1400),
    (1450, "ipv4", "vxlan", 50, 1400, 1450, 1450),
    (1460, "ipv4", "vxlan", 50, 1410, 1460, 1460),
    (1500, "ipv4", "vxlan", 50, 1450, 1500, 1500),
    (8500, "ipv4", "vxlan", 50, 8450, 8500, 8500),
    (9001, "ipv4", "vxlan", 50, 8951, 9001, 9001),
    # flannel and docker subtract 50 over IPv6, too, and need a number that makes up for the missing 20.
    (1400, "ipv6", "vxlan", 70, 1330, 1380, 1380),
    (1450, "ipv6", "vxlan", 70, 1380, 1430, 1430),
    (1460, "ipv6", "vxlan", 70, 1390, 1440, 1440),
    (1500, "ipv6", "vxlan", 70, 1430, 1480, 1480),
    (8500, "ipv6", "vxlan", 70, 8430, 8480, 8480),
    (9001, "ipv6", "vxlan", 70, 8931, 8981, 8981),
    # Plain routes: nothing is taken.
    (1400, "ipv4", None, 0, 1400, 1400, 1400),
    (1450, "ipv4", None, 0, 1450, 1450, 1450),
    (1460, "ipv4", None, 0, 1460, 1460, 1460),
    (1500, "ipv4", None, 0, 1500, 1500, 1500),
    (8500, "ipv4", None, 0, 8500, 8500, 8500),
    (9001, "ipv4", None, 0, 9001, 9001, 9001),
    (1400, "ipv6", None, 0, 1400, 1400, 1400),
    (1450, "ipv6", None, 0, 1450, 1450, 1450),
    (1460, "ipv6", None, 0, 1460, 1460, 1460),
    (1500, "ipv6", None, 0, 1500, 1500, 1500),
    (8500, "ipv6", None, 0, 8500, 8500, 8500),
    (9001, "ipv6", None, 0, 9001, 9001, 9001),
    # flannel takes off 80 for WireGuard whatever the family, and so it is 80.
    (1500, "ipv4", "wireguard", 60, 1420, 1500, 1420),
    (1500, "ipv6", "wireguard", 80, 1420, 1500, 1420),
    (1400, "ipv4", "wireguard", 60, 1320, 1400, 1320),
    (1500, "ipv4", "ipip", 20, 1480, 1500, 1480),
    (8500, "ipv4", "ipip", 20, 8480, 8500, 8480),
]
IDS = [f"{case[0]}-{case[1]}-{case[2]}" for case in VALUES]
FINAL = [
    "RKE1 cluster.yml network.mtu",
    "RKE2 rke2-canal calico.vethuMTU",
    "RKE2 rke2-calico installation.calicoNetwork.mtu",
    "Canal veth_mtu",
    "Calico veth_mtu",
    "Calico operator calicoNetwork.mtu",
    "Weave WEAVE_MTU",
    "Antrea defaultMTU",
    "Kube-OVN --mtu",
]
OF_FLANNEL = [
    "RKE2 rke2-canal flannel.mtu",
    "RKE2 rke2-flannel flannel.mtu",
    "K3s flannel net-conf.json Backend.MTU",
    "flannel Backend.MTU",
]
OF_CILIUM = ["RKE2 rke2-cilium MTU", "Cilium mtu"]
CONTAINER = [
    "CNI plugin mtu",
    "Docker daemon mtu",
    "Docker default-network-opts bridge",
    "Docker bridge network driver.mtu",
    "Podman network mtu",
    "nerdctl network mtu",
]


@pytest.mark.parametrize("case", VALUES, ids=IDS)
def test_the_plan_has_the_values_that_were_worked_out(case: Case) -> None:
    underlay, family, kind, overhead, pods, flannel, docker = case
    plan = plan_of(pair(underlay, family=family, kind=kind, overhead=overhead, pod_mtu=9001, device_mtu=None))
    host = plan["hosts"]["n2"]
    assert host["underlay"]["source"] == "measured"
    assert (host["underlay_mtu"], host["pod_mtu"], host["container_mtu"]) == (underlay, pods, underlay)
    assert host["encapsulation"] == (kind or "none")
    assert host["family"] == (family if kind is not None else None)
    values: Dict[str, int] = plan["cluster"]["groups"][0]["values"]
    assert {values[name] for name in FINAL} == {pods}
    assert {values[name] for name in OF_FLANNEL} == {flannel}
    assert {values[name] for name in OF_CILIUM} == {underlay}
    assert {values[name] for name in CONTAINER} == {underlay}
    if kind == "vxlan":
        assert values["Docker overlay network driver.mtu"] == docker
    assert sorted(values) == sorted([*FINAL, *OF_FLANNEL, *OF_CILIUM, *CONTAINER, "Docker overlay network driver.mtu"])


def test_azure_claims_1500_and_carries_1400() -> None:
    plan = plan_of(pair(1400, link_mtu=1500))
    host = plan["hosts"]["n1"]
    assert host["underlay"] == {
        "link": "eth0",
        "link_mtu": 1500,
        "path_mtu": 1400,
        "peer": "the path from n1 to n2",
        "source": "measured",
        "mtu": 1400,
        "unmeasured": 0,
    }
    assert (host["pod_mtu"], host["overhead"]) == (1350, 50)
    assert [(one["link"], one["now"], one["mtu"]) for one in host["tunnels"]] == [("flannel.1", 1450, 1350)]
    assert host["uplinks"] == []
    assert any("uplinks: lower ends that" in note for note in host["notes"])


def test_an_underlay_that_was_not_measured_is_only_claimed() -> None:
    facts = pair(1500)
    facts["n1"]["netfit_assessment"]["paths"] = []
    host = plan_of(facts)["hosts"]["n1"]
    assert (host["underlay"]["source"], host["underlay"]["path_mtu"], host["underlay"]["mtu"]) == (
        "claimed",
        None,
        1500,
    )
    assert host["notes"][0] == "eth0 claims 1500; what its paths carry is claimed, not measured"


@pytest.mark.parametrize("knob", [knob.name for knob in KNOBS])
def test_every_setting_has_a_restart_and_a_value(knob: str) -> None:
    assert value_for(knob, Sizes(1400, 1400, "vxlan", 50)) in (1350, 1400)
    assert next(one.restart for one in KNOBS if one.name == knob)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(KeyError):
        value_for("mtu", Sizes(1500, 1500))
