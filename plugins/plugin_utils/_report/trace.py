# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws a trace: a line for each interface on the way, the place where packets end marked."""

from __future__ import annotations

import textwrap
from typing import List, Optional, Sequence

from ...module_utils._locate.locate import Answer
from ...module_utils._locate.sentence import whose
from ...module_utils._locate.way import Step
from ...module_utils._model.fact import Problem
from ...module_utils._model.sighting import Burst
from ...module_utils._model.trace import DropKind
from .line import Line
from .terminal import NARROWEST, WIDEST

MAX_STEPS = 60
MAX_PROBLEMS = 8
MARK = "  x"


def draw(answer: Answer, burst: Burst, problems: Sequence[Problem], width: int) -> List[Line]:
    """Return the lines. problems: what could not be seen, of all hosts. width: columns of the terminal."""
    columns = max(NARROWEST, min(width, WIDEST))
    dropped = answer.drop.kind is not DropKind.NONE
    lines = [Line(f"Trace from {burst.source} to {_target(burst)}, {burst.count} packets of each size")]
    lines += _table(answer, burst)
    tone = "critical" if dropped else "healthy"
    lines += [Line(""), *(Line(text, tone) for text in textwrap.wrap(_capital(answer.drop.text), columns))]
    if answer.drop.reason:
        lines.append(Line(f"  the kernel says: {answer.drop.reason}"))
    lines += [
        Line(f"  {one.what}{'' if one.value is None else f': {one.value}'}{f' ({one.source})' if one.source else ''}")
        for one in answer.drop.evidence
    ]
    lines += [Line(f"  not seen: {problem.subject}: {problem.reason}", "error") for problem in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        lines.append(Line(f"  and {len(problems) - MAX_PROBLEMS} more that could not be seen", "error"))
    return lines


def _table(answer: Answer, burst: Burst) -> List[Line]:
    shown = answer.steps[:MAX_STEPS]
    names = [_name(step, shown[number - 1] if number else None) for number, step in enumerate(shown)]
    first = max([len(name) for name in names] + [0])
    second = max([len(step.spot.link) for step in shown] + [0])
    head = f"    {'':{first}}  {'':{second}}       mtu  {burst.passing_size:>6} B {burst.size:>6} B"
    lines = [Line(head)]
    for number, (step, name) in enumerate(zip(shown, names)):
        if answer.gap == number:
            lines.append(_marked(answer))
        counts = f"{step.passing:>3}/{burst.count:<4} {step.failing:>3}/{burst.count:<4}"
        mtu = step.spot.mtu if step.spot.mtu is not None else "?"
        inside = f"  in {step.tunnel}" if step.tunnel else ""
        text = f"    {name:{first}}  {step.spot.link:{second}}  {step.spot.direction:>3}  {mtu:>5}  {counts}{inside}"
        lines.append(Line(text.rstrip()))
    if answer.gap is not None and answer.gap >= len(shown):
        lines.append(_marked(answer))
    if len(answer.steps) > MAX_STEPS:
        lines.append(Line(f"    and {len(answer.steps) - MAX_STEPS} more interfaces"))
    return lines


def _marked(answer: Answer) -> Line:
    return Line(f"{MARK} {answer.drop.kind.value}", "critical")


def _name(step: Step, last: Optional[Step]) -> str:
    """Name the owner where it changes, so that one sees at a glance which interfaces belong together."""
    same = last is not None and (last.spot.host, last.spot.namespace) == (step.spot.host, step.spot.namespace)
    return "" if same else whose(step.spot)


def _target(burst: Burst) -> str:
    port = "" if burst.port is None else f" port {burst.port}"
    return f"{burst.target}{port} by {burst.protocol}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
