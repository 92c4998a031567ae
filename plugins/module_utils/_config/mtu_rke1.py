# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""RKE1: network.mtu in cluster.yml, the final MTU of pods with canal, calico and weave.

The file is where "rke up" is run, and takes effect with the next one only. It is hand-written: one line of it changes.
Source: rke types/rke_types.go (NetworkConfig), cluster/validation.go, the templates of kontainer-driver-metadata.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Optional, Tuple

from .._model.declared import MtuMeaning
from .._model.file_change import FileChange, FileText, Restart
from .._model.mtu_config import ClusterPatch, Knob, MtuWish, Stack, StackPlan
from .drop_ins import Blocked
from .mtu_knobs import PODS_KEEP, RECREATE, pod_for, whole_number
from .mtu_patches import config_map_patch, restart_commands, weave_patch
from .mtu_seen import calico_mtu, network_in_force, plugin_types
from .whole_file import read_whole
from .yaml_check import check_yaml
from .yaml_edit import get_string, has_key, set_literal
from .yaml_lines import YamlError

_NETWORK = ("network",)
# A cluster that Rancher made has the same file below this key.
_RANCHER = "rancher_kubernetes_engine_config"
_KNOB = "network.mtu"
_DEFAULT_PLUGIN = "canal"
_DAEMON_SETS: Dict[str, str] = {"canal": "canal", "calico": "calico-node", "weave": "weave-net"}
_TYPES: Dict[str, str] = {"weave-net": "weave", "flannel": "flannel"}
_FLANNEL = (
    'plugin flannel: RKE1 refuses network.mtu with it ("does not support configuring MTU") and writes no MTU for '
    "flannel, which takes that of the node's interface when it starts: set that one with link_mtu, set flannel.1 to 50 "
    "less, and restart the pods of kube-flannel"
)
_ELSEWHERE = (
    "the setting is network.mtu in the cluster.yml of the machine where 'rke up' is run (name it with "
    "rke1_cluster_file there), in Rancher rancher_kubernetes_engine_config.network.mtu under 'Edit as YAML'; "
    "what is patched in the cluster instead is undone by the next 'rke up'"
)


def plan_rke1(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan. Raises Blocked, UnreadableFile."""
    if wish.rke1_cluster_file:
        return _plan_file(root, wish, wish.rke1_cluster_file)
    return _plan_node(root, wish)


def _plan_file(root: str, wish: MtuWish, file: str) -> StackPlan:
    before = read_whole(root, file)
    if before is None:
        raise Blocked(f"rke1_cluster_file: {file} is not there: name the cluster.yml that 'rke up' reads")
    mtu = pod_for(wish, _KNOB)
    try:
        check_yaml(before.text)
        path = (_RANCHER, *_NETWORK) if has_key(before.text, _RANCHER) else _NETWORK
        plugin = _plugin_of_file(before.text, path, file, wish.plugin)
        old = whole_number(get_string(before.text, (*path, "mtu")), f"{file}: {_KNOB}")
        text = before.text if old == mtu else set_literal(before.text, (*path, "mtu"), str(mtu))
    except YamlError as error:
        raise Blocked(
            f"rke1_cluster_file: {file}, {error}: correct it, or set 'mtu: {mtu}' below 'network:' by hand"
        ) from error
    change = FileChange(file, before, FileText(text, before.mode)) if text != before.text else None
    return StackPlan(
        Stack.RKE1,
        knobs=(Knob(f"{file}: {_KNOB}", MtuMeaning.INTERFACE, old, mtu),),
        changes=(change,) if change else (),
        reason="" if change else f"{file} is so already",
        restart=Restart(None, f"rke up --config {file}"),
        patches=(_afterwards(plugin, file),) if change else (),
        running=f"Nothing changes before the next 'rke up'. {PODS_KEEP}",
    )


def _plugin_of_file(text: str, path: Tuple[str, ...], file: str, wanted: Optional[str]) -> str:
    plugin = get_string(text, (*path, "plugin")) or _DEFAULT_PLUGIN
    if wanted and wanted != plugin:
        raise Blocked(f"plugin: {wanted}, but {file} has network.plugin {plugin}: leave it out, or name the right file")
    return _supported(plugin)


def _supported(plugin: str) -> str:
    if plugin == "flannel":
        raise Blocked(_FLANNEL)
    if plugin not in _DAEMON_SETS:
        raise Blocked(f"plugin {plugin}: RKE1 has network.mtu for canal, calico and weave only")
    return plugin


def _afterwards(plugin: str, file: str) -> ClusterPatch:
    """Return what has to be done in the cluster after rke up: its ConfigMap rolls no pods."""
    name = _DAEMON_SETS[plugin]
    return ClusterPatch(
        name=f"rke1-{plugin}",
        resource=f"daemonset/{name}",
        namespace="kube-system",
        patch_type="",
        file="",
        patch="",
        commands=(f"rke up --config {file}", *restart_commands("kube-system", name), *RECREATE),
    )


def _plan_node(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan for a node, where the cluster file isn't: nothing is written, a stop-gap is named."""
    network = network_in_force(root)
    types = plugin_types(network)
    plugin = next((_TYPES[kind] for kind in types if kind in _TYPES), None)
    if plugin is None and "calico" in types and network is not None:
        plugin = "canal" if "canal" in network.file.rpartition("/")[2] else "calico"
    if wish.plugin and plugin and wish.plugin != plugin:
        raise Blocked(f"plugin: {wish.plugin}, but {network.file if network else ''} is that of {plugin}: leave it out")
    plugin = _supported(wish.plugin or plugin or _DEFAULT_PLUGIN)
    mtu = pod_for(wish, _KNOB)
    declared, effective = calico_mtu(root, network)
    knob = Knob(f"cluster.yml: {_KNOB}", MtuMeaning.INTERFACE, declared, mtu)
    if effective == mtu:
        reason = f"new pods of this node get {mtu} already; that it stays so, {_ELSEWHERE}"
        return StackPlan(Stack.RKE1, knobs=(replace(knob, before=effective),), reason=reason, running=PODS_KEEP)
    return StackPlan(
        Stack.RKE1,
        knobs=(knob,),
        reason=f"nothing is written on this node: {_ELSEWHERE}",
        patches=(_stop_gap(plugin, mtu),),
        running=PODS_KEEP,
    )


def _stop_gap(plugin: str, mtu: int) -> ClusterPatch:
    undone = "# a stop-gap: the next 'rke up' undoes it unless network.mtu in cluster.yml says the same"
    if plugin == "weave":
        return weave_patch(mtu, undone)
    return config_map_patch(
        f"rke1-{plugin}",
        "kube-system",
        f"{plugin}-config",
        {"veth_mtu": str(mtu)},
        (undone,),
        restart_commands("kube-system", _DAEMON_SETS[plugin]),
    )
