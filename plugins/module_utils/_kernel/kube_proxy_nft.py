# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""NodePorts in the table kube-proxy of nftables, as nft -j lists it; pure.

Source: kubernetes pkg/proxy/nftables/proxier.go (alpha in 1.29), libnftables-json(5). The map service-nodeports leads
from protocol and port to a chain external-*, whose last rule goes to service-* (externalTrafficPolicy Cluster) or
local-* (Local), and from there a random number decides between chains endpoint-*, each with the address of a pod. Rules
that match more are for requests of pods and of the node itself, or bring a client back to its pod (sessionAffinity).
"""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from .._model.node_port import NodePort, NodePortEndpoint, ProxyMode, TrafficPolicy, rounded

TABLE = "kube-proxy"
MAP = "service-nodeports"
_POLICIES = {"service-": TrafficPolicy.CLUSTER, "local-": TrafficPolicy.LOCAL}
_PROTOCOLS = ("tcp", "udp", "sctp")

_Record = Mapping[str, Any]
_Chains = Mapping[str, List[_Record]]


def parse_proxy_table(text: str, family: str, source: str) -> List[NodePort]:
    """Return the NodePorts, by port. family: ipv4 or ipv6. source: the command that printed the text.

    Raises ValueError for what is no JSON of nft. What makes no sense in it is left out.
    """
    try:
        entries = json.loads(text)["nftables"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not what nft -j prints: {error}") from error
    chains: Dict[str, List[_Record]] = {}
    elements: List[Any] = []
    for entry in entries if isinstance(entries, list) else ():
        rule, verdicts = _record(entry, "rule"), _record(entry, "map")
        if rule:
            chains.setdefault(str(rule.get("chain")), []).append(rule)
        if verdicts.get("name") == MAP:
            elements = _list(verdicts, "elem")
    found: Dict[Tuple[str, int], NodePort] = {}
    for place, target in _ports(elements):
        policy, endpoints = _follow(chains, target)
        told = f"{source}, map {MAP}"
        found[place] = NodePort(family, *place, _service(target), policy, endpoints, ProxyMode.NFTABLES, told)
    return [found[place] for place in sorted(found, key=lambda one: (one[1], one[0]))]


def _record(parent: Any, name: str) -> _Record:
    value = parent.get(name) if isinstance(parent, dict) else None
    return value if isinstance(value, dict) else {}


def _list(parent: Any, name: str) -> List[Any]:
    value = parent.get(name) if isinstance(parent, dict) else None
    return value if isinstance(value, list) else []


def _ports(elements: List[Any]) -> Iterator[Tuple[Tuple[str, int], str]]:
    """Yield protocol and port with the chain that they lead to. An element with a comment is wrapped once more."""
    for element in elements:
        if not isinstance(element, list) or len(element) != 2:
            continue
        key = _record(element[0], "elem").get("val", element[0])
        parts, target = _list(key, "concat"), _goto(element[1])
        if len(parts) == 2 and parts[0] in _PROTOCOLS and isinstance(parts[1], int) and target is not None:
            yield (parts[0], parts[1]), target


def _goto(statement: Any) -> Optional[str]:
    target = _record(statement, "goto").get("target") or _record(statement, "jump").get("target")
    return target if isinstance(target, str) else None


def _service(chain: str) -> Optional[str]:
    """Return "namespace/name:port" from external-HASH-namespace/name/protocol/port, where the port may have no name."""
    _hash, _dash, name = chain[len("external-") :].partition("-")
    parts = name.split("/")
    if not chain.startswith("external-") or len(parts) != 4:
        return None
    return "/".join(parts[:2]) + (f":{parts[3]}" if parts[3] else "")


def _for_all(rule: _Record) -> List[_Record]:
    """Return the statements of a rule for all requests, none of one that matches some."""
    statements: List[_Record] = [one for one in _list(rule, "expr") if isinstance(one, dict)]
    return [] if any("match" in one for one in statements) else statements


def _follow(chains: _Chains, target: str) -> Tuple[TrafficPolicy, Tuple[NodePortEndpoint, ...]]:
    rules = chains.get(target, [])
    for rule in rules:
        for statement in _for_all(rule):
            onward = _goto(statement)
            for prefix, policy in _POLICIES.items() if onward is not None else ():
                if onward is not None and onward.startswith(prefix):
                    return policy, tuple(_endpoints(chains, onward))
    # Without a pod on this node the map no-endpoint-nodeports drops; what is left is for the node's own requests.
    kept = any("fib" in _record(_record(one, "match"), "left") for rule in rules for one in _list(rule, "expr"))
    return (TrafficPolicy.LOCAL if kept else TrafficPolicy.UNKNOWN), ()


def _endpoints(chains: _Chains, chain: str) -> Iterator[NodePortEndpoint]:
    for rule in chains.get(chain, ()):
        for statement in _for_all(rule):
            choice = _record(statement, "vmap")
            places = [_destination(chains, _goto(one[1])) for one in _choices(choice)]
            for place in places:
                if place is not None:
                    yield NodePortEndpoint(*place, rounded(1 / len(places)))


def _choices(choice: _Record) -> List[List[Any]]:
    if "numgen" not in _record(choice, "key"):
        return []
    return [one for one in _list(_record(choice, "data"), "set") if isinstance(one, list) and len(one) == 2]


def _destination(chains: _Chains, chain: Optional[str]) -> Optional[Tuple[str, int]]:
    for rule in chains.get(chain or "", ()):
        for statement in _list(rule, "expr"):
            there = _record(statement, "dnat")
            if isinstance(there.get("addr"), str) and isinstance(there.get("port"), int):
                return there["addr"], there["port"]
    return None
