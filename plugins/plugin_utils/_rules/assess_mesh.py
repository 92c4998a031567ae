# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the measured paths of all hosts show together: one finding at the cause instead of one for each path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Dict, List, Sequence, Set, Tuple

from ...module_utils._model.finding import Finding
from .icmp_filter import black_holes, filtered_by_counters
from .mesh_cause import Edge, find_causes
from .mesh_edges import Mesh, MeshName, Step, mesh_of_losses, mesh_of_sizes, overheads, underlay_of
from .mesh_findings import Explanation, at_cause, at_port, at_source, at_underlay
from .path_view import Measured, PathView, Way
from .paths import Told, expecting, path_rules
from .plain import Record
from .policy import Policy
from .read_view import view_host
from .view import HostView


@dataclass(frozen=True)
class MeshAssessment:
    """findings: at the causes. explained: fingerprints of the findings about single paths that they tell instead."""

    findings: Tuple[Finding, ...]
    explained: Tuple[str, ...]


def assess_mesh(measured: Mapping[str, Measured], facts: Mapping[str, Record], policy: Policy) -> MeshAssessment:
    """Return what the paths of several hosts have in common.

    measured, facts: by inventory name; a host may lack either.
    """
    return mesh_rules(measured, [view_host(name, facts[name]) for name in sorted(facts)], policy)


def mesh_rules(measured: Mapping[str, Measured], views: Sequence[HostView], policy: Policy) -> MeshAssessment:
    """Return the same for hosts whose facts have been read already."""
    hosts = {host.name: host for host in sorted(views, key=lambda one: one.name)}
    paths: List[PathView] = []
    told: List[Told] = []
    for name in sorted(measured):
        own = [expecting(hosts.get(name), path) for path in measured[name].paths]
        paths.extend(own)
        told.extend(path_rules(hosts.get(name), own, policy, measured[name].drops))
    told = [one for one in told if policy.enabled(one.finding.id)]
    sizes, losses = mesh_of_sizes(paths, told), mesh_of_losses(paths, told)
    explanations = [
        *_by_cause(sizes, overheads(hosts)),
        *_by_cause(losses, set()),
        *at_port(paths, told),
        *at_source(told),
    ]
    explained = {one.finding.fingerprint for mesh in (sizes, losses) for one in mesh.repeated}
    explained |= {one.finding.fingerprint for one in _covered(explanations)}
    holes = black_holes(paths)
    filtered = [one for host in hosts.values() for one in filtered_by_counters(host, holes, policy)]
    findings = [one.finding for one in explanations] + filtered
    explained -= {one.fingerprint for one in findings}
    return MeshAssessment(tuple(findings), tuple(sorted(explained)))


def _by_cause(mesh: Mesh, known_overheads: Set[int]) -> List[Explanation]:
    """Fold what is the underlay's fault into the underlay, then look for the cause in each mesh of what remains."""
    below = underlay_of(mesh.steps, known_overheads)
    folded = set(below)
    over: Dict[int, List[Step]] = {}
    for position, under in below.items():
        over.setdefault(id(under), []).append(mesh.steps[position])
    meshes: Dict[MeshName, List[Step]] = {}
    for position, step in enumerate(mesh.steps):
        if position not in folded and step.certain and not step.path.tcp:
            meshes.setdefault(step.mesh, []).append(step)
    found: List[Explanation] = []
    for name in sorted(meshes):
        by_edge: Dict[Edge, Step] = {step.edge: step for step in meshes[name]}
        for cause in find_causes(by_edge):
            steps = [by_edge[edge] for edge in cause.edges]
            above = [one for step in steps for one in over.pop(id(step), [])]
            found.append(at_cause(cause, steps, above, meshes[name]))
    for step in mesh.steps:
        if id(step) in over:
            found.append(at_underlay(step, over[id(step)]))
    return found


def _covered(explanations: Sequence[Explanation]) -> List[Told]:
    """Return the findings all of whose directions are told elsewhere."""
    ways: Dict[int, Set[Way]] = {}
    known: Dict[int, Told] = {}
    for one in explanations:
        for told, way in one.covers:
            ways.setdefault(id(told), set()).add(way)
            known[id(told)] = told
    return [told for key, told in known.items() if ways[key] >= set(told.ways)]
