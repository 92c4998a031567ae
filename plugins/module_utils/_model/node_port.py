# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which port of every node leads to which pods, and which share of its requests crosses an overlay; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Mapping, Optional, Sequence, Tuple

from .fact import Fact


class TrafficPolicy(Enum):
    """externalTrafficPolicy of a service. CLUSTER: any pod of it answers; LOCAL: one on the node that was asked."""

    CLUSTER = "cluster"
    LOCAL = "local"
    UNKNOWN = "unknown"


class ProxyMode(Enum):
    """How kube-proxy tells the kernel."""

    IPTABLES = "iptables"
    NFTABLES = "nftables"
    IPVS = "ipvs"


@dataclass(frozen=True)
class NodePortEndpoint(Fact):
    """Where a node sends requests to one of its ports.

    share: of these requests, 0 to 1. local: whether the address belongs to this host or a pod on it, None where that is
    not known. device: the link by which this host sends there, None where it has no route.
    """

    address: str
    port: int
    share: float
    local: Optional[bool] = None
    device: Optional[str] = None


@dataclass(frozen=True)
class NodePort(Fact):
    """A NodePort of a Kubernetes service, as the rules of one node have it.

    family: ipv4 or ipv6. protocol: tcp, udp or sctp. service: "namespace/name:port", without ":port" where the port has
    no name; None where the rules don't tell. endpoints: empty where this node drops the requests. source: what was
    read.
    """

    family: str
    protocol: str
    port: int
    service: Optional[str]
    external_traffic_policy: TrafficPolicy
    endpoints: Tuple[NodePortEndpoint, ...]
    mode: ProxyMode
    source: str


def even_shares(count: int) -> Tuple[float, ...]:
    """Return the shares of so many endpoints that are as likely as each other."""
    return tuple(rounded(1 / count) for _number in range(count))


def chained_shares(probabilities: Sequence[float]) -> Tuple[float, ...]:
    """Return the shares of rules that are tried one after the other, each with a probability of its own.

    Source: kubernetes pkg/proxy/iptables/proxier.go, writeServiceToEndpointRules.
    """
    found, left = [], 1.0
    for probability in probabilities:
        found.append(rounded(left * probability))
        left *= 1 - probability
    return tuple(found)


def rounded(share: float) -> float:
    """Return a share as facts have it: kube-proxy writes ten digits, of which the kernel keeps less."""
    return round(min(1.0, max(0.0, share)), 6)


def crossing_share(shares: Sequence[Tuple[float, bool]]) -> Optional[float]:
    """Return the part of one node's requests that crosses the overlay, 0 to 1; None where the node drops them.

    shares: of each endpoint, and whether the way to it from this node crosses.
    """
    whole = sum(share for share, _crosses in shares)
    return sum(share for share, crosses in shares if crosses) / whole if whole > 0 else None


def mean_crossing(crossings: Mapping[str, Optional[float]], nodes: int, spread: bool) -> Optional[float]:
    """Return the part of all answered requests that crosses, where each node gets as many; None where all drop them.

    crossings: of each node that was seen, None for one that drops. nodes: how many there are, seen or not.
    spread: every node sends to the same endpoints (CLUSTER), each on one of the nodes and reached by the overlay from
    all others. Then each request crosses on all nodes but one, wherever the endpoints are, and the unseen rest follows.
    """
    seen = [crossing for crossing in crossings.values() if crossing is not None]
    unseen = nodes - len(crossings)
    if not seen:
        return None
    if unseen <= 0 or not spread:
        return sum(seen) / len(seen)
    total = sum(seen) + min(float(unseen), max(0.0, nodes - 1 - sum(seen)))
    return total / (len(seen) + unseen)
