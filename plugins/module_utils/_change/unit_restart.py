# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Restarts of systemd units, for listeners whose backlog cannot be raised while their program runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Optional, Sequence

from .._facts.listener_census import read_effective_backlogs
from .._kernel.commands import output_of
from .._model.backlog import Outcome, Step, restartable_unit

PATIENCE = 30.0
"""Seconds for a unit to listen again: systemctl comes back before the program has opened its sockets."""
STEP = 0.2
RESTART_SECONDS = 300.0
"""For systemctl itself, which waits until the unit counts as started."""


def _systemctl_restart(unit: str) -> None:
    output_of("systemctl", "restart", "--", unit, seconds=RESTART_SECONDS)


@dataclass(frozen=True)
class Restarter:
    """How a unit is restarted and waited for; tests hand in their own. command: raises OSError."""

    command: Callable[[str], None] = _systemctl_restart
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def restart(self, unit: str) -> Optional[str]:
        """Restart a unit; returns what went wrong."""
        try:
            self.command(unit)
        except OSError as error:
            return f"{unit} could not be restarted: {error}"
        return None

    def wait_for(self, step: Step) -> Optional[int]:
        """Return the smallest backlog of what listens at the address and port of a step now; None: nothing does."""
        until = self.monotonic() + PATIENCE
        while True:
            backlog = _backlog_at(step)
            if backlog is not None or self.monotonic() >= until:
                return backlog
            self.sleep(STEP)


class Restarts:
    """Restarts the units of a plan, each once, when the first of their listeners needs it."""

    def __init__(self, restarter: Restarter, units: Sequence[str]) -> None:
        self.done: List[str] = []
        self._restarter = restarter
        self._units = units
        self._errors: Dict[str, Optional[str]] = {}

    def after(self, step: Step, wanted: int) -> Step:
        """Return the step as it is after the restart of its unit; as it was where that is not in the plan."""
        unit = restartable_unit(step.candidate)
        if step.outcome is not Outcome.NEEDS_RESTART or unit is None or unit not in self._units:
            return step
        error = self._restart_once(unit)
        if error is not None:
            return replace(step, outcome=Outcome.FAILED, reason=error)
        backlog = self._restarter.wait_for(step)
        if backlog is None:
            reason = f"{unit} was restarted, and does not listen there again within {PATIENCE:g} seconds"
            return replace(step, after=None, outcome=Outcome.FAILED, reason=reason)
        if backlog < wanted:
            reason = f"{unit} was restarted, and asks for a backlog of {backlog}"
            return replace(step, after=backlog, outcome=Outcome.FAILED, reason=reason)
        return replace(step, after=backlog, outcome=Outcome.RAISED, reason=f"{unit} was restarted")

    def _restart_once(self, unit: str) -> Optional[str]:
        if unit not in self._errors:
            self._errors[unit] = self._restarter.restart(unit)
            if self._errors[unit] is None:
                self.done.append(unit)
        return self._errors[unit]


def _backlog_at(step: Step) -> Optional[int]:
    namespace, listener = step.candidate.namespace, step.candidate.listener
    found = read_effective_backlogs([namespace]).get(namespace.inode, [])
    place = (listener.family, listener.address, listener.port)
    return min(
        (one.effective_backlog for one in found if (one.family, one.address, one.port) == place),
        default=None,
    )
