# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lists of strings in TOML files, over several lines and with comments: Python 3.8 has no TOML parser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Tuple

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"\\\n]*"|'[^'\n]*')"""
_NAMES = re.compile(rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*")
_PART = re.compile(_NAME)
_TABLE = re.compile(rf"\[\[?[ \t]*({_NAMES.pattern})[ \t]*\]\]?")
_LITERAL = re.compile(r"'([^'\n]*)'")
_BASIC = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_LONG = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\", "e": "\x1b"}
_APPEND = re.compile(r"\{\s*append\s*=\s*(true|false)\s*\}")


class TomlError(ValueError):
    """The text can't be understood. The message says what is wrong and in which line."""


@dataclass(frozen=True)
class TomlList:
    """A list of strings. line: 1-based, of its key. append: what an attribute in the list says about adding to the
    lists of the files before (containers.conf(5)), None where there is none."""

    values: Tuple[str, ...]
    line: int
    append: Optional[bool] = None


def toml_list(text: str, name: str) -> Optional[TomlList]:
    """Return the list of that full name ("crio.runtime.default_sysctls"), None where it isn't set.

    Raises TomlError where the text can't be understood up to there, or what is set is no list of strings.
    Source: toml.io, version 1.0.
    """
    scanner = _Scanner(text)
    table: Tuple[str, ...] = ()
    wanted = tuple(name.split("."))
    found: Optional[TomlList] = None
    while scanner.next_statement():
        header = scanner.table()
        if header is not None:
            table = header
            continue
        key, line = scanner.key()
        if table + key == wanted:
            found = scanner.list_of_strings(line)
        else:
            scanner.skip_value()
        scanner.end_of_statement()
    return found


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def next_statement(self) -> bool:
        """Go to the next table or key; False at the end."""
        self._blank()
        return self._at < len(self._text)

    def table(self) -> Optional[Tuple[str, ...]]:
        """Step over a table's header and return its name; None where there is none."""
        if not self._text.startswith("[", self._at):
            return None
        return _parts(self._take(_TABLE, "a table's name in brackets").group(1))

    def key(self) -> Tuple[Tuple[str, ...], int]:
        """Step over a key and its equals sign; return it and its line."""
        line = self._line()
        key = _parts(self._take(_NAMES, "a key").group())
        self._take(re.compile(r"[ \t]*=[ \t]*"), "'='")
        return key, line

    def list_of_strings(self, line: int) -> TomlList:
        """Step over a list and return it."""
        self._take(re.compile(r"\["), "a list in brackets")
        values: List[str] = []
        append: Optional[bool] = None
        while not self._skip("]"):
            attribute = _APPEND.match(self._text, self._at)
            if attribute:
                self._at = attribute.end()
                append = attribute.group(1) == "true"
            else:
                values.append(self._string())
            self._blank()
            if not self._skip(","):
                self._take(re.compile(r"(?=\])"), "',' or ']'")
        return TomlList(tuple(values), line, append)

    def skip_value(self) -> None:
        """Step over any value."""
        depth = 0
        while True:
            if self._skip_any("[{"):
                depth += 1
            elif depth and self._skip_any("]}"):
                depth -= 1
            elif not self._skip_any(",=" if depth else ""):
                self._scalar(bool(depth))
            if not depth:
                return
            self._blank()

    def end_of_statement(self) -> None:
        """Step to the end of the line, which may hold nothing but a comment."""
        self._take(re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?=\n|\Z)"), "the end of the line")

    def _scalar(self, inside: bool) -> None:
        for pattern in (_LONG, _BASIC, _LITERAL):
            match = pattern.match(self._text, self._at)
            if match:
                self._at = match.end()
                return
        plain = re.compile(r"[^,\]}=\[{\s#]+") if inside else re.compile(r"[^\n#]*[^\s#]")
        self._take(plain, "a value")

    def _string(self) -> str:
        if self._text.startswith(('"""', "'''"), self._at):
            raise self._error("a string of one line")
        literal = _LITERAL.match(self._text, self._at)
        if literal:
            self._at = literal.end()
            return literal.group(1)
        return _ESCAPE.sub(_unescape, self._take(_BASIC, "a string in quotes").group(1))

    def _skip(self, character: str) -> bool:
        self._blank()
        return self._skip_any(character)

    def _skip_any(self, characters: str) -> bool:
        if self._at < len(self._text) and self._text[self._at] in characters:
            self._at += 1
            return True
        return False

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _take(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise self._error(what)
        self._at = match.end()
        return match

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _error(self, what: str) -> TomlError:
        return TomlError(f"line {self._line()}: expected {what}")


def _parts(name: str) -> Tuple[str, ...]:
    return tuple(part.strip("\"'") if part[0] in "\"'" else part for part in _PART.findall(name))


def _unescape(match: re.Match[str]) -> str:
    number = match.group(1) or match.group(2)
    if number:
        return chr(int(number, 16)) if int(number, 16) < 0x110000 else "\ufffd"
    return _ESCAPED.get(match.group(3), match.group())
