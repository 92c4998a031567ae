# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a profile means for the live values of one network namespace. Pure: values in, steps out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Hashable, List, Mapping, Optional, Tuple

from .._kernel.sysctls import key_path
from .._model.fact import Fact
from .._model.sysctl import SysctlReading
from .._model.sysctl_setting import Operator, Setting
from .._model.sysctl_value import SysctlValue
from .namespace_target import identity

Originals = Mapping[Hashable, Tuple[Any, Any]]
"""Identity of a parameter -> (its value before we first changed it, the value that we last gave it)."""


@dataclass(frozen=True)
class Place:
    """A network namespace whose parameters are set. name: for people. namespace: as name_namespace() names it.

    values: what is there now, by key.
    """

    name: str
    namespace: Optional[Dict[str, Any]]
    values: Mapping[str, SysctlReading]

    @property
    def host(self) -> bool:
        """Whether it is the host's own."""
        return self.namespace is None


@dataclass(frozen=True)
class LiveStep(Fact):
    """A value to set now."""

    key: str
    where: str
    before: str
    after: str
    operator: Operator
    limited: Optional[str] = None
    """Why it is less than what was wanted."""


@dataclass(frozen=True)
class Skipped(Fact):
    """A key that is left as it is in a place, and why."""

    key: str
    where: str
    reason: str


@dataclass(frozen=True)
class LivePlan:
    """What is done in one place. reached: key -> value that is there afterwards. faults: why nothing at all is done."""

    steps: Tuple[LiveStep, ...]
    skipped: Tuple[Skipped, ...]
    reached: Mapping[str, str]
    faults: Tuple[str, ...]


@dataclass(frozen=True)
class Circumstances:
    """What the settings are held against. kernel: (major, minor).

    tcp_memory: bytes that the kernel gives to TCP before it gets thrifty, None where that is not known.
    """

    kernel: Optional[Tuple[int, int]]
    tcp_memory: Optional[int] = None


def plan_live(
    settings: Tuple[Setting, ...], place: Place, circumstances: Circumstances, originals: Originals
) -> LivePlan:
    """Return what has to be set in a place so that it is as the settings want it."""
    steps: List[LiveStep] = []
    skipped: List[Skipped] = []
    faults: List[str] = []
    reached: Dict[str, str] = {}
    for setting in settings:
        reason = _not_concerned(setting, place, circumstances)
        if reason is None and setting.operator is Operator.ABSENT:
            found = _put_back(setting, place, originals)
            if isinstance(found, LiveStep):
                steps.append(found)
            else:
                skipped.append(found)
            continue
        if reason is None:
            reason = _unreachable(setting, place)
            if reason is not None and not setting.optional:
                faults.append(reason)
                continue
        if reason is not None:
            skipped.append(Skipped(setting.key, place.name, reason))
            continue
        try:
            step = _step(setting, place, circumstances)
        except ValueError as error:
            faults.append(str(error))
            continue
        reached[setting.key] = step.after
        if step.before != step.after:
            steps.append(step)
    return LivePlan(tuple(steps), tuple(skipped), reached, tuple(faults))


def _not_concerned(setting: Setting, place: Place, circumstances: Circumstances) -> Optional[str]:
    if not setting.concerns(circumstances.kernel):
        return "it does not matter on this kernel"
    wanted = "host" if place.host else "namespace"
    if setting.scope not in (wanted, "both"):
        return f"it is meant for the {'pods and containers' if setting.scope == 'namespace' else 'host'} only"
    return None


def _unreachable(setting: Setting, place: Place) -> Optional[str]:
    """Return why a key cannot be set in a place, None where it can."""
    reading = place.values.get(setting.key)
    if place.host:
        if reading is None:
            return (
                f"{setting.key}: this kernel has no such parameter: it is misspelt, or of another kernel version, or "
                "its module is not loaded"
            )
        return f"{setting.key} cannot be read: {reading.error}" if reading.value is None else None
    if reading is None or not reading.writable:
        return f"{setting.key} is the host's alone: {place.name} has none of its own that could be set"
    return f"{setting.key} of {place.name} cannot be read: {reading.error}" if reading.value is None else None


def _step(setting: Setting, place: Place, circumstances: Circumstances) -> LiveStep:
    """Raises ValueError where the live value and the wanted one cannot be compared."""
    before = place.values[setting.key].value or ""
    now = SysctlValue.parse(before)
    if setting.operator is Operator.EXACT and setting.satisfied_by(now):
        return LiveStep(setting.key, place.name, before, before, setting.operator)
    limited, why = _within_memory(setting, circumstances)
    try:
        after = limited.reached_from(now)
    except ValueError as error:
        raise ValueError(f"{setting.key} of {place.name}: {error}") from error
    return LiveStep(setting.key, place.name, before, after, setting.operator, why if after != before else None)


def _within_memory(setting: Setting, circumstances: Circumstances) -> Tuple[Setting, Optional[str]]:
    """Return the setting with its last number bounded by the memory that there is for TCP."""
    wanted = setting.value
    if setting.memory_connections is None or circumstances.tcp_memory is None:
        return setting, None
    if wanted is None or not wanted.numbers:
        return setting, None
    most = circumstances.tcp_memory // setting.memory_connections
    if wanted.numbers[-1] <= most:
        return setting, None
    value = SysctlValue.parse([*(min(number, most) for number in wanted.numbers)])
    why = (
        f"{wanted.numbers[-1]} bytes for each of {setting.memory_connections} connections are more than the "
        f"{circumstances.tcp_memory} bytes that this host has for TCP (net.ipv4.tcp_mem)"
    )
    return replace(setting, value=value), why


def _put_back(setting: Setting, place: Place, originals: Originals) -> LiveStep | Skipped:
    """Return how a key gets back the value that it had before we first changed it."""
    known = originals.get((key_path(setting.key), identity(place.namespace)))
    reading = place.values.get(setting.key)
    if known is None or reading is None or reading.value is None:
        return Skipped(setting.key, place.name, "it is as nobody here has changed it")
    before, last = known
    if reading.value != last or before is None:
        return Skipped(setting.key, place.name, f"it was {last} when we set it and is {reading.value}: left alone")
    return LiveStep(setting.key, place.name, reading.value, before, Operator.ABSENT)
