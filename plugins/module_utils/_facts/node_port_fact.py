# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The NodePorts of a host, with what this host knows about where their endpoints are."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from .._kernel.attributes import NetlinkError
from .._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from .._kernel.node_ports import IPVS_LINK, read_node_ports
from .._kernel.route_lookup import look_up_route
from .._model.fact import Problem
from .._model.link import Link
from .._model.node_port import NodePort, NodePortEndpoint
from .survey import Survey

PROXIES = ("kube-proxy", "k3s-server", "k3s-agent")
"""Names of processes that do what kube-proxy does."""

_Ways = Mapping[str, Tuple[str, Optional[str]]]
"""Address -> the kind of its route, and the link."""


def node_ports_of(survey: Survey, links: Mapping[int, List[Link]]) -> List[NodePort]:
    """Return the NodePorts of the host's own network namespace. links: by inode of their namespace, completed.

    What could not be read becomes a problem of the survey.
    """
    home = [namespace for namespace in survey.namespaces if namespace.host and namespace.inode in links]
    if not home:
        return []
    own = links[home[0].inode]
    running = any(process.name in PROXIES for process in survey.processes.values())
    addresses = _addresses(link for link in own if link.name != IPVS_LINK)

    def read(_namespace: object) -> Tuple[List[NodePort], List[Problem], _Ways]:
        found, problems = read_node_ports(addresses, [link.name for link in own], running)
        return found, problems, _ways(found, {link.index: link.name for link in own}) if found else {}

    results = survey.visit(home, read)
    if home[0].inode not in results:
        return []
    found, problems, ways = results[home[0].inode]
    survey.problems.extend(replace(one, namespace=home[0].inode) for one in problems)
    inside = {inode: _addresses(found) for inode, found in links.items() if inode != home[0].inode}
    places = _Places({link.name: link for link in own}, set().union(*inside.values()), set(inside), ways)
    return [replace(port, endpoints=tuple(map(places.placed, port.endpoints))) for port in found]


def _addresses(links: Iterable[Link]) -> Set[str]:
    return {address.address for link in links if link.kind != "loopback" for address in link.addresses}


def _ways(ports: Sequence[NodePort], names: Mapping[int, str]) -> _Ways:
    """Ask the kernel how it would send to each endpoint; one without a route is left out."""
    found: Dict[str, Tuple[str, Optional[str]]] = {}
    with NetlinkSocket(NETLINK_ROUTE) as netlink:
        for address in {endpoint.address for port in ports for endpoint in port.endpoints}:
            try:
                answer = look_up_route(netlink, str(ipaddress.ip_address(address)))
            except (OSError, NetlinkError, ValueError):
                continue
            found[address] = (answer.type, names.get(answer.device_index or 0))
    return found


@dataclass(frozen=True)
class _Places:
    """What tells whether an address is on this host.

    links: the host's own by name. inside: addresses in other namespaces of it. namespaces: their inodes.
    """

    links: Mapping[str, Link]
    inside: Set[str]
    namespaces: Set[int]
    ways: _Ways

    def placed(self, endpoint: NodePortEndpoint) -> NodePortEndpoint:
        """Return the endpoint with its link, and whether it is here."""
        kind, device = self.ways.get(endpoint.address, ("", None))
        return replace(endpoint, local=self._is_local(endpoint.address, kind, device), device=device)

    def _is_local(self, address: str, kind: str, device: Optional[str]) -> Optional[bool]:
        link = self.links.get(device or "")
        if address in self.inside or kind == "local":
            return True
        if link is None:
            return None
        if link.kind == "bridge":
            return self._behind(link)
        return link.peer is not None and link.peer.namespace in self.namespaces

    def _behind(self, bridge: Link) -> Optional[bool]:
        """Behind a bridge are pods of this host, unless a tunnel or another host's link is a port of it as well."""
        ports = [link for link in self.links.values() if link.bridge == bridge.name]
        return True if all(port.encapsulation is None and port.kind == "veth" for port in ports) else None
