# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the modules that send and answer probes: every path is fine, but as the host's variables say.

outcome_of_<module>: failing or unreachable. measured: {name of a path: what differs in its result}.
"""

from __future__ import annotations

import json
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

GOOD = {"verdict": "ok", "path_mtu": 1500, "at_least": 1500, "limited_by": "link", "confidence": 1.0}


class ActionModule(ActionBase):
    """The action that takes the place of these modules in the copy of the collection that the tests run."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        module = self._task.action.rpartition(".")[2]
        arguments = json.loads(json.dumps(dict(self._task.args)))
        name = task_vars["inventory_hostname"]
        with Path(task_vars["recorded_facts"]).with_name("done.jsonl").open("a", encoding="utf-8") as done:
            done.write(json.dumps({"module": module, "host": name, **arguments}) + "\n")
        outcome = task_vars.get(f"outcome_of_{module}")
        if outcome is not None:
            raise (AnsibleActionFail if outcome == "failing" else AnsibleConnectionFailure)(f"{module} of {name} broke")
        differing = json.loads(task_vars.get("measured", "{}"))
        result["paths"] = [
            {**measured(module, name, target), **differing.get(target["name"], {})}
            for target in arguments.get("targets", [])
        ]
        return result


def measured(module, name, target):
    """The result of a path on which nothing is wrong."""
    address = target.get("address") or target["host"]
    path = {"name": target["name"], "target": address, "address": address, "family": "ipv4"}
    path.update(verdict="ok", namespace=1, about=target["about"], expected_mtu=target.get("expected_mtu"))
    source = target.get("source", {})
    path["source"] = {"kind": "pod", "name": source["pod"]} if "pod" in source else {"kind": "host", "name": name}
    if module == "tcp_path_info":
        return {**path, "port": target["port"], "path_mtu": 1500, "advertised_mss": 1410, "at_least": 1500}
    return {**path, "method": "udp", "forward": GOOD, "back": GOOD, "link_mtu": 1500}
