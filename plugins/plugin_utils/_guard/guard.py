# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guarded change, seen from the controller: arm, change, confirm by a fresh connection, or wait for the roll-back.

Nothing here may wait for an answer that cannot come: the connection is what is being changed. Every call is bounded,
and whatever happens to this process, the host's own timer undoes what was not confirmed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Dict, Optional, Protocol

from .bounded import Answer, bounded

GUARD = "netfit.cluster.change_guard"
PING = "ansible.builtin.ping"
PAYLOAD = 64 * 1024
"""Bytes that a fresh connection has to move in each direction."""
ATTEMPT_SECONDS = 20.0
"""For one fresh connection with its two modules, on a slow host."""
MARGIN = 1.0
"""Seconds before the end of the guard's time at which no attempt goes on: the host's clock decides, not ours."""
UNDOING_SECONDS = 2.0
"""That the host's timer takes to undo everything."""
RETURN_SECONDS = 60.0
"""How long a host is waited for after its timer has fired."""
PAUSE = 0.5
TIMES_WORSE = 3
"""After so many fresh connections that work while full-size packets vanish, there is no hope."""


class Host(Protocol):
    """What is needed of a host."""

    def call(self, module: str, arguments: Mapping[str, Any]) -> Answer:
        """Run a module there and return its result."""

    def reset(self) -> None:
        """Drop the connection, so that the next call makes a fresh one."""


class Clock(Protocol):
    """Time as the guard sees it."""

    def monotonic(self) -> float:
        """Seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Refused(Exception):
    """The guard could not be armed, or the host could not be asked at all: nothing was changed."""


@dataclass(frozen=True)
class Armed:
    """A guard that is armed. until, undone: on our monotonic clock, before and after the host's timer has done it."""

    guard: str
    run: str
    since: int
    seconds: float
    until: float
    undone: float


@dataclass(frozen=True)
class Ending:
    """How it ended. outcome: "confirmed", "rolled back", or "unknown" where the host has not come back.

    changes: how many the host has made under this guard, where it told.
    """

    outcome: str
    reason: str = ""
    seconds: float = 0.0
    undone: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    changes: Optional[int] = None

    def in_words(self) -> str:
        """Tell a person how it ended, where it was not confirmed."""
        if self.outcome == "rolled back":
            names = f" ({', '.join(self.undone)})" if self.undone else ""
            left = f". Not undone: {'; '.join(self.errors)}" if self.errors else ""
            return f"{self.reason}. Everything was rolled back{names}, and nothing was made to last{left}"
        return (
            f"{self.reason}. How it ended is not known: its timer undoes what was not confirmed; audit the host again"
        )

    def as_result(self) -> Dict[str, Any]:
        """Return what a module says about it."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "seconds": round(self.seconds, 1),
            "undone": list(self.undone),
            "errors": list(self.errors),
        }


class Guard:
    """One host's guard. say: is called with what goes on, for people who wait. within: see bounded()."""

    def __init__(
        self,
        host: Host,
        clock: Clock = time,
        say: Callable[[str], None] = lambda _text: None,
        within: Callable[[float, Callable[[], Answer]], Optional[Answer]] = bounded,
    ) -> None:
        self._host = host
        self._clock = clock
        self._say = say
        self._within = within

    def arm(self, seconds: float, run: str, probe: list[str], since: Optional[int] = None) -> Armed:
        """Arm it. Raises Refused."""
        began = self._clock.monotonic()
        arguments = {"state": "armed", "timeout": seconds, "run": run, "probe": probe, "since": since}
        answer = self._call(
            RETURN_SECONDS, GUARD, {key: value for key, value in arguments.items() if value is not None}
        )
        if answer is None or answer.get("failed") or answer.get("unreachable"):
            raise Refused(_why(answer, "the host did not answer"))
        if answer.get("overdue"):
            self._say(str(answer["overdue"]))
        # When its timer started is not known better than: after we asked, and before we were told.
        until, undone = began + seconds - MARGIN, self._clock.monotonic() + seconds + UNDOING_SECONDS
        return Armed(answer["guard"], answer["run"], answer["since"], seconds, until, undone)

    def change(self, armed: Armed, module: str, arguments: Mapping[str, Any]) -> Optional[Answer]:
        """Run the module that changes, for at most half of what time is left; None where no answer came.

        No answer says nothing: the change may have cut off its own answer.
        """
        return self._call(max(MARGIN, self._left(armed) / 2), module, arguments)

    def confirm(self, armed: Armed) -> Ending:
        """Confirm by a fresh connection, again and again until the time is over; then wait for the roll-back."""
        began = self._clock.monotonic()
        reason, times_worse, answer = "no fresh connection could be tried in time", 0, None
        while self._left(armed) > 0 and times_worse < TIMES_WORSE:
            answer = self._attempt(armed)
            if answer is not None and answer.get("outcome") == "confirmed":
                return Ending("confirmed", seconds=self._clock.monotonic() - began, changes=answer.get("changes"))
            reason = _why(
                answer, f"a fresh connection moved no {PAYLOAD // 1024} KiB in both directions within its time"
            )
            times_worse += bool(answer and answer.get("worse"))
            self._say(f"not confirmed yet ({reason}); {max(0.0, self._left(armed)):.0f} s left")
            self._clock.sleep(PAUSE)
        if answer is None:
            # A connection that is made before the host has undone it keeps the size that does not get through.
            self._say(f"waiting for the host to undo it by itself ({reason})")
            self._clock.sleep(max(0.0, armed.undone - self._clock.monotonic()))
        return self.roll_back(armed, reason, began)

    def roll_back(self, armed: Armed, reason: str, began: Optional[float] = None) -> Ending:
        """Undo at once what the host has not undone by itself yet, and return what it says."""
        start = self._clock.monotonic() if began is None else began
        end = max(armed.undone, self._clock.monotonic()) + RETURN_SECONDS
        while self._clock.monotonic() < end:
            answer = self._within(ATTEMPT_SECONDS, lambda: self._ask_afresh(armed))
            if answer is not None and answer.get("outcome"):
                undone = tuple(one["name"] for one in answer.get("undone", ()))
                errors = tuple(answer.get("errors", ()))
                spent = self._clock.monotonic() - start
                why = reason or answer.get("reason", "")
                return Ending(answer["outcome"], why, spent, undone, errors, answer.get("changes"))
            if answer is not None and not answer.get("failed") and not answer.get("unreachable"):
                return Ending(
                    "unknown", f"{reason}; the host was restarted meanwhile, which undoes what was changed live"
                )
            self._say(f"waiting for the host to come back ({_why(answer, 'no answer')})")
            self._clock.sleep(PAUSE)
        return Ending("unknown", f"{reason}; and the host has not come back", self._clock.monotonic() - start)

    def _attempt(self, armed: Armed) -> Optional[Answer]:
        """Make a fresh connection, move the payload both ways, and confirm; None where no answer came in time."""

        def work() -> Answer:
            self._host.reset()
            payload = secrets.token_hex(PAYLOAD // 2)
            echo = self._host.call(PING, {"data": payload})
            if echo.get("ping") != payload:
                return {"failed": True, "msg": _why(echo, "what came back is not what was sent")}
            return self._host.call(GUARD, {"state": "confirmed", "guard": armed.guard})

        return self._within(min(ATTEMPT_SECONDS, self._left(armed)), work)

    def _ask_afresh(self, armed: Armed) -> Answer:
        self._host.reset()
        return self._host.call(GUARD, {"state": "rolled_back", "guard": armed.guard})

    def _call(self, seconds: float, module: str, arguments: Mapping[str, Any]) -> Optional[Answer]:
        return self._within(seconds, lambda: self._host.call(module, arguments))

    def _left(self, armed: Armed) -> float:
        return armed.until - self._clock.monotonic()


def _why(answer: Optional[Answer], otherwise: str) -> str:
    """Return what an answer complains of, on one line."""
    said = " ".join(str((answer or {}).get("msg") or "").split())
    return said or otherwise
