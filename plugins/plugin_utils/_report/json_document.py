# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.json as text that people can read, too.

Python's own encoder indents in pure Python, one small text for each value through as many generators as there are
levels: on the report of a thousand hosts it took twice the memory of the report itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, Callable, Dict, List, Optional

Document = Mapping[str, Any]

INDENT = "  "


def render(document: Document, before: Optional[Document] = None) -> str:
    """Return the same text as json.dumps with indent=2 and sort_keys=True, and the end of a line."""
    return _text(document, "\n") + os.linesep


def _text(value: Any, newline: str) -> str:
    """Return a value as text. newline: what begins a line at its level."""
    encode = ENCODERS.get(value.__class__)
    if encode is not None:
        return encode(value)
    if isinstance(value, Mapping):
        return _object(value, newline)
    if isinstance(value, (list, tuple)):
        inner = newline + INDENT
        return _enclosed("[", [_text(entry, inner) for entry in value], "]", newline)
    return json.dumps(value)


def _object(value: Document, newline: str) -> str:
    inner = newline + INDENT
    members = []
    for name in sorted(value):
        entry = value[name]
        encode = ENCODERS.get(entry.__class__)
        text = _text(entry, inner) if encode is None else encode(entry)
        members.append(f"{encode_basestring_ascii(name)}: {text}")
    return _enclosed("{", members, "}", newline)


def _enclosed(begin: str, entries: List[str], end: str, newline: str) -> str:
    if not entries:
        return begin + end
    inner = newline + INDENT
    return f"{begin}{inner}{f',{inner}'.join(entries)}{newline}{end}"


ENCODERS: Dict[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    int: str,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
}
"""By exact class: what most values are. The others take the long way."""
