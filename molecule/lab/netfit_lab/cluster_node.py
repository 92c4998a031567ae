# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node of the lab's cluster: containerd, the overlay, the CNI configuration, the pods and the service rules."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from . import kube_proxy, overlay
from .cluster_plan import Cluster
from .cri import ContainerRuntime, RunningPod
from .errors import HostFailed
from .files_on_host import write
from .host import Host
from .image_catalogue import GATEWAY_PORT, IMAGES, PAUSE
from .images import build

_LAB = Path(__file__).resolve().parent.parent
PLUGIN = _LAB / "cni" / "calico.py"
RUNC_WITHOUT_LIMITS = _LAB / "runtime" / "runc_without_limits.py"
SOCKET = "run/containerd/containerd.sock"
_FROM_DEBIAN = ("host-local", "loopback", "portmap")
_CONTAINERD = f"""\
# Written by the lab.
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE.reference}"
  # A host in a machine that lacks CAP_SYS_RESOURCE cannot shield its containers from the out-of-memory killer.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{overlay.CNI_DIRECTORY}"
    conf_dir = "/etc/cni/net.d"
"""
_RUNC_PATH = "/usr/local/sbin/runc-without-limits"
_CONTAINERD_WITHOUT_LIMITS = f"""\
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{_RUNC_PATH}"
"""
_SYSCTLS = "# Written by the lab: what the kubelet and kube-proxy need.\nnet.ipv4.ip_forward = 1\n"
_SYSCTL_FILE = "/etc/sysctl.d/90-kubernetes.conf"
_READY_TIMEOUT = 20.0
"""Seconds until a pod's server takes connections."""


def install(host: Host, cluster: Cluster) -> None:
    """Write what stays on the node's disk, and restart containerd with it."""
    limits = _has_controllers(host)
    write(host, "/etc/containerd/config.toml", _CONTAINERD if limits else _CONTAINERD + _CONTAINERD_WITHOUT_LIMITS)
    if not limits:
        write(host, _RUNC_PATH, RUNC_WITHOUT_LIMITS.read_text(), 0o755)
    write(host, _SYSCTL_FILE, _SYSCTLS)
    write_cni_configuration(host, cluster)
    write(host, f"{overlay.CNI_DIRECTORY}/calico", PLUGIN.read_text(), 0o755)
    links = [f"/usr/lib/cni/{name}" for name in _FROM_DEBIAN]
    host.run(["ln", "-sf", *links, overlay.CNI_DIRECTORY])
    host.run(["systemctl", "restart", "containerd"])


def _has_controllers(host: Host) -> bool:
    """Whether the host may weigh processors: a machine that mounts cgroup v1 keeps its controllers to itself."""
    return "cpu" in (host.root / "sys/fs/cgroup/cgroup.controllers").read_text().split()


def write_cni_configuration(host: Host, cluster: Cluster) -> None:
    """Write what new pods of the node are wired by; containerd reads it again by itself."""
    write(host, overlay.CNI_FILE, overlay.cni_configuration(cluster, cluster.nodes[host.name]))


def start_overlay(host: Host, cluster: Cluster) -> None:
    """Make what flannel makes when it starts; it is gone after a reboot."""
    node = cluster.nodes[host.name]
    host.run(["sysctl", "--quiet", f"--load={_SYSCTL_FILE}"])
    host.run(["ip", "-batch", "-"], input=overlay.links(cluster, node))
    host.run(["bridge", "-batch", "-"], input=overlay.forwarding_entries(cluster, node))
    write(host, overlay.SUBNET_FILE, overlay.subnet_file(cluster, node))


def import_images(host: Host, cluster: Cluster) -> None:
    """Give containerd the images of the node's pods."""
    wanted = {placed.pod.image for placed in cluster.pods if placed.node == host.name}
    for image in IMAGES.values():
        if wanted and image.reference in (*wanted, PAUSE.reference):
            archive = host.root / "run" / "netfit-image.tar"
            archive.write_bytes(build(image))
            host.run(["ctr", "--namespace=k8s.io", "images", "import", "/run/netfit-image.tar"])
            archive.unlink()


def run_pods(host: Host, cluster: Cluster) -> None:
    """Make the node's pods anew: those that the runtime still knows are removed first."""
    wanted = [placed.pod for placed in cluster.pods if placed.node == host.name]
    if not wanted:
        return
    with ContainerRuntime(host.root / SOCKET) as runtime:
        for old in runtime.pods():
            runtime.remove(old.sandbox_id)
        for pod in wanted:
            runtime.run(pod)


def pods(host: Host) -> list[RunningPod]:
    """Return the pods that the node's runtime knows."""
    with ContainerRuntime(host.root / SOCKET) as runtime:
        return runtime.pods()


def addresses(hosts: Mapping[str, Host], cluster: Cluster) -> dict[str, str]:
    """Return the address of every pod that runs, by "namespace/name"; once its server takes connections."""
    found: dict[str, str] = {}
    for name in sorted({placed.node for placed in cluster.pods}):
        if not hosts[name].is_running:
            continue
        for pod in pods(hosts[name]):
            if pod.ready:
                found[f"{pod.namespace}/{pod.name}"] = pod.address
    return found


def wait_for_server(host: Host, address: str) -> None:
    """Wait until a pod on this node takes connections, as the kubelet's readiness probe does. Raises HostFailed."""
    deadline = time.monotonic() + _READY_TIMEOUT
    connect = ["bash", "-c", f"exec 3<>/dev/tcp/{address}/{GATEWAY_PORT}"]
    while host.run(connect, check=False).returncode != 0:
        if time.monotonic() > deadline:
            raise HostFailed(f"{host.name}: the pod at {address} takes no connections on port {GATEWAY_PORT}")
        time.sleep(0.1)


def write_service_rules(host: Host, cluster: Cluster, pod_addresses: Mapping[str, str]) -> None:
    """Bring the node's nat table in line with the services and their pods, as kube-proxy does."""
    saved = host.run(["iptables-save", "-t", "nat"]).stdout
    masquerade = overlay.masquerade_rules(cluster, cluster.nodes[host.name])
    rules = kube_proxy.table(cluster.services, pod_addresses, str(cluster.pod_network), saved, masquerade)
    host.run(["iptables-restore", "--wait", "--noflush"], input=rules)
