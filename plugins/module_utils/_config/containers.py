# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All containers and pod sandboxes that the runtimes of a host have on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Tuple

from .._model.fact import Problem
from .._model.owner import ContainerRecord
from .containerd import read_containerd
from .declarations import Declarations
from .docker_containers import read_docker_containers
from .docker_daemon import docker_data_root
from .state import RuntimeState
from .storage_containers import read_storage_containers

_FULL_ID_LENGTH = 64


def read_containers(root: str) -> Tuple[List[ContainerRecord], List[Problem]]:
    """Return the containers recorded below ``root`` ("/" on a real host), and what could not be read.

    Each container appears once: Docker's own record takes the place of that of the containerd below it. A container
    of a pod has the host's network where its sandbox has. Containers that don't run have no pid.
    """
    state = RuntimeState(root)
    declarations = Declarations(root)
    data_root = docker_data_root(declarations)
    found: Dict[str, ContainerRecord] = {}
    for record in [
        *read_docker_containers(state, data_root),
        *read_containerd(state),
        *read_storage_containers(state),
    ]:
        # With ctr a person gives the id, which is unique in one of containerd's namespaces only.
        unique = len(record.container_id) == _FULL_ID_LENGTH
        found.setdefault(record.container_id if unique else f"{record.source}", record)
    records = [_with_network_of_sandbox(record, found) for record in found.values()]
    return records, list(dict.fromkeys([*declarations.problems, *state.problems]))


def _with_network_of_sandbox(record: ContainerRecord, records: Dict[str, ContainerRecord]) -> ContainerRecord:
    sandbox = records.get(record.sandbox_id) if record.sandbox_id else None
    if sandbox is None or not sandbox.host_network:
        return record
    return replace(record, host_network=True)
