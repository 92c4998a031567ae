# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets MTUs under a guard: live first, in files once the host has answered. See plugins/modules/link_mtu.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, Optional

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..plugin_utils._guard.guard import Armed, Ending, Guard, Refused
from ..plugin_utils._guard.task_host import Announcer, TaskHost
from ..plugin_utils._rules.plain import plain_copy

MODULE = "netfit.cluster.link_mtu"
SECONDS = 60.0
LIVE_ONLY = "the links are changed live and confirmed, and nothing was written to make it last"
NOT_BEGUN = (
    "the host can be reached, but did not begin the change in half of the guard's time, and will not make it any more: "
    "give it more time (timeout), or fewer hosts at once (forks, serial)"
)
REMARKS = ("now", "why", "owner", "level", "raises")
"""What netfit.cluster.mtu_plan says about a link beside what is asked for."""


class Failed(Exception):
    """A phase did not succeed; everything that the run has changed is undone, or will be by the host's timer.

    live: but for the links, which are changed live and confirmed.
    """

    def __init__(self, message: str, ending: Optional[Ending] = None, live: bool = False) -> None:
        super().__init__(message)
        self.ending = ending
        self.live = live


class ActionModule(ActionBase):
    """The action behind netfit.cluster.link_mtu."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Let the module do it, in two guarded phases where a guard is asked for."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        arguments, variables = without_remarks(plain_copy(self._task.args)), task_vars or {}
        host = TaskHost(self, variables)
        if self._task.check_mode or arguments.get("armed") or not boolean(arguments.get("guard", True), strict=False):
            result.update(host.call(MODULE, arguments))
            return result
        plan = self._planned(host, arguments)
        if plan.get("failed") or plan.get("unreachable") or not plan["changed"]:
            result.update(plan)
            return result
        guard = Guard(host, say=Announcer(str(variables.get("inventory_hostname"))))
        try:
            phases = GuardedLinks(guard, arguments)
            ending = phases.carry_out(
                live=any(link["before"] != link["after"] for link in plan["links"]), persist=bool(plan["written"])
            )
        except Refused as error:
            raise AnsibleActionFail(f"nothing was changed: {error}") from error
        except Failed as error:
            told = error.ending.as_result() if error.ending is not None else {}
            result.update(links=plan["links"], written=[], changed=error.live, guard=told)
            raise AnsibleActionFail(str(error), result=result) from error
        result.update({**plan, "run": phases.run, "guard": ending.as_result()})
        return result

    def _planned(self, host: TaskHost, arguments: Mapping[str, Any]) -> Dict[str, Any]:
        """Return the plan, which is what the module says in check mode."""
        self._task.check_mode, before = True, self._task.check_mode
        try:
            return host.call(MODULE, arguments)
        finally:
            self._task.check_mode = before


def without_remarks(arguments: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the arguments without what a plan or a finding says about a link for people to read."""
    cleaned = dict(arguments)
    for option in ("links", "routes"):
        entries = cleaned.get(option)
        if isinstance(entries, list):
            cleaned[option] = [
                {name: value for name, value in entry.items() if name not in REMARKS and value is not None}
                if isinstance(entry, Mapping)
                else entry
                for entry in entries
            ]
    return cleaned


class GuardedLinks:
    """The phases of one change: live links, then files; the guard of the second covers both."""

    def __init__(self, guard: Guard, arguments: Mapping[str, Any]) -> None:
        self._guard = guard
        self._arguments = arguments
        self._seconds = float(arguments.get("timeout") or SECONDS)
        probe = arguments.get("probe") or []
        self._probe = (
            [one.strip() for one in probe.split(",")] if isinstance(probe, str) else [str(one) for one in probe]
        )
        self.run = str(arguments.get("run") or "")

    def carry_out(self, live: bool, persist: bool) -> Ending:
        """Do what there is to be done and return how it ended. Raises Refused, Failed."""
        ending, since = Ending("confirmed"), None
        if live and boolean(self._arguments.get("live", True), strict=False):
            armed, ending = self._phase(None, live=True, persist=False)
            since = armed.since
        if persist:
            try:
                _armed, ending = self._phase(since, live=False, persist=True)
            except Refused as error:
                raise Failed(f"{LIVE_ONLY}: {error}", live=True) from error
        return ending

    def _phase(self, since: Optional[int], live: bool, persist: bool) -> tuple[Armed, Ending]:
        armed = self._guard.arm(self._seconds, self.run, self._probe, since)
        self.run = armed.run
        arguments = {**self._arguments, "live": live, "persist": persist, "armed": armed.guard, "run": armed.run}
        answer = self._guard.change(armed, MODULE, arguments)
        if answer is not None and answer.get("failed"):
            ending = self._guard.roll_back(armed, " ".join(str(answer.get("msg")).split()))
            raise Failed(ending.in_words(), ending)
        ending = self._guard.confirm(armed)
        if ending.outcome != "confirmed":
            raise Failed(ending.in_words(), ending)
        if answer is None and ending.changes == 0:
            changed_live = since is not None
            before = LIVE_ONLY if changed_live else "nothing was changed"
            raise Failed(f"{before}: {NOT_BEGUN}", ending, live=changed_live)
        return armed, ending
