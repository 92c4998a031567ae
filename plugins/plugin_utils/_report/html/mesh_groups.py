# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the members of a large mesh together: those that explain what deviates, and all the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Dict, FrozenSet, List, Set, Tuple

from .words import in_order

MOST_GROUPS = 10
MOST_SUSPECTS = 200

Ends = Tuple[str, str]


@dataclass(frozen=True)
class Group:
    """Members that answer alike. rest: whether these are those that explain nothing."""

    members: Tuple[str, ...]
    rest: bool = False


def group_ends(outcomes: Mapping[Ends, str]) -> Tuple[List[Group], List[Group]]:
    """Return the groups of the senders and those of the receivers.

    outcomes: what deviates of a direction (sender, receiver), empty for one that is in order. Where nobody is both,
    those receivers are a group that answer everybody alike, and of senders those that everybody answers alike.
    """
    senders, receivers = {ends[0] for ends in outcomes}, {ends[1] for ends in outcomes}
    if senders & receivers:
        groups = group_members(outcomes)
        return _those(groups, senders), _those(groups, receivers)
    return _alike(outcomes, 0), _alike(outcomes, 1)


def _those(groups: List[Group], names: Set[str]) -> List[Group]:
    left = [Group(tuple(name for name in group.members if name in names), group.rest) for group in groups]
    return [group for group in left if group.members]


def _alike(outcomes: Mapping[Ends, str], end: int) -> List[Group]:
    met: Dict[str, List[Tuple[str, str]]] = {}
    for ends, text in outcomes.items():
        met.setdefault(ends[end], []).append((ends[1 - end], text))
    groups: Dict[FrozenSet[Tuple[str, str]], List[str]] = {}
    for name, answers in met.items():
        groups.setdefault(frozenset(answers), []).append(name)
    return _shown([Group(tuple(in_order(names))) for names in groups.values()], in_order(list(met)))


def _shown(groups: List[Group], everybody: List[str]) -> List[Group]:
    """Return the groups, the smallest first, and whoever is in none of them, or in one too many, as the rest."""
    shown = sorted(groups, key=lambda one: (len(one.members), one.members))[: MOST_GROUPS - 1]
    named = {name for group in shown for name in group.members}
    rest = tuple(name for name in everybody if name not in named)
    return [*shown, *([Group(rest, rest=True)] if rest else [])]


def group_members(outcomes: Mapping[Ends, str]) -> List[Group]:
    """Return the groups of all members, the smallest first, the rest last.

    A member explains a direction that it is an end of; those that explain most are looked for first.
    """
    everybody = in_order([name for ends in outcomes for name in ends])
    odd = {ends: text for ends, text in outcomes.items() if text}
    suspects = _suspects(set(odd))
    signatures: Dict[Tuple[FrozenSet[str], FrozenSet[str]], List[str]] = {}
    leaving, arriving = _texts(odd, 0), _texts(odd, 1)
    for name in suspects:
        signature = (frozenset(leaving.get(name, ())), frozenset(arriving.get(name, ())))
        signatures.setdefault(signature, []).append(name)
    return _shown([Group(tuple(in_order(names))) for names in signatures.values()], everybody)


def _suspects(odd: Set[Ends]) -> List[str]:
    """Return members that together are an end of each of these directions, the one with most of them first."""
    touching: Dict[str, Set[Ends]] = {}
    for ends in odd:
        for name in ends:
            touching.setdefault(name, set()).add(ends)
    found: List[str] = []
    while touching and len(found) < MOST_SUSPECTS:
        worst = max(touching, key=lambda name: (len(touching[name]), name))
        explained = touching.pop(worst)
        if not explained:
            break
        found.append(worst)
        for sender, receiver in explained:
            touching.get(receiver if sender == worst else sender, set()).discard((sender, receiver))
    return found


def _texts(odd: Mapping[Ends, str], end: int) -> Dict[str, Set[str]]:
    found: Dict[str, Set[str]] = {}
    for ends, text in odd.items():
        found.setdefault(ends[end], set()).add(text)
    return found
