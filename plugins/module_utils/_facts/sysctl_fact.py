# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The fact netfit_sysctl."""

from __future__ import annotations

import os
from enum import Enum
from typing import Any, Dict, List, Mapping, Sequence, Set

from .._kernel.sysctls import read_sysctls
from .._model.fact import as_plain
from .._model.sysctl import SysctlReading
from .survey import Survey
from .sysctl_files import files_fact


class Scope(Enum):
    """Where a sysctl can be set."""

    NAMESPACE = "namespace"
    HOST = "host"
    UNKNOWN = "unknown"


def sysctl_fact(survey: Survey, keys: Sequence[str], root: str) -> Dict[str, Any]:
    """Live values of the keys in every namespace, the scope of each key, and what files make of the host's.

    root: where files are looked for. They are read once, however many namespaces there are.
    """
    wanted = set(keys)
    values = {
        inode: {key: value for key, value in reading.sysctls.items() if key in wanted}
        for inode, reading in survey.readings.items()
    }
    namespaces = survey.per_namespace(lambda namespace, _reading: {"values": as_plain(values[namespace.inode])})
    scopes = scopes_of(values, survey.host_inodes)
    files = survey.noted(files_fact(root, keys, _running(survey), lambda wanted: _on_the_host(survey, wanted)))
    return {"kernel": os.uname().release, "scopes": as_plain(scopes), "namespaces": namespaces, "files": files}


def _running(survey: Survey) -> Set[str]:
    return {process.name for process in survey.processes.values()}


def _on_the_host(survey: Survey, keys: Sequence[str]) -> Mapping[str, SysctlReading]:
    """Read keys in the host's network namespace: those that files name come to light after the visits."""
    host = [namespace for namespace in survey.namespaces if namespace.host]
    return next(iter(survey.visit(host, lambda _namespace: read_sysctls(keys)).values()), {})


def scopes_of(values: Mapping[int, Mapping[str, SysctlReading]], host_inodes: Sequence[int]) -> Dict[str, Scope]:
    """The scope of each key that the host has, by looking at the other namespaces.

    One that can write the key proves that each has its own. Where all others lack it or show it read-only, it is the
    host's. A namespace of another user namespace may hide keys that are its own (kernels before 6.12), so one
    writable sighting outweighs any number of missing ones.
    """
    hosts = [values[inode] for inode in host_inodes if inode in values]
    others = [reading for inode, reading in values.items() if inode not in host_inodes]
    return {key: _scope(key, others) for reading in hosts for key in reading}


def _scope(key: str, others: List[Mapping[str, SysctlReading]]) -> Scope:
    if not others:
        return Scope.UNKNOWN
    return Scope.NAMESPACE if any(key in reading and reading[key].writable for reading in others) else Scope.HOST
