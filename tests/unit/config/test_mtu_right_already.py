# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node whose new pods get the right MTU by themselves, and whose files say nothing else, is left as it is."""

from __future__ import annotations

from typing import Callable, Dict, Union

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_stacks import plan_stack
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, Stack, StackPlan

Host = Callable[[str, Union[str, bytes]], str]
WISH = MtuWish(underlay_mtu=1450, pod_mtu=1400)
MANIFESTS = "/var/lib/rancher/rke2/server/manifests"
CONFIG = f"{MANIFESTS}/rke2-canal-config.yaml"
CONFLIST = '{"name": "pods", "plugins": [{"type": "calico", "mtu": %d}]}'
HEAD = "kind: HelmChartConfig\nmetadata:\n  name: rke2-%s\nspec:\n  valuesContent: |\n"
SUBNET_ENV = "/run/flannel/subnet.env"
FLANNEL = "/sys/class/net/flannel.1/mtu"
GENERATED = "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json"
RIGHT: Dict[str, Dict[str, str]] = {
    "canal": {
        "/etc/cni/net.d/10-canal.conflist": CONFLIST % 1400,
        SUBNET_ENV: "FLANNEL_MTU=1400\n",
        FLANNEL: "1400\n",
    },
    "calico": {"/etc/cni/net.d/10-calico.conflist": CONFLIST % 0, "/var/lib/calico/mtu": "1400\n"},
    "flannel": {SUBNET_ENV: "FLANNEL_MTU=1400\n", "/sys/class/net/flannel.4096/mtu": "1400\n"},
    "cilium": {"/sys/class/net/lxc_health/mtu": "1450\n"},
}


def rke2(host: Host, plugin: str, files: Dict[str, str]) -> StackPlan:
    host("/etc/rancher/rke2/config.yaml", f"cni: {plugin}\n")
    root = host(f"{MANIFESTS}/x", "")
    for path, text in files.items():
        host(path, text)
    made = plan_stack(root, Stack.RKE2, WISH)
    assert not made.blocked, made.reason
    return made


@pytest.mark.parametrize("plugin", RIGHT)
def test_a_server_of_rke2_that_is_right_by_itself(host: Host, plugin: str) -> None:
    made = rke2(host, plugin, RIGHT[plugin])
    assert (made.changes, made.patches) == ((), ())
    assert made.reason == "new pods of this node get it already, and nothing says otherwise"


@pytest.mark.parametrize(("plugin", "file"), [(plugin, file) for plugin, files in RIGHT.items() for file in files])
def test_what_the_node_does_not_show_is_not_taken_for_right(host: Host, plugin: str, file: str) -> None:
    if file == FLANNEL or "4096" in file:
        files = {**RIGHT[plugin], file: "1450\n"}
    else:
        files = {path: text for path, text in RIGHT[plugin].items() if path != file}
    assert len(rke2(host, plugin, files).changes) == 1


def test_values_of_other_things_stay_alone_beside_a_node_that_is_right(host: Host) -> None:
    iface = {CONFIG: HEAD % "canal" + "    flannel:\n      iface: eth1\n"}
    assert rke2(host, "canal", {**RIGHT["canal"], **iface}).changes == ()


def test_a_file_that_says_something_else_is_changed_although_the_node_is_right(host: Host) -> None:
    other = {CONFIG: HEAD % "canal" + "    calico:\n      vethuMTU: 1450\n"}
    made = rke2(host, "canal", {**RIGHT["canal"], **other})
    assert [change.path for change in made.changes] == [CONFIG]


def test_k3s_that_found_the_right_number_by_itself_is_told_nothing(host: Host) -> None:
    host(SUBNET_ENV, "FLANNEL_MTU=1400\n")
    host(FLANNEL, "1400\n")
    root = host(GENERATED, '{"Network": "10.42.0.0/16", "Backend": {"Type": "vxlan"}}')
    made = plan_stack(root, Stack.K3S, WISH)
    assert (made.changes, made.as_result()["restart"]) == ((), None)
    assert made.reason == "new pods of this node get it already, and nothing says otherwise"
    host(FLANNEL, "1450\n")
    assert len(plan_stack(root, Stack.K3S, WISH).changes) == 2


def test_k3s_whose_files_say_something_else_is_told(host: Host) -> None:
    host(SUBNET_ENV, "FLANNEL_MTU=1400\n")
    host("/etc/rancher/k3s/config.yaml", "flannel-conf: /etc/flannel.json\n")
    root = host("/etc/flannel.json", '{"Backend": {"Type": "vxlan", "MTU": 1500}}')
    assert [change.path for change in plan_stack(root, Stack.K3S, WISH).changes] == ["/etc/flannel.json"]


def test_values_on_another_server_keep_a_new_file_from_being_made(host: Host) -> None:
    root = host(f"{MANIFESTS}/x", "")
    wish = MtuWish(underlay_mtu=1450, pod_mtu=1400, elsewhere="server1")
    made = plan_stack(root, Stack.RKE2, wish)
    assert (made.changes, made.blocked, made.chart_config, made.cluster) == ((), False, "", "")
    assert made.reason.startswith("server1 has a HelmChartConfig rke2-canal in a file")
    host("/var/lib/rancher/rke2/server/tls/server-ca.crt", "CA")
    host(CONFIG, HEAD % "canal" + "    flannel:\n      iface: eth1\n")
    made = plan_stack(root, Stack.RKE2, wish)
    assert ([change.path for change in made.changes], made.chart_config) == ([CONFIG], CONFIG)
    assert len(made.cluster) == 64
