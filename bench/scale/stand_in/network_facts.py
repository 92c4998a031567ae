# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for network_facts: gives a synthetic host's facts, or is out of reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Optional

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ..plugin_utils._synthetic import synthetic


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action that takes the place of the module in the copy of the collection that the bench runs."""

    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Return what was prepared for the host, else the facts that its number says."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        prepared = Path(variables["synthetic_folder"], f"{variables['inventory_hostname']}.json")
        if prepared.exists():
            result["ansible_facts"] = json.loads(prepared.read_text(encoding="utf-8"))
            return result
        number, count = int(variables["synthetic_number"]), int(variables["synthetic_count"])
        node = synthetic.Vantage(count) if number == count else synthetic.Node(number, count)
        if node.unreachable:
            raise AnsibleConnectionFailure(synthetic.UNREACHABLE)
        result["ansible_facts"] = node.facts()
        return result
