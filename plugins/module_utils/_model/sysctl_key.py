# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Names of kernel parameters: both spellings, and patterns of them.

Source: sysctl.d(5) and glob(7); systemd src/shared/sysctl-util.c sysctl_normalize.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import List, Optional, Pattern, Tuple

_SWAP = str.maketrans("./", "/.")
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


def with_slashes(name: str) -> str:
    """Return a name with slashes between its parts.

    The first separator decides: after a slash nothing is translated, after a dot the two change places.
    """
    first = next((character for character in name if character in "./"), "/")
    return name.translate(_SWAP) if first == "." else name


def key_of(name: str) -> str:
    """Return the path below /proc/sys that a name in either spelling stands for: "net/ipv4/conf/eth0.100/mtu".

    Repeated slashes and parts that are "." fall away, so that "" is what stands for no parameter at all.
    """
    return "/".join(part for part in with_slashes(name).split("/") if part not in ("", "."))


def dotted(key: str) -> str:
    """Return the usual spelling of a path below /proc/sys: "net.ipv4.conf.eth0/100.mtu"."""
    return key.translate(_SWAP)


def is_pattern(name: str) -> bool:
    """Tell whether a name is taken for a pattern: it has a star, a question mark or an opening bracket."""
    return any(character in name for character in "*?[")


def matches(pattern: str, key: str) -> bool:
    """Tell whether a pattern (with slashes, below /proc/sys) matches a key, as glob(3) would find it."""
    return _compiled(pattern).fullmatch(key) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Pattern[str]:
    return re.compile("/".join(_part(part) for part in pattern.split("/")), re.DOTALL)


def _part(part: str) -> str:
    """Translate what stands between two slashes. A leading dot is only matched by a dot."""
    found: List[str] = [r"(?!\.)"] if part[:1] in ("*", "?", "[") else []
    position = 0
    while position < len(part):
        text, position = _piece(part, position)
        found.append(text)
    return "".join(found)


def _piece(part: str, position: int) -> Tuple[str, int]:
    """Return the expression for the piece of a pattern at a position, and the position after it."""
    character = part[position]
    if character == "*":
        return "[^/]*", position + 1
    if character == "?":
        return "[^/]", position + 1
    if character == "\\" and position + 1 < len(part):
        return re.escape(part[position + 1]), position + 2
    if character == "[":
        bracket = _bracket(part, position + 1)
        if bracket is not None:
            return bracket
    return re.escape(character), position + 1


def _bracket(part: str, position: int) -> Optional[Tuple[str, int]]:
    """Return the expression of a bracket whose content begins at a position; None where none ends it."""
    negated = part[position : position + 1] in ("!", "^")
    start = position + (1 if negated else 0)
    position, content = start, ""
    while position < len(part) and (part[position] != "]" or position == start):
        name = re.compile(r"\[:(\w+):\]").match(part, position)
        if name is not None and name.group(1) in _CLASSES:
            content, position = content + _CLASSES[name.group(1)], name.end()
            continue
        if part[position] == "\\" and position + 1 < len(part):
            position += 1
        low, high = part[position], part[position]
        if part[position + 1 : position + 2] == "-" and part[position + 2 : position + 3] not in ("", "]"):
            high, position = part[position + 2], position + 2
        # A range that runs backwards is empty.
        content += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
        position += 1
    if position >= len(part):
        return None
    if not content:
        return ("[^/]" if negated else r"(?!)"), position + 1
    return f"[{'^/' if negated else ''}{content}]", position + 1
