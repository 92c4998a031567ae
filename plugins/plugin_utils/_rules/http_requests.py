# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP-001 and HTTP-002: requests that fail by their size, or by the node that they meet."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

from ...module_utils._model.failure_rates import wilson_interval
from ...module_utils._model.finding import Confidence, Evidence, Finding, Target
from ...module_utils._model.owner import Owner, OwnerKind
from .failure_statistics import Count, Growth, Split, add, growth, split_nodes
from .http_view import HttpView, SizeView, by_service
from .making import fail
from .policy import Policy
from .problems import unmeasured

MOST_NODES = 12
OF_THE_OVERLAY = (
    "small requests pass by every node and large ones by some alone: full-size packets are lost between the others and "
    "the pod, as with pods whose MTU is larger than the overlay carries (MTU-001, MSS-001)"
)
OF_THE_NODE = (
    "small requests fail there as well: the node does not forward. With externalTrafficPolicy: Local that is meant for "
    "nodes without a pod, and the load balancer's health check has to leave them out"
)


def http_rules(source: str, views: Sequence[HttpView], policy: Policy) -> List[Finding]:
    """Return what the requests that were sent from a host show."""
    services = by_service(views)
    findings: List[Finding] = []
    for service, targets in services:
        where = http_target(source, service)
        findings += [unmeasured(where, policy, why, []) for why in _unusable(targets)]
        grown = growth(_pooled(targets), policy.http_significance, len(services), policy.http_failure_rate)
        nodes = {one.node: one for one in targets if one.node is not None}
        split = split_nodes(
            {node: _counts(view) for node, view in nodes.items()},
            policy.http_significance,
            len(services),
            policy.http_failure_rate,
        )
        if grown is not None:
            findings.append(_grows(where, targets, grown, split, policy))
        if split is not None:
            findings.append(_depends(where, nodes, split, policy))
    return findings


def http_target(source: str, service: str) -> Target:
    """Return the target of a finding about a service as seen from a host."""
    return Target(host=source, scope="host", owner=Owner(OwnerKind.HOST, source), peer=service)


def _unusable(targets: Sequence[HttpView]) -> List[str]:
    """Return why there is less to compare than was asked for."""
    reasons = []
    missing = [one for one in targets if one.sent < one.planned or (one.reason is not None and not one.sent)]
    if missing:
        sent, planned = sum(one.sent for one in targets), sum(one.planned for one in targets)
        first = missing[0]
        reasons.append(f"{sent} of {planned} requests were sent to {first.service}: {first.name}: {first.reason}")
    count = add([(size.failed, size.sent) for one in targets for size in one.sizes])
    if count[1] and count[0] == count[1] and not missing:
        outcomes = _how([size for one in targets for size in one.sizes])
        reasons.append(f"all {count[1]} requests to {targets[0].service} failed ({outcomes}): nothing can be compared")
    return reasons


def _counts(view: HttpView) -> Dict[int, Count]:
    return {size.body_bytes: (size.failed, size.sent) for size in view.sizes}


def _pooled(targets: Sequence[HttpView]) -> Dict[int, Count]:
    sizes: Dict[int, List[Count]] = {}
    for view in targets:
        for size, count in _counts(view).items():
            sizes.setdefault(size, []).append(count)
    return {size: add(counts) for size, counts in sizes.items()}


def _grows(
    where: Target, targets: Sequence[HttpView], grown: Growth, split: Optional[Split], policy: Policy
) -> Finding:
    large = [size for one in targets for size in one.sizes if size.body_bytes >= grown.smallest_large]
    evidence: List[Optional[Evidence]] = [
        Evidence(f"failed with a body of {size} bytes", in_words(count))
        for size, count in sorted(_pooled(targets).items())
    ]
    evidence += [
        Evidence("how the larger ones ended", _how(large)),
        Evidence("segments that were sent again for the larger ones", sum(size.retransmits for size in large)),
        _too_large(targets),
        Evidence("probability that chance makes this difference", _chance(grown.chance), "Fisher's exact test"),
    ]
    if split is not None:
        evidence.append(Evidence("it depends on the node as well", ", ".join(split.failing[:MOST_NODES])))
    return fail(
        "HTTP-001",
        policy,
        where,
        observed=f"requests to {where.peer} with bodies of {grown.smallest_large} bytes and more: "
        f"{in_words(grown.large)}; with {grown.largest_small} bytes and less: {in_words(grown.small)}",
        expected="failures do not depend on the size of the body",
        evidence=evidence,
        remedy=None,
        confidence=Confidence.MEASURED,
    )


def _depends(where: Target, nodes: Dict[str, HttpView], split: Split, policy: Policy) -> Finding:
    at = split.sizes[-1]
    evidence: List[Optional[Evidence]] = [
        Evidence(f"failed by {node} with {at} bytes", in_words(_counts(nodes[node]).get(at, (0, 0))))
        for node in (*split.failing, *split.good, *split.unclear)[:MOST_NODES]
    ]
    sizes = [size for node in split.failing for size in nodes[node].sizes if size.body_bytes in split.sizes]
    evidence += [
        Evidence("how requests by the nodes that fail ended", _how(sizes)),
        Evidence("nodes of which nothing can be said yet", ", ".join(split.unclear)) if split.unclear else None,
        Evidence("probability that chance makes this difference", _chance(split.chance), "Fisher's exact test"),
        Evidence("what that means", _meaning(nodes, split)),
    ]
    total = len(split.failing) + len(split.good) + len(split.unclear)
    return fail(
        "HTTP-002",
        policy,
        where,
        observed=f"requests of {_sizes(split.sizes)} to {where.peer} fail by {_names(split.failing)} "
        f"({len(split.failing)} of {total} nodes), and less or not at all by {_names(split.good)}",
        expected="every node that the load balancer picks answers alike",
        evidence=evidence,
        remedy=None,
        confidence=Confidence.MEASURED,
    )


def _meaning(nodes: Dict[str, HttpView], split: Split) -> str:
    smallest = min(size.body_bytes for node in split.failing for size in nodes[node].sizes if size.sent)
    return OF_THE_NODE if smallest in split.sizes else OF_THE_OVERLAY


def in_words(count: Count) -> str:
    """Return "15 of 20 (75 %, 95 % confidence: 53 to 89 %)"."""
    failed, sent = count
    interval = wilson_interval(failed, sent)
    if interval is None:
        return "none was sent"
    low, high = (f"{100 * one:.0f}" for one in interval)
    return f"{failed} of {sent} failed ({100 * failed / sent:.0f} %, 95 % confidence: {low} to {high} %)"


def _how(sizes: Sequence[SizeView]) -> str:
    """Return "5 x 200, 15 x timed out"."""
    counts: Dict[str, int] = {}
    for size in sizes:
        answered = sum(size.statuses.values())
        for name, count in [*size.statuses.items(), *size.outcomes.items()]:
            if name != "answered" or not answered:
                counts[name] = counts.get(name, 0) + count
    return ", ".join(f"{count} x {name}" for name, count in sorted(counts.items())) or "not told"


def _too_large(targets: Sequence[HttpView]) -> Optional[Evidence]:
    refused = sum(size.too_large for one in targets for size in one.sizes)
    what = "requests that the server refused for their size (413), which count for nothing here"
    return Evidence(what, refused) if refused else None


def _chance(value: float) -> str:
    return "less than 1 in 1,000,000" if value < 1e-6 else f"1 in {1 / value:,.0f}"


def _names(names: Tuple[str, ...]) -> str:
    shown = ", ".join(names[:MOST_NODES])
    return f"{shown} and {len(names) - MOST_NODES} more" if len(names) > MOST_NODES else shown


def _sizes(sizes: Tuple[int, ...]) -> str:
    return ", ".join(f"{size}" for size in sizes) + " bytes"
