# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes cluster as the lab builds it: its nodes, pods and services, read from a topology; pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import checks
from .cri import Pod
from .errors import BadTopology
from .image_catalogue import IMAGES
from .topology import Topology

SERVICE_NETWORK = ipaddress.IPv4Network("10.43.0.0/16")
VXLAN_OVERHEAD = 50
"""Bytes: outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348 section 5)."""
_NODE_PREFIX = 24
_KEYS = ("nodes", "pod_network", "pod_mtu", "pods", "services", "rke")
_FIRST_NODE_PORT, _LAST_NODE_PORT = 30000, 32767


@dataclass(frozen=True)
class Node:
    """One node. number: from 1 on. address: on the underlay. subnet: of its pods. underlay_mtu: bytes."""

    name: str
    number: int
    link: str
    address: ipaddress.IPv4Address
    underlay_mtu: int
    subnet: ipaddress.IPv4Network

    @property
    def overlay_mtu(self) -> int:
        """What the overlay carries, in bytes: what flannel writes down as FLANNEL_MTU."""
        return self.underlay_mtu - VXLAN_OVERHEAD

    @property
    def hardware_address(self) -> str:
        """The address of the node's overlay device: the same after a reboot, so that peers need not be told."""
        return f"02:66:6c:00:{self.number >> 8:02x}:{self.number & 0xFF:02x}"


@dataclass(frozen=True)
class PlacedPod:
    """A pod and the name of the node that it runs on."""

    pod: Pod
    node: str


@dataclass(frozen=True)
class Service:
    """A service with a port on every node. pods: names, in the service's Kubernetes namespace."""

    name: str
    namespace: str
    pods: tuple[str, ...]
    port: int
    node_port: int
    cluster_address: ipaddress.IPv4Address

    @property
    def port_name(self) -> str:
        """The name by which kube-proxy knows the service's port."""
        return f"{self.namespace}/{self.name}:http"


@dataclass(frozen=True)
class Cluster:
    """A cluster. pod_mtu: bytes, the CNI configuration's `mtu`; None leaves the key out.

    rke: where "rke up" is run: a host, and the path of its cluster.yml.
    """

    nodes: Mapping[str, Node]
    pod_network: ipaddress.IPv4Network
    pod_mtu: int | None
    pods: tuple[PlacedPod, ...]
    services: tuple[Service, ...]
    rke: tuple[str, str] | None = None


def parse(value: Any, topology: Topology) -> Cluster:
    """Return the cluster that a topology's `kubernetes` describes. Raises BadTopology with the place and the value."""
    top = checks.mapping("kubernetes", value)
    checks.known_keys("kubernetes", top, _KEYS)
    network = _network(top.get("pod_network", "10.42.0.0/16"))
    names = checks.texts("kubernetes.nodes", top.get("nodes"))
    checks.known_keys("kubernetes.nodes", dict.fromkeys(names), topology.hosts)
    if not names:
        raise BadTopology("kubernetes.nodes: at least one is needed")
    subnets = list(network.subnets(new_prefix=_NODE_PREFIX))
    if len(names) >= len(subnets):
        raise BadTopology(f"kubernetes.pod_network: {network} is too small for {len(names)} nodes")
    nodes = {name: _node(name, number, topology, subnets[number]) for number, name in enumerate(names, 1)}
    pod_mtu = checks.mtu("kubernetes.pod_mtu", top["pod_mtu"]) if "pod_mtu" in top else None
    pods = tuple(_pod(name, item, nodes) for name, item in checks.mapping("kubernetes.pods", top.get("pods")).items())
    written = checks.mapping("kubernetes.services", top.get("services"))
    services = tuple(_service(name, item, number, pods) for number, (name, item) in enumerate(written.items()))
    return Cluster(nodes, network, pod_mtu, pods, services, _rke(top, topology))


def _rke(top: Mapping[str, Any], topology: Topology) -> tuple[str, str] | None:
    if "rke" not in top:
        return None
    fields = checks.mapping("kubernetes.rke", top["rke"])
    checks.known_keys("kubernetes.rke", fields, ("host", "file"))
    host, file = (checks.text(f"kubernetes.rke.{key}", fields.get(key)) for key in ("host", "file"))
    checks.known_keys("kubernetes.rke.host", {host: None}, topology.hosts)
    return host, file


def _network(value: Any) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(checks.text("kubernetes.pod_network", value))
    except ValueError as error:
        raise BadTopology(f"kubernetes.pod_network: an IPv4 range is needed: {error}") from error
    if network.prefixlen >= _NODE_PREFIX:
        raise BadTopology(f"kubernetes.pod_network: {network} is too small: every node gets a /{_NODE_PREFIX} of it")
    return network


def _node(name: str, number: int, topology: Topology, subnet: ipaddress.IPv4Network) -> Node:
    first = topology.hosts[name].attachments[0]
    return Node(name, number, first.link, first.address.ip, first.mtu, subnet)


def _pod(name: str, value: Any, nodes: Mapping[str, Node]) -> PlacedPod:
    where = f"kubernetes.pods.{checks.name('kubernetes.pods', name)}"
    fields = checks.mapping(where, value)
    checks.known_keys(where, fields, ("namespace", "node", "image", "command", "sysctls", "labels"))
    node = checks.text(f"{where}.node", fields.get("node"))
    checks.known_keys(f"{where}.node", {node: None}, nodes)
    image = checks.text(f"{where}.image", fields.get("image", "web"))
    checks.known_keys(f"{where}.image", {image: None}, IMAGES)
    pod = Pod(
        name,
        checks.text(f"{where}.namespace", fields.get("namespace", "default")),
        IMAGES[image].reference,
        texts_by_name(f"{where}.sysctls", fields.get("sysctls")),
        checks.texts(f"{where}.command", fields.get("command")),
        texts_by_name(f"{where}.labels", fields.get("labels")),
    )
    return PlacedPod(pod, node)


def texts_by_name(where: str, value: Any) -> dict[str, str]:
    """Return a mapping from text to text. Raises BadTopology."""
    return {key: checks.text(f"{where}.{key}", item) for key, item in checks.mapping(where, value).items()}


def _service(name: str, value: Any, number: int, pods: tuple[PlacedPod, ...]) -> Service:
    where = f"kubernetes.services.{checks.name('kubernetes.services', name)}"
    fields = checks.mapping(where, value)
    checks.known_keys(where, fields, ("namespace", "pods", "port", "node_port"))
    namespace = checks.text(f"{where}.namespace", fields.get("namespace", "default"))
    selected = checks.texts(f"{where}.pods", fields.get("pods"))
    there = [placed.pod.name for placed in pods if placed.pod.namespace == namespace]
    checks.known_keys(f"{where}.pods", dict.fromkeys(selected), there)
    return Service(
        name,
        namespace,
        selected,
        port(f"{where}.port", fields.get("port")),
        port(f"{where}.node_port", fields.get("node_port"), _FIRST_NODE_PORT, _LAST_NODE_PORT),
        SERVICE_NETWORK[10 + number],
    )


def port(where: str, value: Any, first: int = 1, last: int = 65535) -> int:
    """Return the number of a TCP port. Raises BadTopology."""
    if not isinstance(value, int) or isinstance(value, bool) or not first <= value <= last:
        raise BadTopology(f"{where}: a port from {first} to {last} is needed, not {value!r}")
    return value
