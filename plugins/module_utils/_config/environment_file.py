# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One variable of a service's environment file, as systemd reads it (systemd.exec(5), EnvironmentFile=).

Or of a file that a shell reads: there a comment may follow the value, which to systemd is part of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional

_ASSIGNMENT = re.compile(
    r"(?P<head>[ \t]*(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*)(?P<value>.*?)(?P<tail>\s*)\Z", re.DOTALL
)
_SHELL_VALUE = re.compile(r"""(?P<value>"[^"]*"|'[^']*'|.*?)(?P<tail>(?:\s+|(?<=\s))#.*|\s*)\Z""", re.DOTALL)


class EnvironmentFileError(ValueError):
    """The file, or the variable, can't be understood. The message says what is wrong and in which line."""


@dataclass(frozen=True)
class Variable:
    """The assignment in force. index: of its line, from 0. quote: around the value, empty where there is none.

    tail: blanks behind the value, and the comment.
    """

    index: int
    head: str
    value: str
    quote: str
    tail: str


def read_variable(text: str, name: str, shell: bool = False) -> Optional[Variable]:
    """Return the last assignment of a variable, None where there is none. shell: the file is one that a shell reads.

    Raises EnvironmentFileError where a value goes on in the next line or has quotes within.
    """
    found: Optional[Variable] = None
    for index, line in enumerate(text.split("\n")):
        if line.lstrip()[:1] in ("", "#", ";"):
            continue
        if line.rstrip().endswith("\\"):
            raise EnvironmentFileError(f"line {index + 1}: it goes on in the next line")
        match = _ASSIGNMENT.match(line)
        if match and match["name"] == name:
            found = _variable(index, match, shell)
    return found


def set_variable(text: str, name: str, value: str, shell: bool = False) -> str:
    """Return the text with a variable set: its line changes, or a new one ends it. shell: see read_variable.

    Raises EnvironmentFileError.
    """
    found = read_variable(text, name, shell)
    lines = text.split("\n")
    if found is None:
        if lines[-1] != "":
            lines.append("")
        return "\n".join([*lines[:-1], f'{name}="{value}"', ""])
    quote = found.quote or ('"' if re.search(r"\s", value) and not re.search(r"\s", found.value) else "")
    lines[found.index] = f"{found.head}{quote}{value}{quote}{found.tail}"
    return "\n".join(lines)


def flag_values(arguments: str, flag: str) -> List[str]:
    """Return what a flag ("--name") is given in a command's arguments, as "--name=value" or "--name value".

    Raises EnvironmentFileError where there are quotes in it.
    """
    words = arguments.split()
    values = [word[len(flag) + 1 :] for word in words if word.startswith(f"{flag}=")]
    values += [after for word, after in zip(words, words[1:]) if word == flag]
    if any(quote in value for value in values for quote in "'\""):
        raise EnvironmentFileError(f"quotes in the value of {flag}")
    return values


def with_flag(arguments: str, flag: str, value: Optional[str]) -> str:
    """Return the arguments with a flag given once, where it first was, else at the end; None: without it."""
    words = arguments.split()
    result: List[str] = []
    skip = placed = False
    for word in words:
        if skip or word == flag or word.startswith(f"{flag}="):
            if not placed and value is not None:
                result.append(f"{flag}={value}")
            placed = True
            skip = not skip and word == flag
        else:
            result.append(word)
    if not placed and value is not None:
        result.append(f"{flag}={value}")
    return " ".join(result)


def _variable(index: int, match: re.Match[str], shell: bool) -> Variable:
    head, value, tail = match["head"], match["value"], match["tail"]
    inside = _SHELL_VALUE.match(match.string, match.start("value")) if shell else None
    if inside is not None:
        value, tail = inside["value"], inside["tail"]
        if not value:
            # The blanks before a comment aren't before a value.
            head, tail = head.rstrip(), head[len(head.rstrip()) :] + tail
    quote = value[0] if value[:1] in ("'", '"') else ""
    inner = value[1:-1] if quote and len(value) > 1 and value.endswith(quote) else value
    if any(character in inner for character in "'\"\\"):
        raise EnvironmentFileError(f"line {index + 1}: quotes or backslashes within the value of {match['name']}")
    return Variable(index, head, inner, quote, tail)
