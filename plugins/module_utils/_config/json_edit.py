# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Changing one member or element of a JSON text and no other character of it."""

from __future__ import annotations

import json
from typing import Any, Optional, Sequence, Tuple, Union

from .json_text import JsonError, JsonNode, parse_json

_STEP = 2
"""Blanks by which a level is indented where the text doesn't show it."""


def replace_value(text: str, node: JsonNode, value: Any) -> str:
    """Return the text with another value in a node's place."""
    return text[: node.start] + json.dumps(value) + text[node.end :]


def add_member(text: str, node: JsonNode, key: str, value: Any) -> str:
    """Return the text with a member added to an object, in the way in which its others are written."""
    places = _members(text, node)
    return _add(text, node, places, lambda *shape: f"{json.dumps(key)}: {_rendered(value, *shape)}")


def add_element(text: str, node: JsonNode, value: Any) -> str:
    """Return the text with an element added to an array, in the way in which its others are written."""
    return _add(text, node, [(item.start, item.end) for item in node.items], lambda *shape: _rendered(value, *shape))


def remove_member(text: str, node: JsonNode, key: str) -> str:
    """Return the text without the members of that key of an object that is there once."""
    number = next(number for number, (name, _value) in enumerate(node.members) if name == key)
    return _remove(text, node, _members(text, node), number)


def remove_element(text: str, node: JsonNode, number: int) -> str:
    """Return the text without the element of that number of an array."""
    return _remove(text, node, [(item.start, item.end) for item in node.items], number)


def with_member(text: str, keys: Sequence[str], value: Any) -> str:
    """Return the text with a member set, objects on the way to it made where they are absent; as it is if it is so.

    keys: from the outermost object inwards. Raises JsonError where one of the values on the way is no object.
    """
    node = parse_json(text)
    for number, key in enumerate(keys):
        if node.kind != "object":
            raise JsonError(f"line {node.line}: {node.path or 'the whole text'} is no object")
        below = node.get(key)
        if below is None:
            for outer in reversed(keys[number + 1 :]):
                value = {outer: value}
            return add_member(text, node, key, value)
        node = below
    return text if node.kind == "scalar" and _same(node.scalar, value) else replace_value(text, node, value)


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
        return text[: node.start + 1] + str(render(None, _STEP)) + text[node.end - 1 :]
    start, end = places[-1]
    gap = text[_after_comma(text, places) : start]
    on_lines = "\n" in gap
    indent = gap[gap.rindex("\n") + 1 :] if on_lines else None
    step = _step(text, node, indent)
    return text[:end] + "," + (gap if on_lines else " ") + str(render(indent, step)) + text[end:]


def _step(text: str, node: JsonNode, indent: Optional[str]) -> Union[int, str]:
    """Return by how much the members of an object are indented more than its closing bracket."""
    if indent is not None and "\t" in indent:
        return "\t"
    closing = text[text.rfind("\n", 0, node.end) + 1 : node.end - 1]
    step = len(indent or "") - len(closing)
    return step if not closing.strip(" ") and step > 0 else _STEP


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


def _rendered(value: Any, indent: Optional[str], step: Union[int, str]) -> str:
    """Return a value as JSON; indent: the blanks before its line, None to write it on one line; step: of a level."""
    if indent is None:
        return json.dumps(value)
    return json.dumps(value, indent=step).replace("\n", f"\n{indent}")


def _same(one: Any, other: Any) -> bool:
    # 1 == True, and 1450 == 1450.0, which the programs that read these files tell apart.
    return repr(one) == repr(other)
