# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the NodePorts of one host from its facts."""

from __future__ import annotations

from enum import Enum
from typing import Iterable, Optional, Tuple, Type, TypeVar

from ...module_utils._model.node_port import NodePort, NodePortEndpoint, ProxyMode, TrafficPolicy
from . import plain
from .plain import Record

Choice = TypeVar("Choice", bound=Enum)


def view_node_ports(fact: Record) -> Tuple[NodePort, ...]:
    """Read the NodePorts of the fact netfit_mtu; one without port or protocol is left out."""
    found = []
    for entry in plain.records(fact, "node_ports"):
        port, protocol = plain.whole(entry, "port"), plain.text(entry, "protocol")
        if port is None or protocol is None:
            continue
        found.append(
            NodePort(
                family=plain.text(entry, "family") or "ipv4",
                protocol=protocol,
                port=port,
                service=plain.text(entry, "service"),
                external_traffic_policy=_choice(
                    TrafficPolicy, plain.text(entry, "external_traffic_policy"), TrafficPolicy.UNKNOWN
                ),
                endpoints=tuple(_endpoints(entry)),
                mode=_choice(ProxyMode, plain.text(entry, "mode"), ProxyMode.IPTABLES),
                source=plain.text(entry, "source") or "kube-proxy",
            )
        )
    return tuple(found)


def _choice(kind: Type[Choice], text: Optional[str], otherwise: Choice) -> Choice:
    return next((one for one in kind if one.value == text), otherwise)


def _endpoints(fact: Record) -> Iterable[NodePortEndpoint]:
    for entry in plain.records(fact, "endpoints"):
        address, port, share = plain.text(entry, "address"), plain.whole(entry, "port"), plain.number(entry, "share")
        local = entry.get("local")
        if address is not None and port is not None:
            known = local if isinstance(local, bool) else None
            yield NodePortEndpoint(address, port, share or 0.0, known, plain.text(entry, "device"))
