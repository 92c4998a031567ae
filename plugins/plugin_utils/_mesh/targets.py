# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each host of a run has to measure, in the form that path_mtu_info and tcp_path_info take."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import Enum
from typing import AbstractSet, Any, Dict, Iterable, List, Mapping, Optional, Sequence

from .expected import Expectation, between_hosts, between_pods, host_to_pod, reaches
from .members import Member, PodEnd, meet
from .plan import Pair


class PathClass(Enum):
    """Which ends a path has."""

    HOSTS = "host-host"
    PODS = "pod-pod"
    HOST_POD = "host-pod"
    NODE_PORT = "outside-nodeport"


CLASSES: Mapping[str, AbstractSet[PathClass]] = {
    "none": frozenset(),
    "hosts": frozenset({PathClass.HOSTS}),
    "pods": frozenset({PathClass.PODS, PathClass.HOST_POD}),
    "all": frozenset(PathClass),
}
"""What each value of netfit_probe means."""


@dataclass(frozen=True)
class Settings:
    """How to probe. classes: which paths. responder_port: UDP, None for no responders.

    expected_mtu: bytes that every path ought to carry, None to take that from the facts: what is promised, or what is
    carried (see expected.py). node_ports: TCP ports.
    """

    classes: AbstractSet[PathClass]
    responder_port: Optional[int] = None
    expected_mtu: Optional[int] = None
    node_ports: Sequence[int] = ()
    promised: bool = False


@dataclass
class Work:
    """What one host has to do. responder_sources: where others expect it to answer, {} being the host itself."""

    targets: List[Dict[str, Any]] = field(default_factory=list)
    tcp_targets: List[Dict[str, Any]] = field(default_factory=list)
    responder_sources: List[Dict[str, str]] = field(default_factory=list)

    def answers_from(self, source: Mapping[str, str]) -> None:
        """Have a responder there."""
        if dict(source) not in self.responder_sources:
            self.responder_sources.append(dict(source))


@dataclass(frozen=True)
class LeftOut:
    """Something that the plan has and nobody measures, and why. prober: the host that would have had to."""

    name: str
    reason: str
    prober: str


class Assignment:
    """Hands out the paths of the plan. members: by name. probers: those of them that take part in this run."""

    def __init__(self, members: Mapping[str, Member], probers: Iterable[str], settings: Settings) -> None:
        self._members = members
        self._settings = settings
        self.work: Dict[str, Work] = {name: Work() for name in sorted(probers)}
        self.left_out: List[LeftOut] = []

    def add_pairs(self, pairs: Iterable[Pair]) -> None:
        """Add all paths between the ends of each pair, whose prober has to be one of the probers."""
        for pair in pairs:
            one, other = self._members[pair.prober], self._members[pair.peer]
            self._add_hosts(one, other)
            self._add_pods(one, other)
            both = ((one, other), (other, one))
            for host, far in both if other.name in self.work else both[:1]:
                self._add_host_pods(host, far)

    def add_vantages(self, vantages: Iterable[str], nodes: Iterable[Member]) -> None:
        """Add every node port of every node for each vantage host."""
        if PathClass.NODE_PORT not in self._settings.classes:
            return
        known = [node for node in nodes if node.address is not None]
        for vantage in sorted(vantages):
            work = self.work.setdefault(vantage, Work())
            for node in known:
                work.tcp_targets.extend(self._node_port(vantage, node, port) for port in self._settings.node_ports)

    def _node_port(self, vantage: str, node: Member, port: int) -> Dict[str, Any]:
        expected = self._expected(Expectation(None, "what the port itself advertises as MSS"))
        return {
            "name": f"{vantage} to {node.name}:{port}",
            "host": node.address,
            "port": port,
            **({} if expected.mtu is None else {"expected_mtu": expected.mtu}),
            "about": _about(PathClass.NODE_PORT, node, None, expected),
        }

    def _add_hosts(self, one: Member, other: Member) -> None:
        if PathClass.HOSTS not in self._settings.classes:
            return
        expected = between_hosts(one, other)
        if other.address is None:
            self._leave_out(
                one, one.name, other.name, f"no address of {other.name} is known: set netfit_address for it"
            )
        else:
            self._add(one, None, other, None, other.address, PathClass.HOSTS, expected)

    def _add_pods(self, one: Member, other: Member) -> None:
        if PathClass.PODS not in self._settings.classes:
            return
        for pod in one.pods:
            for peer in other.pods:
                for address in _common(pod, peer) if meet(one, pod, other, peer) else ():
                    expected = between_pods(one, pod, other, peer, self._settings.promised)
                    self._add(one, pod, other, peer, address, PathClass.PODS, expected)

    def _add_host_pods(self, one: Member, other: Member) -> None:
        if PathClass.HOST_POD not in self._settings.classes:
            return
        for peer in other.pods:
            for address in peer.addresses[:1] if reaches(one, peer) else ():
                expected = host_to_pod(one, other, peer, self._settings.promised)
                self._add(one, None, other, peer, address, PathClass.HOST_POD, expected)

    def _add(
        self,
        one: Member,
        pod: Optional[PodEnd],
        other: Member,
        peer: Optional[PodEnd],
        address: str,
        kind: PathClass,
        expected: Expectation,
    ) -> None:
        source, name, goal = pod.source if pod is not None else {}, _name(one, pod), _name(other, peer)
        work, expected = self.work[one.name], self._expected(expected)
        if address in one.own_addresses:
            self._leave_out(one, name, goal, f"{address} is an address of {one.name} itself: set netfit_address")
            return
        if any(known["address"] == address and known.get("source", {}) == source for known in work.targets):
            self._leave_out(one, name, goal, f"{address} is somebody else's, too: set netfit_address")
            return
        target: Dict[str, Any] = {"address": address, "name": f"{name} to {goal}", "method": "auto"}
        if peer is not None and len(peer.addresses) > 1 and ":" in address:
            target["name"] += " (IPv6)"
        if source:
            target["source"] = dict(source)
        if expected.mtu is not None:
            target["expected_mtu"] = expected.mtu
        if self._settings.responder_port is not None and other.name in self.work:
            target["responder_port"] = self._settings.responder_port
            self.work[other.name].answers_from(peer.source if peer is not None else {})
        work.targets.append({**target, "about": _about(kind, other, peer, expected)})

    def _expected(self, by_facts: Expectation) -> Expectation:
        stated = self._settings.expected_mtu
        return by_facts if stated is None else Expectation(stated, "netfit_expected_mtu says so")

    def _leave_out(self, prober: Member, name: str, goal: str, reason: str) -> None:
        self.left_out.append(LeftOut(f"{name} to {goal}", reason, prober.name))


def _common(pod: PodEnd, peer: PodEnd) -> List[str]:
    """The peer's addresses of those families that the pod has, too."""
    families = {ipaddress.ip_address(address).version for address in pod.addresses}
    return [address for address in peer.addresses if ipaddress.ip_address(address).version in families]


def _name(member: Member, pod: Optional[PodEnd]) -> str:
    return member.name if pod is None else f"pod {pod.name} on {member.name}"


def _about(kind: PathClass, other: Member, peer: Optional[PodEnd], expected: Expectation) -> Dict[str, Any]:
    """What comes back with the result: whom the path leads to, by which network where its node has pods on several."""
    owner = {"kind": "host", "name": other.name} if peer is None else peer.owner.as_fact()
    about: Dict[str, Any] = {
        "class": kind.value,
        "peer": {"host": other.name, "owner": owner},
        "expected_because": expected.because,
    }
    if peer is not None and peer.network is not None and len(other.pods) > 1:
        about["network"] = peer.network
    return about
