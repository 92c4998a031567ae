# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Rules of nftables that drop packets, from ``nft -j list ruleset``, in words. Source: libnftables-json(5)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Set, Tuple

Chain = Tuple[str, str, str]
"""Family, table and name of a chain."""
VERDICTS = ("drop", "reject")
MAX_TEXT = 200


@dataclass(frozen=True)
class RuleReading:
    """A rule that drops, at one moment. key: names it from one reading to the next. packets: None without a counter."""

    key: str
    text: str
    verdict: str
    hooks: Tuple[str, ...]
    packets: Optional[int]


def parse_ruleset(text: str) -> List[RuleReading]:
    """Return the dropping rules and chains' dropping policies. Raises ValueError for what is no JSON of nft."""
    try:
        entries = json.loads(text)["nftables"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not what nft -j prints: {error}") from error
    chains = {_chain_of(entry["chain"], "name"): entry["chain"] for entry in entries if "chain" in entry}
    rules = [entry["rule"] for entry in entries if "rule" in entry]
    hooks = _hooks(chains, rules)
    found = [reading for rule in rules for reading in _rule(rule, hooks)]
    for chain, entry in chains.items():
        if entry.get("policy") == "drop":
            text = f"policy drop of chain {' '.join(chain)}"
            found.append(RuleReading(text, text, "drop", hooks[chain], None))
    return found


def _chain_of(entry: Mapping[str, Any], name: str) -> Chain:
    return str(entry.get("family")), str(entry.get("table")), str(entry.get(name))


def _hooks(chains: Mapping[Chain, Mapping[str, Any]], rules: List[Dict[str, Any]]) -> Dict[Chain, Tuple[str, ...]]:
    """Return the hooks from which each chain is reached, over any number of jumps."""
    reached: Dict[Chain, Set[str]] = {
        chain: {str(entry["hook"])} if "hook" in entry else set() for chain, entry in chains.items()
    }
    jumps = [(_chain_of(rule, "chain"), target) for rule in rules for target in _targets(rule)]
    for _round in range(len(chains)):
        for chain, target in jumps:
            reached.setdefault((*chain[:2], target), set()).update(reached.get(chain, ()))
    return {chain: tuple(sorted(hooks)) for chain, hooks in reached.items()}


def _targets(rule: Mapping[str, Any]) -> Iterator[str]:
    for statement in _statements(rule):
        for kind in ("jump", "goto"):
            if kind in statement:
                yield str(statement[kind].get("target"))
        if "vmap" in statement:
            yield from _targets_within(statement["vmap"])


def _targets_within(value: Any) -> Iterator[str]:
    """Yield the chains that a verdict map leads to, wherever they stand in it."""
    if isinstance(value, dict):
        for kind, inner in value.items():
            if kind in ("jump", "goto") and isinstance(inner, dict):
                yield str(inner.get("target"))
            else:
                yield from _targets_within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _targets_within(inner)


def _statements(rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (statement for statement in rule.get("expr", ()) if isinstance(statement, dict))


def _rule(rule: Mapping[str, Any], hooks: Mapping[Chain, Tuple[str, ...]]) -> Iterator[RuleReading]:
    statements = list(_statements(rule))
    verdict = next((name for statement in statements for name in VERDICTS if _drops(statement, name)), None)
    if verdict is None:
        return
    counters = [statement["counter"] for statement in statements if isinstance(statement.get("counter"), dict)]
    packets = counters[0].get("packets") if counters else None
    chain = _chain_of(rule, "chain")
    words = " ".join(word for statement in statements for word in _words(statement))
    comment = f" ({rule['comment']})" if rule.get("comment") else ""
    text = f"{words[:MAX_TEXT]}{comment} in chain {' '.join(chain)}"
    yield RuleReading(f"{chain} {rule.get('handle')}", text, verdict, hooks.get(chain, ()), packets)


def _drops(statement: Mapping[str, Any], verdict: str) -> bool:
    if verdict in statement:
        return True
    target = statement.get("xt")
    return isinstance(target, dict) and str(target.get("name")).lower() == verdict


def _words(statement: Mapping[str, Any]) -> Iterator[str]:
    """Yield a statement much as a person writes it; what isn't known here by its name."""
    for kind, value in statement.items():
        if kind == "match" and isinstance(value, dict):
            operator = {"==": "", "in": ""}.get(value.get("op", ""), value.get("op", ""))
            yield " ".join(filter(None, [_left(value.get("left")), operator, _value(value.get("right"))]))
        elif kind == "xt" and isinstance(value, dict):
            yield f"xt {value.get('name', '')}"
        elif kind != "counter":
            yield str(kind)


def _left(value: Any) -> str:
    if isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == "payload" and isinstance(inner, dict):
            return f"{inner.get('protocol', '')} {inner.get('field', '')}".strip()
        if kind in ("meta", "ct") and isinstance(inner, dict):
            return f"{kind} {inner.get('key', '')}"
        return str(kind)
    return str(value)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_value(part) for part in value)
    if isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == "range":
            return "-".join(_value(part) for part in inner)
        if kind == "prefix":
            return f"{inner.get('addr')}/{inner.get('len')}"
        if kind == "set":
            return "{ " + ", ".join(_value(part) for part in (inner if isinstance(inner, list) else [inner])) + " }"
        return str(kind)
    return str(value)
