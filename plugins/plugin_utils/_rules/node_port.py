# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NODEPORT-001: which share of the requests to a NodePort crosses the overlay; and what MTU-001 says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Iterable, List, Optional, Sequence

from ...module_utils._model.finding import Evidence, Finding, Remedy, Target
from ...module_utils._model.node_port import TrafficPolicy
from .making import NETLINK, fail
from .policy import Policy
from .shared_ports import PortPod, SharedPort

MOST_NAMES = 6
MOST_LISTED = 64
"""Nodes of one way, and pods, in the values that the report's picture is made of."""
REMEDY_TAG = "external_traffic_policy"
DROPS = (
    "requests to nodes without a pod of the service are dropped: the load balancer's health check has to ask the port"
)
POLICIES = {TrafficPolicy.CLUSTER: "Cluster", TrafficPolicy.LOCAL: "Local", TrafficPolicy.UNKNOWN: "not known"}


def crossing_ports(ports: Iterable[SharedPort], policy: Policy) -> List[Finding]:
    """NODEPORT-001. It is no fault by itself: it says who depends on the overlay, and on its MTU."""
    return [_finding(port, policy) for port in ports if port.share]


def _finding(port: SharedPort, policy: Policy) -> Finding:
    holders = sorted({pod.host for pod in port.pods if pod.host is not None})
    empty = [node.host for node in port.nodes if node.host not in holders]
    evidence = [
        Evidence("externalTrafficPolicy", POLICIES[port.policy], port.source),
        *[Evidence(f"leads to {pod_words(pod)}", None, port.source) for pod in port.pods[:MOST_NAMES]],
        Evidence("nodes that hold a pod of it", shown(holders) or "none that was audited", NETLINK),
        Evidence("nodes that hold none", shown(empty), NETLINK) if empty else None,
        _unseen(port),
    ]
    remedy = None
    if port.policy is not TrafficPolicy.LOCAL:
        remedy = Remedy(REMEDY_TAG, {"service": port.service, "port": port.port}, DROPS, survives_restart=True)
    finding = fail(
        "NODEPORT-001",
        policy,
        Target(host=port.nodes[0].host, scope="cluster", listener=port.name),
        f"{percent(port.share or 0)} of the requests cross {shown(port.overlays)}: {_through(port)}",
        "none with externalTrafficPolicy Local; with Cluster an overlay that full-size packets fit (MTU-001)",
        evidence,
        remedy,
    )
    return _with_values(finding, [port])


def port_evidence(ports: Sequence[SharedPort]) -> List[Evidence]:
    """Return what MTU-001 says about each NodePort that leads to the pod."""
    found = []
    for port in ports[:MOST_NAMES]:
        policy = POLICIES[port.policy]
        if port.share:
            told = f"requests that cross {shown(port.overlays)} and depend on ICMP, {_through(port)}"
            share = percent(port.share)
        else:
            told, share = "requests that cross an overlay", "none"
            if port.dropping:
                told = f"{told} (dropped by {shown(port.dropping)}, without a pod)"
        found.append(Evidence(f"{port.name} leads here, externalTrafficPolicy {policy}: {told}", share, port.source))
    if len(ports) > MOST_NAMES:
        found.append(Evidence(f"and {len(ports) - MOST_NAMES} more NodePorts lead here", None, None))
    return found


def port_values(ports: Sequence[SharedPort]) -> Dict[str, Any]:
    """Return the values of a finding about these ports; see node_ports in report.schema.json."""
    return {"node_ports": [_values(port) for port in ports]} if ports else {}


def _with_values(finding: Finding, ports: Sequence[SharedPort]) -> Finding:
    return replace(finding, values=port_values(ports))


def _values(port: SharedPort) -> Dict[str, Any]:
    ways: Dict[Optional[float], List[str]] = {}
    for node in port.nodes:
        ways.setdefault(None if node.crossing is None else round(node.crossing, 4), []).append(node.host)
    told = [
        {"crossing": crossing, "count": len(names), "nodes": names[:MOST_LISTED]} for crossing, names in ways.items()
    ]
    if port.unseen:
        told.append({"crossing": 1.0, "count": port.unseen, "nodes": []})
    return {
        "family": port.family,
        "protocol": port.protocol,
        "port": port.port,
        "service": port.service,
        "external_traffic_policy": port.policy.value,
        "share": None if port.share is None else round(port.share, 4),
        "overlays": list(port.overlays),
        "ways": told,
        "pods": [
            {"address": pod.address, "port": pod.port, "host": pod.host, "name": pod.name}
            for pod in port.pods[:MOST_LISTED]
        ],
    }


def _unseen(port: SharedPort) -> Optional[Evidence]:
    if not port.unseen:
        return None
    return Evidence("nodes of the overlay that were not audited, counted as holding none", port.unseen, NETLINK)


def _through(port: SharedPort) -> str:
    """Return "those through n1, n3, n4"."""
    rest = [f"{port.unseen} that were not audited"] if port.unseen else []
    return f"those through {shown([*port.crossing, *rest], MOST_NAMES + len(rest))}"


def pod_words(pod: PortPod) -> str:
    """Return "pod prod/gateway on n2 (10.42.2.5:8081)", as far as that is known."""
    address = f"[{pod.address}]:{pod.port}" if ":" in pod.address else f"{pod.address}:{pod.port}"
    if pod.host is None:
        return f"{address}, on a node that was not audited"
    return f"pod {pod.name} on {pod.host} ({address})" if pod.name else f"{address} on {pod.host}"


def shown(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Return names, and how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def percent(share: float) -> str:
    """Return a share as "75 %"; what is neither nothing nor all is never said to be."""
    rounded = round(100 * share)
    if 0 < share < 1 and rounded in (0, 100):
        return "<1 %" if rounded == 0 else ">99 %"
    return f"{rounded} %"
