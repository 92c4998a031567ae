# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a profile means for the next boot: the one file of ours, and whether its lines have the last word. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .._config.sysctl_naming import winning_name
from .._config.sysctl_precedence import at_boot, by_system
from .._model.fact import Fact
from .._model.sysctl_file import SysctlFile, SysctlOutcome, SysctlTree
from .._model.sysctl_setting import Operator, Setting
from .._model.sysctl_value import SysctlValue, kernel_numbers

DIRECTORY = "/etc/sysctl.d"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}\Z")
HEADER = "# Written by netfit.cluster.sysctl_profile for the profile {name}: what is changed here is overwritten.\n"
ADVICE = "# To take it back, with the live values: sysctl_profile with state=absent, or netfit.cluster.rollback.\n"


@dataclass(frozen=True)
class FileStep(Fact):
    """A file to write or, with None as its text, to remove."""

    path: str
    before: Optional[str]
    after: Optional[str]


@dataclass(frozen=True)
class Shadowed(Fact):
    """A line of ours that has no say. program: for which that is so. by: file:line that has it, with its value."""

    key: str
    program: str
    by: str
    value: Optional[str]

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.key} is set to {self.value} by {self.by} ({self.program})"


@dataclass(frozen=True)
class FilePlan:
    """steps: at most a file that goes and one that comes. path: of the file afterwards.

    shadowed: what does not hold, though the profile is written all the same. faults: why nothing at all is done.
    """

    steps: Tuple[FileStep, ...]
    path: Optional[str] = None
    shadowed: Tuple[Shadowed, ...] = ()
    faults: Tuple[str, ...] = ()


def check_name(name: str) -> str:
    """Return the name of a profile if it can be one. Raises ValueError."""
    if not NAME.match(name):
        raise ValueError(f"name is {name!r}; it takes up to 41 lower case letters, digits, dashes and underscores")
    return name


def files_of(tree: SysctlTree, name: str) -> List[SysctlFile]:
    """Return the files that we have written for a profile: one, unless somebody has copied it."""
    first = HEADER.format(name=name)
    return [file for file in tree.files if file.path.startswith(DIRECTORY + "/") and file.text.startswith(first)]


def keys_in(file: SysctlFile) -> Dict[str, str]:
    """Return {key: value} of a file of ours."""
    pairs = (line.partition(" = ") for line in file.text.splitlines() if not line.startswith("#"))
    return {key: value for key, middle, value in pairs if middle}


def plan_removal(tree: SysctlTree, name: str) -> FilePlan:
    """Return how the file of a profile goes."""
    return FilePlan(tuple(FileStep(file.path, file.text, None) for file in files_of(tree, name)))


def plan_file(
    name: str, settings: Sequence[Setting], reached: Mapping[str, str], tree: SysctlTree, ensure: bool
) -> FilePlan:
    """Return what has to be written so that the next boot gives what was reached live, or better.

    reached: key -> live value once the profile is in force. ensure: take a name that wins where the usual one doesn't.
    """
    ours = files_of(tree, name)
    bare = tree
    for file in ours:
        bare = bare.without_file(file.path)
    kept = keys_in(ours[0]) if ours else {}
    wanted = [one for one in settings if one.operator is not Operator.ABSENT and one.key in reached]
    others = at_boot(bare, [one.key for one in wanted])
    values = {one.key: _value(one, reached[one.key], kept.get(one.key), others[one.key].value) for one in wanted}
    text = _text(name, wanted, values)
    if not values:
        return plan_removal(tree, name)
    path = ours[0].path if ours else f"{DIRECTORY}/90-netfit-{name}.conf"
    taken = bare.file(path)
    if taken is not None:
        return FilePlan((), faults=(f"{path} is there and not ours: choose another name, or move it away",))
    lost = _lost(bare, path, text, wanted)
    if ensure and lost:
        path = _winning_path(bare, name, values) or path
        lost = _lost(bare, path, text, wanted)
    at_next_boot = tuple(one.text for one in lost if one.program == "next boot")
    if at_next_boot:
        return FilePlan((), path, faults=at_next_boot)
    gone = [FileStep(file.path, file.text, None) for file in ours if file.path != path]
    now = ours[0].text if ours and ours[0].path == path else None
    come = [FileStep(path, now, text)] if text != now else []
    return FilePlan((*gone, *come), path, tuple(lost))


def _value(setting: Setting, reached: str, kept: Optional[str], others: Optional[str]) -> str:
    """Return what the file says: what it said before where that will do, and never less than other files give."""
    best = SysctlValue.parse(reached)
    if kept is not None and setting.satisfied_by(SysctlValue.parse(kept)):
        best = SysctlValue.parse(kept)
    if others is None or setting.operator is Operator.EXACT:
        return best.canonical
    try:
        other = _as_the_kernel_reads(others)
        return best.raised_to(other) if setting.operator is Operator.AT_LEAST else best.lowered_to(other)
    except ValueError:
        return best.canonical


def _text(name: str, wanted: Sequence[Setting], values: Mapping[str, str]) -> str:
    parts = [HEADER.format(name=name) + ADVICE]
    for setting in wanted:
        said = " ".join(part for part in (setting.reason, f"({setting.source})" if setting.source else "") if part)
        parts.append((f"# {said}\n" if said else "") + f"{setting.key} = {values[setting.key]}\n")
    return "\n".join(parts)


def _lost(bare: SysctlTree, path: str, text: str, wanted: Sequence[Setting]) -> List[Shadowed]:
    """Return the lines that win over ours and give less than what is wanted."""
    tree, keys = bare.with_file(path, text), [one.key for one in wanted]
    found = []
    for program, outcomes in (("next boot", at_boot(tree, keys)), ("sysctl --system", by_system(tree, keys))):
        for setting in wanted:
            outcome = outcomes[setting.key]
            if outcome.winner is None or outcome.winner.path == path or _good_enough(setting, outcome):
                continue
            found.append(Shadowed(setting.key, program, outcome.winner.place, outcome.value))
    return found


def _good_enough(setting: Setting, outcome: SysctlOutcome) -> bool:
    try:
        return outcome.value is not None and setting.satisfied_by(_as_the_kernel_reads(outcome.value))
    except ValueError:
        return False


def _as_the_kernel_reads(text: str) -> SysctlValue:
    """Return what a value in a file comes to: the kernel takes the numbers and stops at a comment behind them."""
    numbers = kernel_numbers(text)
    return SysctlValue.parse(list(numbers) if numbers else text)


def _winning_path(bare: SysctlTree, name: str, values: Mapping[str, str]) -> Optional[str]:
    found = winning_name(bare, DIRECTORY, f"netfit-{name}", values)
    return found.path or found.boot_path
