# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of a picture, in pixels from its upper left corner. A template writes them as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple, Union


@dataclass(frozen=True)
class Box:
    """A rectangle. style: class of the style sheet."""

    x: int
    y: int
    width: int
    height: int
    style: str
    kind: str = "box"


@dataclass(frozen=True)
class Arrow:
    """A line with a head at its end, along one axis or two: corners are its points in order."""

    corners: Tuple[Tuple[int, int], ...]
    style: str
    kind: str = "arrow"

    @property
    def points(self) -> str:
        """The line."""
        return " ".join(f"{x},{y}" for x, y in self.corners)

    @property
    def head(self) -> str:
        """The head, which points the way of the last stretch."""
        (before_x, before_y), (x, y) = self.corners[-2:]
        if before_y == y:
            back = x - 9 if x >= before_x else x + 9
            return f"{x},{y} {back},{y - 5} {back},{y + 5}"
        back = y - 9 if y >= before_y else y + 9
        return f"{x},{y} {x - 5},{back} {x + 5},{back}"


@dataclass(frozen=True)
class Text:
    """One line of text. y: its base line. anchor: start, middle or end."""

    x: int
    y: int
    words: str
    style: str
    anchor: str = "start"
    kind: str = "text"


@dataclass(frozen=True)
class Cross:
    """The mark of the place where something ends. x, y: its centre."""

    x: int
    y: int
    kind: str = "cross"


Shape = Union[Box, Arrow, Text, Cross]


@dataclass(frozen=True)
class Drawing:
    """style: class of the whole. title, description: for those who do not see it."""

    width: int
    height: int
    style: str
    title: str
    description: str
    shapes: Tuple[Shape, ...]
