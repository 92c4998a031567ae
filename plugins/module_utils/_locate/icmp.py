# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What became of the ICMP messages that a drop caused."""

from __future__ import annotations

from typing import List, Optional, Tuple

from .._model.sighting import Burst, FirewallRule, IcmpMessage, Sighting, SightingKind
from .._model.trace import IcmpFate, Spot
from .way import Traces, make_spot, namespace_of

REJECTED = {"ipv4": ((3, 9), (3, 10), (3, 13)), "ipv6": ((1, 1), (1, 5), (1, 6))}
"""Types and codes by which firewalls say that they reject (RFC 1812 5.2.7.1, RFC 4443 3.1)."""


def errors_about(traces: Traces, burst: Burst) -> List[Tuple[str, Sighting, IcmpMessage]]:
    """Return the ICMP messages about full-size packets, with the host that saw each; those nearest the sender last.

    A message's time to live falls on its way back as that of any packet.
    """
    large = set(burst.numbers(True))
    found = [
        (host, sighting, sighting.error)
        for host, trace in traces.items()
        for sighting in trace.sightings
        if sighting.kind is SightingKind.ERROR and sighting.error is not None and large & set(sighting.numbers)
    ]
    home = burst.namespace
    return sorted(found, key=lambda entry: (-entry[1].time_to_live, entry[1].namespace == home, entry[1].first))


def find_fate(traces: Traces, burst: Burst, sender: Optional[str], dropped_at: Optional[Spot], lost: int) -> IcmpFate:
    """Return the fate of "too big". dropped_at: the last interface that saw the packets; lost: how many there were."""
    seen = [entry for entry in errors_about(traces, burst) if entry[2].too_big]
    if not seen:
        return _unseen(traces, burst.family, dropped_at, lost)
    at_home = [entry for entry in seen if _at_sender(entry, burst, sender)]
    about_own = [entry for entry in seen if entry[2].tunnel is None] or seen
    host, last, _message = (at_home or about_own)[-1]
    spot = make_spot(traces, host, last.namespace, last.link, last.direction)
    rule = _eaten_by(traces, spot, len(last.numbers), burst.family)
    arrived = bool(at_home) if sender in traces else None
    sent_by = about_own[0][2].source
    return IcmpFate(True, sent_by, _host_of(traces, about_own[0]), arrived, spot, rule)


def _at_sender(entry: Tuple[str, Sighting, IcmpMessage], burst: Burst, sender: Optional[str]) -> bool:
    host, sighting, message = entry
    at_source = (host, sighting.namespace) == (sender, burst.namespace) and sighting.direction == "in"
    return at_source and message.tunnel is None


def _unseen(traces: Traces, family: str, dropped_at: Optional[Spot], lost: int) -> IcmpFate:
    """No interface saw one: none was made, or the node that made it ate it itself."""
    if dropped_at is None:
        return IcmpFate(False)
    namespace = namespace_of(traces[dropped_at.host], dropped_at.namespace)
    counters = namespace.counters if namespace is not None else {}
    made = max(counters.get("IcmpMsg.OutType3", 0), counters.get("Icmp6.OutPktTooBigs", 0))
    made = max(made, counters.get("Icmp.OutDestUnreachs", 0))
    discarded = max(counters.get("Ip.OutDiscards", 0), counters.get("Ip6.OutDiscards", 0))
    hooks = ("output", "postrouting")
    rule = _moved(traces, dropped_at, hooks, lost)
    if made and 2 * made >= lost and (rule is not None or discarded):
        words = rule.text if rule is not None else _candidate(traces, dropped_at, hooks, family)
        return IcmpFate(True, None, dropped_at.host, False, None, words or "a rule for outgoing packets")
    return IcmpFate(False)


def _eaten_by(traces: Traces, spot: Spot, count: int, family: str) -> Optional[str]:
    """Return the rule that dropped what came in last here; where rules have no counters, the only one it can be."""
    if spot.direction != "in":
        return None
    hooks = ("ingress", "prerouting", "input", "forward", "postrouting")
    rule = _moved(traces, spot, hooks, count)
    return rule.text if rule is not None else _candidate(traces, spot, hooks, family)


def _moved(traces: Traces, spot: Spot, hooks: Tuple[str, ...], count: int) -> Optional[FirewallRule]:
    rules = [
        rule
        for rule in _rules_at(traces, spot, hooks)
        if rule.packets is not None and 2 * rule.packets >= max(1, count)
    ]
    return min(rules, key=lambda rule: abs((rule.packets or 0) - count), default=None)


def _candidate(traces: Traces, spot: Spot, hooks: Tuple[str, ...], family: str) -> Optional[str]:
    """Return rules without a counter that speak of ICMP, of this family where they name one."""
    other = "icmp " if family == "ipv6" else "icmpv6"
    silent = [rule.text for rule in _rules_at(traces, spot, hooks) if rule.packets is None]
    texts = [text for text in silent if "icmp" in text.lower() and other not in text.lower()]
    return None if not texts else texts[0] if len(texts) == 1 else "one of: " + "; ".join(texts[:3])


def _rules_at(traces: Traces, spot: Spot, hooks: Tuple[str, ...]) -> List[FirewallRule]:
    rules = traces[spot.host].rules
    return [rule for rule in rules if rule.namespace == spot.namespace and set(hooks) & set(rule.hooks)]


def _host_of(traces: Traces, first: Tuple[str, Sighting, IcmpMessage]) -> Optional[str]:
    """Return the host that sent a message: the one that saw it go out and not come in."""
    host, sighting, _message = first
    return host if sighting.direction == "out" else None
