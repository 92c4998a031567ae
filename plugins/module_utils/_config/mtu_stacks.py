# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which stacks give new pods and containers of a host their MTU, and the plan for each."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, List, Sequence, Tuple

from .._model.mtu_config import MtuWish, Stack, StackPlan
from .drop_ins import Blocked
from .mtu_cluster import plan_calico, plan_calico_operator, plan_canal, plan_cilium, plan_flannel
from .mtu_k3s import option, plan_k3s
from .mtu_rke1 import plan_rke1
from .mtu_rke2 import plan_rke2
from .mtu_runtimes import RUNTIME_PLANNERS, find_runtime_stacks
from .mtu_seen import network_in_force, plugin_types, pod_namespaces
from .reading import UnreadableFile, exists
from .rke2_plugin import is_server, plugins_of

Planner = Callable[[str, MtuWish], StackPlan]

_KUBERNETES_PLANNERS: Dict[Stack, Planner] = {
    Stack.RKE1: plan_rke1,
    Stack.RKE2: plan_rke2,
    Stack.K3S: plan_k3s,
    Stack.CANAL: plan_canal,
    Stack.FLANNEL: plan_flannel,
    Stack.CALICO: plan_calico,
    Stack.CALICO_OPERATOR: plan_calico_operator,
    Stack.CILIUM: plan_cilium,
}
KUBERNETES: Tuple[Stack, ...] = tuple(_KUBERNETES_PLANNERS)
"""What gives pods their MTU; every other stack is one of containers."""

# A distribution is there where one of these is: files that only it has.
_SIGNS: Dict[Stack, Tuple[str, ...]] = {
    # The second where the root file system is read-only (RancherOS, CoreOS, Flatcar).
    Stack.RKE1: tuple(f"{prefix}/etc/kubernetes/ssl/kubecfg-kube-node.yaml" for prefix in ("", "/opt/rke")),
    Stack.RKE2: (
        "/usr/local/bin/rke2",
        "/usr/bin/rke2",
        "/opt/rke2/bin/rke2",
        "/etc/rancher/rke2",
        "/var/lib/rancher/rke2",
    ),
    Stack.K3S: ("/usr/local/bin/k3s", "/usr/bin/k3s", "/opt/bin/k3s", "/etc/rancher/k3s", "/var/lib/rancher/k3s"),
}


def find_stacks(root: str, wish: MtuWish) -> List[Stack]:
    """Return the stacks that the host has, by looking, in the order of Stack.

    The network that a distribution of Kubernetes brings is planned with it, not a second time; RKE1 is there also where
    its cluster file is named. Raises UnreadableFile.
    """
    found = [stack for stack, paths in _SIGNS.items() if any(exists(root, path) for path in paths)]
    if wish.rke1_cluster_file and Stack.RKE1 not in found:
        found.append(Stack.RKE1)
    found = [stack for stack in found if not _brings_no_network(root, stack)]
    if not found:
        found += _network_of_pods(root)
    found += find_runtime_stacks(root, wish)
    return [stack for stack in Stack if stack in found]


def plan_stack(root: str, stack: Stack, wish: MtuWish) -> StackPlan:
    """Return the plan for one stack; what can't be done is said in it."""
    planners: Dict[Stack, Planner] = {**RUNTIME_PLANNERS, **_KUBERNETES_PLANNERS}
    try:
        if stack not in planners:
            raise Blocked(f"there is no plan for {stack.value}: name another one with stacks")
        return planners[stack](root, wish)
    except (Blocked, UnreadableFile) as error:
        return StackPlan(stack, blocked=True, reason=str(error))


def plan_stacks(root: str, stacks: Sequence[Stack], wish: MtuWish) -> List[StackPlan]:
    """Return the plans for these stacks, in the order of Stack, each with whether the host has it.

    Raises UnreadableFile.
    """
    found = find_stacks(root, wish)
    plans = [plan_stack(root, stack, wish) for stack in Stack if stack in stacks]
    return [replace(plan, found=plan.stack in found) for plan in plans]


def _brings_no_network(root: str, stack: Stack) -> bool:
    """Tell whether a distribution was told that somebody else installs the network."""
    try:
        if stack is Stack.RKE2:
            return is_server(root) and plugins_of(root)[0] == ["none"]
        backend = option(root, "flannel-backend") if stack is Stack.K3S else None
        return backend is not None and backend.value == "none"
    except (Blocked, UnreadableFile):
        return False


def _network_of_pods(root: str) -> List[Stack]:
    """Return the stack that the CNI configuration in force belongs to, none where it isn't one of Kubernetes."""
    network = network_in_force(root)
    types = plugin_types(network)
    if network is None:
        return []
    if "calico" in types:
        if "canal" in network.file.rpartition("/")[2]:
            return [Stack.CANAL]
        return [Stack.CALICO_OPERATOR if "calico-system" in pod_namespaces(root, "calico-node") else Stack.CALICO]
    if "flannel" in types:
        return [Stack.FLANNEL]
    return [Stack.CILIUM] if "cilium-cni" in types else []
