# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How systemd starts dockerd: the command in force, and the files whose variables it uses.

Source: systemd.unit(5), "Unit File Load Path"; systemd.exec(5), EnvironmentFile=; systemd.service(5), "Command Lines".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from .declarations import Declarations

_DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_UNIT = "docker.service"
_SUBJECT = "docker unit"
_COMMAND = re.compile(r"^ExecStart=((?:.*\\\n)*.*)", re.MULTILINE)
_FILE = re.compile(r"^EnvironmentFile=[ \t]*-?[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=")


@dataclass(frozen=True)
class DockerUnit:
    """The unit with its drop-ins. file, line: of the command in force. files: those of variables that it reads."""

    file: str
    line: int
    command: str
    files: Tuple[str, ...]

    def uses(self, file: str, text: str) -> bool:
        """Tell whether a line of a file, which assigns a variable, reaches the command."""
        name = _ASSIGNMENT.match(text)
        if name is None or file not in self.files:
            return False
        return re.search(rf"\$(?:{name.group(1)}\b|\{{{name.group(1)}\}})", self.command) is not None


def docker_unit(declarations: Declarations) -> Optional[DockerUnit]:
    """Return how systemd starts dockerd, None where it has no unit with a command for that."""
    command: Optional[Tuple[str, int, str]] = None
    files: List[str] = []
    for path, text in _texts(declarations):
        commands = list(_COMMAND.finditer(text))
        if commands and commands[-1].group(1).strip():
            command = path, text.count("\n", 0, commands[-1].start()) + 1, commands[-1].group(1)
        for match in _FILE.finditer(text):
            # An empty one takes back those before it.
            files = [*files, match.group(1).strip("\"'")] if match.group(1) else []
    return DockerUnit(*command, tuple(files)) if command else None


def _texts(declarations: Declarations) -> List[Tuple[str, str]]:
    """Return path and text of the unit and of its drop-ins, in the order in which they count."""
    paths = [f"{directory}/{_UNIT}" for directory in _DIRECTORIES]
    texts = ((path, declarations.text(path, _SUBJECT)) for path in paths)
    found = [(path, text) for path, text in texts if text is not None][:1]
    drop_ins: Dict[str, str] = {}
    for directory in reversed(_DIRECTORIES):
        names = declarations.names(f"{directory}/{_UNIT}.d", _SUBJECT)
        drop_ins.update({name: f"{directory}/{_UNIT}.d/{name}" for name in names if name.endswith(".conf")})
    for name in sorted(drop_ins):
        text = declarations.text(drop_ins[name], _SUBJECT)
        found += [(drop_ins[name], text)] if text is not None else []
    return found
