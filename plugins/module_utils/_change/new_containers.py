# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The sysctls of new containers: from what is asked for to a plan for each runtime, and from that to files."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._config.container_runtimes import find_runtimes, plan_runtimes
from .._config.drop_ins import dotted
from .._config.reading import under
from .._facts.key_scopes import scopes_for_containers
from .._kernel.sysctls import key_path
from .._model.container_sysctl import Runtime, RuntimePlan, Wanted
from .._model.file_change import FileText
from .._model.sysctl_scope import KeyScope
from .._model.sysctl_value import SysctlValue
from .file_resource import FileResource, file_target
from .journal import Change
from .resource import ChangeError
from .session import Session

AUTO = "auto"
_KIND = "file"
# What numbers, lists of ports and names of algorithms consist of: it needs no quoting in any of the files.
_VALUE = re.compile(r"[A-Za-z0-9_.,:+/ -]+\Z")
_VERSION = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True)
class ContainersPlan:
    """What is to be done: the same object for check mode and for real. refused: keys with the reason."""

    runtimes: Tuple[RuntimePlan, ...]
    refused: Mapping[str, str]

    @property
    def changes(self) -> List[RuntimePlan]:
        """Return the plans that change a file."""
        return [plan for plan in self.runtimes if plan.change is not None]

    def as_result(self) -> Dict[str, Any]:
        """Return what the module returns of it."""
        written = [plan.change for plan in self.runtimes if plan.change is not None]
        return {
            "changed": bool(written),
            "written": [change.path for change in written],
            "diff": [change.as_diff() for change in written],
            "before": {plan.runtime.value: dict(plan.before) for plan in self.runtimes},
            "after": {plan.runtime.value: dict(plan.after) for plan in self.runtimes},
            "runtimes": [plan.as_result() for plan in self.runtimes],
            "refused": dict(self.refused),
        }


def plan_containers(wanted: Wanted, runtimes: Sequence[str], root: str = "/") -> ContainersPlan:
    """Return the plan. wanted.sysctls: as the user wrote them. runtimes: names, or AUTO for those that the host has.

    Keys that no container can have are refused; that nothing is left, or that a runtime named can't do what is asked,
    is a ValueError that says why, as is bad input. Raises UnreadableFile.
    """
    sysctls = checked_sysctls(wanted.sysctls)
    if wanted.present and not sysctls:
        raise ValueError("sysctls: it is empty; name at least one key with its value, as in net.core.somaxconn: 4096")
    scopes = scopes_for_containers(sysctls) if wanted.present else {}
    refused = {key: scope.reason for key, scope in scopes.items() if scope.reason}
    _check_shapes({key: value for key, value in sysctls.items() if key not in refused}, scopes)
    if sysctls and len(refused) == len(sysctls):
        raise ValueError(f"sysctls: no key is left for containers: {_listed(refused)}")
    wanted = replace(wanted, sysctls={key: value for key, value in sysctls.items() if key not in refused})
    named = [Runtime(name) for name in runtimes if name != AUTO]
    found = find_runtimes(root, wanted)
    chosen = [*named, *(found if AUTO in runtimes else ())]
    plans = [replace(plan, found=plan.runtime in found) for plan in plan_runtimes(root, chosen, wanted)]
    blocked = {plan.runtime.value: plan.reason for plan in plans if plan.blocked and plan.runtime in named}
    if blocked:
        raise ValueError(f"runtimes: nothing was written, because not all of it can be: {_listed(blocked)}")
    return ContainersPlan(tuple(plans), refused)


def carry_out(plan: ContainersPlan, session: Session, root: str = "/") -> None:
    """Write what the plan says, through the journal. Raises ChangeError; then what was written is taken back."""
    changes = []
    for runtime in plan.changes:
        if runtime.change is None:
            continue
        target = file_target(under(root, runtime.change.path))
        before = runtime.change.before
        if FileResource().read(target) != _plain(before):
            raise ChangeError(f"{runtime.change.path} was changed by somebody else meanwhile: run again")
        changes.append(Change(_KIND, target, _plain(before), _plain(runtime.change.after)))
    session.change_all(changes)


def checked_sysctls(sysctls: Mapping[str, Any]) -> Dict[str, str]:
    """Return keys with dots and values with single blanks. Raises ValueError for what is neither."""
    checked: Dict[str, str] = {}
    for name, value in sysctls.items():
        key_path(name)
        key = dotted(name)
        try:
            text = SysctlValue.parse(value).text
        except ValueError as error:
            raise ValueError(f"sysctls: {name}: {error}") from error
        if not _VALUE.match(text):
            raise ValueError(f"sysctls: {name}: {text!r} is no value of a kernel parameter: write numbers or a word")
        if checked.get(key, text) != text:
            raise ValueError(f"sysctls: {key} is there twice, with {checked[key]} and with {text}: leave one")
        checked[key] = text
    return checked


def parse_version(text: Optional[str]) -> Optional[Tuple[int, int]]:
    """Return major and minor of a version of Kubernetes ("1.29", "v1.29.3+k3s1"). Raises ValueError."""
    if not text:
        return None
    match = _VERSION.match(text)
    if match is None:
        raise ValueError(f"kubernetes_version: {text!r} is none: write it as in 1.29")
    return int(match.group(1)), int(match.group(2))


def _check_shapes(sysctls: Mapping[str, str], scopes: Mapping[str, KeyScope]) -> None:
    """Raise ValueError for a value that has another shape than the one that the kernel shows."""
    for key, text in sysctls.items():
        example = scopes[key].example if key in scopes else None
        numbers = SysctlValue.parse(text).numbers
        if example is None or example.numbers is None:
            continue
        if numbers is None or len(numbers) != len(example.numbers):
            shape = "a number" if len(example.numbers) == 1 else f"{len(example.numbers)} numbers"
            raise ValueError(
                f"sysctls: {key} takes {shape}, as in '{example.text}', not {text!r}: no container would start with it"
            )


def _plain(file: Optional[FileText]) -> Optional[Dict[str, Any]]:
    return file.as_fact() if file is not None else None


def _listed(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in sorted(reasons.items()))
