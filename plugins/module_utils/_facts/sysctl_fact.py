# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The fact netfit_sysctl."""

from __future__ import annotations

import os
from enum import Enum
from typing import Any, Dict, List, Mapping, Sequence

from .._model.fact import as_plain
from .._model.sysctl import SysctlReading
from .survey import Survey


class Scope(Enum):
    """Where a sysctl can be set."""

    NAMESPACE = "namespace"
    HOST = "host"
    UNKNOWN = "unknown"


def sysctl_fact(survey: Survey, keys: Sequence[str]) -> Dict[str, Any]:
    """Live values of the keys in every namespace, and the scope of each key."""
    wanted = set(keys)
    values = {
        inode: {key: value for key, value in reading.sysctls.items() if key in wanted}
        for inode, reading in survey.readings.items()
    }
    namespaces = survey.per_namespace(lambda namespace, _reading: {"values": as_plain(values[namespace.inode])})
    scopes = scopes_of(values, survey.host_inodes)
    return {"kernel": os.uname().release, "scopes": as_plain(scopes), "namespaces": namespaces}


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
