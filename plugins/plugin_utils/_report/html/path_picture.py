# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the path picture: the way of a request, its MTU at every hop, and where a full-size packet dies."""

from __future__ import annotations

import textwrap
from typing import List, Optional, Tuple

from .drawing import Arrow, Box, Cross, Drawing, Shape, Text
from .story import Hop, Lane, Story
from .words import listed, percent

BOX_WIDTH, BOX_HEIGHT, LANE_HEIGHT = 156, 100, 168
COLUMNS = (0, 192, 516, 732, 948)
WIDTH = COLUMNS[-1] + BOX_WIDTH + 4
NARROW_WIDTH, NARROW_HEIGHT, NARROW_GAP = 340, 62, 34


def draw_wide(story: Story) -> Drawing:
    """Draw from left to right, a row for each lane."""
    height = LANE_HEIGHT * len(story.lanes) - 8
    middle = (LANE_HEIGHT * (len(story.lanes) - 1) + BOX_HEIGHT) // 2 + 8
    shapes: List[Shape] = []
    for column, hop in enumerate(story.senders):
        shapes.extend(_box(hop, COLUMNS[column], middle - BOX_HEIGHT // 2, "hop"))
    shapes.append(Arrow(((BOX_WIDTH, middle), (COLUMNS[1] - 2, middle)), "way"))
    for number, lane in enumerate(story.lanes):
        shapes.extend(_wide_lane(story, lane, middle, LANE_HEIGHT * number + 8))
    return Drawing(WIDTH, height, "wide", story.title, describe(story), tuple(shapes))


def _wide_lane(story: Story, lane: Lane, middle: int, top: int) -> List[Shape]:
    line, start = top + BOX_HEIGHT // 2, COLUMNS[1] + BOX_WIDTH
    turn, tone = start + 20, _tone(lane)
    shapes: List[Shape] = [
        Arrow(((start, middle), (turn, middle), (turn, line), (COLUMNS[2] - 2, line)), f"way {tone}"),
        *[
            Text(turn + 8, line - 26 + 17 * row, part, f"share {tone}")
            for row, part in enumerate(share_words(story, lane))
        ],
    ]
    columns = COLUMNS[2:] if len(lane.hops) == 3 else (COLUMNS[2], COLUMNS[4])
    for number, (hop, x) in enumerate(zip(lane.hops, columns)):
        shapes.extend(_box(hop, x, top, _hop_style(lane, number)))
        if number:
            left = columns[number - 1] + BOX_WIDTH
            shapes.extend(_step(((left, line), (x - 2, line)), lane, number, ((left + x) // 2 - 4, line)))
    words = _outcome(story, lane)
    shapes.extend(
        Text(COLUMNS[2], top + BOX_HEIGHT + 20 + 18 * row, part, f"outcome {tone}")
        for row, part in enumerate(_lines(words, 66, 2))
    )
    return shapes


def draw_narrow(story: Story) -> Drawing:
    """Draw from top to bottom, for a screen that is narrower than the picture from left to right."""
    shapes: List[Shape] = []
    top = 0
    for number, hop in enumerate(story.senders):
        shapes.extend(_flat_box(hop, top, "hop"))
        top += NARROW_HEIGHT
        if number == 0:
            shapes.append(Arrow(((30, top), (30, top + NARROW_GAP - 2)), "way"))
            top += NARROW_GAP
    for lane in story.lanes:
        lane_shapes, top = _narrow_lane(story, lane, top + 12)
        shapes.extend(lane_shapes)
    return Drawing(NARROW_WIDTH, top + 4, "narrow", story.title, describe(story), tuple(shapes))


def _narrow_lane(story: Story, lane: Lane, top: int) -> Tuple[List[Shape], int]:
    tone = _tone(lane)
    share = " ".join(share_words(story, lane))
    shapes: List[Shape] = [Text(44, top + 20, share, f"share {tone}")]
    shapes.append(Arrow(((30, top - 8), (30, top + NARROW_GAP - 2)), f"way {tone}"))
    top += NARROW_GAP
    for number, hop in enumerate(lane.hops):
        if number:
            corners = ((30, top), (30, top + NARROW_GAP - 2))
            shapes.extend(_step(corners, lane, number, (30, top + NARROW_GAP // 2 - 3)))
            if lane.dies_at == number:
                shapes.append(Text(48, top + NARROW_GAP // 2 + 3, _dies(story), f"outcome {tone}"))
            top += NARROW_GAP
        shapes.extend(_flat_box(hop, top, _hop_style(lane, number)))
        top += NARROW_HEIGHT
    for part in _lines(("\N{CHECK MARK} " if tone == "good" else "") + _capital(lane.outcome), 38, 3):
        top += 19
        shapes.append(Text(0, top, part, f"outcome {tone}"))
    return shapes, top + 14


def _step(corners: Tuple[Tuple[int, int], ...], lane: Lane, number: int, centre: Tuple[int, int]) -> List[Shape]:
    """The arrow into a hop: marked where packets die, faint behind that."""
    if lane.dies_at is None or number < lane.dies_at:
        return [Arrow(corners, f"way {_tone(lane)}")]
    if number > lane.dies_at:
        return [Arrow(corners, "way never"), *([Cross(*centre)] if lane.dies_at == 0 and number == 1 else [])]
    return [Arrow(corners, "way bad"), Cross(*centre)]


def _hop_style(lane: Lane, number: int) -> str:
    if lane.dies_at is None or number < lane.dies_at:
        return "hop"
    return "hop dies" if number == lane.dies_at else "hop never"


def _box(hop: Hop, x: int, y: int, style: str) -> List[Shape]:
    names = _lines(hop.name, 16, 2)
    shapes: List[Shape] = [Box(x + 1, y, BOX_WIDTH - 2, BOX_HEIGHT, style), Text(x + 10, y + 17, hop.role, "role")]
    shapes += [Text(x + 10, y + 35 + 16 * row, part, "name") for row, part in enumerate(names)]
    below = y + 35 + 16 * len(names)
    shapes.append(Text(x + 10, below + 5, mtu_words(hop), "mtu" if hop.mtu is not None else "mtu unknown"))
    shapes += [
        Text(x + 10, below + 21 + 13 * row, part, "detail")
        for row, part in enumerate(_lines(hop.detail, 23, 2 if len(names) == 1 else 1))
    ]
    return shapes


def _flat_box(hop: Hop, y: int, style: str) -> List[Shape]:
    known = "mtu" if hop.mtu is not None else "mtu unknown"
    return [
        Box(1, y, NARROW_WIDTH - 2, NARROW_HEIGHT, style),
        Text(10, y + 16, hop.role, "role"),
        *[Text(10, y + 34, part, "name") for part in _lines(hop.name, 28, 1)],
        *[Text(10, y + 51, part, "detail") for part in _lines(hop.detail, 44, 1)],
        Text(NARROW_WIDTH - 12, y + 34, mtu_words(hop), known, "end"),
    ]


def mtu_words(hop: Hop) -> str:
    """Return "MTU 1450", or that it is not known."""
    return "MTU not known" if hop.mtu is None else f"MTU {hop.mtu}"


def share_words(story: Story, lane: Lane) -> Tuple[str, str]:
    """Return "3 of 4" and "requests (75 %)"."""
    if lane.share is not None and abs(lane.share * story.total - lane.count) > 0.001:
        return (
            (f"{percent(round(10_000 * lane.share), 10_000)}", "of the requests")
            if lane.share < 1
            else ("all", "requests")
        )
    if not story.total or not lane.count:
        return "all other", "requests"
    if lane.count == story.total:
        return "all", "requests"
    return f"{lane.count:,} of {story.total:,}", f"requests ({percent(lane.count, story.total)})"


def _tone(lane: Lane) -> str:
    if lane.dies_at is not None:
        return "bad"
    return "unsure" if lane.outcome.startswith("not known") or "refused" in lane.outcome else "good"


def _dies(story: Story) -> str:
    what = f"a {story.full}-byte packet" if story.full else "a full-size packet"
    return f"{what} dies here" if story.measured else f"{what} does not fit here"


def _outcome(story: Story, lane: Lane) -> str:
    if lane.dies_at is not None and lane.carries is not None:
        return f"\N{MULTIPLICATION X} {_dies(story)[:1].upper()}{_dies(story)[1:]}: {lane.outcome}"
    mark = {"good": "\N{CHECK MARK} ", "bad": "\N{MULTIPLICATION X} "}.get(_tone(lane), "? ")
    return mark + _capital(lane.outcome)


def describe(story: Story) -> str:
    """Return the picture in sentences."""
    senders = " to ".join(f"{hop.role} {hop.name}{_mtu_part(hop)}" for hop in story.senders)
    return " ".join([f"From {senders}.", *[_describe_lane(story, lane) for lane in story.lanes]])


def _describe_lane(story: Story, lane: Lane) -> str:
    hops = ", then ".join(f"{hop.role} {hop.name}{_mtu_part(hop)}" for hop in lane.hops)
    end: Optional[Hop] = lane.hops[lane.dies_at] if lane.dies_at is not None else None
    nodes = f" ({listed(lane.nodes, 12)})" if lane.nodes else ""
    where = f" {_capital(_dies(story))}, at {end.role} {end.name}." if end is not None and lane.carries else ""
    return f"{_capital(' '.join(share_words(story, lane)))} go through {hops}{nodes}: {lane.outcome}.{where}"


def _mtu_part(hop: Hop) -> str:
    return f" (MTU {hop.mtu})" if hop.mtu is not None else ""


def _lines(text: str, columns: int, most: int) -> List[str]:
    return textwrap.wrap(text, columns, max_lines=most, placeholder=" \N{HORIZONTAL ELLIPSIS}") if text else []


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
