# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Rules of iptables that drop packets, from ``iptables-save -c``. Source: iptables-save(8)."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Set, Tuple

from .nft_rules import MAX_TEXT, RuleReading

RULE = re.compile(r"\[(?P<packets>\d+):\d+\] (?P<rule>-A (?P<chain>\S+).*)")
POLICY = re.compile(r":(?P<chain>\S+) DROP \[(?P<packets>\d+):\d+\]")
TARGET = re.compile(r" -[jg] (?P<target>\S+)")
HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
VERDICTS = {"DROP": "drop", "REJECT": "reject"}


def parse_saved(text: str, family: str) -> List[RuleReading]:
    """Return the dropping rules and policies. family: ip or ip6. Lines that make no sense are left out."""
    found: List[RuleReading] = []
    for table, lines in _tables(text):
        rules = [rule for rule in map(RULE.match, lines) if rule is not None]
        targets = [(rule["chain"], TARGET.search(rule["rule"])) for rule in rules]
        hooks = _hooks([(chain, target["target"]) for chain, target in targets if target is not None])
        for number, rule in enumerate(rules):
            target = TARGET.search(rule["rule"])
            verdict = VERDICTS.get(target["target"]) if target else None
            if verdict is not None:
                place = f"{family} {table}"
                found.append(
                    RuleReading(
                        key=f"{place} {number} {rule['rule']}",
                        text=f"{rule['rule'][:MAX_TEXT]} in table {place}",
                        verdict=verdict,
                        hooks=tuple(sorted(hooks.get(rule["chain"], ()))),
                        packets=int(rule["packets"]),
                    )
                )
        for policy in filter(None, map(POLICY.match, lines)):
            words = f"policy DROP of chain {policy['chain']} in table {family} {table}"
            hook = policy["chain"].lower()
            found.append(RuleReading(words, words, "drop", (hook,), int(policy["packets"])))
    return found


def _tables(text: str) -> Iterator[Tuple[str, List[str]]]:
    for part in re.split(r"^\*", text, flags=re.MULTILINE)[1:]:
        name, *lines = part.split("\n")
        yield name.strip(), lines


def _hooks(jumps: List[Tuple[str, str]]) -> Dict[str, Set[str]]:
    """Return the hooks from which each chain is reached. jumps: from chain to target."""
    reached: Dict[str, Set[str]] = {hook: {hook.lower()} for hook in HOOKS}
    for _round in range(len({chain for chain, _target in jumps})):
        for chain, target in jumps:
            reached.setdefault(target, set()).update(reached.get(chain, ()))
    return reached
