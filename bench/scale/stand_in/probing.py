# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the modules that send and answer probes: gives the synthetic fleet's results."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase

from ..plugin_utils._synthetic import synthetic


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action that takes the place of these modules in the copy of the collection that the bench runs."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Return what was asked for, measured on the synthetic fleet."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        name, count = str(variables["inventory_hostname"]), int(variables["synthetic_count"])
        targets = json.loads(json.dumps(self._task.args.get("targets", [])))
        nodes = synthetic.names_of(synthetic.fleet(count))
        if self._task.action.endswith("tcp_path_info"):
            result["paths"] = [synthetic.tcp_measured(target, nodes) for target in targets]
        else:
            result["paths"] = [synthetic.measured(name, target, nodes) for target in targets]
        return result
