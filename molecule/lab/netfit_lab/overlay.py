# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What flannel and Canal's installer leave on a node: devices, routes, neighbours and files; pure text.

Sources: flannel pkg/backend/vxlan/{device,vxlan_network}.go (device, onlink routes, permanent neighbours and forwarding
entries), pkg/subnet/subnet.go WriteSubnetFile, pkg/trafficmngr/iptables/iptables.go masqRules; the Canal template of
RKE1 for Kubernetes 1.8 to 1.12, whose CNI configuration has no `mtu`.
"""

from __future__ import annotations

import json
from typing import Any

from .cluster_plan import Cluster, Node

DEVICE = "flannel.1"
SUBNET_FILE = "/run/flannel/subnet.env"
CNI_FILE = "/etc/cni/net.d/10-canal.conflist"
CNI_DIRECTORY = "/opt/cni/bin"
_VNI, _PORT = 1, 8472


def links(cluster: Cluster, node: Node) -> str:
    """Return the `ip -batch` commands that make the overlay's device on a node. The kernel chooses its MTU."""
    commands = [
        f"link add {DEVICE} address {node.hardware_address} type vxlan id {_VNI} dstport {_PORT} nolearning"
        f" local {node.address} dev {node.link}",
        f"address add {node.subnet[0]}/32 dev {DEVICE}",
        f"link set {DEVICE} up",
    ]
    for peer in _peers(cluster, node):
        commands += [
            f"neighbour replace {peer.subnet[0]} lladdr {peer.hardware_address} dev {DEVICE} nud permanent",
            f"route replace {peer.subnet} via {peer.subnet[0]} dev {DEVICE} onlink",
        ]
    return "\n".join(commands) + "\n"


def forwarding_entries(cluster: Cluster, node: Node) -> str:
    """Return the `bridge -batch` commands that say behind which underlay address each peer's device is."""
    return "".join(
        f"fdb replace {peer.hardware_address} dev {DEVICE} dst {peer.address} self permanent\n"
        for peer in _peers(cluster, node)
    )


def subnet_file(cluster: Cluster, node: Node) -> str:
    """Return the content of flannel's subnet.env."""
    return (
        f"FLANNEL_NETWORK={cluster.pod_network}\n"
        f"FLANNEL_SUBNET={node.subnet[1]}/{node.subnet.prefixlen}\n"
        f"FLANNEL_MTU={node.overlay_mtu}\n"
        "FLANNEL_IPMASQ=true\n"
    )


def cni_configuration(cluster: Cluster, node: Node) -> str:
    """Return Canal's CNI configuration list. Without a pod MTU in the topology it has no `mtu`: that is the fault."""
    calico: dict[str, Any] = {
        "type": "calico",
        "log_level": "WARNING",
        "datastore_type": "kubernetes",
        "nodename": node.name,
        "ipam": {"type": "host-local", "subnet": "usePodCidr"},
        "policy": {"type": "k8s"},
        "kubernetes": {"kubeconfig": "/etc/cni/net.d/calico-kubeconfig"},
    }
    if cluster.pod_mtu is not None:
        calico["mtu"] = cluster.pod_mtu
    portmap = {"type": "portmap", "snat": True, "capabilities": {"portMappings": True}}
    document = {"name": "k8s-pod-network", "cniVersion": "0.3.1", "plugins": [calico, portmap]}
    return json.dumps(document, indent=2) + "\n"


def masquerade_rules(cluster: Cluster, node: Node) -> list[str]:
    """Return flannel's rules of the chain FLANNEL-POSTRTG: what leaves the pods' network gets the node's address."""
    network, subnet = cluster.pod_network, node.subnet
    chain = '-A FLANNEL-POSTRTG -m comment --comment "flanneld masq"'
    return [
        f"{chain} -m mark --mark 0x4000/0x4000 -j RETURN",
        f"{chain} -s {subnet} -d {network} -j RETURN",
        f"{chain} -s {network} -d {subnet} -j RETURN",
        f"{chain} ! -s {network} -d {subnet} -j RETURN",
        f"{chain} -s {network} ! -d 224.0.0.0/4 -j MASQUERADE --random-fully",
        f"{chain} ! -s {network} -d {network} -j MASQUERADE --random-fully",
    ]


def _peers(cluster: Cluster, node: Node) -> list[Node]:
    return [peer for peer in cluster.nodes.values() if peer.name != node.name]
