# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The sysctls that kubelet of RKE2 and K3s lets pods ask for: kubelet-arg in their configuration files.

Source: k3s pkg/configfilearg/parser.go: config.yaml, then config.yaml.d/*.yaml by name; a key takes the place of the
one before, a key with "+" adds to it (k3s v1.21). pkg/daemons/config GetArgs: an argument that is there twice is given
twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from .._model.allowed_sysctls import as_allowed, needs_allowing, split_list, with_allowed
from .._model.container_sysctl import Runtime, RuntimePlan, Wanted
from .._model.file_change import Restart
from .drop_ins import MARK, Blocked, own_file_change, split_directory
from .reading import exists, read_text
from .yaml_lines import YamlError, top_level_lists

FLAG = "allowed-unsafe-sysctls"
OUR_FILE = "90-netfit.yaml"
_KEY = "kubelet-arg"
_SUFFIXES = (".yaml", ".yml")
_WANTS = "/etc/systemd/system/multi-user.target.wants"


@dataclass(frozen=True)
class Distribution:
    """RKE2 or K3s. directory: of its configuration. units: the services that run it, one of which a node has."""

    runtime: Runtime
    directory: str
    units: Tuple[str, ...]


RKE2 = Distribution(Runtime.RKE2, "/etc/rancher/rke2", ("rke2-server.service", "rke2-agent.service"))
K3S = Distribution(Runtime.K3S, "/etc/rancher/k3s", ("k3s.service", "k3s-agent.service"))

KEEPS = (
    "Pods that run go on, also across the restart, and keep the sysctls that they have. No pod gets a value by this "
    "alone: it has to ask for it, see the snippets."
)


def plan_kubelet_arguments(distribution: Distribution, root: str, wanted: Wanted) -> RuntimePlan:
    """Return what has to be written. Raises Blocked, UnreadableFile."""
    directory = f"{distribution.directory}/config.yaml.d"
    path = f"{directory}/{OUR_FILE}"
    first, last = split_directory(root, directory, OUR_FILE, _SUFFIXES)
    others, _shadow = _allowed(root, [f"{distribution.directory}/config.yaml", *first])
    later, shadow = _allowed(root, last)
    ours, _none = _allowed(root, [path])
    before = later if shadow else with_allowed(others + ours, later)
    needed = [key for key in sorted(wanted.sysctls) if needs_allowing(key, wanted.kubernetes)]
    missing = [key for key in with_allowed(others, needed) if key not in others]
    text: Optional[str] = None
    reason = f"{path} is so already" if wanted.present else f"{path} is not there"
    if wanted.present and missing:
        if shadow:
            raise Blocked(
                f"{shadow} sets {_KEY} after {OUR_FILE} and takes the place of it: write '{_KEY}+' there, or give that "
                f"file a name that sorts before {OUR_FILE}"
            )
        text = render(with_allowed(others, needed))
    elif wanted.present:
        reason = "kubelet allows the keys without an entry" if not needed else "other files allow them already"
    change = own_file_change(root, path, text)
    entries = later if shadow else with_allowed(with_allowed(others, missing if text else ()), later)
    return RuntimePlan(
        distribution.runtime,
        change=change,
        reason="" if change else reason,
        before=as_allowed(before),
        after=as_allowed(entries),
        restart=_restart(root, distribution),
        keeps=KEEPS,
    )


def render(entries: Sequence[str]) -> str:
    """Return the text of our file. It repeats what other files allow: old versions take the last argument only."""
    return f'{MARK}\n{_KEY}+:\n  - "{FLAG}={",".join(entries)}"\n'


def _allowed(root: str, paths: Sequence[str]) -> Tuple[List[str], Optional[str]]:
    """Return what the files allow, and file and line of the last key that takes the place of those before it."""
    entries: List[str] = []
    replacing: Optional[str] = None
    for path in paths:
        try:
            found = top_level_lists(read_text(root, path) or "", (_KEY, f"{_KEY}+"))
        except YamlError as error:
            raise Blocked(f"{path} can't be understood ({error}): write {_KEY} as a list, one item a line") from error
        for key, arguments in found:
            if key.key == _KEY:
                entries, replacing = [], f"{path}:{key.line}"
            entries = with_allowed(entries + _entries(arguments), ())
    return entries, replacing


def _entries(arguments: Sequence[str]) -> List[str]:
    entries: List[str] = []
    for argument in arguments:
        name, _equals, value = argument.partition("=")
        # GetArgs: "+" or "-" at the end of the name says where the value goes; leading hyphens are left out.
        if name.lstrip("-").rstrip("+-") == FLAG:
            entries += split_list(value)
    return entries


def _restart(root: str, distribution: Distribution) -> Restart:
    unit = next((unit for unit in distribution.units if exists(root, f"{_WANTS}/{unit}")), None)
    names = [unit] if unit else distribution.units
    return Restart(unit, " or ".join(f"systemctl restart {name.rpartition('.')[0]}" for name in names))
