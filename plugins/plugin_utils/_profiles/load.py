# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of kernel parameters, shipped as data: what the module sysctl_profile is told to set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ...module_utils._model.sysctl_setting import Operator, Setting, parse_settings
from ...module_utils._model.sysctl_value import Comparison, SysctlValue
from .._rules.own_data import own_yaml
from .._rules.policy import DEFAULT_FILE, load_policy
from .buffers import window_bytes

DIRECTORY = Path(__file__).parent
POLICY = "policy"
COMPUTED = "{window}"
DEFAULT_CONNECTIONS = 64
"""Connections that may fill a computed buffer at once."""
OPERATORS = {Comparison.AT_LEAST: "at_least", Comparison.AT_MOST: "at_most", Comparison.EXACT: "exact"}


class ProfileError(ValueError):
    """A profile that is not there, or options that it needs and has not. The message says what to give."""


def profile_names() -> List[str]:
    """Return the names of the profiles; "policy" is what the policy demands."""
    return sorted([*(path.stem for path in DIRECTORY.glob("*.yml")), POLICY])


@dataclass(frozen=True)
class PathOptions:
    """For profiles whose buffers are computed: what the path carries, in Mbit a second and milliseconds of round trip.

    connections: that may fill their buffers at once.
    """

    bandwidth_mbit: Optional[float] = None
    round_trip_ms: Optional[float] = None
    connections: Optional[int] = None

    def missing(self) -> List[str]:
        """Return the names of those that are needed and not given."""
        given = {"bandwidth_mbit": self.bandwidth_mbit, "round_trip_ms": self.round_trip_ms}
        return [name for name, value in given.items() if value is None]


NO_PATH = PathOptions()


def load_profiles(
    names: Sequence[str], path: PathOptions = NO_PATH, policy: Union[str, Mapping[str, Any], None] = None
) -> Dict[str, Dict[str, Any]]:
    """Return the settings of profiles by key, in the form that the module takes; of two of a key the stricter one.

    policy: what differs from the default policy. Raises ProfileError, PolicyError.
    """
    found: Dict[str, Dict[str, Any]] = {}
    origin: Dict[str, str] = {}
    computing = False
    for name in names:
        if name not in profile_names():
            raise ProfileError(f"profile is {name!r}; there are {', '.join(profile_names())}")
        settings = _of_policy(policy) if name == POLICY else _shipped(name, path)
        computing = computing or any("memory_connections" in setting for setting in settings.values())
        for key, setting in settings.items():
            where = (origin.get(key, name), name)
            found[key] = _stricter(key, found[key], setting, where) if key in found else setting
            origin[key] = name
    if not computing and len(path.missing()) < 2:
        raise ProfileError("bandwidth_mbit and round_trip_ms belong to profile high_bandwidth")
    return found


def with_kernel_ranges(settings: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a user's settings with what the kernel takes for the keys of which that is known."""
    ranges = _kernel_ranges()
    found: Dict[str, Any] = {}
    for name, entry in settings.items():
        key = str(name)
        if key in ranges:
            known = entry if isinstance(entry, Mapping) else {"at_least": entry}
            found[key] = {"kernel_range": ranges[key], **known}
        else:
            found[key] = entry
    return found


def _shipped(name: str, path: PathOptions) -> Dict[str, Dict[str, Any]]:
    document = own_yaml(DIRECTORY / f"{name}.yml")
    ranges = _kernel_ranges()
    settings = {}
    for key, entry in document["settings"].items():
        # Nobody has named these keys: one that is missing (another kernel, a host that is a container) is left out.
        setting = {"optional": True, **{option: value for option, value in entry.items() if option != "memory_bound"}}
        if entry.get("memory_bound"):
            if path.bandwidth_mbit is None or path.round_trip_ms is None:
                missing = " and ".join(path.missing())
                raise ProfileError(f"the profile {name} needs {missing} of the path that its buffers are for")
            window = window_bytes(path.bandwidth_mbit, path.round_trip_ms)
            setting["at_least"] = [window if part == COMPUTED else part for part in entry["at_least"]]
            setting["memory_connections"] = path.connections or DEFAULT_CONNECTIONS
        if key in ranges:
            setting["kernel_range"] = ranges[key]
        settings[key] = setting
    return settings


def _of_policy(policy: Union[str, Mapping[str, Any], None]) -> Dict[str, Dict[str, Any]]:
    """Return what the policy demands, as settings: what is below it would be a finding of the next audit."""
    loaded = load_policy(policy)
    ranges = _kernel_ranges()
    found: Dict[str, Dict[str, Any]] = {}
    for entry in loaded.sysctls:
        setting: Dict[str, Any] = {
            OPERATORS[entry.comparison]: entry.wanted.text,
            "scope": entry.applies_to,
            "optional": True,
            "reason": entry.reason,
            "source": entry.source,
        }
        limits = {"since": entry.since, "until": entry.until}
        setting.update({name: f"{value[0]}.{value[1]}" for name, value in limits.items() if value is not None})
        if entry.key in ranges:
            setting["kernel_range"] = ranges[entry.key]
        found[entry.key] = setting
    return found


def _stricter(key: str, one: Dict[str, Any], other: Dict[str, Any], origins: Tuple[str, str]) -> Dict[str, Any]:
    """Return that of two settings of a key which satisfies both, element by element where both have the same operator.

    It is for the host and for namespaces where one of them is for either.
    """
    (first,), (second,) = parse_settings({key: one}), parse_settings({key: other})
    scope = first.scope if first.scope == second.scope else "both"
    for setting, against, given in ((second, first, other), (first, second, one)):
        if setting.value is not None and _satisfies(against, setting.value):
            return {**given, "scope": scope}
    if first.operator is second.operator and first.value is not None and second.value is not None:
        mixed = first.value.raised_to if first.operator is Operator.AT_LEAST else first.value.lowered_to
        return {**one, first.operator.value: mixed(second.value), "scope": scope}
    raise ProfileError(f"{key}: the profiles {origins[0]} and {origins[1]} want what cannot be had together")


def _satisfies(setting: Setting, value: SysctlValue) -> bool:
    try:
        return setting.satisfied_by(value)
    except ValueError:
        return False


def _kernel_ranges() -> Dict[str, List[int]]:
    sysctls = own_yaml(DEFAULT_FILE)["sysctls"]
    return {key: entry["kernel_range"] for key, entry in sysctls.items() if "kernel_range" in entry}
