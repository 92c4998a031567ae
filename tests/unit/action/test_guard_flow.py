# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard from the controller's side, with a host and a clock that follow a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Dict, List, Optional, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.action.link_mtu import Failed, GuardedLinks, without_remarks
from ansible_collections.netfit.cluster.plugins.plugin_utils._guard.guard import (
    GUARD,
    PAYLOAD,
    PING,
    Armed,
    Guard,
    Refused,
)

ARMED = {"guard": "g1", "run": "one", "since": 3}
CONFIRMED = {"outcome": "confirmed"}
ROLLED_BACK = {"outcome": "rolled back", "reason": "late", "undone": [{"name": "MTU of eth0"}], "errors": []}
SILENT: Dict[str, Any] = {"silent": True}
"""An answer that never comes: the call takes all of its time."""
Call = Tuple[str, Dict[str, Any]]


class Silence(Exception):
    """No answer comes."""


class ScriptedHost:
    """Answers to each kind of call in turn; the last answer of a kind is repeated."""

    def __init__(self, **answers: List[Dict[str, Any]]) -> None:
        self.now = 100.0
        self.calls: List[Call] = []
        self.resets = 0
        self._answers = {kind: list(given) for kind, given in answers.items()}

    def call(self, module: str, arguments: Mapping[str, Any]) -> Dict[str, Any]:
        self.calls.append((module, dict(arguments)))
        if module == PING and "ping" not in self._answers:
            return {"ping": arguments["data"]}
        kind = {PING: "ping", GUARD: arguments.get("state", "")}.get(module, "change")
        given = self._answers[kind]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if answer is SILENT:
            raise Silence
        return answer

    def reset(self) -> None:
        self.resets += 1

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def within(self, seconds: float, function: Callable[[], Dict[str, Any]]) -> Optional[Dict[str, Any]]:
        try:
            answer = function()
        except Silence:
            self.now += seconds
            return None
        self.now += min(seconds, 1.0)
        return answer

    @property
    def states(self) -> List[str]:
        return [str(arguments["state"]) for module, arguments in self.calls if module == GUARD]

    def guard(self) -> Guard:
        return Guard(self, self, within=self.within)


def armed_for(host: ScriptedHost, seconds: float = 60.0) -> Armed:
    return host.guard().arm(seconds, "one", ["10.0.0.1"])


def test_a_guard_is_armed_with_what_is_asked_for() -> None:
    host = ScriptedHost(armed=[ARMED])
    armed = armed_for(host)
    assert host.calls == [(GUARD, {"state": "armed", "timeout": 60.0, "run": "one", "probe": ["10.0.0.1"]})]
    assert (armed.guard, armed.run, armed.since) == ("g1", "one", 3)
    assert 100 < armed.until < 160 < armed.undone


@pytest.mark.parametrize("answer", [{"failed": True, "msg": "run two has a change"}, {"unreachable": True}, SILENT])
def test_a_guard_that_is_not_armed_is_no_guard(answer: Dict[str, Any]) -> None:
    with pytest.raises(Refused):
        armed_for(ScriptedHost(armed=[answer]))


def test_what_was_overdue_on_the_host_is_said() -> None:
    late = "what run two had changed was undone only now: it was not confirmed within 60 seconds: MTU of eth0"
    said: List[str] = []
    for overdue in ("", late):
        host = ScriptedHost(armed=[{**ARMED, "overdue": overdue}])
        Guard(host, host, say=said.append, within=host.within).arm(60.0, "one", [])
    assert said == [late]


def test_while_a_change_is_being_made_it_is_tried_again_by_a_fresh_connection() -> None:
    busy = {"failed": True, "msg": "not confirmed: a change is being made on this host; try it again after that"}
    host = ScriptedHost(armed=[ARMED], confirmed=[busy, busy, busy, busy, CONFIRMED])
    assert host.guard().confirm(armed_for(host)).outcome == "confirmed"
    assert host.resets == 5 and [module for module, _given in host.calls].count(PING) == 5


def test_a_fresh_connection_moves_the_payload_and_confirms() -> None:
    host = ScriptedHost(armed=[ARMED], confirmed=[CONFIRMED])
    armed = armed_for(host)
    ending = host.guard().confirm(armed)
    assert ending.outcome == "confirmed" and host.resets == 1
    (module, sent), confirmed = host.calls[1:]
    assert module == PING and len(sent["data"]) == PAYLOAD
    assert confirmed == (GUARD, {"state": "confirmed", "guard": "g1"})


def test_what_comes_back_other_than_it_was_sent_confirms_nothing() -> None:
    host = ScriptedHost(armed=[ARMED], ping=[{"ping": "pong"}], rolled_back=[ROLLED_BACK])
    ending = host.guard().confirm(armed_for(host))
    assert ending.outcome == "rolled back" and "confirmed" not in host.states
    assert ending.reason == "what came back is not what was sent"


def test_it_tries_again_as_long_as_there_is_time() -> None:
    host = ScriptedHost(armed=[ARMED], ping=[SILENT, SILENT, {"ping": ""}], rolled_back=[ROLLED_BACK])
    armed = armed_for(host)
    ending = host.guard().confirm(armed)
    assert len([module for module, _given in host.calls if module == PING]) > 2
    assert ending.outcome == "rolled back" and host.now >= armed.until


def test_who_does_not_answer_is_asked_again_only_when_it_has_undone_it() -> None:
    host = ScriptedHost(armed=[ARMED], ping=[SILENT], rolled_back=[ROLLED_BACK])
    armed = armed_for(host)
    ending = host.guard().confirm(armed)
    assert host.now > armed.undone and host.states == ["armed", "rolled_back"]
    assert (ending.outcome, ending.undone, ending.errors) == ("rolled back", ("MTU of eth0",), ())
    assert "moved no 64 KiB in both directions" in ending.reason
    assert "Everything was rolled back (MTU of eth0), and nothing was made to last" in ending.in_words()


def test_three_times_worse_is_enough() -> None:
    worse = {"failed": True, "msg": "not confirmed: vanish", "worse": ["vanish"]}
    host = ScriptedHost(armed=[ARMED], confirmed=[worse], rolled_back=[ROLLED_BACK])
    armed = armed_for(host)
    ending = host.guard().confirm(armed)
    assert host.states == ["armed", *["confirmed"] * 3, "rolled_back"] and host.now < armed.until
    assert ending.reason == "not confirmed: vanish"


def test_a_confirmation_whose_answer_was_lost_counts() -> None:
    host = ScriptedHost(armed=[ARMED], confirmed=[SILENT], rolled_back=[CONFIRMED])
    assert host.guard().confirm(armed_for(host)).outcome == "confirmed"


def test_a_host_that_was_restarted_knows_of_no_guard() -> None:
    host = ScriptedHost(armed=[ARMED], ping=[SILENT], rolled_back=[{"outcome": "", "reason": ""}])
    ending = host.guard().confirm(armed_for(host))
    assert ending.outcome == "unknown" and "restarted meanwhile" in ending.reason


def test_a_host_that_does_not_come_back_is_not_waited_for_for_ever() -> None:
    host = ScriptedHost(armed=[ARMED], ping=[SILENT], rolled_back=[SILENT])
    armed = armed_for(host)
    ending = host.guard().confirm(armed)
    assert ending.outcome == "unknown" and "has not come back" in ending.reason
    assert host.now < armed.undone + 120


def links(host: ScriptedHost, **options: Any) -> GuardedLinks:
    return GuardedLinks(host.guard(), {"links": [{"link": "eth0", "mtu": 1400}], "run": "one", **options})


def test_live_first_and_files_under_a_guard_that_covers_both() -> None:
    host = ScriptedHost(
        armed=[ARMED, {**ARMED, "guard": "g2", "since": 3}], change=[{"changed": True}], confirmed=[CONFIRMED]
    )
    assert links(host).carry_out(live=True, persist=True).outcome == "confirmed"
    changes = [given for module, given in host.calls if module not in (GUARD, PING)]
    assert [(one["live"], one["persist"], one["armed"], one["run"]) for one in changes] == [
        (True, False, "g1", "one"),
        (False, True, "g2", "one"),
    ]
    asked = [given.get("since") for module, given in host.calls if module == GUARD and given["state"] == "armed"]
    assert asked == [None, 3]


def test_what_need_not_be_done_is_not_guarded() -> None:
    host = ScriptedHost(armed=[ARMED], change=[{"changed": True}], confirmed=[CONFIRMED])
    links(host).carry_out(live=False, persist=True)
    assert [given["live"] for module, given in host.calls if module not in (GUARD, PING)] == [False]


def test_a_refused_change_is_rolled_back_at_once_and_says_why() -> None:
    refused = {"failed": True, "msg": "MTU of eth0 cannot be set"}
    host = ScriptedHost(armed=[ARMED], change=[refused], rolled_back=[ROLLED_BACK])
    with pytest.raises(Failed, match="MTU of eth0 cannot be set"):
        links(host).carry_out(live=True, persist=True)
    assert host.states == ["armed", "rolled_back"]


def test_nothing_is_written_after_a_link_was_lost() -> None:
    host = ScriptedHost(armed=[ARMED], change=[SILENT], ping=[SILENT], rolled_back=[ROLLED_BACK])
    with pytest.raises(Failed):
        links(host).carry_out(live=True, persist=True)
    assert [given["persist"] for module, given in host.calls if module not in (GUARD, PING)] == [False]


@pytest.mark.parametrize(
    ("live", "words"), [(True, "nothing was changed: the host can be"), (False, "^the links are changed live and conf")]
)
def test_a_change_that_was_never_begun_is_not_told_as_made(live: bool, words: str) -> None:
    begun = {**CONFIRMED, "changes": 2}
    made = [] if live else [{"changed": True}]
    counts = [{**CONFIRMED, "changes": 0}] if live else [begun, {**CONFIRMED, "changes": 0}]
    host = ScriptedHost(armed=[ARMED], change=[*made, SILENT], confirmed=counts)
    with pytest.raises(Failed, match=words) as failure:
        links(host).carry_out(live=True, persist=True)
    assert failure.value.live is not live


def test_a_change_whose_answer_was_lost_counts() -> None:
    host = ScriptedHost(armed=[ARMED], change=[SILENT], confirmed=[{**CONFIRMED, "changes": 1}])
    assert links(host).carry_out(live=True, persist=False).outcome == "confirmed"


def test_the_plans_remarks_are_no_options() -> None:
    entry = {"link": "eth0", "mtu": 1400, "namespace": None, "pid": 7, "now": 1500, "why": "so", "raises": False}
    cleaned = without_remarks({"links": [entry], "routes": [{"destination": "default", "owner": "a"}], "run": "x"})
    assert cleaned == {
        "links": [{"link": "eth0", "mtu": 1400, "pid": 7}],
        "routes": [{"destination": "default"}],
        "run": "x",
    }
    assert without_remarks({"links": [{"lnik": "eth0"}]}) == {"links": [{"lnik": "eth0"}]}
