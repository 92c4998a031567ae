# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which container runtimes a host has, and what each of them offers for the sysctls of new containers."""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from .._model.container_sysctl import Runtime, RuntimePlan, Wanted
from .cni_networks import read_cni_networks
from .cni_tuning import plan_cni
from .declarations import Declarations
from .default_sysctls import CRIO, PODMAN, plan_default_sysctls
from .drop_ins import Blocked
from .kubelet import plan_kubelet
from .rancher_kubelet import K3S, RKE2, plan_kubelet_arguments
from .reading import UnreadableFile, exists
from .rke1_cluster import plan_rke1
from .sysctl_snippets import docker_snippets, pod_snippets

_PROGRAMS = ("/usr/bin", "/usr/local/bin", "/usr/sbin", "/usr/local/sbin", "/opt/bin")

# A runtime is there where one of these is: its programs, or files that only it has.
_SIGNS: Dict[Runtime, Tuple[str, ...]] = {
    Runtime.CRIO: (*(f"{directory}/crio" for directory in _PROGRAMS), "/etc/crio"),
    Runtime.PODMAN: tuple(f"{directory}/podman" for directory in _PROGRAMS),
    Runtime.RKE2: (
        "/usr/local/bin/rke2",
        "/usr/bin/rke2",
        "/opt/rke2/bin/rke2",
        "/etc/rancher/rke2",
        "/var/lib/rancher/rke2",
    ),
    Runtime.K3S: ("/usr/local/bin/k3s", "/usr/bin/k3s", "/opt/bin/k3s", "/etc/rancher/k3s", "/var/lib/rancher/k3s"),
    # Only a kubelet of its own has a unit: that of RKE1 is a container, that of RKE2 and K3s a part of them.
    Runtime.KUBELET: tuple(
        f"{directory}/systemd/system/kubelet.service" for directory in ("/etc", "/usr/lib", "/lib", "/usr/local/lib")
    ),
    Runtime.DOCKER: (*(f"{directory}/dockerd" for directory in _PROGRAMS), "/etc/docker/daemon.json"),
    Runtime.CONTAINERD: (
        *(f"{directory}/containerd" for directory in _PROGRAMS),
        "/etc/containerd/config.toml",
        "/run/k3s/containerd/containerd.sock",
    ),
}
_KUBELETS = (Runtime.RKE1, Runtime.RKE2, Runtime.K3S, Runtime.KUBELET)

_DOCKER = (
    "Docker has no sysctls for all containers: daemon.json knows none, only docker run, docker create, docker service "
    "and compose do. Use the snippets."
)
_CONTAINERD = (
    "containerd has no sysctls for all containers: its CRI plugin sets those that a pod asks for. Use the snippets, or "
    "the CNI plugin 'tuning' where the network configuration is yours."
)
_AS_THEY_ARE = "Containers that run keep the sysctls that they have."


def find_runtimes(root: str, wanted: Wanted) -> List[Runtime]:
    """Return the runtimes that the host has, by looking.

    CNI is among them where a configuration for pods is in force and no CRI-O gives them their sysctls; RKE1 where its
    cluster file is named. Raises UnreadableFile.
    """
    found = [runtime for runtime, paths in _SIGNS.items() if any(exists(root, path) for path in paths)]
    if wanted.rke1_cluster_file:
        found.append(Runtime.RKE1)
    if Runtime.CRIO not in found and (wanted.cni_file or _has_pod_network(root)):
        found.append(Runtime.CNI)
    return [runtime for runtime in Runtime if runtime in found]


def plan_runtime(root: str, runtime: Runtime, wanted: Wanted) -> RuntimePlan:
    """Return the plan for one runtime; what can't be done is said in it."""
    try:
        plan = _PLANNERS[runtime](root, wanted)
    except (Blocked, UnreadableFile) as error:
        plan = RuntimePlan(runtime, blocked=True, reason=str(error))
    if wanted.present and runtime in _KUBELETS and not plan.blocked:
        return _with_snippets(plan, pod_snippets(wanted.sysctls))
    return plan


def plan_runtimes(root: str, runtimes: Sequence[Runtime], wanted: Wanted) -> List[RuntimePlan]:
    """Return the plans for these runtimes, in the order of Runtime."""
    return [plan_runtime(root, runtime, wanted) for runtime in Runtime if runtime in runtimes]


def _with_snippets(plan: RuntimePlan, snippets: Mapping[str, str]) -> RuntimePlan:
    return RuntimePlan(**{**vars(plan), "snippets": snippets})


def _plan_docker(_root: str, wanted: Wanted) -> RuntimePlan:
    snippets = docker_snippets(wanted.sysctls) if wanted.present else {}
    return RuntimePlan(Runtime.DOCKER, reason=_DOCKER, keeps=_AS_THEY_ARE, snippets=snippets)


def _plan_containerd(_root: str, wanted: Wanted) -> RuntimePlan:
    snippets = pod_snippets(wanted.sysctls) if wanted.present else {}
    return RuntimePlan(Runtime.CONTAINERD, reason=_CONTAINERD, keeps=_AS_THEY_ARE, snippets=snippets)


def _has_pod_network(root: str) -> bool:
    return any(network.active and network.tool is None for network in read_cni_networks(Declarations(root)))


_PLANNERS: Dict[Runtime, Callable[[str, Wanted], RuntimePlan]] = {
    Runtime.CRIO: lambda root, wanted: plan_default_sysctls(CRIO, root, wanted),
    Runtime.PODMAN: lambda root, wanted: plan_default_sysctls(PODMAN, root, wanted),
    Runtime.CNI: plan_cni,
    Runtime.RKE1: plan_rke1,
    Runtime.RKE2: lambda root, wanted: plan_kubelet_arguments(RKE2, root, wanted),
    Runtime.K3S: lambda root, wanted: plan_kubelet_arguments(K3S, root, wanted),
    Runtime.KUBELET: plan_kubelet,
    Runtime.DOCKER: _plan_docker,
    Runtime.CONTAINERD: _plan_containerd,
}
