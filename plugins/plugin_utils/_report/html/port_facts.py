# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kube-proxy's rules say about NodePorts, from the values of findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Tuple

from ..._rules import plain
from .words import in_order, listed

Record = Mapping[str, Any]


@dataclass(frozen=True)
class PortWay:
    """Nodes of which as much crosses the overlay, 0 to 1; None where they drop. nodes: the names that are told."""

    crossing: Optional[float]
    count: int
    nodes: Tuple[str, ...]


@dataclass(frozen=True)
class PortFact:
    """A NodePort. policy: cluster, local or unknown. pods: host and name of those that are known."""

    family: str
    protocol: str
    port: int
    service: Optional[str]
    policy: str
    share: Optional[float]
    overlays: Tuple[str, ...]
    ways: Tuple[PortWay, ...]
    pods: Tuple[Tuple[str, str], ...]

    @property
    def total(self) -> int:
        """Nodes that a load balancer spreads the requests over."""
        return max(1, sum(way.count for way in self.ways))

    @property
    def sentence(self) -> str:
        """Where it leads, and how."""
        pods = listed([f"{name} on {host}" for host, name in self.pods], 3) or "pods that are not known"
        service = f" ({self.service})" if self.service else ""
        label = f"NodePort {self.port}{service}" + (" by IPv6" if self.family == "ipv6" else "")
        policy = f"externalTrafficPolicy {self.policy.capitalize()}"
        empty = in_order([name for way in self.ways if way.crossing == 1 for name in way.nodes])
        if self.share:
            none = f"; {listed(empty, 6)} hold no pod of it" if len(empty) > 1 else ""
            none = f"; {empty[0]} holds no pod of it" if len(empty) == 1 else none
            told = f"{round(100 * self.share)} % of the requests cross {listed(self.overlays)}{none}"
        else:
            told = "no request crosses an overlay"
        return f"{label} \N{RIGHTWARDS ARROW} {pods}, {policy}: {told}"


def port_facts(findings: Iterable[Record]) -> Dict[Tuple[str, int], PortFact]:
    """Return the NodePorts of TCP that any finding tells of, by family and port; none that two clusters have."""
    found: Dict[Tuple[str, int], List[PortFact]] = {}
    for finding in findings:
        for one in facts_of(finding):
            same = found.setdefault((one.family, one.port), [])
            if one.protocol == "tcp" and one not in same:
                same.append(one)
    return {place: same[0] for place, same in found.items() if len(same) == 1}


def facts_of(finding: Record) -> Tuple[PortFact, ...]:
    """Return the NodePorts that a finding carries; entries that make no sense are left out."""
    found = [_fact(entry) for entry in plain.records(plain.record(finding, "values"), "node_ports")]
    return tuple(one for one in found if one is not None)


def _fact(entry: Record) -> Optional[PortFact]:
    port, protocol = plain.whole(entry, "port"), plain.text(entry, "protocol")
    ways = tuple(
        PortWay(plain.number(way, "crossing"), plain.whole(way, "count") or 0, tuple(plain.texts(way, "nodes")))
        for way in plain.records(entry, "ways")
    )
    if port is None or protocol is None or not any(way.count for way in ways):
        return None
    pods = [(plain.text(pod, "host"), plain.text(pod, "name")) for pod in plain.records(entry, "pods")]
    return PortFact(
        family=plain.text(entry, "family") or "ipv4",
        protocol=protocol,
        port=port,
        service=plain.text(entry, "service"),
        policy=plain.text(entry, "external_traffic_policy") or "unknown",
        share=plain.number(entry, "share"),
        overlays=tuple(plain.texts(entry, "overlays")),
        ways=ways,
        pods=tuple((host, name or "a pod") for host, name in pods if host is not None),
    )
