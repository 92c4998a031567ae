# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""YAML inside of YAML: a document of a file with several, and a mapping that is the text of a literal block scalar.

As the values of a Helm chart in "valuesContent: |". A line of it changes or is added, every other one stays.
Source: yaml.org, 1.2.2, 8.1 "Block Scalar Styles" and 9.2 "Streams".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from .yaml_edit import find_keys, set_in_range
from .yaml_lines import YamlError, YamlKey, document, find_key, indent_of, scalar, without_comment

_HEADER = re.compile(r"\|(?:(?P<first>[1-9])[+-]?|[+-](?P<second>[1-9])?)?\Z")
_NEW_HEADER = "|-"
_STEP = 2
_NO_TEXT = ("", '""', "''", "~", "null", "{}")
_MARKER = re.compile(r"(?:---|\.\.\.)(?:\s|\Z)")

Range = Tuple[int, int]
"""Index of the first line of something, and of the line after its last."""


@dataclass(frozen=True)
class _Block:
    place: Range
    indent: int


def documents(text: str) -> Tuple[List[str], List[Range]]:
    """Return the lines of a file, and the range of each document in it. Raises YamlError."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _MARKER.match(line) and without_comment(line[3:]):
            raise YamlError(f"line {number + 1}: content in the line that begins or ends a document")
    marks = [-1, *(number for number, line in enumerate(lines) if _MARKER.match(line)), len(lines)]
    ranges = [(before + 1, after) for before, after in zip(marks, marks[1:])]
    for first, end in ranges:
        document("\n".join(lines[first:end]))
    return lines, ranges


def string_in(lines: Sequence[str], place: Range, path: Sequence[str]) -> Optional[str]:
    """Return the string at a path of keys of a mapping in a range of lines, None where there is none.

    Raises YamlError.
    """
    keys, _range = find_keys(lines, place, path)
    if len(keys) < len(path) or not keys[-1].value:
        return None
    return scalar(keys[-1].value, keys[-1].line)


def string_in_block(lines: Sequence[str], place: Range, block: Sequence[str], path: Sequence[str]) -> Optional[str]:
    """Return the string at a path of the mapping that is the text of a block scalar, None where there is none.

    block: path of the scalar's key in the mapping in the range. Raises YamlError.
    """
    key = key_at(lines, place, block)
    inner = _block(lines, key) if key is not None and key.value not in _NO_TEXT else None
    return string_in(lines, inner.place, path) if inner else None


def set_in_block(
    lines: Sequence[str], place: Range, block: Sequence[str], path: Sequence[str], literal: str
) -> List[str]:
    """Return the lines with a value set in the mapping that is the text of a block scalar, which is made if need be.

    Raises YamlError where the text is written in another way.
    """
    key = key_at(lines, place, block)
    if key is None or key.value in _NO_TEXT:
        grown = set_in_range(lines, place, block, _NEW_HEADER)
        return set_in_block(grown, (place[0], place[1] + len(grown) - len(lines)), block, path, literal)
    inner = _block(lines, key)
    return set_in_range(lines, inner.place, path, literal, inner.indent)


def key_at(lines: Sequence[str], place: Range, path: Sequence[str]) -> Optional[YamlKey]:
    """Return the key at a path of a mapping in a range of lines, whatever its value is; None where there is none.

    Raises YamlError where what leads to it is no mapping with a key a line.
    """
    first, end = place
    key: Optional[YamlKey] = None
    for name in path:
        if key is not None and key.value not in _NO_TEXT:
            raise YamlError(f"line {key.line}: {key.key!r} is not written as keys on lines of their own")
        key = find_key(lines, first, end, name)
        if key is None:
            return None
        first, end = key.index + 1, key.end
    return key


def _block(lines: Sequence[str], key: YamlKey) -> _Block:
    """Return where the text of a key's block scalar is. Raises YamlError where its value is no such scalar."""
    header = _HEADER.match(key.value)
    if header is None:
        raise YamlError(f"line {key.line}: the text of {key.key!r} is not written as a block after '|'")
    given = header["first"] or header["second"]
    filled = [number for number in range(key.index + 1, len(lines)) if lines[number].strip()]
    own = indent_of(lines[filled[0]]) if filled else 0
    if given is None and own <= key.indent:
        return _Block((key.index + 1, key.index + 1), key.indent + _STEP)
    indent = key.indent + int(given) if given else own
    end = key.index + 1
    for number in filled:
        if indent_of(lines[number]) < indent:
            break
        end = number + 1
    return _Block((key.index + 1, end), indent)
