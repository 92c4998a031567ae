# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which firewall rules dropped packets meanwhile: counters of rules before and after. No rule is ever changed.

One command per network namespace, run by a thread that is inside it.
"""

from __future__ import annotations

import shutil
from typing import Dict, List, Optional, Sequence, Tuple

from .._kernel.commands import SEARCH_PATH, output_of
from .._kernel.visiting import visit
from .._model.fact import Problem
from .._model.owner import Namespace
from .._model.sighting import FirewallRule
from .iptables_rules import parse_saved
from .nft_rules import RuleReading, parse_ruleset

MAX_NAMESPACES = 64
MAX_RULES = 100
"""Of one namespace, those that dropped something first."""
SUBJECT = "firewall rules"
Readings = Dict[int, List[RuleReading]]


def read_rules(namespaces: Sequence[Namespace]) -> Tuple[Readings, List[Problem]]:
    """Return the dropping rules of each namespace, by inode; and what could not be read, each trouble once."""
    problems: List[Problem] = []
    if len(namespaces) > MAX_NAMESPACES:
        reason = f"only those of {MAX_NAMESPACES} of {len(namespaces)} network namespaces are read"
        problems.append(Problem(SUBJECT, reason))
    nft, legacy = _command("nft"), _command("iptables-legacy-save") or _command("iptables-save")
    if nft is None and legacy is None:
        return {}, [Problem(SUBJECT, "neither nft nor iptables-save is installed: a rule cannot be named")]
    readings: Readings = {}
    for namespace, result in visit(namespaces[:MAX_NAMESPACES], lambda _one: _read(nft, legacy)):
        if isinstance(result, Problem):
            if all(known.reason != result.reason for known in problems):
                problems.append(Problem(SUBJECT, result.reason, namespace=namespace.inode))
        elif result:
            readings[namespace.inode] = result
    return readings, problems


def changes(before: Readings, after: Readings) -> List[FirewallRule]:
    """Return the rules that are there now, with what they dropped since; a rule that is new counts from 0."""
    found: List[FirewallRule] = []
    for inode, readings in after.items():
        known = {reading.key: reading.packets or 0 for reading in before.get(inode, ())}
        rules = [
            FirewallRule(
                namespace=inode,
                text=reading.text,
                verdict=reading.verdict,
                hooks=reading.hooks,
                packets=None if reading.packets is None else max(0, reading.packets - known.get(reading.key, 0)),
            )
            for reading in readings
        ]
        found += sorted(rules, key=lambda rule: -(rule.packets or 0))[:MAX_RULES]
    return found


def _command(name: str) -> Optional[str]:
    return shutil.which(name, path=SEARCH_PATH)


def _read(nft: Optional[str], legacy: Optional[str]) -> List[RuleReading]:
    """Read the rules of the calling thread's namespace. Raises OSError."""
    found: List[RuleReading] = []
    if nft is not None:
        found += _parsed(nft, "-j", "list", "ruleset")
    for family in ("ip", "ip6"):
        # Without legacy tables the file is empty, and asking the command would load the module that makes them.
        if legacy is not None and _has_legacy_tables(family):
            command = legacy.replace("iptables", "ip6tables") if family == "ip6" else legacy
            found += parse_saved(output_of(command, "-c"), family)
    return found


def _parsed(nft: str, *arguments: str) -> List[RuleReading]:
    try:
        return parse_ruleset(output_of(nft, *arguments) or '{"nftables": []}')
    except ValueError as error:
        raise OSError(str(error)) from error


def _has_legacy_tables(family: str) -> bool:
    try:
        with open(f"/proc/thread-self/net/{family}_tables_names", encoding="ascii") as file:
            return bool(file.read().strip())
    except OSError:
        return False
