# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What findings and paths of a report say about overlays and pods, read from their remedies, evidence and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ..._rules import plain
from .port_facts import PortFact, facts_of

Record = Mapping[str, Any]

OBSERVED = re.compile(r"MTU (?P<mtu>[0-9]+)")
EXPECTED = re.compile(r"at most (?P<limit>[0-9]+) \((?P<overlay>[^ )]+) on (?P<host>[^)]+)\)")
OVERLAY = re.compile(r"MTU of overlay (?P<name>\S+) \((?P<kind>[^)]*)\)")
UNDERLAY = re.compile(r"MTU of underlay (?P<name>[^ ,]+)")
SHARED = re.compile(r"(?P<nodes>[0-9]+) nodes share this overlay")
OUTLET = re.compile(r"[^ ,]+ of (?P<host>\S+) (?P<mtu>[0-9]+)")
LIMIT = re.compile(r"(?P<link>[^ ,]+) on (?P<host>\S+) (?P<mtu>[0-9]+)")


@dataclass(frozen=True)
class Overlay:
    """The device that a node encapsulates by. mtu: bytes; kind: vxlan, geneve, ...; underlay_mtu: bytes."""

    name: str
    mtu: int
    kind: Optional[str] = None
    underlay: Optional[str] = None
    underlay_mtu: Optional[int] = None

    @property
    def label(self) -> str:
        """What it is called in a picture."""
        return f"{self.name} ({self.kind})" if self.kind else self.name


@dataclass(frozen=True)
class LargePod:
    """A pod or container whose MTU (bytes) the overlay on its way does not carry: MTU-001.

    scope: pod or container. nodes: how many share the overlay, None where that is not known. ports: that lead to it.
    """

    scope: str
    name: str
    host: str
    mtu: int
    overlay: Overlay
    nodes: Optional[int]
    ports: Tuple[PortFact, ...] = ()


def large_pods(findings: Iterable[Record]) -> List[LargePod]:
    """Return what MTU-001 found, in the order of the findings; without those whose words say too little."""
    found = [_large_pod(one) for one in findings if one.get("id") == "MTU-001" and one.get("status") == "fail"]
    return [one for one in found if one is not None]


def _large_pod(finding: Record) -> Optional[LargePod]:
    observed = OBSERVED.fullmatch(plain.text(finding, "observed") or "")
    expected = EXPECTED.fullmatch(plain.text(finding, "expected") or "")
    if observed is None or expected is None:
        return None
    evidence = plain.records(finding, "evidence")
    kind, _value = _said(evidence, OVERLAY, "kind")
    underlay, underlay_mtu = _said(evidence, UNDERLAY, "name")
    nodes, _value = _said(evidence, SHARED, "nodes")
    target = plain.record(finding, "target")
    owner = plain.record(target, "owner")
    return LargePod(
        scope=plain.text(target, "scope") or "unknown",
        name=plain.text(owner, "name") or "without a name",
        host=plain.text(target, "host") or "",
        mtu=int(observed["mtu"]),
        overlay=Overlay(expected["overlay"], int(expected["limit"]), kind, underlay, underlay_mtu),
        nodes=int(nodes) if nodes is not None else None,
        ports=facts_of(finding),
    )


def _said(evidence: Iterable[Record], pattern: re.Pattern[str], group: str) -> Tuple[Optional[str], Optional[int]]:
    """Return a part of the first evidence with these words, and its value where that is a number."""
    for entry in evidence:
        match = pattern.match(plain.text(entry, "what") or "")
        if match is not None:
            return match[group], plain.whole(entry, "value")
    return None, None


def host_links(paths: Sequence[Record]) -> Dict[str, int]:
    """Return the MTU of the links between the hosts, by host, as far as measured paths tell."""
    matches = [OUTLET.fullmatch(part) for part in _limits(paths)]
    return {match["host"]: int(match["mtu"]) for match in matches if match is not None}


def _limits(paths: Sequence[Record]) -> List[str]:
    words = {plain.text(entry, "expected_because") or "" for entry in paths}
    return [part for text in sorted(words) for part in text.split(", ")]


def path_overlays(paths: Sequence[Record]) -> Dict[str, int]:
    """Return the overlays that were on the way of measured paths, with the least of their MTUs on any node."""
    found: Dict[str, int] = {}
    for part in _limits(paths):
        match = LIMIT.fullmatch(part)
        if match is not None:
            found[match["link"]] = min(int(match["mtu"]), found.get(match["link"], int(match["mtu"])))
    return found
