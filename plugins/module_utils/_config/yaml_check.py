# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Finds what makes a hand-written YAML file invalid, as far as that can be told without a parser.

It errs on one side only: what it refuses is invalid. Source: yaml.org, 1.2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import List, Optional, Tuple

from .yaml_lines import YamlError, indent_of, is_content

# Blanks to Python and none to YAML: what they make of a line is not followed here.
_OTHER_BLANKS = re.compile(r"[^\S \t\r\n]")
_MARKER = re.compile(r"(?:---|\.\.\.)(?:\s|\Z)|%")
_ITEM = re.compile(r"-(?:[ ]+|\Z)")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""", re.DOTALL)
# A hash is part of a word where no blank is before it.
_WORDS = r"(?:[^#\s]|(?<=\S)#|\s(?!#))*?"
_KEY = re.compile(rf"""(?:{_QUOTED.pattern}|[^\s#"'\[\]{{}}&*!|>%@`,]{_WORDS})\s*:(?=\s|\Z)""")
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+|\Z))+")
_TEXT = re.compile(r"[|>][-+0-9]*\s*(?:#.*)?\Z")
_REST = re.compile(r"\s*(?:#.*)?\Z")
_CLOSING = {"]": "[", "}": "{"}
_OPEN = ("[", "{", ",")
"""Behind these a string in quotes may begin."""


@dataclass
class _Place:
    """Where a scan is. levels: columns of the mappings and lists that are open. scalar: the last value was a word."""

    number: int = 0
    levels: List[int] = field(default_factory=list)
    scalar: bool = False


def check_yaml(text: str) -> None:
    """Raise YamlError, with the line, for what no YAML parser would take; say nothing where that can't be told.

    Found are tabs as indentation, strings and brackets without an end, keys that stand at the wrong column, and lines
    that are neither a key nor an item.
    """
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if _OTHER_BLANKS.search(text) or any(re.match(r"\s*(?:-\s+)*\?(?:\s|\Z)", line) for line in lines):
        return
    place = _Place()
    while place.number < len(lines):
        line = lines[place.number]
        if _MARKER.match(line):
            place = _Place(place.number + 1)
            if line[3:].strip() and not line[3:].strip().startswith("#"):
                return
        elif not is_content(line):
            place.number += 1
        elif not _step(lines, place):
            return


def _step(lines: List[str], place: _Place) -> bool:
    """Go over one entry and what its value goes on in; tell whether more can be understood. Raises YamlError."""
    number, line = place.number, lines[place.number]
    items, column = _items(line)
    if line[column:].startswith(("&", "!", "*")):
        return False
    key = _KEY.match(line[column:])
    if "\t" in line[: len(line) - len(line.lstrip())] and (items or key):
        raise YamlError(f"line {number + 1}: it is indented with a tab")
    goes_on = place.scalar and bool(place.levels) and indent_of(line) > place.levels[-1]
    if key is None and (goes_on or not items):
        return _go_on(lines, place)
    columns = [*items, column] if key else items
    _check_column(place, columns)
    place.levels += [one for one in columns if not place.levels or one > place.levels[-1]]
    value = line[column + key.end() if key else column :].strip()
    return _pass_value(lines, place, value, columns[-1])


def _items(line: str) -> Tuple[List[int], int]:
    """Return the columns of the hyphens that a line begins with, and the column after them."""
    columns: List[int] = []
    column = indent_of(line)
    item = _ITEM.match(line[column:])
    while item and column < len(line):
        columns.append(column)
        column += item.end()
        item = _ITEM.match(line[column:])
    return columns, column


def _go_on(lines: List[str], place: _Place) -> bool:
    """Go over a line that is neither a key nor an item: a scalar that goes on, or a value on a line of its own."""
    line = lines[place.number]
    if not place.levels or line.lstrip()[0] in "|>":
        return False
    if indent_of(line) <= place.levels[0] and not line.lstrip().startswith(("]", "}")):
        if line.lstrip()[0] in "[{":
            return False
        raise YamlError(f"line {place.number + 1}: expected a key and ':', or '-' and an item")
    if not place.scalar and line.lstrip()[:1] in "\"'[{":
        return _pass_value(lines, place, line.strip(), place.levels[-1])
    place.number += 1
    place.scalar = True
    return True


def _check_column(place: _Place, columns: List[int]) -> None:
    """Raise YamlError for an entry at a column where none can be; else forget what it ends."""
    deepest = place.levels[-1] if place.levels else -1
    if columns[0] > deepest and place.levels and place.scalar:
        raise YamlError(f"line {place.number + 1}: a key inside of the value of the line above it")
    place.levels = [one for one in place.levels if one <= columns[0]]
    if columns[0] < deepest and columns[0] not in place.levels:
        raise YamlError(f"line {place.number + 1}: it is at another column than the keys above it")


def _pass_value(lines: List[str], place: _Place, value: str, column: int) -> bool:
    """Go to the line after a value; tell whether it was understood. Raises YamlError.

    column: of the key or hyphen that it belongs to.
    """
    number = place.number
    value = _PROPERTIES.sub("", value, count=1) if value[:1] in ("&", "!") else value
    place.scalar = bool(value) and not value.startswith("#")
    place.number += 1
    if _TEXT.match(value):
        while place.number < len(lines) and (not lines[place.number].strip() or _is_text(lines, place, column)):
            place.number += 1
        place.scalar = False
    elif value[:1] in ('"', "'", "[", "{"):
        whole = "\n".join([value, *lines[number + 1 :]])
        end = _end_of(whole)
        if end is None:
            raise YamlError(f"line {number + 1}: what begins with {value[0]} there has no end")
        place.number += whole.count("\n", 0, end)
        rest = whole[end:].partition("\n")[0]
        if rest.lstrip().startswith(":"):
            return False
        if not _REST.match(rest):
            raise YamlError(f"line {place.number}: {rest.strip()!r} follows the end of a value")
    return True


def _is_text(lines: List[str], place: _Place, column: int) -> bool:
    return indent_of(lines[place.number]) > column


def _opens(text: str, at: int) -> bool:
    return text[at - 1].isspace() or text[at - 2] in "\"'"


def _end_of(text: str) -> Optional[int]:
    """Return where a quoted string or flow collection at the beginning of a text ends, None where it doesn't.

    It doesn't either where a bracket closes another one than the last that was opened.
    """
    quoted = _QUOTED.match(text)
    if text[0] in "\"'":
        return quoted.end() if quoted else None
    opened: List[str] = []
    before, at = "", 0
    while at < len(text):
        mark = text[at]
        # Behind a colon without a blank it opens a string only where the key is one too, as in JSON.
        if mark in "\"'" and (before in _OPEN or (before == ":" and _opens(text, at))):
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                return None
            at, before = quoted.end(), mark
            continue
        if mark == "#" and text[at - 1].isspace():
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
            continue
        if mark in "[{":
            opened.append(mark)
        elif mark in _CLOSING:
            if opened.pop() != _CLOSING[mark]:
                return None
            if not opened:
                return at + 1
        # A question mark for a key leaves it open what comes.
        before = before if mark.isspace() or (mark == "?" and before in _OPEN) else mark
        at += 1
    return None
