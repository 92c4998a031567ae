# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""JSON with line numbers: the standard library's parser forgets where it found a value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple, Union

Scalar = Union[None, bool, int, float, str]

# No file read here nests deeper than about ten levels.
_MAX_DEPTH = 100
_WHITESPACE = re.compile(r"[ \t\n\r]*")


class JsonError(ValueError):
    """The text is no JSON. The message says what is wrong and in which line."""


@dataclass(frozen=True)
class JsonNode:
    """A JSON value and where it is.

    line: 1-based, of the key for a member of an object, else of the value itself.
    path: keys and indexes that lead here, as in ``plugins[0].mtu``; empty for the whole text.
    scalar: the value where kind is "scalar". items: the elements of an array. members: keys and values of an object in
    the order of the text, duplicates included. kind: object, array or scalar.
    start, end: characters of the text that it takes, the first of them and the one after the last.
    """

    kind: str
    line: int
    path: str
    scalar: Scalar = None
    items: Tuple[JsonNode, ...] = ()
    members: Tuple[Tuple[str, JsonNode], ...] = ()
    start: int = 0
    end: int = 0

    def get(self, key: str) -> Optional[JsonNode]:
        """Return the member of exactly that key (a Go map); of duplicates the last, as Go's encoding/json has it."""
        return next((node for name, node in reversed(self.members) if name == key), None)

    def field(self, name: str) -> Optional[JsonNode]:
        """Return the member that Go's encoding/json stores in the struct field of that name: case is ignored."""
        folded = name.lower()
        return next((node for key, node in reversed(self.members) if key.lower() == folded), None)

    def text(self, name: str) -> Optional[str]:
        """Return the string in the field of that name, None where there is none or it is no string."""
        node = self.field(name)
        return node.scalar if node is not None and isinstance(node.scalar, str) else None

    def elements(self, name: str) -> Tuple[JsonNode, ...]:
        """Return the elements of the array in the field of that name; empty where there is none."""
        node = self.field(name)
        return node.items if node is not None else ()

    def scalar_or_kind(self) -> Scalar:
        """Return the scalar; for an object or an array the word for it, so that it isn't taken for null."""
        return self.scalar if self.kind == "scalar" else self.kind


def parse_json(text: str) -> JsonNode:
    """Return the tree of a JSON text (RFC 8259). Raises JsonError."""
    parser = _Parser(text)
    node = parser.value("", None, 0)
    parser.skip_whitespace()
    if parser.position != len(text):
        raise parser.error("something follows the end of the value")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self.position = 0
        self._text = text
        self._line = 1
        self._counted = 0
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant)

    def error(self, what: str) -> JsonError:
        return JsonError(f"line {self._line_here()}: {what}")

    def skip_whitespace(self) -> None:
        match = _WHITESPACE.match(self._text, self.position)
        self.position = match.end() if match else self.position

    def value(self, path: str, key_line: Optional[int], depth: int) -> JsonNode:
        """Parse the value at the current position. key_line: line of its key, None for an element or the whole."""
        self.skip_whitespace()
        line = key_line or self._line_here()
        if depth > _MAX_DEPTH:
            raise self.error(f"values nest deeper than {_MAX_DEPTH} levels")
        start = self.position
        if self._at("{"):
            members = tuple(self._members(path, depth))
            return JsonNode("object", line, path, members=members, start=start, end=self.position)
        if self._at("["):
            items = tuple(self._items(path, depth))
            return JsonNode("array", line, path, items=items, start=start, end=self.position)
        scalar = self._scalar()
        return JsonNode("scalar", line, path, scalar=scalar, start=start, end=self.position)

    def _members(self, path: str, depth: int) -> List[Tuple[str, JsonNode]]:
        members: List[Tuple[str, JsonNode]] = []
        for _index in self._separated("}"):
            line = self._line_here()
            if not self._at('"'):
                raise self.error("expected a key in double quotes")
            key = str(self._scalar())
            self.skip_whitespace()
            self._expect(":")
            member_path = f"{path}.{key}" if path else key
            members.append((key, self.value(member_path, line, depth + 1)))
        return members

    def _items(self, path: str, depth: int) -> List[JsonNode]:
        return [self.value(f"{path}[{index}]", None, depth + 1) for index in self._separated("]")]

    def _separated(self, closing: str) -> Iterator[int]:
        """Stop at the start of each entry between the brackets, and step over the closing one."""
        self.position += 1
        self.skip_whitespace()
        index = 0
        while index or not self._at(closing):
            yield index
            index += 1
            self.skip_whitespace()
            if self._at(closing):
                break
            self._expect(",")
            self.skip_whitespace()
        self.position += 1

    def _at(self, character: str) -> bool:
        return self._text.startswith(character, self.position)

    def _scalar(self) -> Scalar:
        if self.position >= len(self._text):
            raise self.error("the text ends too early")
        try:
            scalar: Scalar
            scalar, self.position = self._decoder.raw_decode(self._text, self.position)
        except ValueError as error:
            raise self.error(getattr(error, "msg", None) or str(error)) from error
        return scalar

    def _expect(self, character: str) -> None:
        if not self._at(character):
            raise self.error(f"expected {character!r}")
        self.position += 1

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self.position)
        self._counted = self.position
        return self._line


def _refuse_constant(name: str) -> Scalar:
    raise ValueError(f"{name} is no JSON")
