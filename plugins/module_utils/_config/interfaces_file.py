# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""/etc/network/interfaces and what it sources, by their lines: interfaces(5)."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import List, Optional, Set, Tuple

from .drop_ins import Blocked
from .planned_files import PlannedFiles
from .reading import UnreadableFile

_BEGINS = ("iface", "auto", "mapping", "source", "source-directory", "rename", "template", "no-auto-down", "no-scripts")
_DIRECTORY_NAME = re.compile(r"[a-zA-Z0-9_-]+\Z")
_MOST = 200


@dataclass(frozen=True)
class Option:
    """A line of a stanza. index: of its line, from 0; lines: how many lines of the file it goes on for."""

    file: str
    index: int
    name: str
    value: str
    lines: int = 1


@dataclass(frozen=True)
class Stanza:
    """An iface stanza. name: of the interface. family: inet, inet6 ... empty for a template. end: after its options."""

    file: str
    index: int
    name: str
    family: str
    method: str
    options: Tuple[Option, ...]
    end: int


def read_stanzas(files: PlannedFiles, path: str) -> List[Stanza]:
    """Return the iface stanzas of a file and of those that it sources, in order. Raises UnreadableFile, Blocked."""
    found: List[Stanza] = []
    _read(files, path, found, set())
    return found


def with_value(text: str, option: Option, value: str) -> str:
    """Return the text with another value of an option that is on one line."""
    if option.lines > 1:
        raise Blocked(f"{option.file}:{option.index + 1}: it goes on in the next line: write it on one")
    lines = text.split("\n")
    line = lines[option.index]
    start = line.index(option.name) + len(option.name)
    start = line.index(option.value, start)
    lines[option.index] = line[:start] + value + line[start + len(option.value) :]
    return "\n".join(lines)


def with_line_after(text: str, stanza: Stanza, line: str) -> str:
    """Return the text with a line added to a stanza, indented as its others are."""
    lines = text.split("\n")
    example = lines[stanza.options[-1].index] if stanza.options else "    "
    blanks = example[: len(example) - len(example.lstrip())] if stanza.options else example
    rest = lines[stanza.end :] if stanza.end < len(lines) else [""]
    return "\n".join([*lines[: stanza.end], f"{blanks}{line}", *rest])


def _read(files: PlannedFiles, path: str, found: List[Stanza], seen: Set[str]) -> None:
    if path in seen or len(seen) > _MOST:
        return
    seen.add(path)
    text = files.text(path)
    if text is None:
        return
    head: Optional[Tuple[int, List[str]]] = None
    options: List[Option] = []

    def close() -> None:
        if head is None:
            return
        number, words = head
        last = options[-1].index + options[-1].lines if options else number + 1
        family, method = (words[2], words[3]) if len(words) > 3 and words[2] != "inherits" else ("", "")
        found.append(Stanza(path, number, words[1], family, method, tuple(options), last))

    for number, line, count in _logical(text):
        words = line.split()
        if words[0] in _BEGINS or words[0].startswith(("allow-", "no-auto")):
            close()
            head, options = ((number, words), []) if words[0] == "iface" and len(words) > 1 else (None, [])
            for other in _sourced(files, path, words):
                _read(files, other, found, seen)
        elif head is not None:
            options.append(Option(path, number, words[0], line[len(words[0]) :].strip(), count))
    close()


def _logical(text: str) -> List[Tuple[int, str, int]]:
    """Return index, content and number of lines of what is no comment; lines that end with a backslash go on."""
    result: List[Tuple[int, str, int]] = []
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        count, line = 1, lines[index].strip()
        if line and not line.startswith("#"):
            while line.endswith("\\") and index + count < len(lines):
                line = f"{line[:-1].rstrip()} {lines[index + count].strip()}"
                count += 1
            if line.strip():
                result.append((index, line, count))
        index += count
    return result


def _sourced(files: PlannedFiles, path: str, words: List[str]) -> List[str]:
    """Return the paths that a source or source-directory line names, in the order in which they are read."""
    if len(words) < 2 or words[0] not in ("source", "source-directory"):
        return []
    found: List[str] = []
    for word in words[1:]:
        if any(character in word for character in "$`~{"):
            raise UnreadableFile(path, f"'{words[0]} {word}' is beyond what is read here: name the files")
        pattern = word if word.startswith("/") else f"{path.rpartition('/')[0]}/{word}"
        if words[0] == "source-directory":
            names = [name for name in files.names(pattern) if _DIRECTORY_NAME.match(name)]
            found += [f"{pattern}/{name}" for name in names]
        else:
            directory, _slash, name = pattern.rpartition("/")
            found += [f"{directory}/{one}" for one in files.names(directory) if _matches(one, name)]
    return found


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) and (not name.startswith(".") or pattern.startswith("."))
