# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A name for a file of ours, so that its lines win."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from .._model.fact import Fact
from .._model.sysctl_file import SYSCTL_CONF, Outcomes, SysctlLine, SysctlTree
from .sysctl_precedence import at_boot, by_system

_MOST_TRIED = 12


@dataclass(frozen=True)
class WinningName(Fact):
    """Where to write.

    path: a free name that wins for all keys, at boot and by ``sysctl --system``; None where there is none.
    boot_path: a free name that wins at boot at least. in_the_way: the lines that keep the last name tried from winning.
    """

    path: Optional[str]
    boot_path: Optional[str]
    in_the_way: Tuple[SysctlLine, ...] = ()

    @property
    def reason(self) -> Optional[str]:
        """Why there is no path, for a person; None where there is one."""
        if self.path is not None:
            return None
        lines = ", ".join(f"{line.place} ({_as_written(line)})" for line in self.in_the_way)
        if all(line.path == SYSCTL_CONF for line in self.in_the_way):
            return f'"sysctl --system" reads {SYSCTL_CONF} after all others, so no name wins against {lines}'
        return f"no name wins against {lines}"


def winning_name(
    tree: SysctlTree, directory: str, stem: str, keys: Iterable[str], procps_version: int = 4
) -> WinningName:
    """Return the next free name that wins: 90-STEM.conf, 99-STEM.conf, zz-STEM.conf, zzz-STEM.conf ...

    tree: without the file of ours that is to be replaced (``tree.without_file``). directory: one of the tree's.
    keys: what the file will set, in either spelling; of a mapping from key to value a foreign line with the same value
    is not in the way. A name is free where no directory has it.
    """
    values: Dict[str, Optional[str]] = dict(keys) if isinstance(keys, Mapping) else dict.fromkeys(keys)
    boot_path: Optional[str] = None
    in_the_way: List[SysctlLine] = []
    for path in _free_paths(tree, directory, stem):
        text = "".join(f"{key} = {value or 0}\n" for key, value in values.items())
        trial = tree.with_file(path, text)
        first = _losses(at_boot(trial, values), path, values)
        second = _losses(by_system(trial, values, procps_version), path, values)
        if not first and boot_path is None:
            boot_path = path
        if not first and not second:
            return WinningName(path, boot_path)
        in_the_way = first + [line for line in second if line not in first]
    return WinningName(None, boot_path, tuple(in_the_way))


def _as_written(line: SysctlLine) -> str:
    return line.name if line.value is None else f"{line.name} = {line.value}"


def _free_paths(tree: SysctlTree, directory: str, stem: str) -> Iterator[str]:
    taken = set(tree.names)
    prefixes = ["90", "99", *("z" * number for number in range(2, _MOST_TRIED))]
    for prefix in prefixes:
        name = f"{prefix}-{stem}.conf"
        if name not in taken:
            yield f"{directory}/{name}"


def _losses(outcomes: Outcomes, path: str, values: Mapping[str, Optional[str]]) -> List[SysctlLine]:
    """Return the lines that win in our stead. A line of ours that another one takes the value from is lost as well."""
    return [
        outcome.winner
        for key, outcome in outcomes.items()
        if outcome.winner is not None and outcome.winner.path != path and not _same(outcome.value, values[key])
    ]


def _same(value: Optional[str], wanted: Optional[str]) -> bool:
    return value is not None and wanted is not None and value.split() == str(wanted).split()
