# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whom a network namespace, a link or a listener belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Dict, Optional, Tuple

from .fact import Fact


class OwnerKind(Enum):
    """The closed set of owners."""

    HOST = "host"
    POD = "pod"
    CONTAINER = "container"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Owner(Fact):
    """Owner of a network namespace or of a listener.

    name: for people: the host's name, "namespace/pod" for a pod, the container's name, or what is known.
    pod, pod_namespace: for kind pod. container_id: 64 hex digits; for a pod that of its sandbox.
    runtime: docker, podman, containerd, cri-o. pid: a process of the owner in its network namespace.
    """

    kind: OwnerKind
    name: Optional[str] = None
    pod: Optional[str] = None
    pod_namespace: Optional[str] = None
    container_id: Optional[str] = None
    runtime: Optional[str] = None
    pid: Optional[int] = None


@dataclass(frozen=True)
class ContainerRecord(Fact):
    """What a container runtime's own state on disk says about one container or pod sandbox.

    sandbox: True for the sandbox ("pause") of a pod, False for an ordinary container.
    pod, pod_namespace, pod_uid: set for sandboxes and for containers of a pod.
    sandbox_id: the sandbox that a pod's container belongs to.
    pid: of its first process in the host's PID namespace, None when it isn't running.
    network_namespace_path: a path that leads to its network namespace (bind mount or /proc/PID/ns/net),
    None when the state names none. host_network: True when it shares the host's.
    sysctls: those that it was created with. source: the file that says all this. labels: as the runtime has them, with
    what the kubelet adds; those of a pod are its sandbox's. None when they could not be read.
    """

    runtime: str
    container_id: str
    name: str
    sandbox: bool = False
    pod: Optional[str] = None
    pod_namespace: Optional[str] = None
    pod_uid: Optional[str] = None
    sandbox_id: Optional[str] = None
    pid: Optional[int] = None
    network_namespace_path: Optional[str] = None
    host_network: bool = False
    sysctls: Optional[Dict[str, str]] = None
    source: Optional[str] = None
    labels: Optional[Dict[str, str]] = None


@dataclass(frozen=True)
class ControlGroup(Fact):
    """What the path of a control group tells about the process in it.

    container_id: 64 hex digits. runtime: docker, podman, containerd, cri-o, where the path says it.
    pod_uid: with dashes, where the path has a pod level. unit: the systemd unit (service, scope), if any.
    """

    container_id: Optional[str] = None
    runtime: Optional[str] = None
    pod_uid: Optional[str] = None
    unit: Optional[str] = None


@dataclass(frozen=True)
class Namespace(Fact):
    """A network namespace as found on the host.

    inode: of its nsfs file; names it. paths: names in the file system (bind mounts), sorted.
    pid: the lowest process id in it, None when only a bind mount keeps it. host: True for that of process 1.
    """

    inode: int
    paths: Tuple[str, ...] = ()
    pid: Optional[int] = None
    host: bool = False
