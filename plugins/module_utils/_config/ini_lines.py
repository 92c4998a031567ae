# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Sections with "key=value" lines, as systemd (systemd.syntax(7)) and GLib's key files have them, by their lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence

_SECTION = re.compile(r"\s*\[(?P<name>[^\]]*)\]\s*\Z")


@dataclass(frozen=True)
class IniLine:
    """An assignment. index: of its line, from 0. value: without blanks around it."""

    section: str
    key: str
    value: str
    index: int


def assignments(text: str, section: Optional[str] = None, key: Optional[str] = None) -> List[IniLine]:
    """Return the assignments of a text in order, those of a section and key where these are given.

    A line that ends with a backslash goes on in the next one, which is no assignment of its own; its value here ends
    with the line.
    """
    return [
        line
        for line in _lines(text)
        if (section is None or line.section == section) and (key is None or line.key == key)
    ]


def last_value(text: str, section: str, key: str) -> Optional[IniLine]:
    """Return the assignment that counts where the last one does; None where there is none."""
    found = assignments(text, section, key)
    return found[-1] if found else None


def set_value(text: str, sections: Sequence[str], key: str, value: str) -> str:
    """Return the text with a key set in a section: its line changes or is added, every other one stays.

    sections: names of the section; the first that is there counts, the first of all where none is.
    """
    lines = text.split("\n")
    found = [line for line in _lines(text) if line.section in sections and line.key == key]
    if found:
        index = found[-1].index
        head, equals, old = lines[index].partition("=")
        blanks = old[: len(old) - len(old.lstrip())]
        lines[index] = f"{head}{equals}{blanks}{value}{_ending(old)}"
        return "\n".join(lines)
    heads = [(index, _SECTION.match(line)) for index, line in enumerate(lines)]
    place = next((index for index, match in heads if match and match["name"] in sections), None)
    ending = "\r" if lines[0].endswith("\r") else ""
    if place is not None:
        lines.insert(place + 1, f"{key}={value}{ending}")
        # The last line without an end has one now; ours takes over what it lacked.
        return "\n".join(lines)
    while lines and not lines[-1].strip():
        lines.pop()
    gap = [ending] if lines else []
    return "\n".join([*lines, *gap, f"[{sections[0]}]{ending}", f"{key}={value}{ending}", ""])


def _lines(text: str) -> Iterator[IniLine]:
    section = ""
    goes_on = False
    for index, line in enumerate(text.split("\n")):
        bare = line.strip()
        comment = bare[:1] in ("", "#", ";")
        if goes_on and not comment:
            goes_on = bare.endswith("\\")
            continue
        if comment:
            continue
        match = _SECTION.match(line)
        if match:
            section = match["name"]
        elif "=" in bare:
            key, _equals, value = bare.partition("=")
            yield IniLine(section, key.strip(), value.strip(), index)
            goes_on = bare.endswith("\\")


def _ending(value: str) -> str:
    return "\r" if value.endswith("\r") else ""
