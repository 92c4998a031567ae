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
_NEVER_FIRST = "@`%]},"
"""What no value begins with."""
_ITEM_OR_KEY = re.compile(r"[-?](?:\s|\Z)")
_COLON = re.compile(r":(?:\s|\Z)")
_COMMENT = re.compile(r"(?:\s|\A)#.*\Z", re.DOTALL)
_ALIAS = re.compile(r"\*([^\s,\[\]{}]+)")
_ALIAS_ALONE = re.compile(r"\*[^\s,\[\]{}:]+\s*(?:\s#.*)?\Z")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^xuU]|)", re.DOTALL)
_ESCAPED = '0abt\tnvfre "/\\N_LP\n\r'


@dataclass
class _Level:
    """A mapping or list that is open, at a column.

    waiting: the last key has no value yet. inner: a list at the column of the mapping is its last value.
    """

    column: int
    is_list: bool
    waiting: bool = False
    inner: bool = False


@dataclass
class _Place:
    """Where a scan is. levels: the outermost first. scalar: the last value was a word."""

    number: int = 0
    levels: List[_Level] = field(default_factory=list)
    scalar: bool = False


def check_yaml(text: str) -> None:
    """Raise YamlError, with the line, for what no YAML parser would take; say nothing where that can't be told.

    Found are tabs as indentation, strings and brackets without an end, keys that stand at the wrong column, items among
    keys, lines that are neither, values that begin with what none can begin with, two keys in one line, escapes that
    there are not, and aliases of what has no anchor.
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
    if line[column:].startswith(("&", "!", "*")) and not (items and _ALIAS_ALONE.match(line[column:])):
        return False
    key = _KEY.match(line[column:])
    if "\t" in line[: len(line) - len(line.lstrip())] and (items or key):
        raise YamlError(f"line {number + 1}: it is indented with a tab")
    goes_on = place.scalar and bool(place.levels) and indent_of(line) > place.levels[-1].column
    if key is None and (goes_on or not items):
        return _go_on(lines, place)
    if key is not None:
        _check_escapes(key.group(), number + 1)
    columns = [*items, column] if key else items
    _open(place, columns, key is not None)
    value = line[column + key.end() if key else column :].strip()
    return _pass_value(lines, place, value, columns[-1], key is not None)


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
    first = line.lstrip()[0]
    if indent_of(line) <= place.levels[-1].column:
        if first in "[{":
            return False
        raise YamlError(f"line {place.number + 1}: expected a key and ':', or '-' and an item")
    place.levels[-1].waiting = False
    if not place.scalar and first in "\"'[{":
        return _pass_value(lines, place, line.strip(), place.levels[-1].column, False)
    if not place.scalar:
        _check_word(line.strip(), place.number + 1, False)
    place.number += 1
    place.scalar = True
    return True


def _open(place: _Place, columns: List[int], keyed: bool) -> None:
    """Forget what an entry ends, and note what it begins. Raises YamlError for one where none can be.

    columns: of its hyphens, and of its key where keyed.
    """
    deepest = place.levels[-1].column if place.levels else -1
    if columns[0] > deepest and place.levels and place.scalar:
        raise YamlError(f"line {place.number + 1}: a key inside of the value of the line above it")
    place.levels = [one for one in place.levels if one.column <= columns[0]]
    last = place.levels[-1] if place.levels else None
    if columns[0] < deepest and (last is None or last.column != columns[0]):
        raise YamlError(f"line {place.number + 1}: it is at another column than the keys above it")
    is_list = not keyed or len(columns) > 1
    if last is not None and last.column == columns[0]:
        if last.is_list and not is_list:
            raise YamlError(f"line {place.number + 1}: a key among the items of a list")
        if not last.is_list and is_list and not (last.waiting or last.inner):
            raise YamlError(f"line {place.number + 1}: an item of a list among keys")
        last.inner = not last.is_list and is_list
        columns = columns[1:]
    if last is not None:
        last.waiting = False
    place.levels += [_Level(one, not keyed or one != columns[-1]) for one in columns]


def _pass_value(lines: List[str], place: _Place, value: str, column: int, keyed: bool) -> bool:
    """Go to the line after a value; tell whether it was understood. Raises YamlError.

    column: of the key or hyphen that it belongs to. keyed: whether it is in the line of its key.
    """
    number = place.number
    value = _PROPERTIES.sub("", value, count=1) if value[:1] in ("&", "!") else value
    place.scalar = bool(value) and not value.startswith("#")
    place.levels[-1].waiting = keyed and not place.scalar
    place.number += 1
    if value[:1] == "*":
        _check_alias(value, "\n".join(lines[: number + 1]), number + 1)
    elif place.scalar and value[0] not in "\"'[{|>":
        _check_word(value, number + 1, keyed)
    if _TEXT.match(value):
        while place.number < len(lines) and (not lines[place.number].strip() or _is_text(lines, place, column)):
            place.number += 1
        place.scalar = False
    elif value[:1] in ("|", ">"):
        raise YamlError(f"line {number + 1}: {value!r} is no beginning of a text of several lines")
    elif value[:1] in ('"', "'", "[", "{"):
        whole = "\n".join([value, *lines[number + 1 :]])
        end = _end_of(whole, number + 1)
        if end is None:
            raise YamlError(f"line {number + 1}: what begins with {value[0]} there has no end")
        place.number += whole.count("\n", 0, end)
        rest = whole[end:].partition("\n")[0]
        if rest.lstrip().startswith(":") and not keyed:
            return False
        if not _REST.match(rest):
            raise YamlError(f"line {place.number}: {rest.strip()!r} follows the end of a value")
    return True


def _check_word(value: str, line: int, keyed: bool) -> None:
    """Raise YamlError for a value without quotes that is none. keyed: whether it is in the line of its key."""
    if value[0] in _NEVER_FIRST:
        raise YamlError(f"line {line}: a value begins with {value[0]}, which takes quotes")
    if keyed and _ITEM_OR_KEY.match(value):
        raise YamlError(f"line {line}: an item of a list begins in the line of its key")
    if keyed and _COLON.search(_COMMENT.sub("", value)):
        raise YamlError(f"line {line}: the value has ':' and a blank in it, which takes quotes")


def _check_alias(value: str, before: str, line: int) -> None:
    """Raise YamlError for the alias that a value begins with where no anchor of its name is before it."""
    alias = _ALIAS.match(value)
    if alias is None or f"&{alias.group(1)}" not in before:
        raise YamlError(f"line {line}: {value} stands for something that is not there")


def _check_escapes(string: str, line: int) -> None:
    """Raise YamlError for an escape that there is not in a string in double quotes; other texts have none."""
    if not string.startswith('"'):
        return
    for escape in _ESCAPE.finditer(string):
        what = escape.group(1)
        if what[:1] not in ("x", "u", "U") and (not what or what not in _ESCAPED):
            number = line + string.count("\n", 0, escape.start())
            raise YamlError(f"line {number}: there is no escape {string[escape.start() : escape.start() + 2]!r}")


def _is_text(lines: List[str], place: _Place, column: int) -> bool:
    return indent_of(lines[place.number]) > column


def _opens(text: str, at: int) -> bool:
    return text[at - 1].isspace() or text[at - 2] in "\"'"


def _end_of(text: str, line: int) -> Optional[int]:
    """Return where a quoted string or flow collection at the beginning of a text ends, None where it doesn't.

    It doesn't either where a bracket closes another one than the last that was opened. line: where it begins.
    Raises YamlError.
    """
    quoted = _QUOTED.match(text)
    if text[0] in "\"'":
        _check_escapes(quoted.group() if quoted else "", line)
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
            _check_escapes(quoted.group(), line + text.count("\n", 0, at))
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
