# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the name of a profile into settings, on the controller. Documentation: plugins/modules/sysctl_profile.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._profiles.load import PathOptions, load_profiles, with_kernel_ranges
from ..plugin_utils._rules.plain import plain_copy

MODULE = "netfit.cluster.sysctl_profile"
OF_PROFILES = ("profile", "policy", "bandwidth_mbit", "round_trip_ms", "memory_connections")
"""Options that are settled here and that the module does not get."""


class ActionModule(ActionBase):
    """The action behind netfit.cluster.sysctl_profile."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Resolve the profile and let the module do the rest."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        arguments = plain_copy(self._task.args)
        try:
            resolved = resolve(arguments)
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        result.update(self._execute_module(module_name=MODULE, module_args=resolved, task_vars=task_vars))
        return result


def resolve(arguments: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the module's arguments: the settings of the profile, and the user's own in their place or beside them.

    Raises ValueError.
    """
    settings = arguments.get("settings") or {}
    if not isinstance(settings, Mapping):
        raise ValueError(f"settings is {settings!r}; it takes a dictionary from kernel parameter to value")
    path = PathOptions(
        _number(arguments, "bandwidth_mbit"),
        _number(arguments, "round_trip_ms"),
        _count(arguments, "memory_connections"),
    )
    shipped = load_profiles(_names(arguments.get("profile")), path, arguments.get("policy"))
    rest = {name: value for name, value in arguments.items() if name not in OF_PROFILES}
    return {**rest, "settings": {**shipped, **with_kernel_ranges(settings)}}


def _names(given: Any) -> List[str]:
    """Return the names of a list, or of a text with commas, as Ansible reads lists."""
    if given is None or given == "":
        return []
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list):
        raise ValueError(f"profile is {given!r}; it takes names of profiles")
    return [str(name).strip() for name in names]


def _number(arguments: Mapping[str, Any], name: str) -> Optional[float]:
    value = arguments.get(name)
    try:
        return None if value in (None, "") else float(str(value))
    except ValueError as error:
        raise ValueError(f"{name} is {value!r}; it takes a number") from error


def _count(arguments: Mapping[str, Any], name: str) -> Optional[int]:
    value = _number(arguments, name)
    if value is not None and (value < 1 or value != int(value)):
        raise ValueError(f"{name} is {value:g}; it takes a whole number from 1")
    return None if value is None else int(value)
