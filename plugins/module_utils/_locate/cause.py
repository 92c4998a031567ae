# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Why packets did not get from one interface to the next: weighs counters, rules, links and the kernel's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List, Mapping, Optional, Sequence, Tuple

from .._model.finding import Evidence
from .._model.sighting import FirewallRule, KernelDrop
from .._model.trace import DropKind
from .reason import find_reason, in_words, name_of
from .sentence import whose
from .way import Step, Traces, counters_of, link_of, namespace_of

REASONS = {
    "PKT_TOO_BIG": DropKind.TOO_BIG,
    "IP_RPFILTER": DropKind.REVERSE_PATH,
    "TCP_LISTEN_OVERFLOW": DropKind.LISTEN_OVERFLOW,
    "NETFILTER_DROP": DropKind.FIREWALL,
}
COUNTERS: Tuple[Tuple[DropKind, Tuple[str, ...]], ...] = (
    (DropKind.TOO_BIG, ("Ip.FragFails", "Ip6.FragFails")),
    (DropKind.REVERSE_PATH, ("TcpExt.IPReversePathFilter",)),
    (DropKind.LISTEN_OVERFLOW, ("TcpExt.ListenOverflows",)),
)
MAX_CANDIDATES = 3


@dataclass(frozen=True)
class Gap:
    """Where packets vanish: after one step, before the next. answered: the next would have been the target's answer.

    lost: numbers of the lost ones, with the moment at which each was seen last. passed: moments of those that went on.
    """

    before: Optional[Step]
    after: Optional[Step]
    lost: Mapping[int, float]
    passed: Tuple[float, ...] = ()
    local_refusal: Optional[str] = None

    @property
    def inside(self) -> bool:
        """Tell that they vanish within a network namespace, not between two."""
        if self.before is None:
            return True
        if self.after is None:
            return self.before.spot.direction == "in"
        return (self.before.spot.host, self.before.spot.namespace) == (
            self.after.spot.host,
            self.after.spot.namespace,
        ) and not self.crosses

    @property
    def crosses(self) -> bool:
        """Tell that the link itself is in between: out here, in there."""
        return (
            self.before is not None
            and self.after is not None
            and (self.before.spot.direction, self.after.spot.direction) == ("out", "in")
        )


@dataclass(frozen=True)
class Cause:
    """Why, as far as it is known. reason: the kernel's words. rule: the firewall's."""

    kind: DropKind
    reason: Optional[str] = None
    rule: Optional[str] = None
    evidence: Tuple[Evidence, ...] = ()


def find_cause(traces: Traces, gap: Gap) -> Cause:
    """Return why the packets of a gap were lost."""
    if gap.before is None:
        return _refused(gap)
    drops: Sequence[KernelDrop] = traces[gap.before.spot.host].kernel_drops
    event = find_reason(drops, gap.lost, gap.passed)
    evidence = list(_events(event, gap))
    cause = _inside(traces, gap, gap.before, event) if gap.inside else _between(traces, gap, gap.before)
    return Cause(cause.kind, in_words(event), cause.rule, (*cause.evidence, *evidence))


def _refused(gap: Gap) -> Cause:
    """The sender's own kernel did not take them."""
    said = gap.local_refusal or "nothing was said"
    kind = DropKind.TOO_BIG if "MTU" in said else DropKind.FIREWALL if "firewall" in said else DropKind.OTHER
    return Cause(kind, None, None, (Evidence("the sender's kernel refused to send", said, "sendto(2)"),))


def _inside(traces: Traces, gap: Gap, before: Step, event: Optional[KernelDrop]) -> Cause:
    weighed = sorted([*_by_counters(traces, gap, before), *_by_rules(traces, gap, before)], key=lambda entry: entry[0])
    if weighed:
        return weighed[0][1]
    if _enters_tunnel(gap):
        return Cause(DropKind.TUNNEL, evidence=tuple(_link_drops(traces, before)))
    name = name_of(event)
    bridge = _bridge(traces, gap)
    if bridge is not None and name != "NETFILTER_DROP":
        what = f"bridge {bridge} forwards nothing that does not fit its ports, and counts nothing"
        return Cause(DropKind.BRIDGE, evidence=(Evidence(what, None, "net/bridge/br_forward.c"),))
    candidates = _candidates(traces, gap, before)
    if name == "NETFILTER_DROP" or (name is None and candidates):
        texts = [rule.text for rule in candidates]
        rule = None if not texts else texts[0] if len(texts) == 1 else "one of: " + "; ".join(texts[:MAX_CANDIDATES])
        return Cause(DropKind.FIREWALL, rule=rule)
    if name in REASONS:
        return Cause(REASONS[name])
    return Cause(DropKind.TUNNEL if _leaves_tunnel(gap) else DropKind.OTHER)


def _by_counters(traces: Traces, gap: Gap, before: Step) -> Iterator[Tuple[Tuple[int, int], Cause]]:
    """Yield causes that a counter speaks for, with how far it is from the number of lost packets."""
    counters = counters_of(traces, before.spot)
    lost = len(gap.lost)
    for rank, (kind, names) in enumerate(COUNTERS):
        for name in names:
            grown = counters.get(name, 0)
            if 2 * grown >= lost and grown > 0 and not (kind is DropKind.LISTEN_OVERFLOW and gap.after is not None):
                what = f"{name} grew while {lost} packets were lost"
                proof = Evidence(what, grown, f"counters of {whose(before.spot)}")
                # Inside a tunnel's device the outer packet was too big, not what it carries.
                told = DropKind.TUNNEL if kind is DropKind.TOO_BIG and _enters_tunnel(gap) else kind
                yield (abs(grown - lost), rank), Cause(told, evidence=(proof,))


def _by_rules(traces: Traces, gap: Gap, before: Step) -> Iterator[Tuple[Tuple[int, int], Cause]]:
    lost = len(gap.lost)
    for rule in _suitable(traces, gap, before):
        if rule.packets is not None and rule.packets > 0 and 2 * rule.packets >= lost:
            proof = Evidence(f"packets that the rule dropped while {lost} were lost", rule.packets, rule.text)
            yield (abs(rule.packets - lost), len(COUNTERS)), Cause(DropKind.FIREWALL, None, rule.text, (proof,))


def _candidates(traces: Traces, gap: Gap, before: Step) -> List[FirewallRule]:
    """Return rules that may have done it: on the way, and without a counter that says otherwise."""
    return [rule for rule in _suitable(traces, gap, before) if rule.packets is None]


def _suitable(traces: Traces, gap: Gap, before: Step) -> Iterator[FirewallRule]:
    hooks = hooks_between(before, gap.after)
    for rule in traces[before.spot.host].rules:
        if rule.namespace == before.spot.namespace and set(hooks) & set(rule.hooks):
            yield rule


def hooks_between(before: Step, after: Optional[Step]) -> Tuple[str, ...]:
    """Return the hooks of the firewall that a packet passes from one interface of a namespace to the next."""
    if before.spot.direction == "out":
        return ("egress", "output", "postrouting")
    if after is None:
        return ("ingress", "prerouting", "input")
    return ("ingress", "prerouting", "forward", "postrouting", "egress")


def _between(traces: Traces, gap: Gap, before: Step) -> Cause:
    """They left one interface and did not come in at the next, or at none that is ours."""
    if gap.after is None:
        return Cause(DropKind.TUNNEL if before.tunnel else DropKind.BEYOND)
    counted = tuple(_segment_drops(traces, gap, before, gap.after))
    if counted:
        return Cause(DropKind.SEGMENT, evidence=counted)
    if before.tunnel:
        return Cause(DropKind.TUNNEL)
    here, there = before.spot.mtu, gap.after.spot.mtu
    unequal = here is not None and there is not None and here > there
    if before.spot.host == gap.after.spot.host or unequal:
        return Cause(DropKind.SEGMENT if unequal else DropKind.OTHER)
    return Cause(DropKind.BEYOND)


def _segment_drops(traces: Traces, gap: Gap, before: Step, after: Step) -> Iterator[Evidence]:
    for step, counter in ((before, "tx_dropped"), (after, "rx_dropped")):
        link = link_of(namespace_of(traces[step.spot.host], step.spot.namespace), step.spot.link)
        grown = getattr(link, counter) if link is not None else 0
        if grown > 0 and 2 * grown >= len(gap.lost):
            yield Evidence(f"{counter} of {step.spot.link} grew by", grown, f"netlink on {step.spot.host}")


def _link_drops(traces: Traces, step: Step) -> Iterator[Evidence]:
    link = link_of(namespace_of(traces[step.spot.host], step.spot.namespace), step.spot.link)
    if link is not None and link.tx_dropped > 0:
        yield Evidence(f"tx_dropped of {link.name} grew by", link.tx_dropped, f"netlink on {step.spot.host}")


def _enters_tunnel(gap: Gap) -> bool:
    return (
        gap.before is not None
        and gap.before.spot.direction == "out"
        and gap.before.tunnel is None
        and gap.after is not None
        and gap.after.tunnel is not None
    )


def _leaves_tunnel(gap: Gap) -> bool:
    return gap.before is not None and gap.before.tunnel is not None


def _bridge(traces: Traces, gap: Gap) -> Optional[str]:
    """Return the bridge between two of its ports, or between itself and a port."""
    if gap.before is None or gap.after is None or gap.after.spot.direction != "out":
        return None
    namespace = namespace_of(traces[gap.before.spot.host], gap.before.spot.namespace)
    first, second = link_of(namespace, gap.before.spot.link), link_of(namespace, gap.after.spot.link)
    if first is None or second is None or second.bridge is None:
        return None
    return second.bridge if second.bridge in (first.bridge, first.name) else None


def _events(event: Optional[KernelDrop], gap: Gap) -> Iterator[Evidence]:
    if event is not None:
        what = f"the kernel freed packets within milliseconds after {len(gap.lost)} were seen last"
        yield Evidence(what, in_words(event), "skb:kfree_skb, of the whole machine")
