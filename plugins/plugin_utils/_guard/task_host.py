# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a guard sees it, through the connection of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display


class TaskHost:
    """See guard.Host. Runs modules as the task would, with its become, its interpreter and its connection."""

    def __init__(self, action: ActionBase, task_vars: Mapping[str, Any]) -> None:
        self._action = action
        self._task_vars = task_vars

    def call(self, module: str, arguments: Mapping[str, Any]) -> Dict[str, Any]:
        """Run a module there and return its result."""
        result: Dict[str, Any] = self._action._execute_module(
            module_name=module, module_args=dict(arguments), task_vars=dict(self._task_vars)
        )
        return result

    def reset(self) -> None:
        """Drop the connection. Raises what Ansible raises: a connection that is not fresh proves nothing."""
        self._action._connection.reset()


class Announcer:
    """Shows what goes on, each thing once."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._last = ""

    def __call__(self, text: str) -> None:
        if text != self._last:
            Display().display(f"{self._host}: {text}")
        self._last = text
