# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action locate_drop in process: names, answers, the drawing, refusals."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.netfit.cluster.plugins.action import locate_drop
from ansible_collections.netfit.cluster.plugins.module_utils._locate.locate import locate
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Problem
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.trace import MAX_PROBLEMS, draw

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "target"))
from made_up_trace import BURST, COUNT, Stop, having, observe

WAY = (
    Stop("n1", 1, "eth0", "out", 64),
    Stop("n2", 2, "eth0", "in", 64),
    Stop("n2", 2, "cali1", "out", 63),
)
TRACES = having(observe(WAY, 2, (COUNT, 0)), "n2", counters={"Ip.FragFails": COUNT})
PLAIN = {host: {"changed": False, "trace": trace.as_fact()} for host, trace in TRACES.items()}
ARGUMENTS: Dict[str, Any] = {"burst": {"burst": BURST.as_fact()}, "sender": "n1", "traces": PLAIN, "show": False}


def run(arguments: Dict[str, Any]) -> Dict[str, Any]:
    task = MagicMock(args=arguments, check_mode=False, diff=False, async_val=0)
    parts = {name: MagicMock() for name in ("connection", "play_context", "loader", "templar", "shared_loader_obj")}
    result: Dict[str, Any] = locate_drop.ActionModule(task=task, **parts).run(task_vars={})
    return result


def test_a_name_is_new_each_time() -> None:
    names = {run({"scope": "name"})["run"] for _time in range(3)}
    assert len(names) == 3 and all(8 <= len(name) <= 64 for name in names)


def test_what_was_registered_gives_the_answer() -> None:
    result = run(ARGUMENTS)
    (drop,) = result["drops"]
    assert (drop["kind"], drop["last_seen"]["host"], drop["next_expected"]["link"]) == ("too big", "n2", "cali1")
    assert len(result["steps"]) == 3 and result["problems"] == [] and result["changed"] is False


def test_a_host_that_saw_nothing_is_told_with_its_reason() -> None:
    traces = {**PLAIN, "n3": {"unreachable": True, "msg": "timed out"}, "n4": {"skipped": True}}
    problems = {problem["subject"]: problem["reason"] for problem in run({**ARGUMENTS, "traces": traces})["problems"]}
    assert problems == {"n3": "timed out", "n4": "it was not watched"}


@pytest.mark.parametrize("name", ["burst", "sender", "traces"])
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(AnsibleActionFail, match=f"{name}: needed to locate a drop"):
        run({key: value for key, value in ARGUMENTS.items() if key != name})


def test_what_is_no_trace_is_refused_with_its_host() -> None:
    traces = {"n1": {"trace": {"sightings": "none"}}}
    with pytest.raises(AnsibleActionFail, match="traces: n1: not the trace of a host"):
        run({**ARGUMENTS, "traces": traces})


def test_the_drawing_marks_the_place_and_is_bounded() -> None:
    problems = [Problem(f"n{number}", "asleep") for number in range(MAX_PROBLEMS + 5)]
    lines = [line.text for line in draw(locate(TRACES, BURST, "n1"), BURST, problems, 100)]
    assert lines[2:6] == [
        "    n1  eth0   out   1500   20/20    20/20",
        "    n2  eth0    in   1500   20/20    20/20",
        "  x too big",
        "        cali1  out   1500   20/20     0/20",
    ]
    assert lines[-1] == "  and 5 more that could not be seen"
    assert any(line.startswith("Packets of 1500 bytes end between eth0 and cali1 of n2") for line in lines)
