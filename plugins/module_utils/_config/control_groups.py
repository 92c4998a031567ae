# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the control group of a process tells: which container, which pod, which systemd unit."""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from .._model.owner import ControlGroup

# Control groups of hybrid hosts (v1 controllers and an unused v2 tree): a runtime that knows only v1 leaves the v2
# line at the group of its parent, one that knows only v2 leaves the others. "pids" and "memory" are what every
# runtime sets up.
_PREFERRED_CONTROLLERS = ("pids", "memory", "name=systemd", "")

_CONTAINER_ID = re.compile(r"[0-9a-f]{64}\Z")
# Monitors (conmon) carry the id of their container and run outside of it.
_MONITOR = re.compile(r"(?:libpod|crio)-conmon-[0-9a-f]{64}(?:\.scope)?\Z")
_POD = re.compile(
    r"(?:\A|-)pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?\Z"
)
_RUNTIME_OF_PREFIX = {
    "docker": "docker",
    "moby": "docker",
    "cri-containerd": "containerd",
    "k8s.io": "containerd",
    "nerdctl": "containerd",
    "crio": "cri-o",
    "libpod": "podman",
    "libpod-payload": "podman",
}
# The group that a runtime makes with the cgroupfs driver, and its containers below it.
_RUNTIME_OF_PARENT = {"docker": "docker", "moby": "docker", "k8s.io": "containerd", "default": "containerd"}
# Namespaces of containerd in which a container bears the name that a person gave it.
_NAMED_PARENTS = ("default", "k8s.io")


def parse_control_group(text: str) -> ControlGroup:
    """Return what the content of ``/proc/PID/cgroup`` tells; every field None where it tells nothing.

    Understands cgroup v1, v2 and hybrid hosts, the cgroupfs and the systemd driver. With containers in containers the
    innermost counts. ``unit`` is None for a process in a container: the scope that a runtime makes says no more than
    the container's id. Lines of another form are passed over. Source: cgroups(7), "/proc files".
    """
    paths = _paths_by_preference(text)
    found = [_parse_path(path) for path in paths]
    for group in found:
        if group.container_id:
            return group
    for group in found:
        if group.pod_uid:
            return group
    # The systemd hierarchy and the unified one name the unit; controllers may lag behind.
    for group in found:
        if group.unit:
            return group
    return ControlGroup()


def _paths_by_preference(text: str) -> List[str]:
    """Return the distinct paths of all lines, those of the most telling hierarchies first."""
    ranked: List[Tuple[int, int, str]] = []
    for position, line in enumerate(text.splitlines()):
        fields = line.split(":", 2)
        if len(fields) != 3 or not fields[2].startswith("/"):
            continue
        ranks = [_PREFERRED_CONTROLLERS.index(name) for name in fields[1].split(",") if name in _PREFERRED_CONTROLLERS]
        ranked.append((min(ranks) if ranks else len(_PREFERRED_CONTROLLERS), position, fields[2]))
    paths: List[str] = []
    for _rank, _position, path in sorted(ranked):
        if path not in paths:
            paths.append(path)
    return paths


def _parse_path(path: str) -> ControlGroup:
    if path.endswith(" (deleted)"):
        path = path[: -len(" (deleted)")]
    components = [component for component in path.split("/") if component not in ("", "..")]
    container: Optional[Tuple[str, Optional[str]]] = None
    pod_uid: Optional[str] = None
    unit: Optional[str] = None
    for position, component in enumerate(components):
        pod = _pod_uid(component)
        if pod:
            # A pod inside of a container's group is that of a cluster that runs in the container.
            pod_uid, container = pod, None
        parent = components[position - 1] if position else ""
        container = _container(component, parent, len(components)) or container
        if component.endswith((".service", ".scope")):
            unit = component
    if container:
        return ControlGroup(container_id=container[0], runtime=container[1], pod_uid=pod_uid)
    return ControlGroup(pod_uid=pod_uid, unit=unit)


def _pod_uid(component: str) -> Optional[str]:
    # "kubepods-burstable-podUID.slice:cri-containerd:ID": a systemd path handed to the cgroupfs driver.
    match = _POD.search(component.split(":", 1)[0])
    return match.group(1).replace("_", "-") if match else None


def _container(component: str, parent: str, depth: int) -> Optional[Tuple[str, Optional[str]]]:
    """Return id and runtime of the container that a path component stands for, None where it stands for none."""
    if _MONITOR.match(component):
        return None
    if component.endswith(".scope"):
        component = component[: -len(".scope")]
    elif component.endswith((".slice", ".service")):
        return None
    separator = ":" if ":" in component else "-"
    prefix, _separator, identifier = component.rpartition(separator)
    if _CONTAINER_ID.match(identifier):
        prefix = prefix.rpartition(":")[2]
        return identifier, _RUNTIME_OF_PREFIX.get(prefix, _RUNTIME_OF_PARENT.get(parent))
    if depth == 2 and parent in _NAMED_PARENTS:
        return component, _RUNTIME_OF_PARENT[parent]
    return None
