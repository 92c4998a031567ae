# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who is on a host: its network namespaces, the processes in them, and whose they are. No namespace is entered."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence

from .._config.containers import read_containers
from .._config.control_groups import parse_control_group
from .._kernel.namespaces import discover
from .._kernel.processes import RunningProcess, read_processes
from .._model.fact import Problem
from .._model.owner import Namespace
from .owners import Owners


@dataclass(frozen=True)
class Census:
    """Who is there, without a look inside. processes: by pid."""

    namespaces: Sequence[Namespace]
    owners: Owners
    processes: Mapping[int, RunningProcess]
    problems: Sequence[Problem]


def take_census(root: str) -> Census:
    """Find the network namespaces and their owners. root: "/" on a real host."""
    processes, hidden = read_processes()
    namespaces, unreachable = discover(processes)
    records, unreadable = read_containers(root)
    pids: Dict[int, List[int]] = {}
    for process in processes:
        pids.setdefault(process.network_namespace, []).append(process.pid)
    owners = Owners(
        host_name=os.uname().nodename,
        records=records,
        control_groups={process.pid: parse_control_group(process.control_group) for process in processes},
        pids_by_namespace=pids,
        inode_of=_inode_of,
    )
    by_pid = {process.pid: process for process in processes}
    return Census(namespaces, owners, by_pid, [*hidden, *unreachable, *unreadable])


def _inode_of(path: str) -> Optional[int]:
    try:
        return os.stat(path).st_ino
    except OSError:
        return None
