# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""flannel, Canal, Calico and Cilium by their own manifests, whose settings only the Kubernetes API changes.

Nothing is written on the node: it would be lost with the next start of the network's pods. The commands for the
cluster's owner are returned, where the node shows that they are needed.
Source: flannel Documentation/kube-flannel.yml, calico manifests/canal.yaml and calico.yaml, tigera-operator
api/v1 (CalicoNetworkSpec), cilium Documentation "cilium-config".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from .._model.declared import MtuMeaning
from .._model.mtu_config import ClusterPatch, Knob, MtuWish, Stack, StackPlan
from .drop_ins import Blocked
from .mtu_knobs import FLANNEL_OVERHEAD, PODS_KEEP, flannel_for, pod_for, underlay_for
from .mtu_patches import config_map_patch, installation_patch, net_conf_pipeline, restart_commands
from .mtu_seen import (
    backend_of,
    calico_mtu,
    delegate_mtu,
    device_mtu,
    flannel_mtu,
    mounted_net_conf,
    network_in_force,
    pod_namespaces,
    tunnels_of,
    with_backend_mtu,
)

WAITING = "only the Kubernetes API can change it: it waits for the cluster's owner, with the commands that are returned"
_SYSTEM = "kube-system"
_MANIFEST = "# say the same in the manifest or chart that it was installed with, or its next use undoes this"
_SINCE = "# flannel takes notice of Backend.MTU from v0.21.3 on"


@dataclass(frozen=True)
class _NetConf:
    """flannel's net-conf.json in a ConfigMap, as this node shows it.

    pods: MTU that flannel gives them then, in bytes. differs: they have another one now. entries: of the ConfigMap;
    empty where the text isn't known, as a patch can only replace the whole string: then it is changed by a command.
    before, after: commands and comments around the patch.
    """

    knob: Knob
    pods: int
    differs: bool
    entries: Dict[str, str]
    before: Tuple[str, ...]
    after: Tuple[str, ...]


def plan_flannel(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan for flannel by its own manifest. Raises Blocked, UnreadableFile."""
    namespaces = pod_namespaces(root, "kube-flannel-ds")
    namespace = namespaces[0] if namespaces else "kube-flannel"
    conf = _net_conf(root, wish, namespace, "kube-flannel-cfg")
    own = delegate_mtu(network_in_force(root))
    if own is not None and own != conf.pods:
        raise Blocked(
            f"configmap kube-flannel-cfg, cni-conf.json: delegate.mtu is {own} and counts for more than what flannel "
            f"finds: remove it there, or set it to {conf.pods}"
        )
    patch = config_map_patch(
        "flannel",
        namespace,
        "kube-flannel-cfg",
        conf.entries,
        (_MANIFEST, *conf.before),
        (*conf.after, *restart_commands(namespace, "kube-flannel-ds")),
    )
    return _plan(Stack.FLANNEL, (conf.knob,), conf.differs, patch)


def plan_canal(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan for Canal's manifest: Calico makes the pods' links, flannel the tunnel. Raises Blocked."""
    mtu = pod_for(wish, "veth_mtu")
    declared, effective = calico_mtu(root, network_in_force(root))
    knobs = [Knob("configmap canal-config: veth_mtu", MtuMeaning.INTERFACE, declared, mtu)]
    entries: Dict[str, str] = {} if effective == mtu else {"veth_mtu": str(mtu)}
    before: Tuple[str, ...] = (_MANIFEST,)
    after: Tuple[str, ...] = ()
    tunnel_differs = flannel_mtu(root) != mtu
    # Where flannel finds the same by itself there is nothing to tell it.
    if tunnel_differs:
        conf = _net_conf(root, wish, _SYSTEM, "canal-config")
        knobs.append(conf.knob)
        entries.update(conf.entries)
        before, after = (*before, *conf.before), conf.after
    patch = config_map_patch(
        "canal", _SYSTEM, "canal-config", entries, before, (*after, *restart_commands(_SYSTEM, "canal"))
    )
    return _plan(Stack.CANAL, tuple(knobs), tunnel_differs or effective != mtu, patch)


def plan_calico(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan for Calico's manifest; its number is final, for tunnels as for pods. Raises Blocked."""
    mtu = pod_for(wish, "veth_mtu")
    declared, effective = calico_mtu(root, network_in_force(root))
    patch = config_map_patch(
        "calico",
        _SYSTEM,
        "calico-config",
        {"veth_mtu": str(mtu)},
        (_MANIFEST,),
        restart_commands(_SYSTEM, "calico-node"),
    )
    knob = Knob("configmap calico-config: veth_mtu", MtuMeaning.INTERFACE, declared, mtu)
    return _plan(Stack.CALICO, (knob,), effective != mtu, patch)


def plan_calico_operator(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan for Calico's operator; it subtracts nothing from its number. Raises Blocked."""
    mtu = pod_for(wish, "calicoNetwork.mtu")
    declared, effective = calico_mtu(root, network_in_force(root))
    knob = Knob("installation default: spec.calicoNetwork.mtu", MtuMeaning.INTERFACE, declared, mtu)
    return _plan(Stack.CALICO_OPERATOR, (knob,), effective != mtu, installation_patch("calico-operator", mtu))


def plan_cilium(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan for Cilium, which subtracts from the underlay's number itself. Raises Blocked."""
    mtu = underlay_for(wish, "Cilium's mtu")
    # The link of the agent's own health endpoint has what every new pod gets.
    seen = device_mtu(root, "lxc_health")
    patch = config_map_patch(
        "cilium", _SYSTEM, "cilium-config", {"mtu": str(mtu)}, (_MANIFEST,), restart_commands(_SYSTEM, "cilium")
    )
    knob = Knob("configmap cilium-config: mtu", MtuMeaning.UNDERLAY, seen, mtu)
    helm = f"helm upgrade cilium cilium/cilium --namespace {_SYSTEM} --reuse-values --set MTU={mtu}\n"
    return _plan(Stack.CILIUM, (knob,), seen != mtu, patch, {"helm": helm})


def _net_conf(root: str, wish: MtuWish, namespace: str, config_map: str) -> _NetConf:
    """Return what becomes of the net-conf.json of a ConfigMap. Raises Blocked, UnreadableFile."""
    text = mounted_net_conf(root)
    where = f"configmap {config_map}, net-conf.json"
    kind, declared = "vxlan", None
    devices: Tuple[str, ...] = ("flannel.1",)
    if text is not None:
        try:
            backend, kind, declared = backend_of(text, where)
        except ValueError as error:
            raise Blocked(f"{error}: correct it") from error
        devices = tunnels_of(text, backend, kind)
    if kind not in FLANNEL_OVERHEAD:
        raise Blocked(
            f"{where}: the backend {kind} takes no notice of an MTU: flannel takes that of the node's interface when "
            "it starts; set that one with link_mtu, and restart the pods of flannel"
        )
    mtu = flannel_for(wish, kind, "Backend.MTU")
    pods = mtu - FLANNEL_OVERHEAD[kind]
    set_devices = " and ".join(f"ip link set dev {device} mtu {pods}" for device in devices)
    compare = f"kubectl --namespace {namespace} get configmap {config_map} --output yaml"
    known = f"# the rest of net-conf.json is as this node has it mounted; compare it with: {compare}"
    return _NetConf(
        Knob(f"{where}: Backend.MTU", MtuMeaning.UNDERLAY, declared, mtu),
        pods,
        flannel_mtu(root) != pods,
        {} if text is None else {"net-conf.json": with_backend_mtu(text, mtu)},
        (_SINCE, net_conf_pipeline(namespace, config_map, mtu) if text is None else known),
        (f"# on every node first, the MTU stays otherwise: {set_devices}",) if devices else (),
    )


def _plan(
    stack: Stack, knobs: Tuple[Knob, ...], needed: bool, patch: ClusterPatch, snippets: Optional[Dict[str, str]] = None
) -> StackPlan:
    if not needed:
        return StackPlan(stack, knobs=knobs, reason="new pods of this node get it already", running=PODS_KEEP)
    return StackPlan(
        stack, knobs=knobs, reason=WAITING, patches=(patch,), running=PODS_KEEP, snippets=dict(snippets or {})
    )
