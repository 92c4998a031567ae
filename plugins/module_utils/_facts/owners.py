# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Decides whose a network namespace is, and whose a process in it is.

Three witnesses, the best first: the runtime's own state on disk, the control groups of the processes, the names that
a namespace has in the file system.
"""

from __future__ import annotations

from posixpath import basename
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from .._model.owner import ContainerRecord, ControlGroup, Namespace, Owner, OwnerKind

InodeOf = Callable[[str], Optional[int]]
"""Path of a network namespace -> its inode; None when it isn't there (any more)."""

SHORT_ID = 12


def owner_of_record(record: ContainerRecord) -> Owner:
    """The owner that a runtime's record describes: a pod where it belongs to one, else a container."""
    if record.pod is None:
        return Owner(
            OwnerKind.CONTAINER,
            name=record.name,
            container_id=record.container_id,
            runtime=record.runtime,
            pid=record.pid,
        )
    return Owner(
        OwnerKind.POD,
        name=f"{record.pod_namespace}/{record.pod}" if record.pod_namespace else record.pod,
        pod=record.pod,
        pod_namespace=record.pod_namespace,
        container_id=record.container_id,
        runtime=record.runtime,
        pid=record.pid,
    )


class Owners:
    """Owners of the namespaces and processes of one host.

    host_name: of the machine. records: what runtimes say. control_groups: pid -> its parsed control group.
    pids_by_namespace: inode -> pids in it, ascending. inode_of: see InodeOf.
    """

    def __init__(
        self,
        host_name: str,
        records: Sequence[ContainerRecord],
        control_groups: Mapping[int, ControlGroup],
        pids_by_namespace: Mapping[int, Sequence[int]],
        inode_of: InodeOf,
    ) -> None:
        self._host = Owner(OwnerKind.HOST, name=host_name)
        self._control_groups = control_groups
        self._pids_by_namespace = pids_by_namespace
        self._by_id: Dict[str, ContainerRecord] = {record.container_id: record for record in records}
        self._by_inode = _records_by_inode(records, pids_by_namespace, inode_of)
        self._on_host_network = [record for record in records if record.host_network and record.pid is not None]

    def of_namespace(self, namespace: Namespace) -> Owner:
        """The owner of a network namespace; kind unknown where no witness speaks."""
        if namespace.host:
            return self._host
        records = self._by_inode.get(namespace.inode)
        if records:
            return owner_of_record(records[0])
        for pid in self._pids_by_namespace.get(namespace.inode, ()):
            owner = self._of_control_group(pid)
            if owner is not None:
                return owner
        name = basename(namespace.paths[0]) if namespace.paths else None
        return Owner(OwnerKind.UNKNOWN, name=name, pid=namespace.pid)

    def records_in(self, namespace: Namespace) -> Sequence[ContainerRecord]:
        """What runtimes say of all that joined a network namespace or got it made for them, its owner first.

        Besides the owner these are the containers of a pod, and those that joined another's network.
        """
        return self._by_inode.get(namespace.inode, ())

    def on_host_network(self) -> Sequence[ContainerRecord]:
        """What runtimes say of the running containers and pods that were made to use the host's network."""
        return self._on_host_network

    def of_process(self, pid: int, namespace_owner: Owner) -> Owner:
        """The owner of a process: its container where it is in one, else the owner of its network namespace."""
        return self._of_control_group(pid) or namespace_owner

    def unit_of_process(self, pid: int) -> Optional[str]:
        """The systemd unit of a process on the host, None where it has none or is in a container."""
        group = self._control_groups.get(pid)
        return group.unit if group is not None and group.container_id is None else None

    def _of_control_group(self, pid: int) -> Optional[Owner]:
        group = self._control_groups.get(pid)
        if group is None or group.container_id is None:
            return None
        record = self._by_id.get(group.container_id)
        if record is not None:
            return owner_of_record(record)
        kind = OwnerKind.POD if group.pod_uid else OwnerKind.CONTAINER
        name = f"pod {group.pod_uid}" if group.pod_uid else group.container_id[:SHORT_ID]
        return Owner(kind, name=name, container_id=group.container_id, runtime=group.runtime, pid=pid)


def _records_by_inode(
    records: Iterable[ContainerRecord], pids_by_namespace: Mapping[int, Sequence[int]], inode_of: InodeOf
) -> Dict[int, List[ContainerRecord]]:
    """Return the records of each namespace. Several containers may share one.

    First comes the sandbox, which owns it, else the one that it was made for.
    """
    namespace_of_pid = {pid: inode for inode, pids in pids_by_namespace.items() for pid in pids}
    found: List[Tuple[Tuple[bool, bool, str], int, ContainerRecord]] = []
    for record in records:
        if record.host_network:
            continue
        inode = namespace_of_pid.get(record.pid) if record.pid is not None else None
        if inode is None and record.network_namespace_path:
            inode = inode_of(record.network_namespace_path)
        if inode is not None:
            found.append((_precedence(record), inode, record))
    records_by_inode: Dict[int, List[ContainerRecord]] = {}
    for _rank, inode, record in sorted(found, key=lambda item: item[0]):
        records_by_inode.setdefault(inode, []).append(record)
    return records_by_inode


def _precedence(record: ContainerRecord) -> Tuple[bool, bool, str]:
    path = record.network_namespace_path
    borrowed = path is None or path.startswith("/proc/")
    return not record.sandbox, borrowed, record.name
