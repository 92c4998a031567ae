# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts belong together: those that share an overlay, or that are each other's next hop to pods.

Several clusters of an inventory have overlays of the same name. Nodes of one are told from those of another as the
audit does it, by the gateways of their routes.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence, Set, Tuple

from .._rules.cluster import overlays as shared_overlays
from .hosts import PlanHost
from .overlays import Overlay


def clusters(hosts: Sequence[PlanHost], overlays: Mapping[str, Sequence[Overlay]]) -> List[List[str]]:
    """Return the names of the hosts of each cluster, sorted; a host that shares nothing is one of its own."""
    parents: Dict[str, str] = {host.name: host.name for host in hosts}

    def root(name: str) -> str:
        while parents[name] != name:
            name = parents[name]
        return name

    for members in _ties(hosts, overlays):
        names = sorted(members)
        for other in names[1:]:
            parents[root(other)] = root(names[0])
    found: Dict[str, List[str]] = {}
    for host in hosts:
        found.setdefault(root(host.name), []).append(host.name)
    return sorted(sorted(names) for names in found.values())


def _ties(hosts: Sequence[PlanHost], overlays: Mapping[str, Sequence[Overlay]]) -> List[Set[str]]:
    bridged: Dict[object, Set[str]] = {}
    owners: Dict[str, str] = {}
    routed: Set[Tuple[str, str]] = set()
    for host in hosts:
        for overlay in overlays[host.name]:
            if overlay.network.is_host:
                routed.add((host.name, overlay.device.name))
            if overlay.joins_by_bridge:
                bridged.setdefault(overlay.identity, set()).add(host.name)
        home = host.view.host_network
        for link in home.links if home is not None else ():
            owners.update({address: host.name for address, _length in link.addresses})
    ties = list(bridged.values())
    for nodes in shared_overlays([host.view for host in hosts]):
        ties.append({node.host.name for node in nodes if (node.host.name, node.overlay.name) in routed})
    for host in hosts:
        home = host.view.host_network
        for route in home.routes if home is not None else ():
            others = {owners[gateway] for gateway in route.gateways if gateway in owners and not route.default}
            ties.extend({host.name, other} for other in others)
    return ties
