# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The shape of every fact: frozen, and turned into plain JSON values in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Optional

_PLAIN = (str, int, float)
"""Most values are already what JSON knows; facts of a large host have a hundred thousand of them."""


def as_plain(value: Any) -> Any:
    """Turn facts, enums, tuples and mappings into what JSON knows.

    Other values (strings, numbers, None) are returned as they are.
    """
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, Fact):
        return value.as_fact()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [as_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    return value


class Fact:
    """Base of the frozen dataclasses that end up in ``ansible_facts``."""

    def as_fact(self) -> Dict[str, Any]:
        """Return the fields as a dict of plain values, in the order of declaration."""
        return {name: as_plain(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Source(Fact):
    """Where a declared value was read.

    file: absolute path on the target. line: 1-based, None where the format has no lines.
    key: the key in the words of the file, dotted for nested ones.
    """

    file: str
    line: Optional[int]
    key: str


@dataclass(frozen=True)
class Problem(Fact):
    """Something that could not be read: never a silent null.

    subject: what was to be read, in words ("network namespace", "docker daemon.json").
    reason: what went wrong and, where known, what a person can do about it.
    path: the file concerned, if any. namespace: inode of the network namespace concerned, if any.
    """

    subject: str
    reason: str
    path: Optional[str] = None
    namespace: Optional[int] = None
