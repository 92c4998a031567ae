# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The sysctls that CRI-O and podman give to every new container: the list default_sysctls of their TOML files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from .._model.container_sysctl import Runtime, RuntimePlan, Wanted
from .._model.file_change import FileChange, Restart
from .drop_ins import MARK, Blocked, dotted, merged, own_file_change, split_directory, sysctls_of
from .reading import UnreadableFile, read_text
from .toml_lists import TomlError, TomlList, toml_list

OUR_FILE = "90-netfit.conf"


@dataclass(frozen=True)
class Style:
    """How a runtime is configured. files: read before its directory. suffixes: of the files in it that count."""

    runtime: Runtime
    files: Tuple[str, ...]
    directory: str
    suffixes: Tuple[str, ...]
    table: str
    keeps: str
    restart: Optional[Restart]


# CRI-O reads every file of its directory, and default_sysctls only when it starts: it is none of what a reload takes
# over (cri-o pkg/config/reload.go).
CRIO = Style(
    Runtime.CRIO,
    ("/etc/crio/crio.conf",),
    "/etc/crio/crio.conf.d",
    ("",),
    "crio.runtime",
    "Pods that run keep the sysctls that they have, also across a restart of CRI-O; pods with hostNetwork get none.",
    Restart("crio.service", "systemctl restart crio"),
)
# podman has no daemon: it reads its files whenever it is run (containers.conf(5)).
PODMAN = Style(
    Runtime.PODMAN,
    ("/usr/share/containers/containers.conf", "/etc/containers/containers.conf"),
    "/etc/containers/containers.conf.d",
    (".conf",),
    "containers",
    "Containers that exist keep the sysctls that they were made with; those with --net=host get none. "
    "What podman run --sysctl says counts more. An API service that runs (podman.service) keeps its own until it ends.",
    None,
)


@dataclass(frozen=True)
class Declared:
    """What the files but ours say. shadow: file and line of a list after ours that takes its place."""

    entries: Tuple[str, ...]
    files: Tuple[str, ...]
    shadow: Optional[str] = None
    after: Tuple[str, ...] = ()


def plan_default_sysctls(style: Style, root: str, wanted: Wanted) -> RuntimePlan:
    """Return what has to be written for a runtime. Raises Blocked, UnreadableFile.

    A list takes the place of those in the files before it, so that ours repeats them.
    """
    declared = read_declared(style, root)
    others = sysctls_of(declared.entries)
    path = f"{style.directory}/{OUR_FILE}"
    if not wanted.present:
        change = own_file_change(root, path, None)
        before = _in_force(style, root, declared)
        reason = "" if change else f"{path} is not there"
        after = {**others, **sysctls_of(declared.after)}
        return _plan(style, change, reason, before, after)
    if declared.shadow is not None:
        raise Blocked(
            f"{declared.shadow} sets default_sysctls after {OUR_FILE} and takes the place of its list: give that file "
            f"a name that sorts before {OUR_FILE}, or put the sysctls into it"
        )
    before = _in_force(style, root, declared)
    if _says(others, wanted.sysctls) and before == others:
        reason = f"{', '.join(declared.files)} says so already"
        return _plan(style, None, reason, before, before)
    change = own_file_change(root, path, render(style.table, declared, wanted.sysctls))
    reason = f"repeats what {', '.join(declared.files)} sets: a list takes the place of those before" if others else ""
    if change is None:
        reason = f"{path} is so already"
    after = {**merged(others, wanted.sysctls), **sysctls_of(declared.after)}
    return _plan(style, change, reason, before, after)


def render(table: str, declared: Declared, sysctls: Mapping[str, str]) -> str:
    """Return the text of our file: what others say, less the keys that are ours, and ours."""
    others = [entry for entry in declared.entries if dotted(entry.partition("=")[0].strip()) not in sysctls]
    lines = [MARK, f"[{table}]", "default_sysctls = ["]
    if others:
        lines.append(f"  # From {', '.join(declared.files)}: a list takes the place of those in the files before it.")
        lines += [f"  {_quoted(entry)}," for entry in others]
        lines.append("  # Of netfit:")
    lines += [f"  {_quoted(f'{key}={value}')}," for key, value in sorted(sysctls.items())]
    return "\n".join([*lines, "]", ""])


def read_declared(style: Style, root: str) -> Declared:
    """Return what all files but ours say. Raises Blocked where one can't be understood, UnreadableFile."""
    first, last = split_directory(root, style.directory, OUR_FILE, style.suffixes)
    entries: Tuple[str, ...] = ()
    files: List[str] = []
    append = False
    for path, found in _lists(style, root, [*style.files, *first]):
        append = found.append if found.append is not None else append
        entries = entries + found.values if append else found.values
        files = [*files, path] if append else [path]
    after: Tuple[str, ...] = ()
    for path, found in _lists(style, root, last):
        append = found.append if found.append is not None else append
        if not append:
            return Declared(entries, tuple(files), f"{path}:{found.line}", found.values)
        after += found.values
    return Declared(entries, tuple(files) if entries else (), None, after)


def _lists(style: Style, root: str, paths: Iterable[str]) -> List[Tuple[str, TomlList]]:
    lists = []
    for path in paths:
        found = _list_in(style, root, path)
        if found is not None:
            lists.append((path, found))
    return lists


def _list_in(style: Style, root: str, path: str) -> Optional[TomlList]:
    try:
        return toml_list(read_text(root, path) or "", f"{style.table}.default_sysctls")
    except TomlError as error:
        raise Blocked(f"{path} can't be understood ({error}): correct it, then run again") from error


def _plan(
    style: Style, change: Optional[FileChange], reason: str, before: Mapping[str, str], after: Mapping[str, str]
) -> RuntimePlan:
    return RuntimePlan(
        style.runtime,
        change=change,
        reason=reason,
        before=before,
        after=after,
        restart=style.restart,
        keeps=style.keeps,
    )


def _in_force(style: Style, root: str, declared: Declared) -> Dict[str, str]:
    """Return what new containers get as the files are now."""
    if declared.shadow is not None:
        return sysctls_of(declared.after)
    try:
        ours = _list_in(style, root, f"{style.directory}/{OUR_FILE}")
    except (Blocked, UnreadableFile):
        ours = None
    return sysctls_of((ours.values if ours else declared.entries) + declared.after)


def _says(others: Mapping[str, str], sysctls: Mapping[str, str]) -> bool:
    return all(others.get(key) == value for key, value in sysctls.items())


def _quoted(entry: str) -> str:
    escaped = entry.replace("\\", "\\\\").replace('"', '\\"')
    plain = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)
    return f'"{plain}"'
