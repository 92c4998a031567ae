# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Labels of the containers of containerd: they are in its database, not in the configuration of the runtime below."""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, Optional, Tuple

from .bolt import BoltError, Bucket, open_database
from .bolt_file import read_snapshot
from .reading import UnreadableFile
from .state import RuntimeState
from .toml_strings import toml_string

_SUBJECT = "containerd labels"
_DATABASE = "io.containerd.metadata.v1.bolt/meta.db"
# K3s and RKE2 carry a containerd of their own.
_DEFAULT_ROOTS = (
    "/var/lib/containerd",
    "/var/lib/rancher/k3s/agent/containerd",
    "/var/lib/rancher/rke2/agent/containerd",
)
# It grows with images and snapshots more than with containers: some 10 KiB for each layer of an image.
_LIMIT = 128 * 1024 * 1024

LabelsByContainer = Dict[Tuple[str, str], Dict[str, str]]
"""containerd's namespace and the container's id -> its labels."""


def read_containerd_labels(state: RuntimeState, configurations: Iterable[str]) -> LabelsByContainer:
    """Return the labels of all containers of every containerd of the host but Docker's.

    configurations: paths of their config.toml, which may move the database (``root``). A pod's labels are on its
    sandbox; its containers have those that the kubelet gives them. Source: containerd 1.6 metadata/buckets.go, bucket
    v1/NAMESPACE/containers/ID/labels; a recorded file in the tests.
    """
    found: LabelsByContainer = {}
    for directory in _roots(state, configurations):
        path = f"{directory}/{_DATABASE}"
        try:
            content = read_snapshot(state.root, path, _LIMIT)
            labels = dict(_labels(open_database(content))) if content is not None else {}
        except UnreadableFile as error:
            state.problems.append(error.problem(_SUBJECT))
        except BoltError as error:
            state.problem(_SUBJECT, str(error), path)
        else:
            found.update(labels)
    return found


def _roots(state: RuntimeState, configurations: Iterable[str]) -> Iterable[str]:
    roots = dict.fromkeys(_DEFAULT_ROOTS)
    for path in configurations:
        configured = toml_string(state.text(path, "containerd configuration") or "", "", "root")
        if configured and configured.startswith("/"):
            roots[configured.rstrip("/")] = None
    return roots


def _labels(top: Bucket) -> Iterator[Tuple[Tuple[str, str], Dict[str, str]]]:
    version = top.bucket(b"v1")
    for namespace, content in version.buckets() if version else ():
        containers = content.bucket(b"containers")
        for identifier, container in containers.buckets() if containers else ():
            yield (_text(namespace), _text(identifier)), _texts(container.bucket(b"labels"))


def _texts(bucket: Optional[Bucket]) -> Dict[str, str]:
    return {_text(key): _text(value) for key, value in bucket.values()} if bucket else {}


def _text(value: bytes) -> str:
    return value.decode("utf-8", errors="replace")
