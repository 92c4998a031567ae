# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links of running containers that a plain bridge connects, as changes of their MTU."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ...module_utils._model.owner import OwnerKind
from .making import link_change, place
from .read_view import view_host
from .view import HostView, LinkView, NetworkView

_ON_A_PARENT = ("macvlan", "ipvlan")


def container_links(facts: Mapping[str, Any], mtu: int) -> List[Dict[str, Any]]:
    """Return the changes that give containers at most this MTU (bytes), in their order; none for what fits already.

    facts: ``ansible_facts`` of a host, of which ``netfit_mtu`` counts. A bridge comes before its containers: the kernel
    keeps the MTU of a bridge that was set, and a value that is there already is not set (net/core dev_set_mtu,
    net/bridge br_change_mtu). Pods are left out, and links into overlay networks, whose other end is not on the host.
    """
    host = view_host("", dict(facts))
    home = host.host_network
    changes: List[Dict[str, Any]] = []
    bridges: Dict[str, LinkView] = {}
    for network in host.members if home is not None else ():
        for link in network.links if network.owner.kind is OwnerKind.CONTAINER else ():
            end = _end(host, link)
            bridge = home.link(end.master) if home is not None and end is not None else None
            if bridge is not None and bridge.kind == "bridge":
                bridges[bridge.name] = bridge
            if _judged(link, bridge) and max(link.mtu, end.mtu if end is not None else 0) > mtu:
                changes.append(_change(network, link, mtu))
    pinned = [_change(home, one, mtu) for _name, one in sorted(bridges.items()) if home is not None and one.mtu > mtu]
    return pinned + changes


def _end(host: HostView, link: LinkView) -> Optional[LinkView]:
    end = host.peer_of(link)
    home = host.host_network
    return end if end is not None and home is not None and end.namespace == home.inode else None


def _judged(link: LinkView, bridge: Optional[LinkView]) -> bool:
    return link.kind in _ON_A_PARENT or (bridge is not None and bridge.kind == "bridge")


def _change(network: NetworkView, link: LinkView, mtu: int) -> Dict[str, Any]:
    return link_change(place("", network), link.name, mtu)
