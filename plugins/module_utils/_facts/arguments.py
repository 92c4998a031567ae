# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The options that facts modules share, and their one way from parameters to exit."""

from __future__ import annotations

from dataclasses import replace
from typing import AbstractSet, Any, Dict, NoReturn, Protocol

from .gather import gather
from .options import GatherOptions, Subset

ROUTE_LIMIT: Dict[str, Any] = {"type": "int", "default": 4096}
SAMPLE_INTERVAL: Dict[str, Any] = {"type": "float", "default": 1.0}
SYSCTL_KEYS: Dict[str, Any] = {"type": "list", "elements": "str", "no_log": False}


class Module(Protocol):
    """What is needed of an AnsibleModule."""

    params: Dict[str, Any]

    def exit_json(self, **result: Any) -> NoReturn:
        """End with success."""

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """End with failure."""


def run_facts_module(module: Module, subsets: AbstractSet[Subset]) -> None:
    """Gather the subsets with the module's parameters and exit with ansible_facts; bad options fail."""
    options = options_of(module.params, subsets)
    try:
        options.validate()
    except ValueError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, ansible_facts=gather(options))


def options_of(params: Dict[str, Any], subsets: AbstractSet[Subset]) -> GatherOptions:
    """Options from a module's parameters; those that the module lacks keep their default."""
    options = GatherOptions(subsets=frozenset(subsets))
    keys = params.get("sysctl_keys") or params.get("keys")
    return replace(
        options,
        sysctl_keys=tuple(keys) if keys else options.sysctl_keys,
        sample_interval=params.get("sample_interval", options.sample_interval),
        route_limit=params.get("route_limit", options.route_limit),
    )
