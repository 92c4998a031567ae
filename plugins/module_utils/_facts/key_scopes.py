# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whose a sysctl is, by looking into a new network namespace: never by the kernel's version.

Source: net/core/sysctl_net_core.c and its like: what a namespace lacks, or shows read-only, is the host's.
"""

from __future__ import annotations

import os
from typing import Dict, Iterable, List, Optional

from .._kernel.new_namespace import in_new_namespace
from .._kernel.sysctls import ROOT, read_sysctls
from .._model.sysctl import SysctlReading
from .._model.sysctl_scope import KeyScope, is_ipc, never_of_a_container, scope_by_name
from .._model.sysctl_value import SysctlValue

Readings = Dict[str, SysctlReading]


def scopes_for_containers(keys: Iterable[str]) -> Dict[str, KeyScope]:
    """Return for each key whether new containers can have it.

    It is looked for in a network namespace that is made for this and ends at once; nothing is written. Without the
    right to make one (CAP_SYS_ADMIN) the keys' names decide. Raises ValueError for a key that is no name.
    """
    wanted = list(keys)
    return judge(wanted, read_sysctls(wanted), look_into_a_new_namespace(wanted))


def judge(keys: Iterable[str], host: Readings, new: Optional[Readings]) -> Dict[str, KeyScope]:
    """Return the scopes from what the host and a new namespace show; new: None where there could be none."""
    return {key: _judge(key, host.get(key), new) for key in keys}


def look_into_a_new_namespace(keys: List[str], root: str = ROOT) -> Optional[Readings]:
    """Return what a new network namespace shows of the keys, None where none can be made."""
    try:
        return in_new_namespace(lambda: read_sysctls(keys, root))
    except OSError:
        return None


def _judge(key: str, host: Optional[SysctlReading], new: Optional[Readings]) -> KeyScope:
    never = never_of_a_container(key)
    if never is not None:
        return KeyScope(never)
    if is_ipc(key):
        return KeyScope(None if host else _unknown())
    if new is None:
        by_name = scope_by_name(key)
        return by_name if by_name.reason or host else KeyScope(_unknown())
    reading = new.get(key)
    if reading is not None and reading.writable:
        return KeyScope(None, _example(reading))
    if reading is None and host is None:
        return KeyScope(scope_by_name(key).reason or _unknown())
    seen = "lacks it" if reading is None else "shows it read-only"
    return KeyScope(f"it belongs to the host (a new network namespace {seen}): set it on the host")


def _unknown() -> str:
    return (
        f"Linux {os.uname().release} has no such key here, and a runtime told to set it would start no container: "
        "check the spelling, or load the kernel module that provides it"
    )


def _example(reading: SysctlReading) -> Optional[SysctlValue]:
    try:
        return SysctlValue.parse(reading.value) if reading.value is not None else None
    except ValueError:
        return None
