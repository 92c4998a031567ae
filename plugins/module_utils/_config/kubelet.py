# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The sysctls that a kubelet of kubeadm, or set up by hand, lets pods ask for.

Source: kubernetes cmd/kubelet/app/server.go: --config, then the files of --config-dir by name, whose lists take the
place of those before (v1.28, "Kubelet Configuration Directory Merging"), then flags, which count more. Unit of kubeadm:
the variable KUBELET_EXTRA_ARGS of /etc/default/kubelet (deb) or /etc/sysconfig/kubelet (rpm) comes last.
"""

from __future__ import annotations

import re
from typing import List, Optional, Sequence, Tuple

from .._model.allowed_sysctls import as_allowed, needs_allowing, split_list, with_allowed, without_allowed
from .._model.container_sysctl import Runtime, RuntimePlan, Wanted
from .._model.file_change import FileChange, FileText, Restart
from .drop_ins import MARK, Blocked, own_file_change, split_directory
from .environment_file import EnvironmentFileError, flag_values, read_variable, set_variable, with_flag
from .rancher_kubelet import FLAG, KEEPS
from .reading import exists, list_directory, read_text
from .whole_file import read_whole
from .yaml_lines import YamlError, top_level_lists

VARIABLE = "KUBELET_EXTRA_ARGS"
OUR_FILE = "90-netfit.conf"
_CONFIGURATION = "/var/lib/kubelet/config.yaml"
_KEY = "allowedUnsafeSysctls"
_ENVIRONMENT_FILES = ("/etc/default/kubelet", "/etc/sysconfig/kubelet")
_UNITS = tuple(f"{directory}/systemd/system" for directory in ("/usr/lib", "/lib", "/etc"))
_READS = re.compile(r"^EnvironmentFile=-?(\S+)", re.MULTILINE)
_DIRECTORY_FLAG = re.compile(r"--config-dir(?:=|[ \t]+)([^\s\"']+)")
_RESTART = Restart("kubelet.service", "systemctl restart kubelet")


def plan_kubelet(root: str, wanted: Wanted) -> RuntimePlan:
    """Return what has to be written: to the drop-in directory where there is one, else to the flags.

    Raises Blocked, UnreadableFile.
    """
    units = _unit_texts(root)
    directory = wanted.kubelet_config_directory
    if directory is None:
        flags = [match for text in units for match in _DIRECTORY_FLAG.findall(text)]
        directory = flags[-1] if flags else None
    file = _environment_file(root, units)
    text, given = _flags(root, file)
    if directory is None:
        if file is None:
            raise Blocked(
                f"kubelet's unit reads none of {', '.join(_ENVIRONMENT_FILES)}: name the directory of its "
                "--config-dir with kubelet_config_directory, or let its unit read one of them"
            )
        return _plan_flags(root, wanted, file, text, given)
    if given and wanted.present:
        raise Blocked(
            f"{file} gives --{FLAG}, which counts more than {directory}: take it out of {VARIABLE}, then run again"
        )
    return _plan_drop_in(root, wanted, directory.rstrip("/"))


def _plan_drop_in(root: str, wanted: Wanted, directory: str) -> RuntimePlan:
    path = f"{directory}/{OUR_FILE}"
    first, last = split_directory(root, directory, OUR_FILE, (".conf",))
    others, _place = _configured(root, [_CONFIGURATION, *first])
    ours, is_ours = _configured(root, [path])
    later, shadow = _configured(root, last)
    needed = [key for key in sorted(wanted.sysctls) if needs_allowing(key, wanted.kubernetes)]
    text: Optional[str] = None
    if wanted.present and with_allowed(others, needed) != others:
        if shadow:
            raise Blocked(
                f"{shadow} sets {_KEY} after {OUR_FILE} and takes the place of its list: give that file a name that "
                f"sorts before {OUR_FILE}, or put the keys into it"
            )
        text = render(with_allowed(others, needed))
    change = own_file_change(root, path, text)
    return _plan(
        change,
        later if shadow else ours if is_ours else others,
        later if shadow else with_allowed(others, needed if text else ()),
    )


def render(entries: Sequence[str]) -> str:
    """Return the text of our file in kubelet's drop-in directory."""
    items = "".join(f'  - "{entry}"\n' for entry in entries)
    return f"{MARK}\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n{_KEY}:\n{items}"


def _plan_flags(root: str, wanted: Wanted, file: str, before: Optional[FileText], given: List[str]) -> RuntimePlan:
    """A flag takes the place of the configuration's list, so that a new one repeats it."""
    configured, _place = _configured(root, [_CONFIGURATION])
    in_force = given or configured
    if wanted.present:
        needed = [key for key in sorted(wanted.sysctls) if needs_allowing(key, wanted.kubernetes)]
        entries = with_allowed(in_force, needed)
        flags = entries if entries != in_force else given
    else:
        flags = without_allowed(given, wanted.sysctls)
        if flags != given and set(flags) <= set(configured):
            flags = []
    if flags == given:
        return _plan(None, in_force, in_force)
    text = before.text if before else ""
    variable = read_variable(text, VARIABLE)
    arguments = with_flag(variable.value if variable else "", f"--{FLAG}", ",".join(flags) if flags else None)
    after = FileText(set_variable(text, VARIABLE, arguments), before.mode if before else 0o644)
    return _plan(FileChange(file, before, after), in_force, flags or configured)


def _plan(change: Optional[FileChange], before: Sequence[str], after: Sequence[str]) -> RuntimePlan:
    return RuntimePlan(
        Runtime.KUBELET,
        change=change,
        reason="" if change else "kubelet's files are so already",
        before=as_allowed(before),
        after=as_allowed(after),
        restart=_RESTART,
        keeps=KEEPS,
    )


def _configured(root: str, paths: Sequence[str]) -> Tuple[List[str], Optional[str]]:
    """Return the list of the last file that has one, and file and line of it."""
    entries: List[str] = []
    place: Optional[str] = None
    for path in paths:
        try:
            for key, values in top_level_lists(read_text(root, path) or "", (_KEY,)):
                entries, place = values, f"{path}:{key.line}"
        except YamlError as error:
            raise Blocked(f"{path} can't be understood ({error}): correct it, then run again") from error
    return entries, place


def _flags(root: str, file: Optional[str]) -> Tuple[Optional[FileText], List[str]]:
    """Return the environment file and what its variable allows."""
    before = read_whole(root, file) if file else None
    if before is None:
        return None, []
    try:
        variable = read_variable(before.text, VARIABLE)
        values = flag_values(variable.value, f"--{FLAG}") if variable else []
    except EnvironmentFileError as error:
        raise Blocked(f"{file}, {error}: write {VARIABLE} on one line, in one pair of quotes") from error
    return before, [entry for value in values for entry in split_list(value)]


def _environment_file(root: str, units: Sequence[str]) -> Optional[str]:
    named = [path for text in units for path in _READS.findall(text) if path in _ENVIRONMENT_FILES]
    there = [path for path in _ENVIRONMENT_FILES if exists(root, path)]
    return next(iter(named[::-1] + there), None)


def _unit_texts(root: str) -> List[str]:
    """Return the texts of kubelet's unit and its drop-ins, those that count most last."""
    texts: List[Optional[str]] = []
    for directory in _UNITS:
        texts.append(read_text(root, f"{directory}/kubelet.service"))
        drop_ins = f"{directory}/kubelet.service.d"
        texts += [read_text(root, f"{drop_ins}/{name}") for name in list_directory(root, drop_ins)]
    return [text for text in texts if text is not None]
