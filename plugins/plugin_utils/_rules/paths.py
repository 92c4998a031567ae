# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about single measured paths: PATH-001 to PATH-005, PATH-007, PATH-008, MSS-001.

What is wrong with the sizes of one direction is told once, by the first of these that holds: PATH-001 (black hole),
PATH-004 (unreachable), AUDIT-001 (not known), PATH-005 (works for now), PATH-007 (less than expected), PATH-003 (only
this direction is narrow), PATH-002. Directions with the same answer share one finding. Loss (PATH-004), a stale
exception (PATH-008) and the advertised MSS (MSS-001) are faults of their own and told besides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ...module_utils._model.finding import Confidence, Evidence, Finding, Severity
from ...module_utils._model.path import Verdict
from .making import fail
from .path_remedy import clamp, flush, narrower_link
from .path_view import IP_AND_TCP, DirectionView, DropView, PathView, Way
from .path_words import measurement, path_target, told, veth_signature, wanted
from .policy import Policy
from .problems import unmeasured
from .view import HostView

SIZE_RULES = ("PATH-001", "PATH-004", "AUDIT-001", "PATH-005", "PATH-007", "PATH-003", "PATH-002")
"""In the order of precedence."""


@dataclass(frozen=True)
class Told:
    """A finding with the path and the directions that it is about. lossy: it is about packets of any size."""

    finding: Finding
    path: PathView
    ways: Tuple[Way, ...]
    lossy: bool = False


def path_rules(
    host: Optional[HostView], paths: Sequence[PathView], policy: Policy, drops: Sequence[DropView] = ()
) -> List[Told]:
    """Return what the paths that were measured from one host show.

    host: its facts, None where there are none. drops: what traces of these paths found.
    """
    found: List[Told] = []
    for given in paths:
        path = expecting(host, given)
        found.extend(_sizes(host, path, policy))
        besides = [_stale(host, path, policy), _segment_size(path, policy)]
        found.extend(Told(one, path, _both(path)) for one in besides if one is not None)
        found.extend(Told(one, path, _both(path), lossy=True) for one in [_lossy(path, policy)] if one is not None)
    return [_traced(one, drops) for one in found]


def _traced(told: Told, drops: Sequence[DropView]) -> Told:
    """Add where the packets die to a finding about their size."""
    seen = [one for one in drops if one.target is not None and one.target in (told.path.address, told.path.target)]
    if not seen or told.finding.id not in SIZE_RULES or told.lossy:
        return told
    evidence = [Evidence(one.text, one.size, "packet_trace_info") for one in seen]
    return replace(told, finding=replace(told.finding, evidence=(*evidence, *told.finding.evidence)))


def _both(path: PathView) -> Tuple[Way, ...]:
    return tuple(way for way, _direction in path.ways)


def expecting(host: Optional[HostView], path: PathView) -> PathView:
    """Return the path with what it should carry, for pods by what is declared on the host where nobody said it."""
    if path.expected_mtu is not None or host is None or path.kind != "pod-pod":
        return path
    declared = [one for one in host.declared if one.active and one.meaning == "overlay" and 0 < one.value <= 65535]
    if not declared:
        return path
    least = min(declared, key=lambda one: (one.value, one.source))
    return replace(path, expected_mtu=least.value, expected_because=f"{least.stack} declares it: {least.source}")


def size_rule(path: PathView, way: Way) -> Optional[str]:
    """Return the one rule that a direction breaks by its sizes; None where it breaks none."""
    direction = dict(path.ways)[way]
    if direction.verdict is Verdict.BLACK_HOLE:
        return "PATH-001"
    if direction.verdict is Verdict.UNREACHABLE:
        return "PATH-004"
    if direction.verdict is Verdict.UNKNOWN:
        return "AUDIT-001"
    if direction.narrow and (path.tcp or (way is Way.FORWARD and is_hidden(path))):
        return "PATH-005"
    if falls_short(path, direction):
        return "PATH-007"
    return ("PATH-003" if directions_differ(path) else "PATH-002") if direction.narrow else None


def is_hidden(path: PathView) -> bool:
    """Tell whether the sender's kernel keeps its packets small enough now, because it has learned to."""
    most = path.forward.capacity
    return path.forward.narrow and path.hidden_by is not None and most is not None and path.hidden_by <= most


def falls_short(path: PathView, direction: DirectionView) -> bool:
    """Tell whether a direction is known to carry less than is expected of the path."""
    most = direction.capacity
    return path.expected_mtu is not None and most is not None and most < path.expected_mtu


def directions_differ(path: PathView) -> bool:
    """Tell whether both directions are known and not the same."""
    sizes = [direction.path_mtu for _way, direction in path.ways]
    return len(sizes) == 2 and None not in sizes and sizes[0] != sizes[1]


def _sizes(host: Optional[HostView], path: PathView, policy: Policy) -> List[Told]:
    by_rule: Dict[str, List[Way]] = {}
    for way, _direction in path.ways:
        rule = size_rule(path, way)
        if rule is not None:
            by_rule.setdefault(rule, []).append(way)
    if "PATH-004" in by_rule:
        by_rule.pop("AUDIT-001", None)
    if "PATH-005" in by_rule:
        for rule in ("PATH-003", "PATH-002"):
            by_rule["PATH-005"].extend(by_rule.pop(rule, []))
    if not by_rule and directions_differ(path):
        by_rule["PATH-003"] = list(_both(path))
    found = []
    for rule, ways in sorted(by_rule.items(), key=lambda entry: SIZE_RULES.index(entry[0])):
        found.append(Told(MAKERS[rule](host, path, tuple(ways), policy), path, tuple(ways)))
    return found


Maker = Callable[[Optional[HostView], PathView, Tuple[Way, ...], Policy], Finding]


def _narrow(rule: str, hosts_too: bool = False) -> Maker:
    def make(host: Optional[HostView], path: PathView, ways: Tuple[Way, ...], policy: Policy) -> Finding:
        directions = dict(path.ways)
        evidence: List[Optional[Evidence]] = [
            *measurement(path),
            *[veth_signature(path, way) for way in ways],
            _hidden_words(path) if Way.FORWARD in ways else None,
        ]
        return fail(
            rule,
            policy,
            path_target(path),
            "; ".join(told(directions[way]) for way in ways),
            wanted(path),
            evidence,
            narrower_link(host, path, hosts_too),
            None,
            Confidence.MEASURED,
        )

    return make


def _hidden_words(path: PathView) -> Optional[Evidence]:
    if not is_hidden(path):
        return None
    return Evidence(f"it works from {path.source.name} at the moment, until what its kernel has learned expires")


def _differing(host: Optional[HostView], path: PathView, ways: Tuple[Way, ...], policy: Policy) -> Finding:
    finding = _narrow("PATH-003")(host, path, ways, policy)
    observed = "; ".join(told(direction) for _way, direction in path.ways)
    return replace(finding, observed=observed, expected="the same in both directions")


def _unreachable(host: Optional[HostView], path: PathView, ways: Tuple[Way, ...], policy: Policy) -> Finding:
    directions = dict(path.ways)
    observed = told(directions[ways[0]])
    target = path_target(path)
    evidence = measurement(path)
    return fail("PATH-004", policy, target, observed, "an answer", evidence, None, None, Confidence.MEASURED)


def _unknown(host: Optional[HostView], path: PathView, ways: Tuple[Way, ...], policy: Policy) -> Finding:
    directions = dict(path.ways)
    reasons = sorted({directions[way].reason or "no reason given" for way in ways})
    which = way_name_of(path, ways)
    evidence = [one for one in measurement(path) if one is not None]
    return unmeasured(path_target(path), policy, f"path MTU {which} is not known: {'; '.join(reasons)}", evidence)


def way_name_of(path: PathView, ways: Tuple[Way, ...]) -> str:
    """Return "n1 to n3", "n3 to n1", or "between n1 and n3"."""
    if len(ways) == 2:
        return f"between {path.source.name} and {path.peer.name}"
    direction = dict(path.ways)[ways[0]]
    return f"{direction.sender.name} to {direction.receiver.name}"


MAKERS: Dict[str, Maker] = {
    "PATH-001": _narrow("PATH-001", hosts_too=True),
    "PATH-002": _narrow("PATH-002"),
    "PATH-003": _differing,
    "PATH-004": _unreachable,
    "PATH-005": _narrow("PATH-005"),
    "PATH-007": _narrow("PATH-007"),
    "AUDIT-001": _unknown,
}


def is_lossy(path: PathView, policy: Policy) -> bool:
    """Tell whether more packets were lost than the policy lets pass, and enough of them to be no chance."""
    if path.samples <= 0 or path.lost < policy.lost_packets:
        return False
    return 100 * path.lost / path.samples >= policy.loss_percent


def _lossy(path: PathView, policy: Policy) -> Optional[Finding]:
    if not is_lossy(path, policy) or path.forward.verdict is Verdict.UNREACHABLE:
        return None
    share = 100 * path.lost / path.samples
    observed = (
        f"{path.lost} of {path.samples} packets lost ({share:.3g} %) between {path.source.name} and {path.peer.name}"
    )
    target = path_target(path)
    return fail(
        "PATH-004",
        policy,
        target,
        observed,
        f"less than {policy.loss_percent:g} %",
        measurement(path),
        None,
        Severity.MEDIUM,
        Confidence.MEASURED,
    )


def _stale(host: Optional[HostView], path: PathView, policy: Policy) -> Optional[Finding]:
    """PATH-008. A size that is certain to pass contradicts the kernel, whatever the path MTU may be beyond."""
    if path.hidden_by is None or path.forward.at_least <= path.hidden_by:
        return None
    return fail(
        "PATH-008",
        policy,
        path_target(path),
        f"{path.hidden_by} bytes in the kernel's table, {path.forward.at_least} arrive",
        f"nothing, or at least {path.forward.at_least}",
        measurement(path),
        flush(host, path),
        None,
        Confidence.MEASURED,
    )


def _segment_size(path: PathView, policy: Policy) -> Optional[Finding]:
    """MSS-001. What the sender's own link cannot send is no fault of the path, however much it is invited to."""
    most, invited = path.forward.capacity, path.invited
    if most is None or invited is None or invited <= most or path.forward.verdict is Verdict.UNREACHABLE:
        return None
    offered = path.advertised_mss if path.mss_exact else f"at least {path.advertised_mss}"
    return fail(
        "MSS-001",
        policy,
        path_target(path),
        f"MSS {offered}, so packets of {invited} bytes, where {most} pass",
        f"an MSS of at most {most - IP_AND_TCP[path.family]}",
        measurement(path),
        clamp(path, most),
        None,
        Confidence.MEASURED,
    )
