# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands for a cluster's owner, run by kubectl itself on objects in files: what changes, and what stays."""

from __future__ import annotations

import copy
import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import pytest
import yaml

from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_stacks import find_stacks, plan_stack
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import ClusterPatch, MtuWish, Stack

OBJECTS = Path(__file__).resolve().parents[1] / "unit" / "data" / "mtu-kubernetes-objects"
WISH = MtuWish(underlay_mtu=1460, pod_mtu=1410)
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": "/nonexistent/config"}
CONFLIST = '{"name": "a", "plugins": [{"type": "%s", "mtu": %d}]}'
MOUNTED = "/var/lib/kubelet/pods/5e0c7d7b/volumes/kubernetes.io~configmap/flannel-cfg/net-conf.json"
Edit = Callable[[Dict[str, Any]], None]


def recorded(name: str) -> Dict[str, Any]:
    content: Dict[str, Any] = yaml.safe_load((OBJECTS / f"{name}.yaml").read_text())
    return content


def host(root: Path, files: Dict[str, str]) -> str:
    for path, text in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return str(root)


def only_patch(root: str, stack: Stack) -> ClusterPatch:
    plan = plan_stack(root, stack, WISH)
    assert not plan.blocked, plan.reason
    assert (plan.changes, len(plan.patches)) == ((), 1)
    return plan.patches[0]


def patched(patch: ClusterPatch, name: str, place: Path) -> Dict[str, Any]:
    """Run the command that applies a patch, on the object in a file instead of on that in a cluster."""
    file = place / patch.file
    file.write_text(patch.patch)
    applying = [command for command in patch.commands if f" patch {patch.resource} " in command]
    assert len(applying) == 1, patch.commands
    command = applying[0].replace("{file}", shlex.quote(str(file)))
    local = f"patch --local --filename {shlex.quote(str(OBJECTS / name))}.yaml --output json "
    output = run(command.replace(f"patch {patch.resource} ", local))
    content: Dict[str, Any] = json.loads(output)
    return content


def run(command: str, given: Optional[str] = None) -> str:
    done = subprocess.run(
        ["bash", "-c", command], input=given, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def veth_mtu(content: Dict[str, Any]) -> None:
    content["data"]["veth_mtu"] = "1410"


def backend_mtu(content: Dict[str, Any]) -> None:
    conf = json.loads(content["data"]["net-conf.json"])
    conf["Backend"]["MTU"] = 1460
    content["data"]["net-conf.json"] = conf


def both(content: Dict[str, Any]) -> None:
    veth_mtu(content)
    backend_mtu(content)


def cilium(content: Dict[str, Any]) -> None:
    content["data"]["mtu"] = "1460"


def installation(content: Dict[str, Any]) -> None:
    content["spec"]["calicoNetwork"]["mtu"] = 1410


def compared(content: Dict[str, Any]) -> Dict[str, Any]:
    """Return an object with the JSON in its net-conf.json as values, of which the text may differ."""
    text = content.get("data", {}).get("net-conf.json")
    if isinstance(text, str):
        content["data"]["net-conf.json"] = json.loads(text)
    return content


CONFLISTS = "/etc/cni/net.d"
CASES = {
    "canal": (Stack.CANAL, "canal-config", both, {f"{CONFLISTS}/10-canal.conflist": CONFLIST % ("calico", 0)}),
    "flannel": (Stack.FLANNEL, "kube-flannel-cfg", backend_mtu, {}),
    "calico": (Stack.CALICO, "calico-config", veth_mtu, {f"{CONFLISTS}/10-calico.conflist": CONFLIST % ("calico", 0)}),
    "calico_operator": (Stack.CALICO_OPERATOR, "installation", installation, {}),
    "cilium": (Stack.CILIUM, "cilium-config", cilium, {"/sys/class/net/lxc_health/mtu": "1500\n"}),
    "rke1": (Stack.RKE1, "canal-config", veth_mtu, {f"{CONFLISTS}/10-canal.conflist": CONFLIST % ("calico", 1450)}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_patch_changes_the_mtu_and_nothing_else(case: str, tmp_path: Path) -> None:
    stack, name, edit, files = CASES[case]
    before = recorded(name)
    if "net-conf.json" in before.get("data", {}):
        files = {**files, MOUNTED: before["data"]["net-conf.json"]}
    expected = copy.deepcopy(before)
    edit(expected)
    assert compared(patched(only_patch(host(tmp_path / "root", files), stack), name, tmp_path)) == compared(expected)
    assert compared(before) != expected


def test_the_rest_of_net_conf_stays_to_the_character(tmp_path: Path) -> None:
    text = recorded("kube-flannel-cfg")["data"]["net-conf.json"]
    patch = only_patch(host(tmp_path / "root", {MOUNTED: text}), Stack.FLANNEL)
    after = patched(patch, "kube-flannel-cfg", tmp_path)["data"]["net-conf.json"]
    assert after == text.replace('"vxlan"\n', '"vxlan",\n    "MTU": 1460\n')


@pytest.mark.parametrize(
    ("stack", "name", "namespace"),
    [(Stack.CANAL, "canal-config", "kube-system"), (Stack.FLANNEL, "kube-flannel-cfg", "kube-flannel")],
)
def test_net_conf_that_the_node_does_not_show_is_changed_on_the_way(
    stack: Stack, name: str, namespace: str, tmp_path: Path
) -> None:
    files = {f"{CONFLISTS}/10-canal.conflist": CONFLIST % ("calico", 1410)}
    patch = only_patch(host(tmp_path, files), stack)
    assert (patch.patch, patch.file) == ("", "")
    pipelines = [command for command in patch.commands if " | " in command and not command.startswith("#")]
    assert len(pipelines) == 1
    get, edit, replace = pipelines[0].split(" | ")
    assert get == f"kubectl --namespace {namespace} get configmap {name} --output json"
    assert replace == f"kubectl --namespace {namespace} replace --filename -"
    before = recorded(name)
    expected = copy.deepcopy(before)
    backend_mtu(expected)
    once = run(edit, json.dumps(before))
    assert compared(json.loads(once)) == expected
    assert run(edit, once) == once


def test_a_number_that_is_there_in_small_letters_is_replaced(tmp_path: Path) -> None:
    before = recorded("kube-flannel-cfg")
    before["data"]["net-conf.json"] = '{"Backend": {"Type": "vxlan", "mtu": 1500}}'
    pipeline = next(command for command in only_patch(host(tmp_path, {}), Stack.FLANNEL).commands if " | " in command)
    after = json.loads(run(pipeline.split(" | ")[1], json.dumps(before)))
    assert json.loads(after["data"]["net-conf.json"]) == {"Backend": {"Type": "vxlan", "MTU": 1460}}


def test_weave_gets_one_more_variable_in_one_container(tmp_path: Path) -> None:
    root = host(tmp_path, {f"{CONFLISTS}/10-weave.conflist": '{"name": "a", "plugins": [{"type": "weave-net"}]}'})
    containers = patched(only_patch(root, Stack.RKE1), "weave-net", tmp_path)["spec"]["template"]["spec"]["containers"]
    expected = recorded("weave-net")["spec"]["template"]["spec"]["containers"]
    for container in (*containers, *expected):
        container["env"].sort(key=lambda variable: variable["name"])
    expected[0]["env"] = sorted(
        [*expected[0]["env"], {"name": "WEAVE_MTU", "value": "1410"}], key=lambda variable: str(variable["name"])
    )
    assert [one["env"] for one in containers] == [one["env"] for one in expected]
    assert [one["image"] for one in containers] == [one["image"] for one in expected]


def test_values_of_a_chart_in_rancher_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    text = (
        "kind: HelmChartConfig\nmetadata:\n  name: rke2-canal\n"
        'spec:\n  valuesContent: \'{"flannel":{"iface":"eth1"}}\'\n'
    )
    manifests = "/var/lib/rancher/rke2/server/manifests/rancher"
    plan = plan_stack(host(tmp_path / "root", {f"{manifests}/managed-chart-config.yaml": text}), Stack.RKE2, WISH)
    expected = recorded("rancher-cluster")
    values = expected["spec"]["rkeConfig"]["chartValues"]["rke2-canal"]
    values.update({"calico": {"vethuMTU": 1410}, "flannel": {"iface": "eth1", "mtu": 1460}})
    assert patched(plan.patches[0], "rancher-cluster", tmp_path) == expected
    for command in plan.patches[0].commands:
        run(f"set -n\n{command}")


@pytest.mark.parametrize("case", CASES)
def test_the_commands_are_ones_that_bash_and_kubectl_understand(case: str, tmp_path: Path) -> None:
    stack, _name, _edit, files = CASES[case]
    for command in only_patch(host(tmp_path, files), stack).commands:
        run(f"set -n\n{command}")
        if command.startswith("kubectl") and " rollout " in command:
            # Without a cluster kubectl gets as far as looking for one, and no farther.
            done = subprocess.run(
                ["bash", "-c", f"{command} --server=http://127.0.0.1:1"],
                capture_output=True,
                text=True,
                env=ENVIRONMENT,
                timeout=60,
                check=False,
            )
            assert "127.0.0.1:1" in done.stderr, done.stderr


def test_a_plain_host_has_none_of_it(tmp_path: Path) -> None:
    assert find_stacks(str(tmp_path), WISH) == []
