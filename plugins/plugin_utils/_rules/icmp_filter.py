# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PATH-006: the ICMP message that would have told the sender is filtered on a host that is ours."""

from __future__ import annotations

from typing import Iterable, List, Sequence, Tuple

from ...module_utils._model.finding import Confidence, Evidence, Finding, Target
from ...module_utils._model.owner import Owner, OwnerKind
from ...module_utils._model.path import Verdict
from .making import fail
from .path_view import DropView, PathView
from .path_words import told
from .policy import Policy
from .view import HostView, QueueView

REFUSALS = ("Icmp.OutDestUnreachs", "Icmp6.OutPktTooBigs")
DISCARDS = ("Ip.OutDiscards", "Ip6.OutDiscards")
"""By family, in the order of REFUSALS: what rises when the own firewall drops what a host sends itself."""
LET_THROUGH = (
    'ICMP type 3 code 4 ("fragmentation needed") and ICMPv6 type 2 ("packet too big") leave this host and are forwarded'
)
MOST_PATHS = 6


def filtered_by_rule(name: str, drops: Iterable[DropView], policy: Policy) -> List[Finding]:
    """Return a finding for each host on which a trace saw the message eaten by a rule. name: who watched it."""
    findings = []
    for drop in drops:
        if drop.filtered_by is None:
            continue
        evidence = [
            Evidence(drop.text, None, "packet_trace_info"),
            Evidence("rule that drops the message", drop.filtered_by, "packet_trace_info"),
            None if drop.size is None else Evidence("bytes of the packet that it was about", drop.size),
            None if drop.sent_by is None else Evidence("the message was sent by", drop.sent_by),
        ]
        observed = f"dropped by {drop.filtered_by}"
        target = _target(drop.icmp_host or name)
        findings.append(
            fail("PATH-006", policy, target, observed, LET_THROUGH, evidence, None, None, Confidence.MEASURED)
        )
    return findings


def filtered_by_counters(host: HostView, holes: Sequence[str], policy: Policy) -> List[Finding]:
    """Return a finding where a host's counters rise as they do when its firewall eats its own messages.

    holes: the black holes that were measured from anywhere; without any the counters prove nothing.
    """
    moved = [
        (name, rate) for queue in host.queues if queue.owner.kind is OwnerKind.HOST for name, rate in _eaten(queue)
    ]
    if not holes or not moved:
        return []
    evidence = [
        *[Evidence(f"{name} a second on {host.name}", rate, "/proc/net/snmp") for name, rate in moved],
        *[Evidence(hole, None, "measured") for hole in holes[:MOST_PATHS]],
    ]
    observed = "ICMP errors that this host makes are discarded by itself while packets vanish"
    return [fail("PATH-006", policy, _target(host.name), observed, LET_THROUGH, evidence, None)]


def black_holes(paths: Iterable[PathView]) -> List[str]:
    """Return the black holes among the directions of these paths, in words."""
    return [
        told(direction) for path in paths for _way, direction in path.ways if direction.verdict is Verdict.BLACK_HOLE
    ]


def _eaten(queue: QueueView) -> List[Tuple[str, float]]:
    found: List[Tuple[str, float]] = []
    for refusal, discard in zip(REFUSALS, DISCARDS):
        if queue.rates.get(refusal, 0) > 0 and queue.rates.get(discard, 0) > 0:
            found.extend([(refusal, queue.rates[refusal]), (discard, queue.rates[discard])])
    return found


def _target(host: str) -> Target:
    return Target(host=host, scope="host", owner=Owner(OwnerKind.HOST, host))
