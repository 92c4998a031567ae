# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Setting one value deep in a hand-written YAML file: a line changes or is added, every other one stays."""

from __future__ import annotations

import re
from typing import List, Optional, Sequence, Tuple

from .yaml_lines import YamlError, YamlKey, document, find_key, indent_of, is_content, keys_in, scalar

_STEP = 2
_EMPTY = ("", "{}", "{ }", "~", "null", "Null", "NULL")


def get_string(text: str, path: Sequence[str]) -> Optional[str]:
    """Return the string at a path of keys, None where there is none. Raises YamlError."""
    lines, start = document(text)
    keys, _range = find_keys(lines, (start, len(lines)), path)
    if len(keys) < len(path) or keys[-1].value in _EMPTY:
        return None
    return scalar(keys[-1].value, keys[-1].line)


def has_key(text: str, name: str) -> bool:
    """Tell whether there is a key of that name at the top. Raises YamlError."""
    lines, start = document(text)
    return find_key(lines, start, len(lines), name) is not None


def set_string(text: str, path: Sequence[str], value: str) -> str:
    """Return the text with the string at a path of keys set, in double quotes; keys that are missing are added.

    value: of printable ASCII without quotes and backslashes. Raises YamlError where that can't be done by lines.
    """
    return set_literal(text, path, f'"{value}"')


def set_literal(text: str, path: Sequence[str], literal: str) -> str:
    """Do the same with a value as it is to stand in the file, a number or a word. Raises YamlError."""
    lines, start = document(text)
    return "\n".join(set_in_range(lines, (start, len(lines)), path, literal))


def set_in_range(
    lines: Sequence[str], place: Tuple[int, int], path: Sequence[str], literal: str, indent: int = 0
) -> List[str]:
    """Return the lines with a value set in the block mapping that a range of them holds.

    place: index of its first line, and of the one after its last. indent: of its keys, where it has none yet.
    Raises YamlError.
    """
    changed = list(lines)
    keys, (first, end) = find_keys(lines, place, path)
    missing = list(path[len(keys) :])
    if not missing:
        changed[keys[-1].index] = _with_value(lines[keys[-1].index], keys[-1], literal)
        return changed
    siblings = keys_in(lines, first, end)
    at = siblings[-1].end if siblings else first
    if siblings:
        indent = siblings[0].indent
    elif keys:
        indent = keys[-1].indent + _STEP
        changed[keys[-1].index] = _with_value(lines[keys[-1].index], keys[-1], "")
    ending = "\r" if lines[0].endswith("\r") else ""
    added = [" " * (indent + _STEP * depth) + f"{name}:{ending}" for depth, name in enumerate(missing)]
    added[-1] = added[-1][: len(added[-1]) - len(ending)] + f" {literal}{ending}"
    # A last line without an end gets one, so that ours doesn't become part of it.
    rest = changed[at:] if at < len(changed) else [""]
    return [*changed[:at], *added, *rest]


def remove_key(text: str, path: Sequence[str]) -> str:
    """Return the text without the line of the string at a path; a mapping that is empty then becomes {}.

    Raises YamlError.
    """
    lines, start = document(text)
    keys, _range = find_keys(lines, (start, len(lines)), path)
    if len(keys) < len(path):
        return text
    above = keys[-2] if len(keys) > 1 else None
    if above is not None and len(keys_in(lines, above.index + 1, above.end)) == 1:
        lines[above.index] = _with_value(lines[above.index], above, "{}")
    del lines[keys[-1].index : keys[-1].end]
    return "\n".join(lines)


def find_keys(
    lines: Sequence[str], place: Tuple[int, int], path: Sequence[str]
) -> Tuple[List[YamlKey], Tuple[int, int]]:
    """Return the keys of the path that are there, and the range of lines in which the next one would be.

    place: the range of lines of the mapping that the path begins in. Raises YamlError.
    """
    keys: List[YamlKey] = []
    first, end = place
    for name in path:
        key = find_key(lines, first, end, name)
        if key is None:
            break
        keys.append(key)
        first, end = key.index + 1, key.end
        deeper = any(is_content(line) for line in lines[first:end])
        if len(keys) < len(path) and key.value not in _EMPTY:
            raise YamlError(f"line {key.line}: {name!r} is not written as keys on lines of their own")
        if deeper and (len(keys) == len(path) or key.value or _not_deeper(lines[first:end], key.indent)):
            raise YamlError(f"line {key.line}: what follows {name!r} is not as expected")
    return keys, (first, end)


def _not_deeper(lines: Sequence[str], indent: int) -> bool:
    return any(is_content(line) and indent_of(line) <= indent for line in lines)


def _with_value(line: str, key: YamlKey, value: str) -> str:
    """Return a key's line with another value, and with the comment that it has."""
    head = re.match(rf"[ ]*(?:\"[^\"]*\"|'[^']*'|{re.escape(key.key)})\s*?:", line)
    if head is None:
        raise YamlError(f"line {key.line}: it can't be changed")
    rest = line[head.end() :]
    after = rest[rest.index(key.value) + len(key.value) :] if key.value else rest
    if not value:
        return head.group() + after
    return f"{head.group()} {value}{after if not after or after[0].isspace() else ' ' + after}"
