# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods through the container runtime's own interface (CRI v1), as the kubelet makes them.

Field numbers: kubernetes/cri-api, pkg/apis/runtime/v1/api.proto.
"""

from __future__ import annotations

import importlib
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from .errors import CommandFailed, MissingRequirement
from .protobuf import Fields, message

_SERVICE = "/runtime.v1.RuntimeService/"
_TIMEOUT = 60.0
"""Seconds, for one call."""
_READY_TIMEOUT = 30.0
"""Seconds until the runtime and its network are ready."""
_READY = 0
"""PodSandboxState.SANDBOX_READY."""


@dataclass(frozen=True)
class Pod:
    """One pod with one container.

    sysctls: set in the pod's own namespaces. image: a reference known to the runtime. labels: of the pod.
    """

    name: str
    namespace: str
    image: str
    sysctls: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        """The uid that Kubernetes would have given: the same for the same pod each time."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}.{self.namespace}.pod.netfit"))


@dataclass(frozen=True)
class RunningPod:
    """A pod that the runtime knows. address: its IPv4 address. ready: whether its sandbox runs."""

    sandbox_id: str
    name: str
    namespace: str
    ready: bool
    address: str


def load_grpc() -> Any:
    """Return the package that speaks the runtime's protocol. Raises MissingRequirement."""
    try:
        return importlib.import_module("grpc")
    except ImportError as error:
        raise MissingRequirement(
            f"pods are made with the Python package grpcio, which {sys.executable} lacks: pip install grpcio"
            " (Debian and Ubuntu: python3-grpcio)"
        ) from error


class ContainerRuntime:
    """A connection to a container runtime that is ready, network included.

    Context manager; entering waits. Raises CommandFailed with the runtime's own words.
    """

    def __init__(self, socket: Path) -> None:
        self._grpc = load_grpc()
        self._channel = self._grpc.insecure_channel(f"unix://{socket}")

    def __enter__(self) -> ContainerRuntime:
        deadline = time.monotonic() + _READY_TIMEOUT
        waiting_for = self._not_ready()
        while waiting_for:
            if time.monotonic() > deadline:
                self._channel.close()
                raise CommandFailed(f"the container runtime is not ready after {_READY_TIMEOUT:g} s: {waiting_for}")
            time.sleep(0.02)
            waiting_for = self._not_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def run(self, pod: Pod) -> str:
        """Make and start a pod; return the id of its sandbox."""
        sandbox = _sandbox(pod)
        sandbox_id = self._call("RunPodSandbox", message((1, sandbox))).text(1)
        container = _container(pod)
        created = self._call("CreateContainer", message((1, sandbox_id), (2, container), (3, sandbox)))
        self._call("StartContainer", message((1, created.text(1))))
        return sandbox_id

    def remove(self, sandbox_id: str) -> None:
        """Stop a pod and remove it with its container."""
        self._call("StopPodSandbox", message((1, sandbox_id)))
        self._call("RemovePodSandbox", message((1, sandbox_id)))

    def pods(self) -> list[RunningPod]:
        """Return all pods that the runtime knows."""
        return [self._status(item.text(1)) for item in self._call("ListPodSandbox", b"").repeated(1)]

    def _not_ready(self) -> str:
        """Return what the runtime still lacks; it answers before it has read its plugins and the network's files."""
        try:
            conditions = self._call("Status", b"").nested(1).repeated(1)
        except CommandFailed as error:
            return str(error)
        return ", ".join(f"{item.text(1)}: {item.text(4)}" for item in conditions if not item.number(2))

    def _status(self, sandbox_id: str) -> RunningPod:
        status = self._call("PodSandboxStatus", message((1, sandbox_id))).nested(1)
        metadata = status.nested(2)
        return RunningPod(
            sandbox_id, metadata.text(1), metadata.text(3), status.number(3) == _READY, status.nested(5).text(1)
        )

    def _call(self, method: str, request: bytes) -> Fields:
        call = self._channel.unary_unary(_SERVICE + method)
        try:
            answer: bytes = call(request, timeout=_TIMEOUT, wait_for_ready=True)
        except self._grpc.RpcError as error:
            raise CommandFailed(f"the container runtime refused {method}: {error.details()}") from error
        return Fields(answer)


def _labels(pod: Pod) -> dict[str, str]:
    """What the kubelet adds; a container gets no more than this and its own name, a sandbox also the pod's labels."""
    return {
        "io.kubernetes.pod.name": pod.name,
        "io.kubernetes.pod.namespace": pod.namespace,
        "io.kubernetes.pod.uid": pod.uid,
    }


def _sandbox(pod: Pod) -> bytes:
    """PodSandboxConfig: metadata, hostname, log_directory, labels, linux {cgroup_parent, sysctls}."""
    metadata = message((1, pod.name), (2, pod.uid), (3, pod.namespace))
    linux = message((1, f"/kubepods/burstable/pod{pod.uid}"), (3, pod.sysctls))
    directory = f"/var/log/pods/{pod.namespace}_{pod.name}_{pod.uid}"
    return message((1, metadata), (2, pod.name), (3, directory), (6, {**pod.labels, **_labels(pod)}), (8, linux))


def _container(pod: Pod) -> bytes:
    """ContainerConfig: metadata, image, command, labels, log_path, linux."""
    labels = {**_labels(pod), "io.kubernetes.container.name": pod.name}
    command = [(3, argument) for argument in pod.command]
    metadata, image = message((1, pod.name)), message((1, pod.image))
    return message((1, metadata), (2, image), *command, (9, labels), (11, f"{pod.name}/0.log"), (15, b""))
