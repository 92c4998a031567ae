# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit is restarted once, waited for with patience that ends, and believed only when it listens."""

from __future__ import annotations

from typing import List, Optional

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._change import unit_restart
from ansible_collections.netfit.cluster.plugins.module_utils._change.unit_restart import PATIENCE, Restarter, Restarts
from ansible_collections.netfit.cluster.plugins.module_utils._model.backlog import Candidate, Holder, Outcome, Step
from ansible_collections.netfit.cluster.plugins.module_utils._model.listener import Listener
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Namespace, Owner, OwnerKind

HOST = Owner(OwnerKind.HOST, "n1")


def step(port: int, unit: Optional[str] = "web.service", outcome: Outcome = Outcome.NEEDS_RESTART) -> Step:
    listener = Listener("ipv4", "0.0.0.0", port, 9, 0, 0, 0, inode=port, cookie=port, uid=0)
    one = Candidate(Namespace(1, host=True), HOST, listener, (Holder(7, 3, ("web",), unit, HOST),))
    return Step(one, 9, 9, outcome, "no right")


class Clock:
    """Time that passes only while somebody sleeps, and what is done meanwhile."""

    def __init__(self) -> None:
        self.now = 100.0
        self.restarted: List[str] = []
        self.error: Optional[OSError] = None

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def restart(self, unit: str) -> None:
        """Note it, or fail."""
        self.restarted.append(unit)
        if self.error is not None:
            raise self.error


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock; what listens again comes from the test."""
    made = Clock()
    monkeypatch.setattr(unit_restart, "_backlog_at", lambda _step: 4096 if made.now >= 105.0 else None)
    return made


def restarts(clock: Clock, *units: str) -> Restarts:
    return Restarts(Restarter(clock.restart, lambda: clock.now, clock.sleep), units)


def test_each_unit_is_restarted_once_and_waited_for(clock: Clock) -> None:
    made = restarts(clock, "web.service")
    done = [made.after(step(port), 4096) for port in (80, 443)]
    assert [(one.outcome, one.after, one.reason) for one in done] == [
        (Outcome.RAISED, 4096, "web.service was restarted"),
        (Outcome.RAISED, 4096, "web.service was restarted"),
    ]
    assert (clock.restarted, made.done) == (["web.service"], ["web.service"])


def test_what_is_not_in_the_plan_is_left_alone(clock: Clock) -> None:
    made = restarts(clock, "web.service")
    others = [step(80, "other.service"), step(81, None), step(82, "session-1.scope"), step(83, outcome=Outcome.RAISED)]
    assert [made.after(one, 4096) for one in others] == others
    assert (clock.restarted, made.done) == ([], [])


def test_a_unit_that_asks_for_less_has_failed(clock: Clock) -> None:
    done = restarts(clock, "web.service").after(step(80), 5000)
    assert (done.outcome, done.after) == (Outcome.FAILED, 4096)
    assert done.reason == "web.service was restarted, and asks for a backlog of 4096"


def test_patience_ends(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_restart, "_backlog_at", lambda _step: None)
    done = restarts(clock, "web.service").after(step(80), 5000)
    assert (done.outcome, done.after) == (Outcome.FAILED, None)
    assert "does not listen there again within 30 seconds" in done.reason
    assert PATIENCE <= clock.now - 100.0 < PATIENCE + 1


def test_a_restart_that_fails_says_why_and_is_not_tried_again(clock: Clock) -> None:
    clock.error = OSError("systemctl: Unit web.service not found.")
    made = restarts(clock, "web.service")
    for port in (80, 443):
        done = made.after(step(port), 4096)
        assert (done.outcome, done.after) == (Outcome.FAILED, 9)
        assert done.reason == "web.service could not be restarted: systemctl: Unit web.service not found."
    assert (clock.restarted, made.done) == (["web.service"], [])
