# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident's path in bare namespaces, and a trace along it as several hosts would do it.

client eth0 - eth0 n1 eth1 - r0 router r1 - eth0 n2 cali1 - eth0 pod
               flannel.1 ===== vxlan ===== flannel.1  cni0/veth2 - eth0 bridged
"""

from __future__ import annotations

import itertools
from types import MappingProxyType
from typing import List, Mapping, Sequence, Tuple

from network_lab import Lab, run

from ansible_collections.netfit.cluster.plugins.module_utils._facts.sources import Source
from ansible_collections.netfit.cluster.plugins.module_utils._locate.locate import Answer, locate
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Namespace, Owner, OwnerKind
from ansible_collections.netfit.cluster.plugins.module_utils._trace.packet_filter import TunnelPorts
from ansible_collections.netfit.cluster.plugins.module_utils._trace.sender import BurstOptions, send_burst
from ansible_collections.netfit.cluster.plugins.module_utils._trace.tag import make_tag
from ansible_collections.netfit.cluster.plugins.module_utils._trace.watcher import Watcher

_RUNS = itertools.count()
CLIENT, NODE_PORT, POD, BRIDGED = "10.101.0.1", "10.101.0.2", "10.42.2.5", "10.42.3.6"
HARDWARE = {"n1": "02:00:00:00:00:01", "n2": "02:00:00:00:00:02"}
OURS: Mapping[str, Tuple[str, ...]] = MappingProxyType(
    {"lb": ("client",), "n1": ("n1",), "rt": ("router",), "n2": ("n2", "pod", "bridged")}
)
"""Hosts of the cluster and the namespaces that each of them has, its own first."""


def build(lab: Lab) -> None:
    """Make the path: pods of 1500 over an overlay of 1450, as in the incident, every other link 1500."""
    lab.add("client", "n1", "router", "n2", "pod", "bridged")
    lab.ip("client", "link add eth0 type veth peer name eth0 netns {n1}", "link set eth0 up")
    lab.ip("n1", "link add eth1 type veth peer name r0 netns {router}")
    lab.ip("router", "link add r1 type veth peer name eth0 netns {n2}")
    lab.ip("n2", "link add cali1 type veth peer name eth0 netns {pod}")
    lab.ip("n2", "link add veth2 type veth peer name eth0 netns {bridged}")
    for name in ("n1", "n2", "router"):
        lab.sysctl(name, "net.ipv4.ip_forward", "1")
    lab.ip("client", f"addr add {CLIENT}/24 dev eth0", f"route add default via {NODE_PORT}")
    lab.ip("n1", f"addr add {NODE_PORT}/24 dev eth0", "addr add 10.102.0.1/24 dev eth1")
    lab.ip("n1", "link set eth0 up", "link set eth1 up", "route add 10.103.0.0/24 via 10.102.0.254")
    lab.ip("router", "addr add 10.102.0.254/24 dev r0", "addr add 10.103.0.254/24 dev r1")
    lab.ip("router", "link set r0 up", "link set r1 up", "route add 10.101.0.0/24 via 10.102.0.1")
    lab.ip("n2", "addr add 10.103.0.1/24 dev eth0", "link set eth0 up", "link set cali1 up")
    lab.ip("n2", "route add default via 10.103.0.254")
    overlay(lab)
    lab.ip("n2", "addr add 10.42.2.1/32 dev cali1", f"route add {POD} dev cali1")
    lab.ip("pod", f"addr add {POD}/32 dev eth0", "link set eth0 up")
    lab.ip("pod", "route add 10.42.2.1 dev eth0", "route add default via 10.42.2.1")
    lab.ip("n2", "link add cni0 type bridge", "link set veth2 master cni0", "link set veth2 up", "link set cni0 up")
    lab.ip("n2", "addr add 10.42.3.1/24 dev cni0")
    lab.ip("bridged", f"addr add {BRIDGED}/24 dev eth0", "link set eth0 up", "route add default via 10.42.3.1")


def overlay(lab: Lab, *options: str) -> None:
    """Make, or make anew, the vxlan devices as flannel does. options: of ip link add."""
    nodes = {"n1": ("10.102.0.1", "eth1", "10.103.0.1", "n2", 2), "n2": ("10.103.0.1", "eth0", "10.102.0.1", "n1", 1)}
    for name, (local, device, remote, other, number) in nodes.items():
        extra = " ".join(options) if options else f"dev {device}"
        own, gateway = (number % 2 + 1, f"10.42.{number}.0")
        own = 1 if name == "n1" else 2
        kind = f"type vxlan id 1 dstport 8472 local {local} nolearning {extra}"
        lab.ip(name, f"link add flannel.1 {kind}", f"link set flannel.1 address {HARDWARE[name]} up")
        lab.ip(name, f"addr add 10.42.{own}.0/32 dev flannel.1")
        lab.ip(name, f"neigh add {gateway} lladdr {HARDWARE[other]} dev flannel.1 nud permanent")
        entry = ("fdb", "add", HARDWARE[other], "dev", "flannel.1", "dst", remote, "self", "permanent")
        run("bridge", "-n", lab.name(name), *entry)
    lab.ip("n1", "route add 10.42.2.0/24 via 10.42.2.0 dev flannel.1 onlink")
    lab.ip("n1", "route add 10.42.3.0/24 via 10.42.2.0 dev flannel.1 onlink")
    lab.ip("n2", "route add 10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink")
    lab.ip("n2", "route add 10.101.0.0/24 via 10.42.1.0 dev flannel.1 onlink")


def node_port(lab: Lab) -> None:
    """Publish the pod's port 8081 at port 30004 of n1, as kube-proxy does."""
    nft(lab, "n1", "table ip nat {\n chain pre { type nat hook prerouting priority -100;\n"
        f"  tcp dport 30004 dnat to {POD}:8081\n }}\n"
        f" chain post {{ type nat hook postrouting priority 100;\n  ip daddr {POD} masquerade\n }}\n}}\n")  # fmt: skip


def nft(lab: Lab, name: str, text: str) -> None:
    """Load rules in a namespace."""
    run("ip", "netns", "exec", lab.name(name), "nft", "-f", "-", given=text)


def sources(lab: Lab, names: Sequence[str]) -> List[Source]:
    """Return the namespaces of one host with their owners."""
    found = []
    for position, name in enumerate(names):
        kind = OwnerKind.HOST if position == 0 else OwnerKind.POD
        namespace = Namespace(lab.inode(name), (lab.path(name),), host=position == 0)
        found.append(Source(namespace, Owner(kind, name if position == 0 else f"prod/{name}")))
    return found


def trace(lab: Lab, options: BurstOptions, hosts: Mapping[str, Tuple[str, ...]] = OURS, sender: str = "lb") -> Answer:
    """Watch on the hosts, send from the sender's own namespace, and locate."""
    name = f"test-{lab.name('')}{next(_RUNS)}"
    watchers = {host: Watcher(name, host, sources(lab, names), TunnelPorts()) for host, names in hosts.items()}
    try:
        inode = lab.inode(hosts[sender][0])
        burst = lab.inside(hosts[sender][0], lambda: send_burst(make_tag(name), name, options, inode))
        for watcher in watchers.values():
            watcher.rest()
        traces = {host: watcher.finish([inode]) for host, watcher in watchers.items()}
    finally:
        for watcher in watchers.values():
            watcher.close()
    assert [problem for one in traces.values() for problem in one.problems] == []
    return locate(traces, burst, sender)
