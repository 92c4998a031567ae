# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""NodePorts among the virtual servers of IPVS, as /proc/net/ip_vs lists them; pure.

Source: Linux net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_info_seq_show (addresses and ports are hexadecimal); kubernetes
pkg/proxy/ipvs/proxier.go: a NodePort is a virtual server at every address of the node, a cluster IP one at an address
of the link kube-ipvs0; and ipset.go: the sets KUBE-NODE-PORT-TCP, ... name the ports, KUBE-NODE-PORT-LOCAL-TCP, ...
those with externalTrafficPolicy Local (KUBE-6-... for IPv6, cut at 31 characters). No rule names the service.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Collection, Dict, List, NamedTuple, Optional, Set, Tuple

from .._model.node_port import NodePort, NodePortEndpoint, ProxyMode, TrafficPolicy, rounded

SOURCE = "/proc/net/ip_vs"
_VIRTUAL = re.compile(r"(?P<protocol>TCP|UDP|SCTP) +(?P<place>\S+):(?P<port>[0-9A-F]{4}) ")
_REAL = re.compile(r" +-> (?P<place>\S+):(?P<port>[0-9A-F]{4}) +\S+ +(?P<weight>[0-9]+) ")
_MEMBER = re.compile(
    r"add KUBE-(?:6-)?NODE-PORT-(?P<local>LOCAL-)?(?P<protocol>TCP|UDP|SCTP)\S* "
    r"(?:\S+,(?P<of>tcp|udp|sctp):)?(?P<port>[0-9]+)\b"
)

Place = Tuple[str, int]
"""Protocol and port."""


class PortSets(NamedTuple):
    """What the sets of kube-proxy say: ports of services, and those of them with externalTrafficPolicy Local."""

    ports: Set[Place]
    local: Set[Place]


def parse_port_sets(text: str) -> PortSets:
    """Return the ports that ``ipset save`` lists in kube-proxy's sets."""
    found = PortSets(set(), set())
    for match in _MEMBER.finditer(text):
        place = (match["protocol"].lower(), int(match["port"]))
        found.ports.add(place)
        if match["local"]:
            found.local.add(place)
    return found


def parse_virtual_servers(text: str, nodes: Collection[str], sets: Optional[PortSets]) -> List[NodePort]:
    """Return the NodePorts, by port. nodes: the node's own addresses, without those of kube-ipvs0.

    sets: None where they could not be read; then what the virtual servers at the node's addresses are for is not known
    for certain, and neither is the policy. Of several addresses of the node the first counts.
    """
    found: Dict[Tuple[str, str, int], NodePort] = {}
    for protocol, address, port, servers in _virtual_servers(text):
        family, place = ("ipv6" if ":" in address else "ipv4"), (protocol, port)
        key = (family, protocol, port)
        known = sets is None or place in sets.ports
        if address not in nodes or not known or key in found:
            continue
        local = sets is not None and place in sets.local
        policy = TrafficPolicy.LOCAL if local else TrafficPolicy.UNKNOWN if sets is None else TrafficPolicy.CLUSTER
        whole = sum(weight for _place, weight in servers)
        endpoints = tuple(NodePortEndpoint(*one, rounded(weight / whole)) for one, weight in servers if weight)
        found[key] = NodePort(*key, None, policy, endpoints, ProxyMode.IPVS, SOURCE)
    return [found[key] for key in sorted(found, key=lambda one: (one[0], one[2], one[1]))]


_Server = Tuple[Tuple[str, int], int]


def _virtual_servers(text: str) -> List[Tuple[str, str, int, List[_Server]]]:
    found: List[Tuple[str, str, int, List[_Server]]] = []
    servers: List[_Server] = []
    for line in text.splitlines():
        virtual, real = _VIRTUAL.match(line), _REAL.match(line)
        if real is not None:
            address = _address(real["place"])
            servers.extend([((address, int(real["port"], 16)), int(real["weight"]))] if address else [])
        elif not line.startswith(" "):
            servers = []
            address = _address(virtual["place"]) if virtual is not None else None
            if virtual is not None and address is not None:
                found.append((virtual["protocol"].lower(), address, int(virtual["port"], 16), servers))
    return found


def _address(text: str) -> Optional[str]:
    """Return an address as people write it, from 8 hexadecimal digits or an IPv6 address in brackets."""
    try:
        if text.startswith("["):
            return str(ipaddress.IPv6Address(text.strip("[]")))
        return str(ipaddress.IPv4Address(int(text, 16)))
    except ValueError:
        return None
