# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Containers that containerd runs: for Kubernetes (CRI), for Docker, for ctr and nerdctl."""

from __future__ import annotations

from dataclasses import replace
from typing import List, Optional, Tuple

from .._model.owner import ContainerRecord
from .containerd_labels import read_containerd_labels
from .oci import OciConfiguration, parse_oci_configuration
from .state import RuntimeState
from .toml_strings import toml_string

_SUBJECT = "containerd state"
# K3s and RKE2 carry a containerd of their own; dockerd starts one where the machine has none.
_DEFAULT_STATES = ("/run/containerd", "/run/k3s/containerd", "/run/docker/containerd/daemon")
_CONFIGURATIONS = (
    "/etc/containerd/config.toml",
    "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
    "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
)
_TASKS = ("io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux")
# Annotations of the CRI plugin (containerd internal/cri/annotations).
_CRI = "io.kubernetes.cri."
# containerd's namespace for Docker.
_MOBY = "moby"


def read_containerd(state: RuntimeState) -> List[ContainerRecord]:
    """Return a record of every task of every containerd of the host.

    The name is the container's within its pod, a sandbox's that of its pod, with ctr and nerdctl the container's id.
    Source: containerd 1.6 runtime/v2/bundle.go: STATE/io.containerd.runtime.v2.task/NAMESPACE/ID/{config.json,
    init.pid}; the configuration may move STATE.
    """
    found: List[Tuple[str, ContainerRecord]] = []
    for directory in _state_directories(state):
        for tasks in _TASKS:
            for namespace in state.names(f"{directory}/{tasks}", _SUBJECT):
                parent = f"{directory}/{tasks}/{namespace}"
                for identifier in state.names(parent, _SUBJECT):
                    record = _read_task(state, namespace, identifier, f"{parent}/{identifier}")
                    if record:
                        found.append((namespace, record))
    return _with_labels(state, found)


def _with_labels(state: RuntimeState, found: List[Tuple[str, ContainerRecord]]) -> List[ContainerRecord]:
    """Return the records with their labels. found: each with its namespace. Docker keeps those of its own elsewhere."""
    if all(namespace == _MOBY for namespace, _record in found):
        return [record for _namespace, record in found]
    labels = read_containerd_labels(state, _CONFIGURATIONS)
    return [replace(record, labels=labels.get((namespace, record.container_id))) for namespace, record in found]


def _state_directories(state: RuntimeState) -> List[str]:
    directories = list(_DEFAULT_STATES)
    for path in _CONFIGURATIONS:
        configured = toml_string(state.text(path, "containerd configuration") or "", "", "state")
        if configured and configured.startswith("/") and configured.rstrip("/") not in directories:
            directories.append(configured.rstrip("/"))
    return directories


def _read_task(state: RuntimeState, namespace: str, identifier: str, directory: str) -> Optional[ContainerRecord]:
    source = f"{directory}/config.json"
    value = state.json(source, _SUBJECT)
    if value is None:
        return None
    configuration = parse_oci_configuration(value)
    pid = state.process_id(f"{directory}/init.pid", identifier)
    annotations = configuration.annotations
    sandbox = annotations.get(_CRI + "container-type") == "sandbox"
    pod = annotations.get(_CRI + "sandbox-name")
    return ContainerRecord(
        runtime="docker" if namespace == _MOBY else "containerd",
        container_id=identifier,
        name=(pod if sandbox else annotations.get(_CRI + "container-name")) or identifier,
        sandbox=sandbox,
        pod=pod,
        pod_namespace=annotations.get(_CRI + "sandbox-namespace"),
        pod_uid=annotations.get(_CRI + "sandbox-uid"),
        sandbox_id=annotations.get(_CRI + "sandbox-id"),
        pid=pid,
        network_namespace_path=configuration.path_for(pid),
        host_network=_host_network(configuration),
        sysctls=configuration.sysctls or None,
        source=source,
    )


def _host_network(configuration: OciConfiguration) -> bool:
    # Docker bind-mounts the host's namespace under this name and lets its containers join it.
    return configuration.host_network or configuration.network_namespace_path == "/var/run/docker/netns/default"
