# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lines of sysctl.d files as each of the programs that read them takes them.

Pure. Sources: systemd src/sysctl/sysctl.c parse_file, src/basic/fileio.c read_line_full; procps 4.0 src/sysctl.c
parse_setting_line; procps 3.3 sysctl.c Preload. Verified with systemd 252, procps 4.0.2 and procps 3.3.17.
"""

from __future__ import annotations

import posixpath
import re
from enum import Enum
from functools import lru_cache
from typing import Callable, Dict, Iterator, Optional, Tuple

from .._model.sysctl_file import SysctlLine
from .._model.sysctl_key import is_pattern, key_of, with_slashes

_SYSTEMD_BLANKS = " \t\n\r"
_C_BLANKS = " \t\n\v\f\r"
# A line ends with a zero byte, or with one of each of the other two, in either order.
_SYSTEMD_LINE_END = re.compile(r"(?:\n\r?|\r\n?)\0?|\0")


class SysctlProgram(Enum):
    """The programs that set kernel parameters from files, each with rules of its own."""

    SYSTEMD = "systemd-sysctl"
    PROCPS_4 = "procps 4"
    PROCPS_3 = "procps 3"
    """3.3.17 and older: it knows no patterns."""


@lru_cache(maxsize=512)
def read_lines(program: SysctlProgram, path: str, text: str) -> Tuple[SysctlLine, ...]:
    """Return the lines that say something to that program. path: what they are to be called after."""
    parse = _PARSERS[program]
    split = _systemd_lines if program is SysctlProgram.SYSTEMD else _procps_lines
    found = (parse(path, number, line) for number, line in split(text))
    return tuple(line for line in found if line is not None)


def _systemd_lines(text: str) -> Iterator[Tuple[int, str]]:
    position = 0
    while position < len(text):
        end = _SYSTEMD_LINE_END.search(text, position)
        yield text.count("\n", 0, position) + 1, text[position : end.start() if end else len(text)]
        position = end.end() if end else len(text)


def _procps_lines(text: str) -> Iterator[Tuple[int, str]]:
    """Yield each line with its end; for a program in C it ends before a zero byte."""
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        whole = line if number == len(lines) else line + "\n"
        if len(whole) > 1:
            yield number, whole.partition("\0")[0]


def _systemd_line(path: str, number: int, text: str) -> Optional[SysctlLine]:
    text = text.strip(_SYSTEMD_BLANKS)
    if not text or text[0] in "#;":
        return None
    name, assigned, value = text.partition("=")
    ignore_failure = name.startswith("-")
    if not assigned and not ignore_failure:
        return None
    key = key_of((name[1:] if ignore_failure else name).strip(_SYSTEMD_BLANKS))
    written = value.strip(_SYSTEMD_BLANKS) if assigned else None
    return SysctlLine(path, number, name.strip(), key, key, written, is_pattern(key), ignore_failure) if key else None


def _procps_line(path: str, number: int, text: str) -> Optional[SysctlLine]:
    text = text.lstrip(_C_BLANKS)
    if len(text) < 2 or text[0] in "#;":
        return None
    name, assigned, value = text.partition("=")
    ignore_failure = name.startswith("-")
    if not assigned and not ignore_failure:
        return None
    written = value.strip(_C_BLANKS) if assigned else None
    return _procps_setting(path, number, name, written, ignore_failure)


def _old_procps_line(path: str, number: int, text: str) -> Optional[SysctlLine]:
    text = text.lstrip(_C_BLANKS)
    if len(text) < 2 or text[0] in "#;":
        return None
    name, _assigned, rest = text.lstrip("=").partition("=")
    value = re.split(r"[\r\n]", rest.lstrip("\r\n"), maxsplit=1)[0].strip(_C_BLANKS)
    line = _procps_setting(path, number, name, value, name.startswith("-")) if value else None
    return line if line is None or not line.pattern else None


def _procps_setting(
    path: str, number: int, name: str, value: Optional[str], ignore_failure: bool
) -> Optional[SysctlLine]:
    """Make the line of a name whose "-", if it has one, still stands before it.

    A blank after that is part of the key, and a slash at the end asks for a directory: neither ever exists. glob(3)
    finds files nevertheless where the last part of a pattern is none itself.
    """
    lookup = with_slashes((name[1:] if ignore_failure else name).rstrip(_C_BLANKS))
    if lookup.endswith("/") and is_pattern(lookup) and not is_pattern(posixpath.basename(lookup[:-1])):
        lookup = lookup[:-1]
    key = posixpath.normpath(f"/{lookup}").lstrip("/")
    if not key or lookup.endswith("/"):
        return None
    return SysctlLine(path, number, name.strip(), key, lookup, value, is_pattern(lookup), ignore_failure)


_PARSERS: Dict[SysctlProgram, Callable[[str, int, str], Optional[SysctlLine]]] = {
    SysctlProgram.SYSTEMD: _systemd_line,
    SysctlProgram.PROCPS_4: _procps_line,
    SysctlProgram.PROCPS_3: _old_procps_line,
}
