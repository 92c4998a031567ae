# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Changing one member or element of a JSON text and no other character of it."""

from __future__ import annotations

import json
from typing import Any, Sequence, Tuple

from .json_text import JsonNode

_STEP = 2


def replace_value(text: str, node: JsonNode, value: Any) -> str:
    """Return the text with another value in a node's place."""
    return text[: node.start] + json.dumps(value) + text[node.end :]


def add_member(text: str, node: JsonNode, key: str, value: Any) -> str:
    """Return the text with a member added to an object, in the way in which its others are written."""
    places = _members(text, node)
    return _add(text, node, places, lambda indent: f"{json.dumps(key)}: {_rendered(value, indent)}")


def add_element(text: str, node: JsonNode, value: Any) -> str:
    """Return the text with an element added to an array, in the way in which its others are written."""
    return _add(text, node, [(item.start, item.end) for item in node.items], lambda indent: _rendered(value, indent))


def remove_member(text: str, node: JsonNode, key: str) -> str:
    """Return the text without the members of that key of an object that is there once."""
    number = next(number for number, (name, _value) in enumerate(node.members) if name == key)
    return _remove(text, node, _members(text, node), number)


def remove_element(text: str, node: JsonNode, number: int) -> str:
    """Return the text without the element of that number of an array."""
    return _remove(text, node, [(item.start, item.end) for item in node.items], number)


def _members(text: str, node: JsonNode) -> Sequence[Tuple[int, int]]:
    """Return where each member of an object is, its key included."""
    places = []
    at = node.start + 1
    for _key, value in node.members:
        start = text.index('"', at)
        places.append((start, value.end))
        at = value.end
    return places


def _add(text: str, node: JsonNode, places: Sequence[Tuple[int, int]], render: Any) -> str:
    if not places:
        return text[: node.start + 1] + str(render(None)) + text[node.end - 1 :]
    start, end = places[-1]
    gap = text[_after_comma(text, places) : start]
    on_lines = "\n" in gap
    indent = gap[gap.rindex("\n") + 1 :] if on_lines else None
    return text[:end] + "," + (gap if on_lines else " ") + str(render(indent)) + text[end:]


def _after_comma(text: str, places: Sequence[Tuple[int, int]]) -> int:
    """Return where the white space before the last entry begins."""
    start = places[-1][0]
    before = text[:start]
    return len(before.rstrip(" \t\r\n"))


def _remove(text: str, node: JsonNode, places: Sequence[Tuple[int, int]], number: int) -> str:
    start, end = places[number]
    if len(places) == 1:
        return text[: node.start + 1] + text[node.end - 1 :]
    if number == 0:
        return text[:start] + text[places[1][0] :]
    return text[: places[number - 1][1]] + text[end:]


def _rendered(value: Any, indent: Any) -> str:
    """Return a value as JSON; indent: the blanks before its line, None to write it on one line."""
    if indent is None:
        return json.dumps(value)
    return json.dumps(value, indent=_STEP if "\t" not in indent else "\t").replace("\n", f"\n{indent}")
