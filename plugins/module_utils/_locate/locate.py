# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From what all hosts saw to one answer: between which two interfaces, why, and who was told. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Tuple

from .._model.fact import Fact
from .._model.finding import Evidence
from .._model.sighting import Burst
from .._model.trace import Drop, DropKind, IcmpFate
from .cause import Cause, Gap, find_cause
from .icmp import REJECTED, errors_about, find_fate
from .sentence import place, sentence
from .way import Step, Traces, Way, answered_numbers, find_way

SIZE_KINDS = (DropKind.TOO_BIG, DropKind.TUNNEL, DropKind.SEGMENT, DropKind.BRIDGE, DropKind.BEYOND, DropKind.OTHER)


@dataclass(frozen=True)
class Answer(Fact):
    """A trace's way and where on it packets end. drop: kind NONE where they don't. gap: index of the first step that
    they did not reach, None for none."""

    drop: Drop
    steps: Tuple[Step, ...]
    gap: Optional[int] = None


def locate(traces: Traces, burst: Burst, sender: Optional[str]) -> Answer:
    """Return where the packets of a burst end. traces: by host; sender: the host among them that sent."""
    way = find_way(traces, burst, sender)
    if not way.steps and burst.refused is None:
        return Answer(_arrived(burst, way), ())
    counts = [burst.count, *(step.failing for step in way.steps)]
    if _tells_of_arrival(burst, way):
        counts.append(way.answered[1])
    fall = _first_fall(counts)
    if fall is None:
        return Answer(_arrived(burst, way), way.steps)
    return _dropped(traces, burst, sender, way, fall)


def _tells_of_arrival(burst: Burst, way: Way) -> bool:
    """Tell whether an answer is to be expected: with UDP only where there was one."""
    return burst.protocol != "udp" or way.answered[0] > 0


def _first_fall(counts: List[int]) -> Optional[int]:
    """Return the first place that saw at most half as many as the one before."""
    for position in range(1, len(counts)):
        if counts[position - 1] > 0 and 2 * counts[position] <= counts[position - 1]:
            return position - 1
    return None


def _dropped(traces: Traces, burst: Burst, sender: Optional[str], way: Way, fall: int) -> Answer:
    before = way.steps[fall - 1] if fall > 0 else None
    after = way.steps[fall] if fall < len(way.steps) else None
    gap = _gap(traces, burst, way, fall, before, after)
    cause = _correct(traces, burst, gap, find_cause(traces, gap))
    if _merely_silent(burst, way, fall, cause, before):
        return Answer(_silent(burst, way, before), way.steps)
    spot = before.spot if before is not None else None
    fate: Optional[IcmpFate] = None
    if cause.kind in SIZE_KINDS and burst.refused is None:
        fate = find_fate(traces, burst, sender, spot, len(gap.lost))
    passes = _passes(burst, way, fall)
    where = place(spot, after.spot if after is not None else None)
    every = f"packets of every size ({burst.passing_size} and {burst.size} bytes)"
    what = f"packets of {burst.size} bytes" if passes else every
    drop = Drop(
        kind=cause.kind,
        text=sentence(cause.kind, what, where, cause.rule, fate),
        size=burst.size,
        passing_size=burst.passing_size if passes else None,
        last_seen=spot,
        next_expected=after.spot if after is not None else None,
        reason=cause.reason,
        rule=cause.rule,
        icmp=fate,
        evidence=(_counts(before, after, burst, way), *cause.evidence),
    )
    return Answer(drop, way.steps, fall)


def _gap(traces: Traces, burst: Burst, way: Way, fall: int, before: Optional[Step], after: Optional[Step]) -> Gap:
    if fall == 0:
        lost = {number: 0.0 for number in burst.numbers(True)}
        return Gap(None, after, lost, local_refusal=burst.refused)
    here = way.seen[fall - 1]
    there: Mapping[int, float] = way.seen[fall] if fall < len(way.steps) else {}
    reached = set(there) if after is not None else set(answered_numbers(traces, burst))
    lost = {number: moment for number, moment in here.items() if number not in reached}
    return Gap(before, after, lost, _passed(traces, burst, before))


def _passed(traces: Traces, burst: Burst, before: Optional[Step]) -> Tuple[float, ...]:
    """Return when packets of the passing size were at the step."""
    if before is None or not _went_on(before):
        return ()
    spot = before.spot
    small = set(burst.numbers(False))
    found: Dict[int, float] = {}
    for sighting in traces[spot.host].sightings:
        same = (sighting.namespace, sighting.link, sighting.direction) == (spot.namespace, spot.link, spot.direction)
        if same and sighting.kind.value == "forward":
            found.update((n, m) for n, m in zip(sighting.numbers, sighting.moments) if n in small)
    return tuple(found.values())


def _went_on(step: Step) -> bool:
    return step.passing > 0


def _correct(traces: Traces, burst: Burst, gap: Gap, cause: Cause) -> Cause:
    """Take into account what ICMP messages say about the packets: that they are rejected, or do not fit elsewhere."""
    lost = set(gap.lost)
    for _host, sighting, message in errors_about(traces, burst):
        if not lost & set(sighting.numbers):
            continue
        said = f"{message.source} says by ICMP type {message.type} code {message.code}"
        if (message.type, message.code) in REJECTED[message.family] and cause.kind in (DropKind.OTHER, DropKind.BEYOND):
            proof = Evidence(f"{said} that a firewall rejects", None, "ICMP")
            kind = DropKind.FIREWALL if cause.kind is DropKind.OTHER else cause.kind
            return Cause(kind, cause.reason, cause.rule, (*cause.evidence, proof))
        if message.too_big and cause.kind in (DropKind.BEYOND, DropKind.TUNNEL):
            proof = Evidence(f"{said} that it takes", f"{message.mtu} bytes", "ICMP")
            return Cause(cause.kind, cause.reason, cause.rule, (*cause.evidence, proof))
    return cause


def _passes(burst: Burst, way: Way, fall: int) -> bool:
    """Tell whether the smaller packets go on where the larger ones do not."""
    if fall >= len(way.steps):
        return 2 * way.answered[0] > way.steps[-1].passing if way.steps else way.answered[0] > 0
    reached = way.steps[fall].passing
    from_here = way.steps[fall - 1].passing if fall > 0 else burst.sent[0]
    return 2 * reached > from_here


def _merely_silent(burst: Burst, way: Way, fall: int, cause: Cause, before: Optional[Step]) -> bool:
    """Tell that the target answers neither size and nothing speaks for a drop: it may just not answer."""
    unanswered = fall >= len(way.steps) and way.answered == (0, 0)
    arrived = before is not None and before.spot.direction == "in"
    return unanswered and arrived and cause.kind in (DropKind.OTHER, DropKind.TUNNEL)


def _silent(burst: Burst, way: Way, before: Optional[Step]) -> Drop:
    where = place(before.spot if before is not None else None, None).replace("behind", "at", 1)
    what = f"packets of {burst.passing_size} and {burst.size} bytes were seen {where}"
    text = f"{what}; neither is answered, nor seen further on, and nothing tells why"
    return Drop(DropKind.NONE, text, burst.size, burst.passing_size, before.spot if before is not None else None)


def _arrived(burst: Burst, way: Way) -> Drop:
    last = way.steps[-1].spot if way.steps else None
    if last is None:
        text = "nothing of the trace was seen anywhere: no host that is ours is on the way, or none could watch"
        return Drop(DropKind.NONE, text, burst.size, burst.passing_size)
    where = place(last, None).replace("behind", "at", 1)
    answered = " and are answered" if way.answered[1] else ""
    seen = f"{way.steps[-1].failing} of {burst.count} were seen {where}{answered}"
    text = f"packets of {burst.size} bytes are not dropped: {seen}"
    return Drop(DropKind.NONE, text, burst.size, burst.passing_size, last)


def _counts(before: Optional[Step], after: Optional[Step], burst: Burst, way: Way) -> Evidence:
    seen = f"{before.failing} of {burst.count} at {before.spot.link}" if before is not None else f"{burst.count} made"
    then = f"{after.failing} at {after.spot.link}" if after is not None else f"{way.answered[1]} answered"
    small = f"of {burst.passing_size} bytes {after.passing if after is not None else way.answered[0]}"
    return Evidence(f"packets of {burst.size} bytes seen", f"{seen}, {then}; {small}", "AF_PACKET")
