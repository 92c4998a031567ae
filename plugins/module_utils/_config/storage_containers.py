# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Containers that CRI-O and podman run: both keep them in a store of containers/storage."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Dict, List, NamedTuple, Optional

from .._model.owner import ContainerRecord
from .oci import OciConfiguration, parse_oci_configuration
from .podman_labels import read_podman_labels
from .state import RuntimeState, object_of, text_of, texts_of
from .toml_strings import toml_string

_SUBJECT = "containers/storage"
_CONFIGURATIONS = ("/usr/share/containers/storage.conf", "/etc/containers/storage.conf")
_DEFAULT_GRAPH_ROOT = "/var/lib/containers/storage"
_DEFAULT_RUN_ROOT = "/run/containers/storage"
# overlay-containers, vfs-containers ...: one directory per storage driver.
_SUFFIX = "-containers"
_LISTS = ("containers.json", "volatile-containers.json")
# Annotations of CRI-O (internal/annotations) and of kubelet.
_CRIO = "io.kubernetes.cri-o."
_MANAGER = "io.container.manager"
_PODMAN = "podman"


class _Container(NamedTuple):
    identifier: str
    name: Optional[str]
    directories: List[str]


def read_storage_containers(state: RuntimeState) -> List[ContainerRecord]:
    """Return a record of every container of the machine's CRI-O and podman.

    Of a pod of CRI-O the sandbox bears the pod's name, a container its own within the pod. Podman has no pods in the
    sense of Kubernetes: its infra containers are listed under their own names. Containers of rootless users are not
    read. The image store of a build or a container that isn't run by either has no configuration, and is left out.
    Source: cri-o internal/lib/sandbox and internal/annotations; podman 4.3, recorded in the tests.
    """
    records: List[ContainerRecord] = []
    roots = _roots(state)
    for container in _containers(state, roots):
        for directory in container.directories:
            source = f"{directory}/config.json"
            value = state.json(source, _SUBJECT)
            if value is not None:
                record = _record(state, container, parse_oci_configuration(value), source)
                records.extend([record] if record else [])
                break
    return _with_podman_labels(state, roots, records)


def _with_podman_labels(state: RuntimeState, roots: List[str], records: List[ContainerRecord]) -> List[ContainerRecord]:
    if all(record.runtime != _PODMAN for record in records):
        return records
    labels = read_podman_labels(state, roots)
    return [
        replace(record, labels=labels.get(record.container_id)) if record.runtime == _PODMAN else record
        for record in records
    ]


def _roots(state: RuntimeState) -> List[str]:
    """Return the directories of the store: what survives a boot, what doesn't."""
    roots = {"graphroot": _DEFAULT_GRAPH_ROOT, "runroot": _DEFAULT_RUN_ROOT}
    for path in _CONFIGURATIONS:
        text = state.text(path, "containers/storage configuration") or ""
        for key in roots:
            configured = toml_string(text, "storage", key)
            if configured and configured.startswith("/"):
                roots[key] = configured.rstrip("/")
    return list(roots.values())


def _containers(state: RuntimeState, roots: List[str]) -> List[_Container]:
    directories: Dict[str, List[str]] = {}
    names: Dict[str, str] = {}
    for root in roots:
        for driver in state.names(root, _SUBJECT):
            if not driver.endswith(_SUFFIX):
                continue
            for name in state.names(f"{root}/{driver}", _SUBJECT):
                path = f"{root}/{driver}/{name}"
                if name in _LISTS:
                    names.update(_names(state, path))
                elif "." not in name:
                    directories.setdefault(name, []).append(f"{path}/userdata")
    return [_Container(identifier, names.get(identifier), paths) for identifier, paths in sorted(directories.items())]


def _names(state: RuntimeState, path: str) -> Dict[str, str]:
    """Return the names that containers.json gives, by id."""
    value = state.json(path, _SUBJECT)
    found: Dict[str, str] = {}
    for entry in value if isinstance(value, list) else []:
        identifier = text_of(object_of(entry).get("id"))
        names = object_of(entry).get("names")
        name = text_of(names[0]) if isinstance(names, list) and names else None
        if identifier and name:
            found[identifier] = name
    return found


def _record(
    state: RuntimeState, container: _Container, configuration: OciConfiguration, source: str
) -> Optional[ContainerRecord]:
    pids = (state.process_id(f"{path}/pidfile", container.identifier) for path in container.directories)
    pid = next((pid for pid in pids if pid), None)
    annotations = configuration.annotations
    if annotations.get(_MANAGER) == "libpod":
        return ContainerRecord(
            runtime=_PODMAN,
            container_id=container.identifier,
            name=container.name or container.identifier,
            pid=pid,
            network_namespace_path=configuration.path_for(pid),
            host_network=configuration.host_network,
            sysctls=configuration.sysctls or None,
            source=source,
        )
    kind = annotations.get(_CRIO + "ContainerType")
    return _pod_record(container, configuration, pid, kind == "sandbox", source) if kind else None


def _pod_record(
    container: _Container, configuration: OciConfiguration, pid: Optional[int], sandbox: bool, source: str
) -> ContainerRecord:
    annotations = configuration.annotations
    pod = annotations.get("io.kubernetes.pod.name") or annotations.get(_CRIO + "KubeName")
    name = pod if sandbox else annotations.get("io.kubernetes.container.name")
    return ContainerRecord(
        runtime="cri-o",
        container_id=container.identifier,
        name=name or annotations.get(_CRIO + "Name") or container.name or container.identifier,
        sandbox=sandbox,
        pod=pod,
        pod_namespace=annotations.get("io.kubernetes.pod.namespace") or annotations.get(_CRIO + "Namespace"),
        pod_uid=annotations.get("io.kubernetes.pod.uid"),
        sandbox_id=annotations.get(_CRIO + "SandboxID"),
        pid=pid,
        network_namespace_path=configuration.path_for(pid),
        host_network=configuration.host_network,
        sysctls=configuration.sysctls or None,
        source=source,
        labels=_crio_labels(annotations.get(_CRIO + "Labels")),
    )


def _crio_labels(text: Optional[str]) -> Optional[Dict[str, str]]:
    try:
        return texts_of(json.loads(text)) if text else None
    except (ValueError, RecursionError):
        return None
