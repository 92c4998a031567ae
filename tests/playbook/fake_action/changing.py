# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the modules that change MTUs: writes down what is asked for, and says that it is done.

undoes: the host rolls back what it is asked to change under a guard.
"""

from __future__ import annotations

import json
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """The action that takes the place of these modules in the copy of the collection that the tests run."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        module = self._task.action.rpartition(".")[2]
        arguments = json.loads(json.dumps(dict(self._task.args)))
        name = task_vars["inventory_hostname"]
        with Path(task_vars["recorded_facts"]).with_name("changed.jsonl").open("a", encoding="utf-8") as done:
            done.write(json.dumps({"module": module, "host": name, **arguments}) + "\n")
        if task_vars.get("undoes") and module == "link_mtu" and arguments.get("guard", True):
            raise AnsibleActionFail(f"{name} cannot be reached. Everything was rolled back")
        result.update(changed=True, links=[], routes=[], stacks=[])
        return result
