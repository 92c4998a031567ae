# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What files say about kernel parameters, and what comes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import Enum
from typing import Dict, List, Optional, Tuple

from .fact import Fact, Problem

SYSCTL_CONF = "/etc/sysctl.conf"


@dataclass(frozen=True)
class SysctlLine(Fact):
    """One line that sets a parameter, or keeps patterns from setting it.

    path: of its file; line: 1-based, counted as an editor does. name: as written. key: the path below /proc/sys that
    it stands for, or a pattern of such paths. lookup: the same as the reading program compares it, for which
    "net//core" and "net/core" may be two things. value: as written, None for an exclusion ("-key" without "=").
    pattern: whether the key is one. ignore_failure: whether "-" stands before it.
    """

    path: str
    line: int
    name: str
    key: str
    lookup: str
    value: Optional[str]
    pattern: bool
    ignore_failure: bool

    @property
    def place(self) -> str:
        """Return "/etc/sysctl.d/90-web.conf:3"."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class SysctlFile(Fact):
    """A file in a directory of the search path, whether it is in force or not.

    text: the content, empty where nothing is read from it. target: where it leads, for a symbolic link.
    masks: it is a link to /dev/null, which is how an administrator switches files of that name off.
    """

    path: str
    text: str
    target: Optional[str] = None
    masks: bool = False

    @property
    def name(self) -> str:
        """The file's name without its directory."""
        return os.path.basename(self.path)

    @property
    def order(self) -> bytes:
        """What files are sorted by: the bytes of the name."""
        return os.fsencode(self.name)


@dataclass(frozen=True)
class SysctlTree:
    """All files that can set kernel parameters, read once.

    directories: in order of precedence. files: those of the directories, in that order and by name.
    conf: /etc/sysctl.conf, None where there is none. problems: what could not be read.
    """

    directories: Tuple[str, ...]
    files: Tuple[SysctlFile, ...]
    conf: Optional[SysctlFile] = None
    problems: Tuple[Problem, ...] = ()

    @property
    def names(self) -> List[str]:
        """The names that are taken, in any directory."""
        return [file.name for file in self.files]

    def file(self, path: str) -> Optional[SysctlFile]:
        """Return the file of that path, None where there is none."""
        return next((file for file in self._all() if file.path == path), None)

    def with_file(self, path: str, text: str) -> SysctlTree:
        """Return the tree as it would be with that text in that file, new or not; links to it show it as well.

        Raises ValueError for a path that none of the programs reads.
        """
        if path == SYSCTL_CONF:
            return replace(self.without_file(path)._through_links(path, text), conf=SysctlFile(path, text))
        if os.path.dirname(path) not in self.directories or not path.endswith(".conf"):
            allowed = ", ".join(self.directories)
            raise ValueError(f"{path}: kernel parameters are read from files that end in .conf in {allowed}")
        files = [file for file in self.files if file.path != path] + [SysctlFile(path, text)]
        rank = {directory: number for number, directory in enumerate(self.directories)}
        files.sort(key=lambda file: (rank[os.path.dirname(file.path)], file.order))
        return replace(self, files=tuple(files))._through_links(path, text)

    def without_file(self, path: str) -> SysctlTree:
        """Return the tree as it would be without that file; what is linked to it is empty then."""
        kept = tuple(file for file in self.files if file.path != path)
        conf = None if self.conf is not None and self.conf.path == path else self.conf
        return replace(self, files=kept, conf=conf)._through_links(path, "")

    def _through_links(self, path: str, text: str) -> SysctlTree:
        linked = tuple(replace(file, text=text) if file.target == path else file for file in self.files)
        return replace(self, files=linked)

    def _all(self) -> List[SysctlFile]:
        return [*self.files, *([self.conf] if self.conf is not None else [])]


class Shadowing(Enum):
    """Why a line has no say."""

    LATER_LINE = "later_line"
    EXPLICIT_KEY = "explicit_key"
    """The line is a pattern, and another one names the key itself."""
    EXCLUSION = "exclusion"
    HIDDEN_FILE = "hidden_file"
    """A file of the same name in a directory of higher precedence takes the place of the whole file."""


@dataclass(frozen=True)
class ShadowedLine(Fact):
    """A line without a say. by: file:line of what has it instead, or the path of the file that hides this one's."""

    line: SysctlLine
    reason: Shadowing
    by: str


@dataclass(frozen=True)
class SysctlOutcome(Fact):
    """What one program makes of all files for one key.

    key: the path below /proc/sys. winner: the line that decides, None where none speaks of the key; an exclusion that
    keeps patterns from setting it is a winner without a value. shadowed: all other lines about the key.
    """

    key: str
    winner: Optional[SysctlLine]
    shadowed: Tuple[ShadowedLine, ...] = ()

    @property
    def value(self) -> Optional[str]:
        """What is written, blanks folded as the kernel shows them; None where nothing is."""
        if self.winner is None or self.winner.value is None:
            return None
        return " ".join(self.winner.value.split())

    @property
    def place(self) -> Optional[str]:
        """The winner as file:line."""
        return self.winner.place if self.winner is not None else None


Outcomes = Dict[str, SysctlOutcome]


@dataclass(frozen=True)
class SysctlWriter(Fact):
    """A program that sets a parameter after the files were read: evidence, never a winner.

    program: tuned, dockerd, kube-proxy ... key: with slashes, or a pattern. value: what it writes, where known.
    reason: when and why, in words. source: file:line or path from which that is known; None for a running process.
    """

    program: str
    key: str
    value: Optional[str]
    reason: str
    source: Optional[str] = None
