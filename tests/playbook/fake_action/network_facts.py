# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for network_facts: gives recorded facts, fails, or is out of reach, as the host's variables say."""

from __future__ import annotations

import json
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """The action that takes the place of the module in the copy of the collection that the tests run."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        recorded = Path(task_vars["recorded_facts"])
        recorded.with_name(f"asked-{recorded.name}").write_text(json.dumps(dict(self._task.args)), encoding="utf-8")
        if not recorded.exists():
            outcome = AnsibleActionFail if "failing" in recorded.name else AnsibleConnectionFailure
            raise outcome(f"no answer from {recorded.stem}")
        result["ansible_facts"] = json.loads(recorded.read_text(encoding="utf-8"))
        return result
