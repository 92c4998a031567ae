# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""NodePorts in the nat table as iptables-save writes it; pure.

Source: kubernetes pkg/proxy/iptables/proxier.go. KUBE-NODEPORTS has a rule for each port; it leads

* up to 1.23 to KUBE-SVC-* (externalTrafficPolicy Cluster) or KUBE-XLB-* (Local),
* since 1.24 to KUBE-EXT-*, whose last rule leads to KUBE-SVC-* (Cluster) or KUBE-SVL-* (Local),

and from there by rules with probabilities to KUBE-SEP-*, each with the address of a pod. Rules that match more than
protocol and port are for requests of pods and of the node itself, or bring a client back to its pod (sessionAffinity).
"""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

from .._model.node_port import NodePort, NodePortEndpoint, ProxyMode, TrafficPolicy, chained_shares

ENTRY = "KUBE-NODEPORTS"
_RULE = re.compile(r"-A (?P<chain>KUBE-(?:NODEPORTS|(?:SVC|SVL|XLB|EXT|SEP)-\S+)) (?P<rest>.*)")
_COMMENT = re.compile(r'-m comment --comment (?P<text>"(?:[^"\\]|\\.)*"|\S+)')
_TARGET = re.compile(r"-[jg] (?P<target>\S+)")
_PROTOCOL = re.compile(r"-p (?P<protocol>tcp|udp|sctp)\b")
_PORT = re.compile(r"--dport (?P<port>[0-9]+)\b")
_PROBABILITY = re.compile(r"--probability (?P<probability>[0-9.]+)")
_DESTINATION = re.compile(r"--to-destination (?:\[(?P<long>[0-9a-fA-F:.]+)\]|(?P<short>[0-9.]+)):(?P<port>[0-9]+)")
_NARROWER = re.compile(r"(?:^| )(?:-s|-d|-i|-o|--src-type|--dst-type|--rcheck|--mark|--match-set) ")
_ONWARD = ("KUBE-SVC-", "KUBE-XLB-", "KUBE-EXT-")
"""What a port leads to, beside the chain that marks its requests for masquerading."""


class _Rule(NamedTuple):
    target: str
    text: str
    comment: str

    @property
    def for_all(self) -> bool:
        """Whether every request that comes this far is meant."""
        return _NARROWER.search(self.text) is None


_Chains = Mapping[str, List[str]]


def parse_nat_table(text: str, family: str, source: str) -> List[NodePort]:
    """Return the NodePorts, by port. family: ipv4 or ipv6. source: the command that printed the text.

    Lines that are not kube-proxy's, and rules that make no sense, are left out.
    """
    chains = _chains(text)
    found: Dict[Tuple[str, int], NodePort] = {}
    for line in chains.get(ENTRY, ()):
        rule, place = _rule(line), _place(line)
        if rule is None or place is None or place in found or not rule.target.startswith(_ONWARD):
            continue
        policy, endpoints = _follow(chains, rule.target)
        found[place] = NodePort(
            family, *place, _service(rule.comment), policy, endpoints, ProxyMode.IPTABLES, f"{source}, chain {ENTRY}"
        )
    return [found[place] for place in sorted(found, key=lambda one: (one[1], one[0]))]


def _chains(text: str) -> Dict[str, List[str]]:
    """Return the rules of kube-proxy's chains as they are written: a large cluster has many, and few are followed."""
    found: Dict[str, List[str]] = {}
    for match in _RULE.finditer(text):
        found.setdefault(match["chain"], []).append(match["rest"])
    return found


def _rule(line: str) -> Optional[_Rule]:
    comment = _COMMENT.search(line)
    text = _COMMENT.sub("", line)
    target = _TARGET.search(text)
    words = comment["text"].strip('"') if comment is not None else ""
    return None if target is None else _Rule(target["target"], text, words)


def _rules(chains: _Chains, chain: str) -> List[_Rule]:
    return [rule for rule in map(_rule, chains.get(chain, ())) if rule is not None]


def _place(line: str) -> Optional[Tuple[str, int]]:
    text = _COMMENT.sub("", line)
    protocol, port = _PROTOCOL.search(text), _PORT.search(text)
    return None if protocol is None or port is None else (protocol["protocol"], int(port["port"]))


def _service(comment: str) -> Optional[str]:
    """Return "namespace/name:port"; up to 1.19 a port without a name left the colon behind."""
    words = comment.split()
    return words[0].rstrip(":") if words and "/" in words[0] else None


def _follow(chains: _Chains, target: str) -> Tuple[TrafficPolicy, Tuple[NodePortEndpoint, ...]]:
    if target.startswith("KUBE-SVC-"):
        return TrafficPolicy.CLUSTER, _endpoints(chains, target)
    if target.startswith("KUBE-XLB-"):
        return TrafficPolicy.LOCAL, _endpoints(chains, target)
    rules = _rules(chains, target)
    onward = [rule.target for rule in rules if rule.for_all and rule.target.startswith(("KUBE-SVC-", "KUBE-SVL-"))]
    if onward:
        policy = TrafficPolicy.CLUSTER if onward[0].startswith("KUBE-SVC-") else TrafficPolicy.LOCAL
        return policy, _endpoints(chains, onward[0])
    # Without a pod on this node the way ends in the filter table; what is left is for the node's own requests.
    kept = any("--src-type LOCAL" in rule.text for rule in rules)
    return (TrafficPolicy.LOCAL if kept else TrafficPolicy.UNKNOWN), ()


def _endpoints(chains: _Chains, chain: str) -> Tuple[NodePortEndpoint, ...]:
    rules = [rule for rule in _rules(chains, chain) if rule.for_all and rule.target.startswith("KUBE-SEP-")]
    found = [(_destination(chains, rule.target), share) for rule, share in zip(rules, _shares(rules))]
    return tuple(NodePortEndpoint(*place, share) for place, share in found if place is not None)


def _shares(rules: List[_Rule]) -> Tuple[float, ...]:
    matches = [_PROBABILITY.search(rule.text) for rule in rules]
    return chained_shares([1.0 if match is None else _number(match["probability"]) for match in matches])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _destination(chains: _Chains, chain: str) -> Optional[Tuple[str, int]]:
    matches = [_DESTINATION.search(line) for line in chains.get(chain, ())]
    match = next((one for one in matches if one is not None), None)
    return None if match is None else (match["long"] or match["short"], int(match["port"]))
