# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Block mappings of YAML files by their lines: enough to find a key, its strings and its place; no YAML parser.

Python's standard library has none. What is not understood is said to be so, never guessed. Source: yaml.org, 1.2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from .json_text import JsonError, JsonNode, parse_json

_KEY = re.compile(
    r"""(?P<indent>[ ]*)(?P<key>"[^"\\]*"|'[^']*'|[^\s#"'\[\]{}&*!|>%@,`-][^#]*?|-[^\s#][^#]*?)\s*:(?=\s|\Z)"""
)
_ITEM = re.compile(r"(?P<indent>[ ]*)-(?:[ ]+(?P<value>\S.*))?\Z")
_COMMENT = re.compile(r"(?:\s+|\A)#.*\Z")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\["\\/])*)"')
# Of a flow list: a string in quotes, which may hold a hash, a hash that begins a comment, any other character.
_TOKEN = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?P<comment>\s+#)|.""", re.DOTALL)
_SINGLE = re.compile(r"'((?:[^']|'')*)'")
_FLOW_PLAIN = re.compile(r"[^\s,\[\]{}\"'&*!|>%@`#:][^,\[\]{}\"'#:]*")


class YamlError(ValueError):
    """What is needed of the text can't be understood. The message says what, and in which line."""


@dataclass(frozen=True)
class YamlKey:
    """A key of a block mapping. index: of its line, from 0. indent: blanks before it.

    end: index of the line after the last one that belongs to its value (comments and empty lines after it don't).
    """

    key: str
    index: int
    indent: int
    end: int
    value: str

    @property
    def line(self) -> int:
        """Its line, from 1."""
        return self.index + 1


def keys_in(lines: Sequence[str], start: int, end: int) -> List[YamlKey]:
    """Return the keys of the block mapping in a range of lines, in order. Raises YamlError where there is none."""
    places = [number for number in range(start, end) if is_content(lines[number])]
    if not places:
        return []
    indent = indent_of(lines[places[0]])
    heads: List[Tuple[int, re.Match[str]]] = []
    for number in places:
        if indent_of(lines[number]) < indent:
            raise YamlError(f"line {number + 1}: it is indented less than what it belongs to")
        if indent_of(lines[number]) == indent and not (heads and _ITEM.match(lines[number])):
            match = _KEY.match(lines[number])
            if match is None:
                raise YamlError(f"line {number + 1}: expected a key and ':' with the keys above and below it")
            heads.append((number, match))
    ends = [number for number, _match in heads[1:]] + [end]
    return [
        YamlKey(
            _unquoted(match["key"]),
            number,
            indent,
            _last(lines, number, stop),
            without_comment(lines[number][match.end() :]),
        )
        for (number, match), stop in zip(heads, ends)
    ]


def document(text: str) -> Tuple[List[str], int]:
    """Return the lines of a text with one document, and the index of its first line. Raises YamlError for others."""
    lines = text.split("\n")
    start = 0
    for number, line in enumerate(lines):
        if "\t" in line[: len(line) - len(line.lstrip())] and is_content(line):
            raise YamlError(f"line {number + 1}: it is indented with tabs")
        if re.match(r"---(?:\s|\Z)", line):
            if any(is_content(before) for before in lines[start:number]) or start:
                raise YamlError(f"line {number + 1}: a second document begins")
            start = number + 1
            if without_comment(line[3:]):
                raise YamlError(f"line {number + 1}: content in the line that begins the document")
        if re.match(r"\.\.\.(?:\s|\Z)", line):
            raise YamlError(f"line {number + 1}: the document ends before the text does")
    return lines, start


def strings_of(lines: Sequence[str], key: YamlKey) -> List[str]:
    """Return the strings of a key: a block or flow list, or the one that it is; none for null. Raises YamlError."""
    if key.value.startswith("["):
        return _flow(key.value, key.line)
    body = [number for number in range(key.index + 1, key.end) if is_content(lines[number])]
    if key.value:
        if body:
            raise YamlError(f"line {key.line}: the value of {key.key!r} goes on in the next line")
        return [] if key.value in ("~", "null", "Null", "NULL") else [scalar(key.value, key.line)]
    return [_item(lines[number], number + 1) for number in body]


def scalar(value: str, line: int) -> str:
    """Return the string that a scalar of one line, without comment, stands for. Raises YamlError."""
    for pattern, escaped in ((_DOUBLE, r"\\(.)"), (_SINGLE, r"'(')")):
        match = pattern.match(value)
        if match:
            if match.end() != len(value):
                break
            return re.sub(escaped, r"\1", match.group(1))
    if value[:1] in "\"'&*!|>%@`[]{}" or re.search(r"\A[-?:]\s|:\s|:\Z", value):
        raise YamlError(f"line {line}: {value} is no simple string")
    return value


def top_level_lists(text: str, names: Sequence[str]) -> List[Tuple[YamlKey, List[str]]]:
    """Return the strings of every key of those names at the top of a file, in order. Raises YamlError.

    The file may be JSON, which is YAML too: Rancher writes config.yaml.d/50-rancher.yaml of RKE2 and K3s so.
    """
    if text.lstrip().startswith("{"):
        return _lists_of_json(text, names)
    lines, start = document(text)
    return [(key, strings_of(lines, key)) for key in keys_in(lines, start, len(lines)) if key.key in names]


def find_key(lines: Sequence[str], start: int, end: int, name: str) -> Optional[YamlKey]:
    """Return the key of that name in the mapping in a range of lines. Raises YamlError, also when it is there twice."""
    found = [key for key in keys_in(lines, start, end) if key.key == name]
    if len(found) > 1:
        raise YamlError(f"line {found[1].line}: {name!r} is there a second time")
    return found[0] if found else None


def is_content(line: str) -> bool:
    """Tell whether a line has more than blanks and a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def indent_of(line: str) -> int:
    """Return how many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def without_comment(value: str) -> str:
    """Return a value without blanks around it and without the comment after it."""
    value = value.strip()
    if value.startswith("["):
        tokens = _TOKEN.finditer(value)
        return value[: next((token.start() for token in tokens if token.group("comment")), None)].rstrip()
    quoted = (_DOUBLE if value.startswith('"') else _SINGLE).match(value) if value[:1] in ("'", '"') else None
    if quoted:
        return quoted.group() + _COMMENT.sub("", value[quoted.end() :]).rstrip()
    return _COMMENT.sub("", value).rstrip()


def _lists_of_json(text: str, names: Sequence[str]) -> List[Tuple[YamlKey, List[str]]]:
    try:
        members = parse_json(text).members
    except JsonError as error:
        raise YamlError(f"{error}: it is neither JSON nor written as keys on lines of their own") from error
    return [
        (YamlKey(name, node.line - 1, 0, node.line, ""), _strings_of_json(node))
        for name, node in members
        if name in names
    ]


def _strings_of_json(node: JsonNode) -> List[str]:
    items = node.items if node.kind == "array" else (node,)
    if any(item.kind != "scalar" for item in items):
        raise YamlError(f"line {node.line}: {node.path} is no list of simple strings")
    scalars = [item.scalar for item in items if item.scalar is not None]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in scalars]


def _last(lines: Sequence[str], start: int, stop: int) -> int:
    return next(number for number in range(stop - 1, start - 1, -1) if is_content(lines[number])) + 1


def _item(line: str, number: int) -> str:
    match = _ITEM.match(line.rstrip())
    if match is None or match["value"] is None:
        raise YamlError(f"line {number}: expected an item of a list, as in '- word'")
    return scalar(without_comment(match["value"]), number)


def _flow(value: str, line: int) -> List[str]:
    if not value.endswith("]"):
        raise YamlError(f"line {line}: the list goes on in the next line: write one item a line instead")
    rest = value[1:-1].strip()
    items: List[str] = []
    while rest:
        match = _DOUBLE.match(rest) or _SINGLE.match(rest) or _FLOW_PLAIN.match(rest)
        after = rest[match.end() :].lstrip() if match else ""
        if match is None or (after and not after.startswith(",")):
            raise YamlError(f"line {line}: {value} is no list of simple strings")
        items.append(scalar(match.group().strip(), line))
        rest = after[1:].strip()
    return items


def _unquoted(key: str) -> str:
    return key[1:-1] if key[:1] in ("'", '"') else key
