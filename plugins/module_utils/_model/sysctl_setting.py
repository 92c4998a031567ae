# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a kernel parameter should be: one operator and a value, and for whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .fact import Fact
from .sysctl_value import Comparison, SysctlValue

KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@:+-]*\Z")
SCOPES = ("host", "namespace", "both")


class Operator(Enum):
    """How the wanted value is meant. ABSENT: we don't care any more; what we have set is taken back."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXACT = "exact"
    ABSENT = "absent"


COMPARISONS = {
    Operator.AT_LEAST: Comparison.AT_LEAST,
    Operator.AT_MOST: Comparison.AT_MOST,
    Operator.EXACT: Comparison.EXACT,
}
OPTIONS = (
    *(operator.value for operator in Operator), "scope", "optional", "since", "until", "reason", "source",
    "kernel_range", "memory_connections",
)  # fmt: skip


@dataclass(frozen=True)
class Setting(Fact):
    """One key of a profile.

    scope: host, namespace (of pods and containers) or both. optional: it is no fault if the kernel lacks the key.
    since, until: kernel (major, minor), the latter no longer included. kernel_range: smallest and largest number that
    the kernel takes. memory_connections: so many connections may use the last number at once, in bytes, without more
    memory than the kernel has for TCP.
    """

    key: str
    operator: Operator
    value: Optional[SysctlValue] = None
    scope: str = "both"
    optional: bool = False
    since: Optional[Tuple[int, int]] = None
    until: Optional[Tuple[int, int]] = None
    reason: str = ""
    source: str = ""
    kernel_range: Optional[Tuple[int, int]] = None
    memory_connections: Optional[int] = None

    def concerns(self, kernel: Optional[Tuple[int, int]]) -> bool:
        """Tell whether the key matters on a kernel (major, minor); None: one that is not understood, where all do."""
        if kernel is None:
            return True
        return (self.since is None or kernel >= self.since) and (self.until is None or kernel < self.until)

    def satisfied_by(self, now: SysctlValue) -> bool:
        """Tell whether a value is as wanted. Raises ValueError where the two cannot be compared."""
        if self.value is None:
            return True
        if self.operator is Operator.EXACT and self.value.numbers is not None and now.numbers is not None:
            self._check_length(now)
        return now.satisfies(COMPARISONS[self.operator], self.value)

    def reached_from(self, now: SysctlValue) -> str:
        """Return the value to set: as wanted, and no element that is better already gets worse.

        Raises ValueError where the two cannot be compared.
        """
        if self.value is None or self.satisfied_by(now):
            return now.text
        if self.operator is Operator.AT_LEAST:
            return now.raised_to(self.value)
        if self.operator is Operator.AT_MOST:
            return now.lowered_to(self.value)
        return self.value.canonical

    def _check_length(self, now: SysctlValue) -> None:
        wanted = () if self.value is None or self.value.numbers is None else self.value.numbers
        if now.numbers is not None and len(wanted) != len(now.numbers):
            raise ValueError(f"{self.key} has {len(now.numbers)} elements ({now.text}), not {len(wanted)}")


def parse_settings(given: Mapping[str, Any]) -> Tuple[Setting, ...]:
    """Return settings from {key: value} or {key: {operator: value, ...}}, sorted by key.

    A value alone is meant as at_least for numbers and as exact for words. Raises ValueError that names the key, the
    value and what is allowed.
    """
    return tuple(_setting(str(key), value) for key, value in sorted(given.items()))


def parse_kernel(release: str) -> Optional[Tuple[int, int]]:
    """Return (major, minor) of a kernel release such as "6.1.0-18-amd64", None where it is not one."""
    match = re.match(r"(\d+)\.(\d+)", release)
    return (int(match.group(1)), int(match.group(2))) if match else None


def _setting(key: str, given: Any) -> Setting:
    if not KEY.match(key) or any(part in ("", ".", "..") for part in re.split(r"[./]", key)):
        raise ValueError(f"settings: {key!r} is not the name of a kernel parameter, such as net.core.somaxconn")
    if not isinstance(given, Mapping):
        alone = _value(key, given)
        return Setting(key, Operator.EXACT if alone.numbers is None else Operator.AT_LEAST, alone)
    unknown = sorted(str(name) for name in given if name not in OPTIONS)
    if unknown:
        raise ValueError(f"settings: {key}: {', '.join(unknown)} is not known; there are {', '.join(OPTIONS)}")
    operators = [operator for operator in Operator if given.get(operator.value) is not None]
    if len(operators) != 1:
        named = " and ".join(operator.value for operator in operators) or "none"
        raise ValueError(f"settings: {key}: exactly one of at_least, at_most, exact and absent is needed, not {named}")
    (operator,) = operators
    if operator is Operator.ABSENT and given["absent"] is not True:
        raise ValueError(f"settings: {key}: absent is {given['absent']!r}; it takes true only")
    value = None if operator is Operator.ABSENT else _value(key, given[operator.value])
    if value is not None and value.numbers is None and operator is not Operator.EXACT:
        raise ValueError(f"settings: {key}: {value.text!r} is no number, so it can only be exact")
    setting = Setting(key, operator, value, **_more(key, given))
    _check_range(setting)
    return setting


def _value(key: str, given: Any) -> SysctlValue:
    try:
        return SysctlValue.parse("" if given is None else given)
    except (ValueError, TypeError) as error:
        raise ValueError(f"settings: {key} is {given!r}: {error}") from error


def _more(key: str, given: Mapping[str, Any]) -> Dict[str, Any]:
    scope = given.get("scope", "both")
    if scope not in SCOPES:
        raise ValueError(f"settings: {key}: scope is {scope!r}; it takes {', '.join(SCOPES)}")
    more: Dict[str, Any] = {"scope": scope, "optional": bool(given.get("optional", False))}
    for name in ("since", "until"):
        if given.get(name) is not None:
            more[name] = parse_kernel(str(given[name]))
            if more[name] is None:
                raise ValueError(f"settings: {key}: {name} is {given[name]!r}; it takes a kernel version such as 5.10")
    more.update({name: " ".join(str(given[name]).split()) for name in ("reason", "source") if given.get(name)})
    if given.get("kernel_range") is not None:
        more["kernel_range"] = _range(key, given["kernel_range"])
    if given.get("memory_connections") is not None:
        more["memory_connections"] = _positive(key, "memory_connections", given["memory_connections"])
    return more


def _range(key: str, given: Any) -> Tuple[int, int]:
    numbers = SysctlValue.parse(given).numbers if given else None
    if numbers is None or len(numbers) != 2 or numbers[0] > numbers[1]:
        raise ValueError(f"settings: {key}: kernel_range is {given!r}; it takes the smallest and the largest number")
    return numbers[0], numbers[1]


def _positive(key: str, name: str, given: Any) -> int:
    numbers = SysctlValue.parse(given).numbers
    if numbers is None or len(numbers) != 1 or numbers[0] < 1:
        raise ValueError(f"settings: {key}: {name} is {given!r}; it takes a number from 1")
    return numbers[0]


def _check_range(setting: Setting) -> None:
    numbers: List[int] = [] if setting.value is None else list(setting.value.numbers or ())
    if setting.kernel_range is None or not numbers:
        return
    least, most = setting.kernel_range
    outside = [number for number in numbers if not least <= number <= most]
    if outside:
        raise ValueError(f"settings: {setting.key}: {outside[0]} is not what the kernel takes, {least} to {most}")
