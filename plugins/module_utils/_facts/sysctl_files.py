# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What files make of the host's kernel parameters: at the next boot, by "sysctl --system", and what comes later."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable, Collection, Dict, List, Mapping, Optional, Sequence, Tuple

from .._config.reading import UnreadableFile, exists, list_directory
from .._config.sysctl_lines import SysctlProgram
from .._config.sysctl_precedence import files_in_order, mentioned_keys, outcomes
from .._config.sysctl_tree import read_sysctl_tree
from .._config.sysctl_writers import read_writers, writers_of
from .._model.fact import Problem, Source, as_plain
from .._model.sysctl import SysctlReading
from .._model.sysctl_effect import Listing, effect_of
from .._model.sysctl_file import SysctlOutcome, SysctlTree, SysctlWriter
from .._model.sysctl_key import dotted, key_of
from .._model.sysctl_value import kernel_numbers

SYSTEMD_SYSCTL = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
_OLD_LIBRARIES = tuple(f"libprocps.so.{number}" for number in range(3, 9))

Reader = Callable[[Sequence[str]], Mapping[str, SysctlReading]]
"""Reads keys in the host's network namespace."""


@dataclass(frozen=True)
class Readers:
    """The programs of this host that set parameters from files; None where it lacks one."""

    next_boot: Optional[SysctlProgram]
    system: Optional[SysctlProgram]


def files_fact(
    root: str, asked: Sequence[str], running: Collection[str], read: Reader
) -> Tuple[Dict[str, Any], List[Problem]]:
    """Return the part ``files`` of the fact netfit_sysctl, and what could not be read.

    asked: keys in either spelling; those below net/ that files name are added. running: names of processes.
    Patterns count for the keys that are asked for or named: what they match beyond those is not listed.
    """
    tree = read_sysctl_tree(root)
    readers = find_readers(root)
    keys = _keys(tree, readers, asked)
    writers, problems = read_writers(root, running)
    live = read(list(keys))
    accepts = _accepted_where_live({path: live.get(name) for name, path in keys.items()})
    found = {
        name: outcomes(tree, program, keys, accepts) if program is not None else {}
        for name, program in vars(readers).items()
    }
    listing = directory_listing(root)
    kernel = os.uname().release
    entries = {}
    for key, path in keys.items():
        each = {name: by_key.get(key) for name, by_key in found.items()}
        entries[key] = {
            "live": live[key].value if key in live else None,
            **{name: _decided(outcome) for name, outcome in each.items()},
            "shadowed": [line for name, outcome in each.items() if outcome for line in _shadowed(name, outcome)],
            "writers": [_writer(one) for one in writers_of(writers, path)],
            "effect": effect_of(path, key in live, kernel, listing).as_fact(),
        }
    fact = {"programs": as_plain(vars(readers)), "conf_at_boot": conf_at_boot(tree), "parameters": entries}
    return fact, [*tree.problems, *problems]


def conf_at_boot(tree: SysctlTree) -> Optional[bool]:
    """Tell whether systemd-sysctl reads /etc/sysctl.conf, which it does by a link in sysctl.d; None without the file.

    Debian 13 has neither the link nor the file: one that somebody writes is read by "sysctl --system" only.
    """
    if tree.conf is None:
        return None
    in_force = files_in_order(tree, SysctlProgram.SYSTEMD).in_force
    return any(file.target in (tree.conf.path, tree.conf.target or tree.conf.path) for file in in_force)


def find_readers(root: str) -> Readers:
    """Find the programs by their files: procps 3 is told by its library, which procps 4 has no more."""
    system = None
    if any(exists(root, f"{directory}/sysctl") for directory in ("/usr/sbin", "/sbin", "/usr/bin", "/bin")):
        by_machine = f"/usr/lib/{os.uname().machine}-linux-gnu"
        libraries = (by_machine, by_machine.replace("/usr", "", 1), "/usr/lib64", "/usr/lib")
        old = any(exists(root, f"{directory}/{name}") for directory in libraries for name in _OLD_LIBRARIES)
        system = SysctlProgram.PROCPS_3 if old else SysctlProgram.PROCPS_4
    at_boot = any(exists(root, path) for path in SYSTEMD_SYSCTL)
    return Readers(SysctlProgram.SYSTEMD if at_boot else None, system)


def directory_listing(root: str) -> Listing:
    """Return the function that lists a directory below /proc/sys, once each; empty where it can't be read."""

    @lru_cache(maxsize=None)
    def listing(directory: str) -> List[str]:
        try:
            return list_directory(root, f"/proc/sys/{directory}")
        except UnreadableFile:
            return []

    return listing


def _keys(tree: SysctlTree, readers: Readers, asked: Sequence[str]) -> Dict[str, str]:
    """Return the keys to tell about, each with its path; none twice, whatever its spelling."""
    paths = {key_of(key): key for key in asked}
    for program in (readers.next_boot, readers.system):
        for path in mentioned_keys(tree, program) if program is not None else ():
            if path.startswith("net/") and ".." not in path.split("/"):
                paths.setdefault(path, dotted(path))
    return {key: path for path, key in paths.items()}


def _accepted_where_live(live: Mapping[str, Optional[SysctlReading]]) -> Callable[[str, str], bool]:
    """A parameter that shows numbers takes numbers; of others only the empty value is known to be refused."""

    def accepts(path: str, value: str) -> bool:
        reading = live.get(path)
        numeric = reading is not None and bool(kernel_numbers(reading.value or ""))
        return bool(kernel_numbers(value)) if numeric else bool(value)

    return accepts


def _decided(outcome: Optional[SysctlOutcome]) -> Dict[str, Any]:
    line = outcome.winner if outcome is not None else None
    source = Source(line.path, line.line, line.name).as_fact() if line is not None else None
    return {"value": outcome.value if outcome is not None else None, "source": source}


def _shadowed(program: str, outcome: SysctlOutcome) -> List[Dict[str, Any]]:
    return [
        {
            "program": program,
            "value": " ".join((one.line.value or "").split()),
            "source": Source(one.line.path, one.line.line, one.line.name).as_fact(),
            "reason": one.reason.value,
            "by": one.by,
        }
        for one in outcome.shadowed
    ]


def _writer(writer: SysctlWriter) -> Dict[str, Any]:
    return {"program": writer.program, "value": writer.value, "reason": writer.reason, "source": writer.source}
