# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of kernel parameters, shipped as data: what the module sysctl_profile is told to set."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import yaml

from .._rules.policy import load_policy
from .buffers import window_bytes

DIRECTORY = Path(__file__).parent
COMPUTED = "{window}"
DEFAULT_CONNECTIONS = 64
"""Connections that may fill a computed buffer at once."""


class ProfileError(ValueError):
    """A profile that is not there, or options that it needs and has not. The message says what to give."""


def profile_names() -> List[str]:
    """Return the names of the profiles."""
    return sorted(path.stem for path in DIRECTORY.glob("*.yml"))


def load_profile(
    name: str,
    bandwidth_mbit: Optional[float] = None,
    round_trip_ms: Optional[float] = None,
    connections: Optional[int] = None,
) -> Dict[str, Dict[str, Any]]:
    """Return the settings of a profile by key, in the form that the module takes.

    bandwidth_mbit, round_trip_ms: of the path, for profiles whose buffers are computed. connections: that may use them
    at once. Raises ProfileError.
    """
    if name not in profile_names():
        raise ProfileError(f"profile is {name!r}; there are {', '.join(profile_names())}")
    document = yaml.safe_load((DIRECTORY / f"{name}.yml").read_text(encoding="utf-8"))
    ranges = _kernel_ranges()
    window = _window(name, document["settings"], bandwidth_mbit, round_trip_ms)
    settings = {}
    for key, entry in document["settings"].items():
        setting = {option: value for option, value in entry.items() if option != "memory_bound"}
        if isinstance(entry.get("at_least"), list):
            setting["at_least"] = [window if part == COMPUTED else part for part in entry["at_least"]]
        if entry.get("memory_bound"):
            setting["memory_connections"] = connections or DEFAULT_CONNECTIONS
        if key in ranges:
            setting["kernel_range"] = ranges[key]
        settings[key] = setting
    return settings


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


def _kernel_ranges() -> Dict[str, List[int]]:
    sysctls = load_policy().merged["sysctls"]
    return {key: entry["kernel_range"] for key, entry in sysctls.items() if "kernel_range" in entry}


def _window(
    name: str, settings: Mapping[str, Any], bandwidth_mbit: Optional[float], round_trip_ms: Optional[float]
) -> Optional[int]:
    computed = any(COMPUTED in entry.get("at_least", ()) for entry in settings.values() if _is_list(entry))
    if not computed:
        given = [option for option, value in _options(bandwidth_mbit, round_trip_ms).items() if value is not None]
        if given:
            raise ProfileError(f"{' and '.join(given)}: the profile {name} computes nothing from it")
        return None
    missing = [option for option, value in _options(bandwidth_mbit, round_trip_ms).items() if value is None]
    if missing or bandwidth_mbit is None or round_trip_ms is None:
        raise ProfileError(f"the profile {name} needs {' and '.join(missing)} of the path that its buffers are for")
    return window_bytes(bandwidth_mbit, round_trip_ms)


def _is_list(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("at_least"), list)


def _options(bandwidth_mbit: Optional[float], round_trip_ms: Optional[float]) -> Dict[str, Optional[float]]:
    return {"bandwidth_mbit": bandwidth_mbit, "round_trip_ms": round_trip_ms}
