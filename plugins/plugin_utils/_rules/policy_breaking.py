# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are known to break container hosts: the part ``breaking`` of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from ...module_utils._model.finding import Severity
from ...module_utils._model.sysctl_value import Comparison, SysctlValue, kernel_numbers

RESERVED_PORTS = "net.ipv4.ip_local_reserved_ports"


@dataclass(frozen=True)
class BreakingPolicy:
    """One key, and what it must not be.

    comparison, wanted: what a value has to satisfy; never: single values; node_ports: first and last port that the
    range of local ports must leave alone. One of the three is set. where: host or both. live: whether the live value
    counts as well as what files set.
    """

    key: str
    comparison: Optional[Comparison]
    wanted: Optional[SysctlValue]
    never: Tuple[str, ...]
    node_ports: Optional[Tuple[int, int]]
    reason: str
    source: str
    where: str
    needs_containers: bool
    live: bool
    severity: Severity

    def breaks(self, value: str, reserved_ports: str) -> bool:
        """Tell whether a value, as a file or the kernel has it, is one of those. reserved_ports: the live ones."""
        numbers = kernel_numbers(value)
        if not numbers:
            return False
        if self.node_ports is not None:
            return len(numbers) > 1 and not _left_alone(numbers, self.node_ports, reserved_ports)
        if self.comparison is None or self.wanted is None:
            return str(numbers[0]) in self.never
        own = SysctlValue.parse(list(numbers))
        return len(numbers) >= len(self.wanted.numbers or ()) and not own.satisfies(self.comparison, self.wanted)

    def healthy(self, value: str, reserved_ports: str) -> Dict[str, str]:
        """Return what to set instead of a value that breaks; only what has to change does."""
        if self.node_ports is not None:
            ports = "{}-{}".format(*self.node_ports)
            return {RESERVED_PORTS: f"{reserved_ports},{ports}" if reserved_ports.strip() else ports}
        if self.wanted is None or self.wanted.numbers is None:
            return {self.key: "2" if "2" not in self.never else "0"}
        if self.comparison is Comparison.AT_MOST:
            pairs = zip(kernel_numbers(value), self.wanted.numbers)
            return {self.key: " ".join(str(min(own, most)) for own, most in pairs)}
        return {self.key: self.wanted.text}

    @property
    def expected(self) -> str:
        """Return what is allowed, in words."""
        if self.node_ports is not None:
            return "not {}-{}, or these in {}".format(*self.node_ports, RESERVED_PORTS)
        if self.comparison is None or self.wanted is None:
            return f"not {' or '.join(self.never)}"
        words = {Comparison.AT_LEAST: "at least ", Comparison.AT_MOST: "at most ", Comparison.EXACT: ""}
        return words[self.comparison] + self.wanted.text


def read_breaking(entries: Mapping[str, Mapping[str, Any]]) -> Tuple[BreakingPolicy, ...]:
    """Make the checked part of a policy into values, by key; what is switched off is left out."""
    return tuple(_entry(key, entry) for key, entry in sorted(entries.items()) if entry.get("enabled", True))


def _entry(key: str, entry: Mapping[str, Any]) -> BreakingPolicy:
    comparison = next((one for one in Comparison if one.value in entry), None)
    ports: List[int] = entry.get("node_ports", [])
    never: List[Any] = entry.get("never", [])
    return BreakingPolicy(
        key=key,
        comparison=comparison,
        wanted=SysctlValue.parse(entry[comparison.value]) if comparison is not None else None,
        never=tuple(str(value) for value in never),
        node_ports=(ports[0], ports[1]) if ports else None,
        reason=entry["reason"],
        source=entry.get("source", "netfit_policy"),
        where=entry.get("where", "host"),
        needs_containers=entry.get("needs") == "containers",
        live=entry.get("live", True),
        severity=Severity(entry.get("severity", "medium")),
    )


def _left_alone(local: Tuple[int, ...], ports: Tuple[int, int], reserved: str) -> bool:
    """Tell whether each port that is in both ranges is reserved ("8080,30000-32767")."""
    first, last = max(local[0], ports[0]), min(local[1], ports[1])
    for start, end in sorted(_ranges(reserved)):
        if start <= first <= end:
            first = end + 1
    return first > last


def _ranges(text: str) -> List[Tuple[int, int]]:
    found = []
    for part in text.replace(",", " ").split():
        start, _dash, end = part.partition("-")
        if start.isdecimal() and (not end or end.isdecimal()):
            found.append((int(start), int(end or start)))
    return found
