# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings together what hosts saw of a trace, on the controller. Documentation: plugins/modules/locate_drop.py."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Dict, List, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._locate.locate import locate
from ..module_utils._locate.read_trace import NotATrace, read_burst, read_trace
from ..module_utils._model.fact import Problem, as_plain
from ..module_utils._model.sighting import HostTrace
from ..plugin_utils._report.trace import draw
from ..plugin_utils._rules.plain import plain_copy
from .report import colour

ARGUMENTS = {
    "scope": {"type": "str", "choices": ["name", "locate"], "default": "locate"},
    "burst": {"type": "dict"},
    "sender": {"type": "str"},
    "traces": {"type": "dict"},
    "show": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    """The action behind netfit.cluster.locate_drop. Touches no target."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Any = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Validate the options, then give a trace its name, or say where its packets end."""
        result: Dict[str, Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(ARGUMENTS)
        result["changed"] = False
        if options["scope"] == "name":
            result["run"] = f"netfit-{secrets.token_hex(8)}"
            return result
        for name in ("burst", "sender", "traces"):
            if not options[name]:
                raise AnsibleActionFail(f"{name}: needed to locate a drop")
        result.update(_located(options))
        return result


def _located(options: Mapping[str, Any]) -> Dict[str, Any]:
    problems: List[Problem] = []
    traces: Dict[str, HostTrace] = {}
    for host, collected in sorted(plain_copy(options["traces"]).items()):
        trace = _trace_of(str(host), collected, problems)
        if trace is not None:
            traces[str(host)] = trace
    try:
        burst = read_burst(_of_result(plain_copy(options["burst"]), "burst"))
    except NotATrace as error:
        raise AnsibleActionFail(f"burst: {error}") from error
    sender = str(options["sender"])
    answer = locate(traces, burst, sender)
    if options["show"]:
        display = Display()
        for line in draw(answer, burst, problems, display.columns):
            display.display(line.text, color=colour(line))
    return {
        "drops": [answer.drop.as_fact()],
        "steps": as_plain(answer.steps),
        "problems": as_plain(problems),
    }


def _trace_of(host: str, collected: Any, problems: List[Problem]) -> Optional[HostTrace]:
    """Return what a host saw; what it could not see, or that it saw nothing at all, is added to the problems."""
    result: Mapping[str, Any] = collected if isinstance(collected, Mapping) else {}
    plain = _of_result(result, "trace")
    if "sightings" not in plain:
        problems.append(Problem(host, str(result.get("msg") or "it was not watched")))
        return None
    try:
        trace = read_trace(plain)
    except NotATrace as error:
        raise AnsibleActionFail(f"traces: {host}: {error}") from error
    problems += [replace(problem, subject=f"{host}: {problem.subject}") for problem in trace.problems]
    if trace.missed:
        problems.append(Problem(host, f"{trace.missed} packets of the trace were lost by the capture itself"))
    return trace


def _of_result(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the part of a registered result, or the part itself where that was given."""
    part = value.get(name)
    return part if isinstance(part, Mapping) else value
