# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about the cause of many broken paths, with the paths as evidence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from ...module_utils._model.finding import Evidence, Finding, Remedy, Target
from ...module_utils._model.path import Verdict
from .making import Place
from .mesh_cause import Cause, CauseKind, Fault
from .mesh_edges import Step
from .path_view import DirectionView, End, PathView, Way
from .path_words import CLASS_WORDS, outcome, path_target, wanted
from .path_words import told as in_words
from .paths import SIZE_RULES, Told

MOST_PATHS = 8
MOST_NAMES = 6
LEAST_OF_SOURCE = 3
SEVERAL = {"AUDIT-001": "several ends that could not be measured", "PATH-008": "several ends"}


@dataclass(frozen=True)
class Explanation:
    """A finding, and the directions of other findings that it tells, too."""

    finding: Finding
    covers: Tuple[Tuple[Told, Way], ...]


def at_cause(cause: Cause, steps: Sequence[Step], above: Sequence[Step], mesh: Sequence[Step]) -> Explanation:
    """Make the finding at a cause.

    steps: what it explains. above: what an overlay adds to that. mesh: all directions that were measured.
    """
    ends = {end.name: end for step in mesh for end in (step.direction.sender, step.direction.receiver)}
    steps = sorted(steps, key=lambda step: step.path.source.name not in cause.members)
    worst = _worst([*steps, *above])
    kind = CLASS_WORDS.get(mesh[0].path.kind, mesh[0].path.kind) + (", IPv6" if mesh[0].path.family == "ipv6" else "")
    alone = cause.kind is CauseKind.END
    finding = replace(
        worst.finding,
        target=_end_target(ends[cause.members[0]]) if alone else _wide_target(cause, ends, kind),
        observed=_observed(cause, steps, mesh, kind),
        expected=wanted(steps[0].path),
        evidence=(*_counts(cause, steps, mesh), *_above(steps, above), *_examples(steps)),
        remedy=_remedy(cause.members[0], [*steps, *above]) if alone else None,
    )
    return Explanation(finding, _covers([*steps, *above]))


def at_underlay(step: Step, above: Sequence[Step]) -> Explanation:
    """Make the finding about one path between hosts that also explains paths of an overlay above it."""
    own, worst = step.told, _worst([step, *above])
    finding = worst.finding if own is None else own.finding
    evidence = (*_above([step], above), *(finding.evidence if own is not None else ()))
    told = replace(
        worst.finding,
        target=path_target(step.path),
        observed=in_words(step.direction) if own is None else own.finding.observed,
        expected=wanted(step.path),
        evidence=evidence,
        remedy=finding.remedy,
    )
    return Explanation(told, _covers([step, *above]))


def _covers(steps: Iterable[Step]) -> Tuple[Tuple[Told, Way], ...]:
    return tuple((step.told, step.way) for step in steps if step.told is not None)


def _worst(steps: Iterable[Step]) -> Told:
    told = [step.told for step in steps if step.told is not None]
    return min(told, key=lambda one: (-one.finding.severity.rank, SIZE_RULES.index(one.finding.id)))


def _end_target(end: End) -> Target:
    host = end.host or end.name
    return Target(host=host, scope="unknown") if end.owner is None else Place(host, end.owner).target()


def _wide_target(cause: Cause, ends: Dict[str, End], kind: str) -> Target:
    """The cluster, told apart by what is between whom; it needs a host, and gets the first by name."""
    hosts = sorted(ends[name].host or name for name in cause.members)
    between = f"{kind}: {_names(cause.members)} and {_names(cause.others)}" if cause.others else f"{kind}, everywhere"
    return Target(host=hosts[0], scope="cluster", peer=between)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown


def _fault_words(fault: Fault) -> str:
    verdict, size = fault
    if verdict == Verdict.BLACK_HOLE.value:
        return f"carry {size} bytes, and larger packets vanish without ICMP"
    if verdict == Verdict.REDUCED.value:
        return f"carry {size} bytes, less than their senders' links"
    if verdict == Verdict.UNREACHABLE.value:
        return "bring nothing back, whatever the size"
    return verdict if size is None else f"carry {size} bytes"


def _observed(cause: Cause, steps: Sequence[Step], mesh: Sequence[Step], kind: str) -> str:
    members = set(cause.members)
    if cause.kind is CauseKind.EVERYWHERE and cause.leaving is not None:
        return f"{len(steps)} of {len(mesh)} directions {kind} {_fault_words(cause.leaving)}"
    ways = (
        (cause.leaving, "from", [step for step in mesh if step.direction.sender.name in members]),
        (cause.arriving, "to", [step for step in mesh if step.direction.receiver.name in members]),
    )
    parts = []
    for fault, word, known in ways:
        if fault is not None:
            count = len([step for step in known if step.fault == fault])
            parts.append(f"{count} of {len(known)} directions {word} {_names(cause.members)} {_fault_words(fault)}")
    return "; ".join(parts)


def _counts(cause: Cause, steps: Sequence[Step], mesh: Sequence[Step]) -> List[Evidence]:
    healthy = len([step for step in mesh if step.fault is None])
    found = [Evidence("directions measured of this kind", len(mesh)), Evidence("of these in order", healthy)]
    if cause.others:
        found.append(Evidence("on the other side", _names(cause.others)))
    return found


def _above(steps: Sequence[Step], above: Sequence[Step]) -> List[Evidence]:
    """Say what an overlay makes of the same fault."""
    sizes = Counter((one.path.kind, one.direction.capacity, one.direction.verdict.value) for one in above)
    widths = {step.direction.capacity for step in steps}
    wide = next(iter(widths)) if len(widths) == 1 else None
    found = []
    for (kind, size, verdict), count in sorted(sizes.items(), key=str):
        less = "" if wide is None or size is None else f": {wide} less the {wide - size} bytes of the overlay"
        plural = "" if count == 1 else "s"
        words = f"the same fault {CLASS_WORDS.get(kind, kind)}, {count} direction{plural}"
        found.append(Evidence(f"{words} ({verdict}), {size} bytes pass{less}"))
    return found


def _examples(steps: Sequence[Step]) -> List[Evidence]:
    """The first path in full, the others in a line each."""
    first = steps[0].told
    found = [] if first is None else list(first.finding.evidence)
    more = [Evidence(in_words(step.direction)) for step in steps[1 : MOST_PATHS + 1]]
    if len(steps) > MOST_PATHS + 1:
        more.append(Evidence(f"and {len(steps) - MOST_PATHS - 1} more like these"))
    return [*found, *more]


def _remedy(member: str, steps: Sequence[Step]) -> Optional[Remedy]:
    """What heals the end itself, where a path was measured from it."""
    own = [step.told for step in steps if step.told is not None and step.path.source.name == member]
    return next((one.finding.remedy for one in own if one.finding.remedy is not None), None)


def at_port(paths: Sequence[PathView], told: Sequence[Told]) -> List[Explanation]:
    """Make one finding of what several nodes answer on the same port, as a load balancer in front of them sees it."""
    groups: Dict[Tuple[str, ...], List[Told]] = {}
    for one in told:
        if one.path.tcp and one.path.peer.port is not None and one.finding.id != "AUDIT-001":
            fault = outcome(one.path.forward) if not one.lossy else "loss"
            mss = str(one.path.advertised_mss) if one.finding.id == "MSS-001" else ""
            where = (one.path.source.name, str(one.path.peer.port), one.path.family)
            groups.setdefault((one.finding.id, *where, fault, mss), []).append(one)
    found = []
    for key in sorted(groups):
        if len({one.path.peer.name for one in groups[key]}) > 1:
            found.append(_port(groups[key], paths))
    return found


def at_source(told: Sequence[Told]) -> List[Explanation]:
    """Make one finding of what is the sender's own matter on many of its paths: not measured, or learned long ago."""
    groups: Dict[Tuple[str, ...], List[Told]] = {}
    for one in told:
        if one.finding.id in ("AUDIT-001", "PATH-008"):
            same = str(one.path.forward.reason) if one.finding.id == "AUDIT-001" else one.path.family
            groups.setdefault((one.finding.id, one.path.source.name, same), []).append(one)
    return [_source(groups[key]) for key in sorted(groups) if len(groups[key]) >= LEAST_OF_SOURCE]


def _source(group: Sequence[Told]) -> Explanation:
    first = group[0]
    evidence = [Evidence(f"{one.path.name}: {one.finding.observed}") for one in group[1 : MOST_PATHS + 1]]
    more = len(group) - 1 - len(evidence)
    finding = replace(
        first.finding,
        target=replace(first.finding.target, peer=SEVERAL[first.finding.id]),
        observed=f"{len(group)} paths from {first.path.source.name}, the first: {first.finding.observed}",
        evidence=(*evidence, *([Evidence(f"and {more} more like these")] if more > 0 else [])),
    )
    return Explanation(finding, tuple((one, way) for one in group for way in one.ways))


def _port(group: Sequence[Told], paths: Sequence[PathView]) -> Explanation:
    first = group[0]
    source, port = first.path.source.name, first.path.peer.port
    same = [path for path in paths if path.tcp and path.source.name == source and path.peer.port == port]
    same = [path for path in same if path.family == first.path.family]
    broken = {one.path.peer.name for one in group}
    others = [path for path in same if path.peer.name not in broken]
    nodes = [_node(one.path) for one in group]
    evidence = [
        Evidence(f"nodes of {len(same)} that answer so", _names(nodes)),
        *[Evidence(in_words(path.forward), None, None) for path in others[:MOST_PATHS]],
        *first.finding.evidence,
    ]
    by_ipv6 = " by IPv6" if first.path.family == "ipv6" else ""
    finding = replace(
        first.finding,
        target=replace(first.finding.target, peer=f"port {port}{by_ipv6}"),
        observed=f"{len(group)} of {len(same)} nodes: {_port_words(first)}",
        evidence=tuple(evidence),
        remedy=_joined([one.finding.remedy for one in group]),
    )
    return Explanation(finding, tuple((one, way) for one in group for way in one.ways))


def _port_words(told: Told) -> str:
    direction: DirectionView = told.path.forward
    return told.finding.observed if told.finding.id == "MSS-001" else outcome(direction)


def _node(path: PathView) -> str:
    return path.peer.host or path.peer.name


def _joined(remedies: Sequence[Optional[Remedy]]) -> Optional[Remedy]:
    """The same cure on several hosts."""
    known = [one for one in remedies if one is not None]
    if not known or any("hosts" not in one.variables for one in known):
        return None
    hosts = sorted({host for one in known for host in one.variables["hosts"]})
    return replace(known[0], variables={**known[0].variables, "hosts": hosts})
