# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths of all hosts as one mesh: each direction once, and which of an overlay are its underlay's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ...module_utils._model.owner import OwnerKind
from ...module_utils._model.path import Verdict
from .mesh_cause import Edge, Fault
from .path_view import DirectionView, End, PathView, Way
from .paths import SIZE_RULES, Told
from .view import HostView

USUAL_OVERHEADS = (50, 70)
"""Bytes of VXLAN over IPv4 and IPv6, where no fact tells what overlays there are: RFC 7348 section 5."""

MeshName = Tuple[str, str, str]
"""Class, family and network."""


@dataclass(frozen=True)
class Step:
    """A direction of a measured path in the mesh.

    told: the finding about it, None where it is in order. fault: what it has in common with others that have the same
    cause; None where it is in order or not known. certain: whether it is known.
    """

    path: PathView
    way: Way
    direction: DirectionView
    told: Optional[Told]
    fault: Optional[Fault]
    certain: bool

    @property
    def mesh(self) -> MeshName:
        """What the edges of one mesh have in common."""
        return (self.path.kind, self.path.family, self.path.network or "")

    @property
    def edge(self) -> Edge:
        """The edge that it is."""
        return Edge(self.direction.sender.name, self.direction.receiver.name, self.fault)

    @property
    def hosts(self) -> Optional[Tuple[str, str]]:
        """The hosts that it leads from and to; None where one is not known, or they are the same."""
        sender, receiver = self.direction.sender.host, self.direction.receiver.host
        return None if sender is None or receiver is None or sender == receiver else (sender, receiver)

    @property
    def between_hosts(self) -> bool:
        """Whether both ends are hosts themselves."""
        return _is_host(self.direction.sender) and _is_host(self.direction.receiver) and not self.path.tcp


def _is_host(end: End) -> bool:
    return end.owner is not None and end.owner.kind is OwnerKind.HOST


MakeStep = Callable[[PathView, Way, DirectionView, Optional[Told]], Step]


@dataclass(frozen=True)
class Mesh:
    """steps: each direction once. repeated: findings about directions that were measured from both ends."""

    steps: Tuple[Step, ...]
    repeated: Tuple[Told, ...]


def mesh_of_sizes(paths: Iterable[PathView], told: Iterable[Told]) -> Mesh:
    """Join the paths of all hosts by what they carry."""
    return _mesh(paths, [one for one in told if one.finding.id in SIZE_RULES and not one.lossy], _size_step)


def mesh_of_losses(paths: Iterable[PathView], told: Iterable[Told]) -> Mesh:
    """Join the paths of all hosts by whether they lose packets: both directions do, for all that is known."""
    return _mesh(paths, [one for one in told if one.lossy], _loss_step)


def _size_step(path: PathView, way: Way, direction: DirectionView, told: Optional[Told]) -> Step:
    certain = direction.verdict is not Verdict.UNKNOWN
    fault = (direction.verdict.value, direction.capacity) if told is not None and certain else None
    return Step(path, way, direction, told, fault, certain)


def _loss_step(path: PathView, way: Way, direction: DirectionView, told: Optional[Told]) -> Step:
    certain = path.samples > 0 and direction.verdict is not Verdict.UNREACHABLE
    return Step(path, way, direction, told, ("loses packets", None) if told is not None else None, certain)


def _mesh(paths: Iterable[PathView], told: Iterable[Told], make: MakeStep) -> Mesh:
    """Of a direction that was measured twice, what is certain counts, then what is worse, then what comes first."""
    by_way = {(id(one.path), way): one for one in told for way in one.ways}
    best: Dict[Tuple[MeshName, str, str], Step] = {}
    every: List[Step] = []
    for path in paths:
        for way, direction in path.ways:
            step = make(path, way, direction, by_way.get((id(path), way)))
            every.append(step)
            key = (step.mesh, direction.sender.name, direction.receiver.name)
            if key not in best or _trust(step) > _trust(best[key]):
                best[key] = step
    kept = {id(step.told) for step in best.values()}
    repeated = {id(step.told): step.told for step in every if step.told is not None and id(step.told) not in kept}
    return Mesh(tuple(best.values()), tuple(repeated.values()))


def _trust(step: Step) -> Tuple[bool, int]:
    return (step.certain, step.direction.verdict.rank if step.certain else 0)


def overheads(hosts: Mapping[str, HostView]) -> Set[int]:
    """Return what the overlays of the hosts add to a packet, in bytes."""
    found = {
        link.tunnel.overhead
        for host in hosts.values()
        for network in host.networks
        for link in network.links
        if link.tunnel is not None and link.tunnel.overhead
    }
    return found or set(USUAL_OVERHEADS)


def underlay_of(steps: Sequence[Step], known_overheads: Set[int]) -> Dict[int, Step]:
    """Return, by position, the step between hosts that explains a step of an overlay: its fault less the overhead."""
    below: Dict[Tuple[str, str, str], Step] = {}
    for step in steps:
        if step.between_hosts and step.fault is not None and step.hosts is not None:
            below.setdefault((*step.hosts, step.path.family), step)
    found: Dict[int, Step] = {}
    for position, step in enumerate(steps):
        if step.fault is None or step.between_hosts or step.path.tcp or step.hosts is None:
            continue
        for family in ("ipv4", "ipv6"):
            under = below.get((*step.hosts, family))
            if under is not None and _exactly_less(under, step, known_overheads):
                found[position] = under
                break
    return found


def _exactly_less(under: Step, over: Step, known_overheads: Set[int]) -> bool:
    wide, narrow = under.direction.capacity, over.direction.capacity
    return wide is not None and narrow is not None and wide - narrow in known_overheads
