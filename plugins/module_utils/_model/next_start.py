# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How servers are told to ask for a larger backlog when they start: a table, and who is who.

A backlog that was raised from outside lasts as long as the socket. What the program asks for when it opens the next one
is its own matter, and a matter of net.core.somaxconn at that moment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Optional, Tuple

from .servers import SERVERS, Server


@dataclass(frozen=True)
class Program:
    """What tells which server a process is.

    names: of the process and of its executable, without directories. command_line: its arguments, joined by blanks.
    parts: names of what it has loaded (the jars of a JVM), joined by blanks. is_go: linked by the toolchain of Go.
    """

    names: Tuple[str, ...]
    command_line: str = ""
    parts: str = ""
    is_go: bool = False


def recognise(program: Program) -> Optional[Server]:
    """Return the server that a program is, the first that fits; None for one that nobody has described."""
    return next((server for server in SERVERS if _fits(server, program)), None)


def next_start(program: Optional[Program], backlog: int) -> str:
    """Say what has to be set so that the program asks for a backlog when it starts the next time."""
    server = recognise(program) if program is not None else None
    cap = f"Before it starts, net.core.somaxconn of its network namespace has to be {backlog} or more."
    if server is None:
        return f"its own setting for the backlog that it passes to listen() has to ask for {backlog}. {cap}"
    example = f', as in "{server.example.replace("BACKLOG", str(backlog))}"' if server.example else ""
    return f"{server.name} asks for {server.default} unless configured otherwise: {server.setting}{example}. {cap}"


def _fits(server: Server, program: Program) -> bool:
    if server.runtime and not _named(server.runtime, program):
        return False
    if server.is_go and program.is_go:
        return True
    if _named(server.programs, program):
        return True
    return bool(server.signs) and re.search(server.signs, f"{program.command_line} {program.parts}") is not None


def _named(patterns: Tuple[str, ...], program: Program) -> bool:
    return any(fnmatchcase(name, pattern) for name in program.names for pattern in patterns)
