# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confirms guards by a fresh connection. Documentation: plugins/modules/change_guard.py."""

from __future__ import annotations

import time
from typing import Any, Dict, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils._guard.guard import GUARD, Armed, Guard
from ..plugin_utils._guard.task_host import Announcer, TaskHost
from ..plugin_utils._rules.plain import plain_copy

UNKNOWN_TIME = 60.0
"""Seconds for which a guard is tried to be confirmed whose time the task does not know; the host decides."""


class ActionModule(ActionBase):
    """The action behind netfit.cluster.change_guard."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Confirm from here, and let the module do the rest."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        arguments, variables = plain_copy(self._task.args), task_vars or {}
        host = TaskHost(self, variables)
        if arguments.get("state") != "confirmed" or self._task.check_mode or not arguments.get("guard"):
            result.update(host.call(GUARD, arguments))
            return result
        guard = Guard(host, say=Announcer(str(variables.get("inventory_hostname"))))
        seconds = float(arguments.get("timeout") or UNKNOWN_TIME)
        now = time.monotonic()
        armed = Armed(str(arguments["guard"]), "", 0, seconds, now + seconds, now + seconds)
        ending = guard.confirm(armed)
        result.update(ending.as_result(), guard=armed.guard, changed=ending.outcome == "confirmed")
        if ending.outcome != "confirmed":
            raise AnsibleActionFail(ending.in_words(), result=result)
        return result
