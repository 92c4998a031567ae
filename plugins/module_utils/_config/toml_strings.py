# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The string settings of TOML files, without a TOML parser: Python 3.8 has none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional

_TABLE = re.compile(r"\s*\[\[?\s*([^\]#]+?)\s*\]")
_STRING = re.compile(r"""\s*"?([A-Za-z0-9_-]+)"?\s*=\s*(?:"([^"\\]*)"|'([^']*)')\s*(?:#.*)?\Z""")


@dataclass(frozen=True)
class TomlString:
    """One ``key = "value"`` line. table: name of the table that it is in, empty at the top. line: 1-based."""

    table: str
    key: str
    value: str
    line: int


def toml_strings(text: str) -> List[TomlString]:
    """Return the strings that stand on one line with their key, in the order of the text.

    Everything else (numbers, arrays, strings of several lines or with escapes) is passed over: the settings looked
    for are paths and words. Source: toml.io, version 1.0.
    """
    found: List[TomlString] = []
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        header = _TABLE.match(line)
        if header:
            table = header.group(1)
            continue
        setting = _STRING.match(line.rstrip("\r"))
        if setting:
            value = setting.group(2) if setting.group(2) is not None else setting.group(3)
            found.append(TomlString(table, setting.group(1), value, number))
    return found


def toml_string(text: str, table: str, key: str) -> Optional[str]:
    """Return the value of one key of one table, None where it isn't set or is empty."""
    values = [found.value for found in toml_strings(text) if (found.table, found.key) == (table, key)]
    return (values[-1] or None) if values else None
