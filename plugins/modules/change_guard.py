#!/usr/bin/python
# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guarding changes, and undoing what the journal has recorded."""

from __future__ import annotations

DOCUMENTATION = r"""
module: change_guard
short_description: Let a host undo a change by itself unless it is confirmed, and undo what a run has changed
description:
  - Every module of this collection that changes something writes it into a journal on the host
    (C(/var/lib/netfit/journal), one file for each run), and the journal is on the disk before the change happens.
  - With O(state=armed) the host starts a timer of its own. What the run changes from then on is undone when the time is
    over, whatever has become of the connection and of this machine; unless it is confirmed before.
  - With O(state=confirmed) a fresh connection to the host is made, moves 64 KiB in both directions, and full-size
    packets that must not be fragmented have to arrive where they arrived before. Only then does the change stay. This
    is tried until the time is over; if it cannot be confirmed, the module waits for the host to come back and fails.
  - The timer is one of systemd's; where there is no systemd it is a process of its own. What is pending is in C(/run),
    so that a restart of the host clears it; what was changed live is gone then, too.
  - One guard at a time can be armed on a host, a second one is refused.
  - With O(state=undone) a run is undone, its last change first. What is already as it was is left alone, so that it can
    be run again, also after it was interrupted. Where somebody has changed a value since, nothing at all is undone, and
    the message names each such value.
  - What a container or a process had that is gone by now needs no undoing.
version_added: 0.3.0
options:
  state:
    description:
      - V(armed) starts the timer, V(confirmed) lets the changes stay, V(rolled_back) undoes them at once instead of
        waiting for the timer and tells how a guard has ended, V(undone) undoes a run.
    type: str
    choices: [armed, confirmed, rolled_back, undone]
    required: true
  run:
    description:
      - Name of the run. With O(state=armed) by default a new one. With O(state=undone) by default the last one that has
        changed something on this host, whether or not it has been undone already.
    type: str
    default: ""
  timeout:
    description: With O(state=armed), seconds from 5 to 3600 after which an unconfirmed change is undone.
    type: float
    default: 60
  probe:
    description:
      - With O(state=armed), addresses to which full-size packets are sent, now and before it is confirmed.
      - The address that the connection comes from and the default gateway are always among them.
    type: list
    elements: str
    default: []
  since:
    description:
      - With O(state=armed), number of the last entry in the run's journal that stays whatever happens. By default all
        that are there already stay.
    type: int
  guard:
    description: With O(state=confirmed) and O(state=rolled_back), name of the guard, as O(state=armed) has returned it.
    type: str
    default: ""
  force:
    description: With O(state=undone), undo also what somebody has changed since.
    type: bool
    default: false
extends_documentation_fragment:
  - netfit.cluster.changes
seealso:
  - module: netfit.cluster.link_mtu
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

- name: Guard changes of your own choice
  netfit.cluster.change_guard:
    state: armed
    run: buffers
    timeout: 90
  register: armed

- name: Change something that could cut the host off
  netfit.cluster.sysctl_profile:
    name: buffers
    run: buffers
    settings:
      net.ipv4.conf.all.rp_filter: {exact: 1}

- name: Let it stay if the host can still be reached
  netfit.cluster.change_guard:
    state: confirmed
    guard: "{{ armed.guard }}"
"""

RETURN = r"""
run:
  description: Name of the run; empty where this host's journal has none.
  returned: always
  type: str
  sample: 20260101T120000Z-0a1b2c
guard:
  description: Name of the guard.
  returned: with O(state=armed), O(state=confirmed) and O(state=rolled_back)
  type: str
  sample: 6d2f0c5b9a1e4f37
since:
  description: Number of the last entry in the run's journal that the guard does not concern.
  returned: with O(state=armed)
  type: int
  sample: 0
seconds:
  description: Seconds after which an unconfirmed change is undone.
  returned: with O(state=armed)
  type: float
  sample: 60.0
reached:
  description: Where full-size packets were sent, with C(address), C(verdict) and C(carries) (bytes).
  returned: with O(state=armed) and O(state=confirmed)
  type: list
  elements: dict
  sample: [{address: 198.18.7.254, verdict: ok, carries: 1500}]
overdue:
  description:
    - What another guard's changes were that were undone first, because its time was over and its timer had not done it,
      in words; empty where there was none.
  returned: with O(state=armed)
  type: str
  sample: ""
outcome:
  description: How the guard has ended, V(confirmed) or V(rolled back); empty where none of that name is known.
  returned: with O(state=confirmed) and O(state=rolled_back)
  type: str
  sample: confirmed
reason:
  description: Why it was rolled back.
  returned: with O(state=confirmed) and O(state=rolled_back)
  type: str
  sample: it was not confirmed within 60 seconds
changes:
  description:
    - How many changes modules of this collection made in the run while the guard was armed, if it was confirmed.
    - Null where the journal cannot be read, and where the outcome is another.
  returned: with O(state=confirmed) and O(state=rolled_back)
  type: int
  sample: 2
errors:
  description: What could not be undone, in words.
  returned: with O(state=rolled_back)
  type: list
  elements: str
  sample: []
undone:
  description:
    - What the run had changed and what became of it, in the order of undoing, with C(kind), C(name), C(before) and
      C(after) (of the undoing, on one line each), and C(outcome), which is V(undone), V(as it was) or V(gone).
    - With O(state=rolled_back) the C(name) alone.
  returned: with O(state=undone) and O(state=rolled_back)
  type: list
  elements: dict
  sample: [{kind: sysctl, name: net.core.somaxconn of n1, before: "16384", after: "4096", outcome: undone}]
conflicts:
  description: What somebody has changed since, in words; undone all the same with O(force=true).
  returned: with O(state=undone)
  type: list
  elements: str
  sample: []
"""

from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.netfit.cluster.plugins.module_utils._change.guard import (
    Outcome,
    Paths,
    check_free,
    check_seconds,
    confirm,
    keep_pending,
    new_guard,
    read_last,
    read_pending,
    roll_back,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.guard_timer import (
    end_overdue,
    start_timer,
    stop_timer,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.journal import Run
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import HostLock
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import Step, choose_run, plan_undo, undo
from ansible_collections.netfit.cluster.plugins.module_utils._facts.connection import client_address, default_gateways
from ansible_collections.netfit.cluster.plugins.module_utils._probe.full_size import check_addresses, complaints, reach

SPEC = {
    "state": {"type": "str", "choices": ["armed", "confirmed", "rolled_back", "undone"], "required": True},
    "run": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 60.0},
    "probe": {"type": "list", "elements": "str", "default": []},
    "since": {"type": "int"},
    "guard": {"type": "str", "default": ""},
    "force": {"type": "bool", "default": False},
}
PATHS = Paths()


class Conflicts(ChangeError):
    """Values that somebody has changed since."""

    def __init__(self, said: List[str]) -> None:
        super().__init__("nothing was undone: " + "; ".join(said) + ". With force: true these are undone as well")
        self.said = said


class Worse(ChangeError):
    """What could be reached in full size before, and cannot be now."""

    def __init__(self, said: List[str]) -> None:
        super().__init__(f"not confirmed: {'; '.join(said)}")
        self.said = said


def main() -> None:
    """Do what the state says and exit."""
    states: Dict[str, Callable[[Mapping[str, Any], bool], Dict[str, Any]]] = {
        "armed": arm,
        "confirmed": confirm_guard,
        "rolled_back": roll_back_guard,
        "undone": undo_run,
    }
    named = [("state", state, ["guard"]) for state in ("confirmed", "rolled_back")]
    module = AnsibleModule(argument_spec=SPEC, required_if=named, supports_check_mode=True)
    try:
        result = states[module.params["state"]](module.params, module.check_mode)
    except Conflicts as error:
        module.fail_json(msg=str(error), conflicts=error.said)
    except Worse as error:
        module.fail_json(msg=str(error), worse=error.said)
    except (ValueError, ChangeError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def arm(params: Mapping[str, Any], check_only: bool) -> Dict[str, Any]:
    """Look at what can be reached, start the timer and return the guard. Raises ValueError, ChangeError."""
    client = client_address()
    addresses = check_addresses([*params["probe"], *([client] if client else []), *default_gateways()])
    check_seconds(params["timeout"])
    lock = HostLock()
    try:
        ended = None if check_only else end_overdue(PATHS)
        check_free(PATHS, spare_overdue=check_only)
        pending = new_guard(params["run"], params["timeout"], reach(addresses), params["since"], PATHS)
        if not check_only:
            pending = replace(pending, timer=start_timer(pending, PATHS))
            keep_pending(pending, PATHS)
    finally:
        lock.release()
    return {
        "changed": True,
        "run": pending.run,
        "guard": pending.token,
        "since": pending.since,
        "seconds": pending.seconds,
        "reached": list(pending.before),
        "overdue": ended.in_words() if ended is not None else "",
    }


def confirm_guard(params: Mapping[str, Any], check_only: bool) -> Dict[str, Any]:
    """Let the changes stay, where nothing is worse than before. Raises ChangeError."""
    if check_only:
        _measure_again(params["guard"])
        return {
            "changed": True,
            "run": "",
            "guard": params["guard"],
            "outcome": "confirmed",
            "reason": "",
            "changes": None,
            "reached": [],
        }
    lock = _lock_without_waiting()
    try:
        pending = read_pending(PATHS)
        after = _measure_again(params["guard"])
        end_overdue(PATHS)
        outcome = confirm(params["guard"], PATHS)
    finally:
        lock.release()
    if pending is not None:
        stop_timer(pending.timer)
    return {
        "changed": True,
        "run": outcome.run,
        "guard": outcome.token,
        "outcome": outcome.state,
        "reason": outcome.reason,
        "changes": outcome.changes,
        "reached": after,
    }


def _lock_without_waiting() -> HostLock:
    """Take the host's lock, and keep it while it is measured: what is changed later is not what was measured.

    Raises ChangeError where another one holds it: the connection that we came by is older than what is changed now.
    """
    try:
        return HostLock(seconds=0.0)
    except ChangeError as error:
        raise ChangeError("not confirmed: a change is being made on this host; try it again after that") from error


def _measure_again(guard: str) -> List[Dict[str, Any]]:
    """Return what can be reached, where this guard is pending. Raises Worse."""
    pending = read_pending(PATHS)
    if pending is None or pending.token != guard:
        return []
    after = reach([one["address"] for one in pending.before])
    worse = complaints(pending.before, after)
    if worse:
        raise Worse(worse)
    return after


def roll_back_guard(params: Mapping[str, Any], check_only: bool) -> Dict[str, Any]:
    """Undo what is pending, or tell how it has ended. Raises ChangeError."""
    lock = HostLock()
    try:
        pending = read_pending(PATHS)
        mine = pending is not None and pending.token == params["guard"]
        outcome: Optional[Outcome]
        if mine and pending is not None and not check_only:
            outcome = roll_back(pending, "it could not be confirmed", RESOURCES, PATHS)
            stop_timer(pending.timer)
        else:
            last = read_last(PATHS)
            outcome = last if last is not None and last.token == params["guard"] else None
    finally:
        lock.release()
    return {
        "changed": mine,
        "run": outcome.run if outcome is not None else "",
        "guard": params["guard"],
        "outcome": outcome.state if outcome is not None else "",
        "reason": outcome.reason if outcome is not None else "",
        "changes": outcome.changes if outcome is not None else None,
        "undone": [{"name": name} for name in outcome.undone] if outcome is not None else [],
        "errors": list(outcome.errors) if outcome is not None else [],
    }


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
