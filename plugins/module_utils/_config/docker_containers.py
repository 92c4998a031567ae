# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Containers that Docker runs, those of dockershim and cri-dockerd (RKE1) included."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Dict, List, NamedTuple, Optional

from .._model.owner import ContainerRecord
from .state import RuntimeState, object_of, text_of, texts_of

_SUBJECT = "docker container"
# With user namespaces the data directory has one such directory per range ("100000.100000").
_REMAPPED = re.compile(r"[0-9]+\.[0-9]+\Z")
# k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT; none of the parts may have an underscore.
_POD_NAME = re.compile(r"k8s_([^_]+)_([^_]+)_([^_]+)_([^_]+)_[0-9]+")
_SANDBOX = "POD"
_JOINED = "container:"


class _PodPart(NamedTuple):
    container: Optional[str]
    pod: Optional[str]
    namespace: Optional[str]
    uid: Optional[str]
    sandbox_id: Optional[str]


def read_docker_containers(state: RuntimeState, data_root: str) -> List[ContainerRecord]:
    """Return a record of every container in Docker's data directory; those that don't run have no pid.

    Source: moby 20.10 container/container.go, config.v2.json and hostconfig.json; labels and names of dockershim:
    kubernetes 1.23 pkg/kubelet/dockershim/naming.go.
    """
    directories = [f"{data_root}/containers"]
    for name in state.names(data_root, _SUBJECT):
        if _REMAPPED.match(name):
            directories.append(f"{data_root}/{name}/containers")
    records: Dict[str, ContainerRecord] = {}
    joined: Dict[str, str] = {}
    for directory in directories:
        for identifier in state.names(directory, _SUBJECT):
            host = object_of(state.json(f"{directory}/{identifier}/hostconfig.json", _SUBJECT))
            record = _read_container(state, identifier, f"{directory}/{identifier}", host)
            if record:
                records[identifier] = record
                joined[identifier] = joined_container(text_of(host.get("NetworkMode"))) or identifier
    return [
        replace(record, host_network=True) if _shares_host_network(identifier, records, joined) else record
        for identifier, record in records.items()
    ]


def _shares_host_network(identifier: str, records: Dict[str, ContainerRecord], joined: Dict[str, str]) -> bool:
    """Tell whether a container has the host's network or joins, in one step, one that has it."""
    owner = records.get(joined[identifier])
    return records[identifier].host_network or (owner is not None and owner.host_network)


def joined_container(network_mode: Optional[str]) -> Optional[str]:
    """Return the id of the container whose network namespace another one shares, from its NetworkMode."""
    if network_mode and network_mode.startswith(_JOINED):
        return network_mode[len(_JOINED) :] or None
    return None


def _read_container(
    state: RuntimeState, identifier: str, directory: str, host: Dict[str, Any]
) -> Optional[ContainerRecord]:
    source = f"{directory}/config.v2.json"
    value = state.json(source, _SUBJECT)
    if value is None:
        return None
    configuration = object_of(value)
    name = (text_of(configuration.get("Name")) or identifier).lstrip("/")
    network_mode = text_of(host.get("NetworkMode"))
    labels = texts_of(object_of(configuration.get("Config")).get("Labels"))
    pod = _pod_part(name, labels, network_mode)
    sandbox = pod.pod is not None and pod.container == _SANDBOX
    pid = _pid(state, configuration, identifier)
    return ContainerRecord(
        runtime="docker",
        container_id=identifier,
        name=(pod.pod if sandbox else pod.container) or name,
        sandbox=sandbox,
        pod=pod.pod,
        pod_namespace=pod.namespace,
        pod_uid=pod.uid,
        sandbox_id=identifier if sandbox else pod.sandbox_id,
        pid=pid,
        network_namespace_path=_namespace_path(configuration, pid),
        host_network=network_mode == "host",
        sysctls=texts_of(host.get("Sysctls")) or None,
        labels=labels,
        source=source,
    )


def _pid(state: RuntimeState, configuration: Dict[str, Any], identifier: str) -> Optional[int]:
    status = object_of(configuration.get("State"))
    pid = status.get("Pid")
    if status.get("Running") is not True or not isinstance(pid, int):
        return None
    return state.running(pid, identifier)


def _namespace_path(configuration: Dict[str, Any], pid: Optional[int]) -> Optional[str]:
    """Return where the namespace is bound; a container that shares another's has no such place of its own."""
    if pid is None:
        return None
    return text_of(object_of(configuration.get("NetworkSettings")).get("SandboxKey")) or f"/proc/{pid}/ns/net"


def _pod_part(name: str, labels: Dict[str, str], network_mode: Optional[str]) -> _PodPart:
    """Return which part of which pod a container is, from the labels or, where they are missing, from its name."""
    match = _POD_NAME.match(name)
    named = match.groups() if match else (None, None, None, None)
    container = labels.get("io.kubernetes.container.name") or named[0]
    if labels.get("io.kubernetes.docker.type") == "podsandbox":
        container = _SANDBOX
    pod = labels.get("io.kubernetes.pod.name") or named[1]
    if pod is None:
        return _PodPart(None, None, None, None, None)
    return _PodPart(
        container=container,
        pod=pod,
        namespace=labels.get("io.kubernetes.pod.namespace") or named[2],
        uid=labels.get("io.kubernetes.pod.uid") or named[3],
        sandbox_id=labels.get("io.kubernetes.sandbox.id") or joined_container(network_mode),
    )
