# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which line wins: the value of a kernel parameter after the next boot, and after "sysctl --system".

Pure functions of the files. Sources: systemd src/sysctl/sysctl.c apply_all; procps 4.0 src/sysctl.c write_setting_list;
held against systemd 252, procps 4.0.2 and procps 3.3.17 by tests/kernel/test_sysctl_precedence.py.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from .._model.sysctl_file import (
    Outcomes,
    ShadowedLine,
    Shadowing,
    SysctlFile,
    SysctlLine,
    SysctlOutcome,
    SysctlTree,
)
from .._model.sysctl_key import is_pattern, key_of, matches
from .sysctl_lines import SysctlProgram, read_lines

Accepts = Callable[[str, str], bool]


class FilesInOrder(NamedTuple):
    """in_force: in the order in which they are read. hidden: each with the file that takes its place."""

    in_force: Tuple[SysctlFile, ...]
    hidden: Tuple[Tuple[SysctlFile, SysctlFile], ...]


def accepts_what_is_not_empty(_key: str, value: str) -> bool:
    """What is known of every parameter: the kernel takes no empty value."""
    return bool(value)


def at_boot(tree: SysctlTree, keys: Iterable[str]) -> Outcomes:
    """Return what systemd-sysctl sets at boot, by key as it was given, in either spelling.

    A pattern is taken to match every key that is asked for: that the key exists is the caller's to know.
    """
    return outcomes(tree, SysctlProgram.SYSTEMD, keys)


def by_system(
    tree: SysctlTree, keys: Iterable[str], version: int = 4, accepts: Accepts = accepts_what_is_not_empty
) -> Outcomes:
    """Return what ``sysctl --system`` sets, by key as it was given. version: the major one of procps, 3 or 4."""
    return outcomes(tree, procps(version), keys, accepts)


def procps(version: int) -> SysctlProgram:
    """Return the rules of a major version of procps."""
    return SysctlProgram.PROCPS_4 if version >= 4 else SysctlProgram.PROCPS_3


def outcomes(
    tree: SysctlTree, program: SysctlProgram, keys: Iterable[str], accepts: Accepts = accepts_what_is_not_empty
) -> Outcomes:
    """Return what a program makes of the files, by key as it was given.

    accepts: tells whether the kernel takes a value for a key (with slashes), where the caller knows more. procps writes
    line after line, so that a value which the kernel refuses leaves the one before it in place.
    """
    return {key: _outcome(_said(tree, program), program, key_of(key), accepts) for key in keys}


def mentioned_keys(tree: SysctlTree, program: SysctlProgram) -> List[str]:
    """Return the keys (with slashes) that files in force name; patterns and exclusions are left out."""
    lines = _said(tree, program).lines
    return list(dict.fromkeys(line.key for line in lines if line.value is not None and not line.pattern))


def files_in_order(tree: SysctlTree, program: SysctlProgram) -> FilesInOrder:
    """Return the files that a program reads, and those that it does not for another one of the same name."""
    first: Dict[str, SysctlFile] = {}
    hidden: List[Tuple[SysctlFile, SysctlFile]] = []
    for file in tree.files:
        # systemd passes over names that begin with a dot, procps does not.
        if program is SysctlProgram.SYSTEMD and file.name.startswith("."):
            continue
        if file.name in first:
            hidden.append((file, first[file.name]))
        else:
            first[file.name] = file
    in_force = sorted(first.values(), key=lambda file: file.order)
    if program is not SysctlProgram.SYSTEMD and tree.conf is not None:
        in_force.append(tree.conf)
    return FilesInOrder(tuple(in_force), tuple(hidden))


class _Said(NamedTuple):
    """All that the files say to one program: lines in force, and those of hidden files with the path that hides."""

    lines: Tuple[SysctlLine, ...]
    hidden: Tuple[Tuple[SysctlLine, str], ...]
    table: Dict[str, SysctlLine]


@lru_cache(maxsize=64)
def _said(tree: SysctlTree, program: SysctlProgram) -> _Said:
    files = files_in_order(tree, program)
    lines = tuple(line for file in files.in_force for line in read_lines(program, file.path, file.text))
    hidden = tuple(
        (line, other.path) for file, other in files.hidden for line in read_lines(program, file.path, file.text)
    )
    return _Said(lines, hidden, _systemd_table(lines))


def _systemd_table(lines: Sequence[SysctlLine]) -> Dict[str, SysctlLine]:
    """Return the last line of each key, in the order in which systemd-sysctl applies them.

    A line that repeats the value keeps the place of the one before it; with another value it goes to the end.
    """
    table: Dict[str, SysctlLine] = {}
    for line in lines:
        before = table.get(line.lookup)
        if before is not None and before.value != line.value:
            del table[line.lookup]
        table[line.lookup] = line
    return table


def _outcome(said: _Said, program: SysctlProgram, key: str, accepts: Accepts) -> SysctlOutcome:
    systemd = program is SysctlProgram.SYSTEMD
    winner = _systemd_winner(said, key, accepts) if systemd else _procps_winner(said.lines, key, accepts)
    shadowed = [
        ShadowedLine(line, _reason(line, winner), winner.place)
        for line in said.lines
        if winner is not None and line is not winner and line.value is not None and _speaks_of(line, key)
    ]
    shadowed += [
        ShadowedLine(line, Shadowing.HIDDEN_FILE, path)
        for line, path in said.hidden
        if line.value is not None and _speaks_of(line, key)
    ]
    return SysctlOutcome(key, winner, tuple(shadowed))


def _speaks_of(line: SysctlLine, key: str) -> bool:
    return matches(line.key, key) if line.pattern else line.key == key


def _reason(line: SysctlLine, winner: SysctlLine) -> Shadowing:
    if winner.value is None:
        return Shadowing.EXCLUSION
    return Shadowing.EXPLICIT_KEY if line.pattern and not winner.pattern else Shadowing.LATER_LINE


def _systemd_winner(said: _Said, key: str, accepts: Accepts) -> Optional[SysctlLine]:
    """A line that names the key counts alone, also one without a value; else each pattern is written in its turn."""
    named = said.table.get(key)
    if named is not None and not is_pattern(key):
        return named if named.value is not None or _would_be_set(said.lines, key) else None
    patterns = [line for line in said.table.values() if line.pattern and line.value is not None]
    return _last_accepted([line for line in patterns if matches(line.key, key)], key, accepts)


def _procps_winner(lines: Sequence[SysctlLine], key: str, accepts: Accepts) -> Optional[SysctlLine]:
    """Each line is written in its turn. A line that names the key, before or after, keeps all patterns away from it."""
    named = [line for line in lines if not line.pattern and line.key == key]
    names = {line.lookup for line in named}
    about = [line for line in lines if line.value is not None and _speaks_of(line, key)]
    written = [line for line in about if not (line.pattern and _found_as(line, key) in names)]
    if not written:
        return named[-1] if named and about else None
    return _last_accepted(written, key, accepts)


def _found_as(pattern: SysctlLine, key: str) -> str:
    """Return the path under which glob(3) finds a key: where the pattern repeats slashes, so does what it finds.

    Such a path is compared with those of other lines as text.
    """
    parts = iter(key.split("/"))
    return "/".join(next(parts, "") if part else "" for part in pattern.lookup.split("/"))


def _last_accepted(written: Sequence[SysctlLine], key: str, accepts: Accepts) -> Optional[SysctlLine]:
    """Return the last line whose value the kernel takes, or the last one where it takes none of them."""
    last = written[-1] if written else None
    return next((line for line in reversed(written) if accepts(key, line.value or "")), last)


def _would_be_set(lines: Sequence[SysctlLine], key: str) -> bool:
    return any(line.value is not None and _speaks_of(line, key) for line in lines)
