#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoing what the journal has recorded."""

from __future__ import annotations

DOCUMENTATION = r"""
module: change_guard
short_description: Undo what a run of this collection has changed on a host
description:
  - Every module of this collection that changes something writes it into a journal on the host
    (C(/var/lib/netfit/journal), one file for each run), and the journal is on the disk before the change happens.
  - This module undoes a run, its last change first. What is already as it was is left alone, so that it can be run
    again, also after it was interrupted.
  - Where somebody has changed a value since, nothing at all is undone, and the message names each such value.
  - What a container or a process had that is gone by now needs no undoing.
version_added: 0.3.0
options:
  state:
    description: With V(undone) the run is undone.
    type: str
    choices: [undone]
    required: true
  run:
    description:
      - Name of the run. By default the last one that has changed something on this host, whether or not it has been
        undone already.
    type: str
    default: ""
  force:
    description: Undo also what somebody has changed since.
    type: bool
    default: false
extends_documentation_fragment:
  - netfit.cluster.changes
seealso:
  - module: netfit.cluster.sysctl_profile
  - module: netfit.cluster.listen_backlog
  - module: netfit.cluster.container_sysctl
"""

EXAMPLES = r"""
---
- name: Undo the last run
  netfit.cluster.change_guard:
    state: undone

- name: Undo a certain run, also what was changed by hand since
  netfit.cluster.change_guard:
    state: undone
    run: 20260101T120000Z-0a1b2c
    force: true
"""

RETURN = r"""
run:
  description: Name of the run; empty where this host's journal has none.
  returned: always
  type: str
  sample: 20260101T120000Z-0a1b2c
undone:
  description:
    - What the run had changed and what became of it, in the order of undoing, with C(kind), C(name), C(before) and
      C(after) (of the undoing, on one line each), and C(outcome), which is V(undone), V(as it was) or V(gone).
  returned: always
  type: list
  elements: dict
  sample: [{kind: sysctl, name: net.core.somaxconn of n1, before: "16384", after: "4096", outcome: undone}]
conflicts:
  description: What somebody has changed since, in words; undone all the same with O(force=true).
  returned: always
  type: list
  elements: str
  sample: []
"""

from typing import Any, Dict, List, Mapping, Optional

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._change.journal import Run
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import HostLock
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import Step, choose_run, plan_undo, undo

SPEC = {
    "state": {"type": "str", "choices": ["undone"], "required": True},
    "run": {"type": "str", "default": ""},
    "force": {"type": "bool", "default": False},
}


class Conflicts(ChangeError):
    """Values that somebody has changed since."""

    def __init__(self, said: List[str]) -> None:
        super().__init__("nothing was undone: " + "; ".join(said) + ". With force: true these are undone as well")
        self.said = said


def main() -> None:
    """Undo and exit."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    try:
        result = undo_run(module.params, module.check_mode)
    except Conflicts as error:
        module.fail_json(msg=str(error), conflicts=error.said)
    except ChangeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def undo_run(params: Mapping[str, Any], check_only: bool) -> Dict[str, Any]:
    """Undo a run and return the result. Raises ChangeError."""
    if check_only:
        run = choose_run(params["run"])
        return _result(run, _plan(run, params["force"]))
    lock = HostLock()
    try:
        run = choose_run(params["run"])
        steps = _plan(run, params["force"])
        if run is not None:
            undo(run, steps, RESOURCES)
        return _result(run, steps)
    finally:
        lock.release()


def _plan(run: Optional[Run], force: bool) -> List[Step]:
    steps = plan_undo(run, RESOURCES) if run is not None else []
    said = [step.conflict for step in steps if step.conflict is not None]
    if said and not force:
        raise Conflicts(said)
    return steps


def _result(run: Optional[Run], steps: List[Step]) -> Dict[str, Any]:
    told = [_told(step) for step in steps]
    undone = [one for one in told if one["outcome"] == "undone"]
    return {
        "changed": bool(undone),
        "run": run.name if run is not None else "",
        "undone": told,
        "conflicts": [step.conflict for step in steps if step.conflict is not None],
        "diff": {
            "before": "".join(f"{one['name']}: {one['before']}\n" for one in undone),
            "after": "".join(f"{one['name']}: {one['after']}\n" for one in undone),
        },
    }


def _told(step: Step) -> Dict[str, Any]:
    kind = step.entry.change.kind
    resource = RESOURCES[kind]
    outcome = "undone" if not step.done else "gone" if step.gone else "as it was"
    return {
        "kind": kind,
        "name": step.name,
        "before": resource.show(step.now) if not step.gone else "",
        "after": resource.show(step.value) if not step.gone else "",
        "outcome": outcome,
    }


if __name__ == "__main__":
    main()
