# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stack a node has, what each knob means, what is refused and why, what is left to the cluster's owner."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Union

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_stacks import (
    KUBERNETES,
    find_stacks,
    plan_stack,
    plan_stacks,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, Stack, StackPlan

Host = Callable[[str, Union[str, bytes]], str]
Recorded = Callable[[str], str]
WISH = MtuWish(underlay_mtu=1450, pod_mtu=1400)
MANIFESTS = "/var/lib/rancher/rke2/server/manifests"
CONFLIST = "/etc/cni/net.d/10-%s.conflist"
K3S_CONFIG = "/etc/rancher/k3s/config.yaml"
GENERATED = "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json"
MOUNTED = "/var/lib/kubelet/pods/5e0c7d7b/volumes/kubernetes.io~configmap/flannel-cfg/net-conf.json"
VXLAN = '{"Network": "10.42.0.0/16", "Backend": {"Type": "vxlan"}}'


def conflist(kind: str, **settings: Any) -> str:
    extra = "".join(f', "{key}": {value}' for key, value in settings.items())
    return f'{{"name": "pods", "plugins": [{{"type": "{kind}"{extra}}}]}}'


def written(host: Host, files: Dict[str, str]) -> str:
    for path, text in files.items():
        root = host(path, text)
    return root


def plan(root: str, stack: Stack, wish: MtuWish = WISH) -> StackPlan:
    return plan_stack(root, stack, wish)


def blocked(root: str, stack: Stack, wish: MtuWish = WISH) -> str:
    made = plan(root, stack, wish)
    assert (made.blocked, made.changes, made.patches) == (True, (), ())
    return made.reason


def knobs(made: StackPlan) -> Dict[str, List[Optional[int]]]:
    assert not made.blocked, made.reason
    return {knob.name.rpartition(": ")[2]: [knob.before, knob.after] for knob in made.knobs}


# Which stack a node has


@pytest.mark.parametrize(
    ("system", "stacks"),
    [
        ("rke1-canal", [Stack.CANAL]),
        ("rke2-canal", [Stack.RKE2]),
        ("rke2-flannel", [Stack.FLANNEL]),
        ("k3s", [Stack.K3S]),
        ("k3s-flannel-conf", [Stack.K3S]),
        ("docker-20.10", []),
    ],
)
def test_the_stack_of_recorded_hosts(recorded: Recorded, system: str, stacks: List[Stack]) -> None:
    assert [stack for stack in find_stacks(recorded(system), MtuWish()) if stack in KUBERNETES] == stacks


@pytest.mark.parametrize(
    ("files", "stack"),
    [
        ({CONFLIST % "canal": conflist("calico")}, Stack.CANAL),
        ({CONFLIST % "flannel": conflist("flannel")}, Stack.FLANNEL),
        ({CONFLIST % "calico": conflist("calico")}, Stack.CALICO),
        (
            {CONFLIST % "calico": conflist("calico"), "/var/log/pods/kube-system_calico-node-x7k2p_4711/x": ""},
            Stack.CALICO,
        ),
        (
            {CONFLIST % "calico": conflist("calico"), "/var/log/pods/calico-system_calico-node-x7k2p_4711/x": ""},
            Stack.CALICO_OPERATOR,
        ),
        ({CONFLIST % "cilium": conflist("cilium-cni")}, Stack.CILIUM),
        (
            {CONFLIST % "canal": conflist("calico"), "/etc/kubernetes/ssl/kubecfg-kube-node.yaml": ""},
            Stack.RKE1,
        ),
        (
            {CONFLIST % "canal": conflist("calico"), "/etc/rancher/rke2/config.yaml": "cni: [multus, calico]"},
            Stack.RKE2,
        ),
        (
            {CONFLIST % "calico": conflist("calico"), K3S_CONFIG: "flannel-backend: none"},
            Stack.CALICO,
        ),
        (
            {
                CONFLIST % "cilium": conflist("cilium-cni"),
                "/etc/rancher/rke2/config.yaml": "cni: none",
                f"{MANIFESTS}/x": "",
            },
            Stack.CILIUM,
        ),
    ],
)
def test_the_stack_of_a_node(host: Host, files: Dict[str, str], stack: Stack) -> None:
    root = written(host, files)
    assert find_stacks(root, MtuWish()) == [stack]


def test_a_cluster_file_makes_a_machine_one_of_rke1(host: Host) -> None:
    root = host("/etc/x", "")
    assert find_stacks(root, MtuWish(rke1_cluster_file="/srv/cluster.yml")) == [Stack.RKE1]


def test_a_stack_that_is_named_and_not_there_says_so(host: Host) -> None:
    root = host(CONFLIST % "calico", conflist("calico"))
    plans = plan_stacks(root, [Stack.CILIUM, Stack.CALICO], WISH)
    assert [(one.stack, one.found) for one in plans] == [(Stack.CALICO, True), (Stack.CILIUM, False)]


# What is missing


@pytest.mark.parametrize(
    ("stack", "wish", "option"),
    [
        (Stack.RKE1, MtuWish(underlay_mtu=1450, rke1_cluster_file="/srv/cluster.yml"), "pod_mtu"),
        (Stack.RKE2, MtuWish(pod_mtu=1400), "underlay_mtu"),
        (Stack.RKE2, MtuWish(underlay_mtu=1450), "pod_mtu"),
        (Stack.K3S, MtuWish(pod_mtu=1400), "underlay_mtu"),
        (Stack.FLANNEL, MtuWish(pod_mtu=1400), "underlay_mtu"),
        (Stack.CANAL, MtuWish(underlay_mtu=1450), "pod_mtu"),
        (Stack.CALICO, MtuWish(underlay_mtu=1450), "pod_mtu"),
        (Stack.CALICO_OPERATOR, MtuWish(container_mtu=1450), "pod_mtu"),
        (Stack.CILIUM, MtuWish(pod_mtu=1400), "underlay_mtu"),
    ],
)
def test_a_number_that_is_missing_is_named(host: Host, stack: Stack, wish: MtuWish, option: str) -> None:
    root = host("/srv/cluster.yml", "network:\n  plugin: canal\n")
    host(f"{MANIFESTS}/x", "")
    host(GENERATED, VXLAN)
    assert blocked(root, stack, wish).startswith(f"{option}: it is not given")


# RKE1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("network:\n  plugin: flannel\n", 'RKE1 refuses network.mtu with it ("does not support configuring MTU")'),
        ("network:\n  plugin: none\n", "for canal, calico and weave only"),
        ("network:\n  plugin: 'canal\n", "/srv/cluster.yml, line 2"),
        ("network: [\n", "/srv/cluster.yml, line 1"),
        ("network:\n  plugin: canal\n    mtu: 1450\n", "/srv/cluster.yml, line 3"),
        ("network: {plugin: canal}\n", "set 'mtu: 1400' below 'network:' by hand"),
        ("network:\n  plugin: canal\n  mtu: big\n", "network.mtu is 'big' and no whole number"),
    ],
)
def test_a_cluster_file_that_is_refused(host: Host, text: str, said: str) -> None:
    root = host("/srv/cluster.yml", text)
    assert said in blocked(root, Stack.RKE1, replace(WISH, rke1_cluster_file="/srv/cluster.yml"))


def test_a_cluster_file_that_is_not_there(host: Host) -> None:
    said = blocked(host("/etc/x", ""), Stack.RKE1, replace(WISH, rke1_cluster_file="/srv/cluster.yml"))
    assert said == "rke1_cluster_file: /srv/cluster.yml is not there: name the cluster.yml that 'rke up' reads"


@pytest.mark.parametrize("plugin", ["canal", "calico", "weave"])
def test_after_rke_up_the_pods_of_the_network_are_restarted(host: Host, plugin: str) -> None:
    root = host("/srv/cluster.yml", f"network:\n  plugin: {plugin}\n")
    made = plan(root, Stack.RKE1, replace(WISH, rke1_cluster_file="/srv/cluster.yml"))
    assert knobs(made) == {"network.mtu": [None, 1400]}
    assert made.as_result()["restart"] == {"unit": None, "command": "rke up --config /srv/cluster.yml"}
    name = {"canal": "canal", "calico": "calico-node", "weave": "weave-net"}[plugin]
    commands = made.patches[0].commands
    assert commands[:2] == (
        "rke up --config /srv/cluster.yml",
        f"kubectl --namespace kube-system rollout restart daemonset {name}",
    )


def test_the_plugin_of_a_cluster_file_has_to_be_the_one_that_is_expected(host: Host) -> None:
    root = host("/srv/cluster.yml", "network:\n  plugin: canal\n")
    wish = replace(WISH, rke1_cluster_file="/srv/cluster.yml", plugin="calico")
    assert "plugin: calico, but /srv/cluster.yml has network.plugin canal" in blocked(root, Stack.RKE1, wish)


def test_a_node_of_rke1_names_the_file_and_what_undoes_a_patch(host: Host) -> None:
    made = plan(host(CONFLIST % "canal", conflist("calico", mtu=1450)), Stack.RKE1)
    assert knobs(made) == {"network.mtu": [1450, 1400]}
    assert made.changes == ()
    assert "network.mtu in the cluster.yml" in made.reason
    assert "is undone by the next 'rke up'" in made.reason
    assert made.patches[0].commands[0].startswith("# a stop-gap: the next 'rke up' undoes it")
    assert made.patches[0].resource == "configmap/canal-config"


def test_a_node_of_rke1_that_is_right_needs_no_patch(host: Host) -> None:
    made = plan(host(CONFLIST % "calico", conflist("calico", mtu=1400)), Stack.RKE1)
    assert (made.patches, knobs(made)) == ((), {"network.mtu": [1400, 1400]})


def test_a_node_of_rke1_with_flannel(host: Host) -> None:
    said = blocked(host(CONFLIST % "flannel", conflist("flannel")), Stack.RKE1)
    assert "set that one with link_mtu" in said


# RKE2


def test_an_agent_of_rke2_has_nothing_to_write(host: Host) -> None:
    made = plan(host("/etc/rancher/rke2/config.yaml", "server: https://192.0.2.1:9345\n"), Stack.RKE2)
    assert (made.changes, made.patches, made.blocked) == ((), (), False)
    assert "on the server nodes" in made.reason


@pytest.mark.parametrize(
    ("config", "files", "plugin", "said"),
    [
        ("cni: canal\n", [], "cilium", "plugin: cilium, but this node has canal (/etc/rancher/rke2/config.yaml:1)"),
        ("", [], "cilium", "this node has canal (RKE2's default, where config.yaml has no cni)"),
        ("", ["rke2-calico.yaml"], "canal", f"this node has calico ({MANIFESTS}/rke2-calico.yaml)"),
        ("cni: none\n", [], None, "name the stack that you installed with stacks"),
        ("cni: [canal, cilium]\n", [], None, "leave one"),
        ("cni: kube-ovn\n", [], None, "no plugin whose chart is known here"),
        ("cni: [canal\n", [], None, "config.yaml can't be understood (line 1"),
    ],
)
def test_the_plugin_of_rke2(host: Host, config: str, files: List[str], plugin: Optional[str], said: str) -> None:
    root = host("/etc/rancher/rke2/config.yaml", config)
    host(f"{MANIFESTS}/x", "")
    for name in files:
        host(f"{MANIFESTS}/{name}", "kind: HelmChart\n")
    assert said in blocked(root, Stack.RKE2, replace(WISH, plugin=plugin))


def test_a_later_file_of_rke2_chooses_the_plugin(host: Host) -> None:
    root = host("/etc/rancher/rke2/config.yaml", "cni: canal\n")
    host("/etc/rancher/rke2/config.yaml.d/50-cni.yaml", "cni: calico\n")
    host(f"{MANIFESTS}/x", "")
    assert knobs(plan(root, Stack.RKE2)) == {"installation.calicoNetwork.mtu": [None, 1400]}


def test_canal_of_rke2_with_ipv6_between_the_nodes_tells_flannel_less_than_the_underlay(host: Host) -> None:
    root = host(f"{MANIFESTS}/x", "")
    made = plan(root, Stack.RKE2, MtuWish(underlay_mtu=1500, pod_mtu=1430))
    assert knobs(made) == {"calico.vethuMTU": [None, 1430], "flannel.mtu": [None, 1480]}


def test_pods_can_not_have_more_than_the_tunnel_carries(host: Host) -> None:
    said = blocked(host(f"{MANIFESTS}/x", ""), Stack.RKE2, MtuWish(underlay_mtu=1450, pod_mtu=1450))
    assert said == ("pod_mtu: 1450 is more than flannel's vxlan carries: 1400, which is underlay_mtu 1450 less 50")


def test_canal_of_rke2_over_wireguard(host: Host) -> None:
    config = f"{MANIFESTS}/rke2-canal-config.yaml"
    root = host(
        config,
        "kind: HelmChartConfig\nmetadata:\n  name: rke2-canal\nspec:\n  valuesContent: |-\n"
        "    flannel:\n      backend: wireguard\n",
    )
    made = plan(root, Stack.RKE2, MtuWish(underlay_mtu=1450, pod_mtu=1370))
    assert knobs(made) == {"calico.vethuMTU": [None, 1370], "flannel.mtu": [None, 1450]}
    assert made.keeping == ()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.yaml": "", "b.yaml": ""}, "each have a HelmChartConfig rke2-canal"),
        ({"deep/a.yaml": "", "a.yaml.skip": None}, "a.yaml.skip makes RKE2 pass over"),
        ({"a.yaml": "  valuesContent: >\n    a: 1\n"}, "set calico.vethuMTU and flannel.mtu in its valuesContent"),
        ({"a.yaml": "  values: {a: 1}\n"}, "it has 'values' beside 'valuesContent'"),
        ({"a.yaml": "  valuesContent: |\n    flannel:\n      mtu: auto\n"}, "'auto' and no whole number"),
        ({"a.yaml": "  valuesContent: |\n    flannel:\n      vni: x\n"}, "flannel.vni is 'x' and no whole number"),
        ({"a.yaml": "other\n"}, "a.yaml, line 5: expected a key"),
    ],
)
def test_a_chart_config_that_is_beyond_us(host: Host, files: Dict[str, Optional[str]], said: str) -> None:
    head = "kind: HelmChartConfig\nmetadata:\n  name: rke2-canal\nspec:\n"
    root = written(host, {f"{MANIFESTS}/{name}": "" if text is None else head + text for name, text in files.items()})
    assert said in blocked(root, Stack.RKE2)


def test_what_is_done_after_the_chart_has_its_values(host: Host) -> None:
    root = host(f"{MANIFESTS}/x", "")
    host("/sys/class/net/flannel.1/mtu", "1450\n")
    made = plan(root, Stack.RKE2)
    assert made.as_result()["before_restart"] == ["ip link set dev flannel.1 mtu 1400"]
    assert made.patches[0].commands[:2] == (
        "# on every node first, its MTU stays otherwise: ip link set dev flannel.1 mtu 1400",
        "kubectl --namespace kube-system rollout restart daemonset rke2-canal",
    )
    assert (made.patches[0].patch, made.patches[0].file) == ("", "")


def test_it_waits_for_the_owner_until_the_node_shows_the_new_numbers(host: Host) -> None:
    root = host(f"{MANIFESTS}/x", "")
    change = plan(root, Stack.RKE2).changes[0]
    assert change.after is not None
    host(change.path, change.after.text)
    host(CONFLIST % "canal", conflist("calico", mtu=1450))
    host("/run/flannel/subnet.env", "FLANNEL_MTU=1400\n")
    assert plan(root, Stack.RKE2).patches != ()
    host(CONFLIST % "canal", conflist("calico", mtu=1400))
    assert plan(root, Stack.RKE2).patches == ()
    host("/run/flannel/subnet.env", "FLANNEL_MTU=1450\n")
    assert plan(root, Stack.RKE2).patches != ()


def test_what_the_files_can_not_show_is_spoken_of(host: Host) -> None:
    reason = plan(host(f"{MANIFESTS}/x", ""), Stack.RKE2).reason
    assert "made with kubectl" in reason and "get helmchartconfig rke2-canal" in reason
    assert "after an undo, run 'kubectl --namespace kube-system delete helmchartconfig rke2-canal'" in reason


HEAD = "kind: HelmChartConfig\nmetadata:\n  name: rke2-%s\nspec:\n  valuesContent: |\n    flannel:\n"


def test_files_that_rke2_passes_over_are_none_of_the_cluster(host: Host) -> None:
    root = host(f"{MANIFESTS}/.a.yaml", HEAD % "canal")
    host(f"{MANIFESTS}/a.yaml.old", HEAD % "canal")
    assert [change.path for change in plan(root, Stack.RKE2).changes] == [f"{MANIFESTS}/rke2-canal-config.yaml"]


def test_a_file_below_the_directory_is_found(host: Host) -> None:
    root = host(f"{MANIFESTS}/mine/network.yml", HEAD % "canal" + "      mtu: 1450\n")
    made = plan(root, Stack.RKE2)
    assert [change.path for change in made.changes] == [f"{MANIFESTS}/mine/network.yml"]
    assert knobs(made) == {"calico.vethuMTU": [None, 1400], "flannel.mtu": [1450, 1450]}


@pytest.mark.parametrize(
    ("before", "after"),
    [("# nothing yet", "# nothing yet\n---\n# Written"), ("", "---\n# Written"), ("kind: X\n", "kind: X\n---\n# W")],
)
def test_something_else_under_our_name_stays(host: Host, before: str, after: str) -> None:
    path = f"{MANIFESTS}/rke2-canal-config.yaml"
    made = plan(host(path, before), Stack.RKE2)
    assert made.changes[0].before is not None and made.changes[0].before.text == before
    assert made.changes[0].after is not None and made.changes[0].after.text.startswith(after)
    host(path, made.changes[0].after.text)
    assert plan(host(path, made.changes[0].after.text), Stack.RKE2).changes == ()


def test_a_backend_that_takes_no_notice_of_an_mtu(host: Host) -> None:
    root = host(f"{MANIFESTS}/a.yaml", HEAD % "canal" + "      backend: host-gw\n")
    made = plan(root, Stack.RKE2, MtuWish(pod_mtu=1450))
    assert (knobs(made), made.keeping) == ({"calico.vethuMTU": [None, 1450]}, ())
    host("/etc/rancher/rke2/config.yaml", "cni: flannel")
    host(f"{MANIFESTS}/a.yaml", HEAD % "flannel" + "      backend: host-gw\n")
    assert "flannel.backend host-gw takes no notice of an MTU" in blocked(root, Stack.RKE2)


def test_devices_of_rke2_that_would_keep_their_mtu(host: Host) -> None:
    root = host(f"{MANIFESTS}/a.yaml", HEAD % "flannel" + "      vni: 7\n")
    host("/etc/rancher/rke2/config.yaml", "cni: flannel")
    for device in ("flannel.7", "flannel-v6.7", "flannel.4096"):
        host(f"/sys/class/net/{device}/mtu", "1450\n")
    made = plan(root, Stack.RKE2)
    assert made.keeping == (("flannel.7", 1400), ("flannel-v6.7", 1400))
    assert made.patches[0].commands[:3] == (
        "# on every node first, its MTU stays otherwise: ip link set dev flannel.7 mtu 1400",
        "# on every node first, its MTU stays otherwise: ip link set dev flannel-v6.7 mtu 1400",
        "kubectl --namespace kube-system rollout restart daemonset kube-flannel-ds",
    )


def test_the_operator_of_calico_is_waited_for(host: Host) -> None:
    root = host("/etc/rancher/rke2/config.yaml", "cni: calico")
    host(f"{MANIFESTS}/x", "")
    commands = plan(root, Stack.RKE2).patches[0].commands
    assert commands[0] == "kubectl --namespace calico-system rollout status daemonset calico-node --timeout=15m"


# K3s


@pytest.mark.parametrize(
    ("config", "net_conf", "said"),
    [
        ("flannel-backend: none\n", None, "config.yaml:1: K3s runs no flannel"),
        ("", '{"Backend": {"Type": "host-gw"}}', "flannel's backend host-gw takes no notice of an MTU"),
        ("", '{"Backend": {"Type": "extension"}}', "set the interface's MTU with link_mtu"),
        ("", "{", "no valid JSON: line 1"),
        ("", '{"Network": "10.42.0.0/16"}', "it has no Backend with a Type"),
        ("", None, "start K3s once"),
        ("flannel-conf: /srv/net.json\n", VXLAN, "flannel-conf names /srv/net.json, which is not there"),
    ],
)
def test_k3s_without_an_mtu_to_set(host: Host, config: str, net_conf: Optional[str], said: str) -> None:
    root = host(K3S_CONFIG, config)
    if net_conf is not None:
        host(GENERATED, net_conf)
    assert said in blocked(root, Stack.K3S)


@pytest.mark.parametrize("unit", ["k3s.service", "k3s-agent.service"])
def test_an_option_of_k3s_on_its_command_line_comes_after_the_files(host: Host, unit: str) -> None:
    root = host(K3S_CONFIG, "flannel-conf: /srv/file.json\n")
    host(
        f"/etc/systemd/system/{unit}", "ExecStart=/usr/local/bin/k3s \\\n    agent \\\n\t'--flannel-conf=/srv/a.json'\n"
    )
    host("/srv/a.json", VXLAN)
    made = plan(root, Stack.K3S)
    assert [change.path for change in made.changes] == ["/srv/a.json"]


def test_k3s_with_wireguard_makes_its_device_anew(host: Host) -> None:
    root = host(GENERATED, '{"Backend": {"Type": "wireguard", "PersistentKeepaliveInterval": 25}}')
    made = plan(root, Stack.K3S, MtuWish(underlay_mtu=1450))
    assert knobs(made) == {"Backend.MTU": [None, 1450]}
    assert made.as_result()["before_restart"] == []
    assert "keep their old MTU over the restart" not in made.running


def test_devices_of_k3s_that_would_keep_their_mtu(host: Host) -> None:
    text = '{"EnableIPv6": true, "IPv6Network": "2001:db8::/56", "Backend": {"Type": "vxlan", "VNI": 7}}'
    root = host(GENERATED, text)
    host("/sys/class/net/flannel.7/mtu", "1450\n")
    host("/sys/class/net/flannel-v6.7/mtu", "1440\n")
    made = plan(root, Stack.K3S, MtuWish(underlay_mtu=1500, pod_mtu=1430))
    assert made.as_result()["before_restart"] == [
        "ip link set dev flannel.7 mtu 1430",
        "ip link set dev flannel-v6.7 mtu 1430",
    ]
    assert made.as_result()["keeping"] == [{"link": "flannel.7", "mtu": 1430}, {"link": "flannel-v6.7", "mtu": 1430}]
    assert made.as_result()["restart"]["command"] == "systemctl restart k3s or systemctl restart k3s-agent"
    assert "flannel.7 and flannel-v6.7 would keep their old MTU over the restart" in made.running
    host("/sys/class/net/flannel.7/mtu", "1430\n")
    assert plan(root, Stack.K3S, MtuWish(underlay_mtu=1500, pod_mtu=1430)).keeping == (("flannel-v6.7", 1430),)


def test_an_mtu_of_the_bridge_counts_for_more_than_that_of_flannel(host: Host) -> None:
    root = host(GENERATED, VXLAN)
    path = "/var/lib/rancher/k3s/agent/etc/cni/net.d/10-flannel.conflist"
    host(path, '{"name": "a", "plugins": [{"type": "flannel", "delegate": {"mtu": 1450}}]}')
    assert "delegate.mtu is 1450 and counts for more than flannel's: set it to 1400" in blocked(root, Stack.K3S)
    host(path, '{"name": "a", "plugins": [{"type": "flannel", "delegate": {"mtu": 1400}}]}')
    assert not plan(root, Stack.K3S).blocked


def test_our_drop_in_is_not_taken_for_one_of_the_administrator(host: Host) -> None:
    root = host(GENERATED, VXLAN)
    for change in plan(root, Stack.K3S).changes:
        assert change.after is not None
        host(change.path, change.after.text)
    again = plan(root, Stack.K3S, MtuWish(underlay_mtu=1500))
    assert [change.path for change in again.changes] == ["/etc/rancher/k3s/netfit-flannel.json"]


def test_a_file_of_somebody_else_under_our_name_is_left_alone(host: Host) -> None:
    root = host(GENERATED, VXLAN)
    host("/etc/rancher/k3s/config.yaml.d/90-netfit-flannel.yaml", "node-label: [a=b]\n")
    assert "was not written by netfit" in blocked(root, Stack.K3S)


# Networks by their own manifests


def test_canal_whose_two_parts_are_right_needs_nothing(host: Host) -> None:
    root = host(CONFLIST % "canal", conflist("calico", mtu=0))
    host("/var/lib/calico/mtu", "1400\n")
    host("/run/flannel/subnet.env", "FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_MTU=1400\n")
    made = plan(root, Stack.CANAL)
    assert (made.patches, made.reason) == ((), "new pods of this node get it already")


def test_the_incident_on_canal_changes_what_pods_get_and_leaves_flannel(host: Host) -> None:
    root = host(CONFLIST % "canal", conflist("calico", mtu=0))
    host("/var/lib/calico/mtu", "1500\n")
    host("/run/flannel/subnet.env", "FLANNEL_MTU=1450\n")
    made = plan(root, Stack.CANAL, MtuWish(underlay_mtu=1500, pod_mtu=1450))
    assert knobs(made) == {"veth_mtu": [None, 1450]}
    assert made.patches[0].patch == 'data:\n  veth_mtu: "1450"\nkind: ConfigMap\n'
    assert "only the Kubernetes API can change it: it waits for the cluster's owner" in made.reason


def test_canal_on_a_smaller_underlay_than_flannel_believes_in(host: Host) -> None:
    root = host(CONFLIST % "canal", conflist("calico", mtu=1450))
    host("/run/flannel/subnet.env", "FLANNEL_MTU=1450\n")
    host(MOUNTED, VXLAN)
    made = plan(root, Stack.CANAL)
    assert knobs(made) == {"veth_mtu": [1450, 1400], "Backend.MTU": [None, 1450]}
    assert re.search(r'net-conf\.json: ".*\\"MTU\\": 1450', made.patches[0].patch)
    assert "# on every node first, the MTU stays otherwise: ip link set dev flannel.1 mtu 1400" in (
        made.patches[0].commands
    )


def test_canal_that_found_the_right_number_by_itself_is_not_told_it(host: Host) -> None:
    root = host(CONFLIST % "canal", conflist("calico", mtu=0))
    host("/var/lib/calico/mtu", "1400\n")
    host("/run/flannel/subnet.env", "FLANNEL_MTU=1450\n")
    host(MOUNTED, VXLAN)
    assert "veth_mtu" not in plan(root, Stack.CANAL).patches[0].patch


def test_flannel_in_the_namespace_that_it_runs_in(host: Host) -> None:
    root = host(MOUNTED, VXLAN)
    host("/var/log/pods/kube-system_kube-flannel-ds-x7k2p_5e0c7d7b/x", "")
    assert plan(root, Stack.FLANNEL).patches[0].namespace == "kube-system"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({MOUNTED: '{"Backend": {"Type": "host-gw"}}'}, "the backend host-gw takes no notice of an MTU"),
        ({MOUNTED: "[]"}, "it has no Backend"),
        (
            {MOUNTED: VXLAN, CONFLIST % "flannel": conflist("flannel", delegate='{"mtu": 1500}')},
            "delegate.mtu is 1500 and counts for more",
        ),
    ],
)
def test_flannel_that_can_not_be_told(host: Host, files: Dict[str, str], said: str) -> None:
    root = written(host, files)
    assert said in blocked(root, Stack.FLANNEL)


def test_calico_gets_the_final_number_and_cilium_that_of_the_underlay(host: Host) -> None:
    root = host(CONFLIST % "calico", conflist("calico", mtu=1440))
    host("/sys/class/net/lxc_health/mtu", "1500\n")
    assert plan(root, Stack.CALICO).patches[0].patch == 'data:\n  veth_mtu: "1400"\nkind: ConfigMap\n'
    assert plan(root, Stack.CALICO_OPERATOR).patches[0].patch == "spec:\n  calicoNetwork:\n    mtu: 1400\n"
    cilium = plan(root, Stack.CILIUM)
    assert cilium.patches[0].patch == 'data:\n  mtu: "1450"\nkind: ConfigMap\n'
    assert knobs(cilium) == {"mtu": [1500, 1450]}
    assert "--set MTU=1450" in cilium.snippets["helm"]
    meanings = {stack: plan(root, stack).knobs[0].meaning.value for stack in (Stack.CALICO_OPERATOR, Stack.CILIUM)}
    assert meanings == {Stack.CALICO_OPERATOR: "interface", Stack.CILIUM: "underlay"}


def test_cilium_that_is_right_needs_nothing(host: Host) -> None:
    assert plan(host("/sys/class/net/lxc_health/mtu", "1450\n"), Stack.CILIUM).patches == ()
