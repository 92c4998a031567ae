# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubernetes`: a Canal-like cluster with real pods and node ports, of hosts of the lab."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import yaml

from .. import cluster_node, cluster_plan, cri
from ..cluster_plan import Cluster
from ..errors import BadTopology
from ..host import Host
from ..lab import Lab
from ..topology import Topology
from . import Feature

_PARALLEL = 4


class Kubernetes(Feature):
    """Nodes, overlay, pods and services."""

    key = "kubernetes"
    order = 10

    def check(self, value: Any, topology: Topology) -> None:
        """Raise BadTopology when the cluster cannot be built."""
        cluster_plan.parse(value, topology)

    def services(self, value: Any, topology: Topology) -> dict[str, tuple[str, ...]]:
        """Every node runs containerd."""
        return {node: ("containerd",) for node in cluster_plan.parse(value, topology).nodes}

    def packages(self, value: Any, topology: Topology) -> tuple[str, ...]:
        """What nodes use, and what the pods' images are made from. Raises MissingRequirement without grpcio."""
        cri.load_grpc()
        return ("containerd", "containernetworking-plugins", "iptables", "nginx", "runc")

    def start(self, lab: Lab, value: Any) -> None:
        """Build the cluster."""
        cluster = cluster_plan.parse(value, lab.topology)
        nodes = [lab.host(name) for name in cluster.nodes]
        with ThreadPoolExecutor(_PARALLEL) as pool:
            list(pool.map(lambda host: _start_node(host, cluster, new=True), nodes))
        sync_services(lab, cluster, nodes)

    def after_reboot(self, lab: Lab, value: Any, host: Host) -> None:
        """Do what flannel, the kubelet and kube-proxy do when a node comes back, and what the others then do."""
        cluster = cluster_plan.parse(value, lab.topology)
        if host.name in cluster.nodes:
            _start_node(host, cluster, new=False)
            sync_services(lab, cluster, [lab.host(name) for name in cluster.nodes])


def _start_node(host: Host, cluster: Cluster, new: bool) -> None:
    if new:
        cluster_node.install(host, cluster)
        cluster_node.import_images(host, cluster)
    cluster_node.start_overlay(host, cluster)
    cluster_node.run_pods(host, cluster)


def sync_services(lab: Lab, cluster: Cluster, nodes: Iterable[Host]) -> None:
    """Wait for the pods behind services, and write the rules of all nodes that run."""
    addresses = cluster_node.addresses(lab.hosts, cluster)
    behind_services = {f"{service.namespace}/{pod}" for service in cluster.services for pod in service.pods}
    for placed in cluster.pods:
        name = f"{placed.pod.namespace}/{placed.pod.name}"
        if name in behind_services and name in addresses:
            cluster_node.wait_for_server(lab.host(placed.node), addresses[name])
    for host in nodes:
        if host.is_running:
            cluster_node.write_service_rules(host, cluster, addresses)


def set_pod_mtu(lab: Lab, mtu: int | None) -> None:
    """Change what new pods get (bytes; None for no `mtu` in the CNI configuration). Pods that run keep theirs."""
    cluster = replace(_cluster(lab), pod_mtu=mtu)
    for name in cluster.nodes:
        host = lab.host(name)
        cluster_node.write_cni_configuration(host, cluster)
        # It would notice by itself, but at some time or other; a restart leaves running containers alone.
        host.run(["systemctl", "restart", "containerd"])


def run_pods_anew(lab: Lab) -> None:
    """Make all pods anew, as their owner does after a change of the network."""
    cluster = _cluster(lab)
    nodes = [lab.host(name) for name in cluster.nodes]
    for host in nodes:
        cluster_node.run_pods(host, cluster)
    sync_services(lab, cluster, nodes)


def rke_up(lab: Lab) -> int | None:
    """Do what RKE1's "rke up" and Canal's install-cni do with `network.mtu` of cluster.yml, and return it.

    Source: rke cluster/network.go, kontainer-driver-metadata pkg/rke/templates: the value goes into the ConfigMap
    canal-config, from which every node's CNI configuration is written. Raises BadTopology without such a file.
    """
    cluster = _cluster(lab)
    if cluster.rke is None:
        raise BadTopology("kubernetes.rke: this cluster is not made by rke")
    host, file = cluster.rke
    document = yaml.safe_load(lab.host(host).run(["cat", file]).stdout)
    mtu = (document.get("network") or {}).get("mtu") or None
    set_pod_mtu(lab, mtu)
    return mtu


def _cluster(lab: Lab) -> Cluster:
    return cluster_plan.parse(lab.topology.extensions["kubernetes"], lab.topology)


FEATURE = Kubernetes()
