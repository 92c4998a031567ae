# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins plan and measurements, on the controller. Documentation: plugins/modules/mesh_results.py."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase

from ..plugin_utils._mesh.results import paths, tcp_paths
from ..plugin_utils._rules.plain import plain_copy

ARGUMENTS = {
    "work": {"type": "dict", "required": True},
    "measured": {"type": "dict"},
    "tcp_measured": {"type": "dict"},
}


class ActionModule(ActionBase):
    """The action behind netfit.cluster.mesh_results. Touches no target."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Return one result for each path that this host had to measure."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(ARGUMENTS)
        host, work = str((task_vars or {})["inventory_hostname"]), plain_copy(options["work"])
        measured, tcp_measured = (plain_copy(options[name] or {}) for name in ("measured", "tcp_measured"))
        result["changed"] = False
        result["paths"] = paths(host, work.get("targets", []), measured)
        result["tcp_paths"] = tcp_paths(host, work.get("tcp_targets", []), tcp_measured)
        return result
