# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of containers and pods, from the state that real runtimes left on disk, whole and damaged."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import sys
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config import bolt_file
from ansible_collections.netfit.cluster.plugins.module_utils._config.bolt import BoltError, Bucket, open_database
from ansible_collections.netfit.cluster.plugins.module_utils._config.containers import read_containers
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Problem

Host = Callable[[str, Union[str, bytes]], str]
Recorded = Callable[[str], str]
Labels = Optional[Dict[str, str]]

DATA = Path(__file__).resolve().parent.parent / "data"
META = "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db"
CONTAINERD = "/run/containerd/io.containerd.runtime.v2.task"
META_CONTENT = (DATA / "containerd-1.6-labels" / META[1:]).read_bytes()
STORE = "/var/lib/containers/storage"
A, B = "a" * 64, "b" * 64


def labels(root: str) -> Dict[str, Labels]:
    """Labels of sandboxes and of containers of no pod, by name."""
    found, problems = read_containers(root)
    assert problems == []
    return {record.name: record.labels for record in found if record.sandbox or record.pod is None}


def without_kubelets(found: Dict[str, Labels]) -> Dict[str, Dict[str, str]]:
    return {name: {key: text for key, text in (own or {}).items() if "/" not in key and not key.startswith("io.")}
            for name, own in found.items()}  # fmt: skip


def problems_of(root: str) -> List[Problem]:
    found, problems = read_containers(root)
    assert {record.labels is None for record in found} == {True}
    return problems


def test_pods_of_a_real_containerd_have_theirs(recorded: Recorded) -> None:
    found = labels(recorded("containerd-1.6-labels"))
    assert without_kubelets(found) == {
        "gate-1": {"app": "gateway", "team": "shop"},
        "gate-2": {"app": "gateway"},
        "db-0": {},
    }
    assert (found["db-0"] or {})["io.kubernetes.pod.namespace"] == "data"


def test_container_of_a_pod_has_what_the_kubelet_gives_it(recorded: Recorded) -> None:
    found, _problems = read_containers(recorded("containerd-1.6-labels"))
    container = next(record for record in found if record.name == "gate-1" and not record.sandbox)
    assert (container.labels or {})["io.kubernetes.container.name"] == "gate-1"
    assert "app" not in (container.labels or {})


def test_containers_of_a_real_podman_have_theirs(recorded: Recorded) -> None:
    assert labels(recorded("podman-4.3-labels")) == {"web": {"app": "gateway"}, "plain": {}}


def test_docker_containers_have_theirs(host: Host) -> None:
    state = {"Name": "/web", "Config": {"Labels": {"app": "gateway", "odd": 5}}}
    host(f"/var/lib/docker/containers/{B}/config.v2.json", json.dumps({"Name": "/old", "Config": {"Labels": None}}))
    root = host(f"/var/lib/docker/containers/{A}/config.v2.json", json.dumps(state))
    assert labels(root) == {"web": {"app": "gateway"}, "old": {}}


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [('{"app": "gateway"}', {"app": "gateway"}), ("{}", {}), ("[", None), ("[" * 100_000, None), (None, None)],
    ids=["some", "none", "damaged", "deep", "absent"],
)  # fmt: skip
def test_pods_of_cri_o_have_them_in_an_annotation(annotation: Optional[str], expected: Labels, host: Host) -> None:
    annotations = {
        "io.kubernetes.cri-o.ContainerType": "sandbox",
        "io.kubernetes.cri-o.KubeName": "web",
        **({"io.kubernetes.cri-o.Labels": annotation} if annotation is not None else {}),
    }
    text = json.dumps({"annotations": annotations})
    assert labels(host(f"{STORE}/overlay-containers/{A}/userdata/config.json", text)) == {"web": expected}


@pytest.mark.parametrize(
    ("configuration", "directory"),
    [
        (None, "/var/lib/rancher/k3s/agent/containerd"),
        (None, "/var/lib/rancher/rke2/agent/containerd"),
        ("/etc/containerd/config.toml", "/srv/containerd"),
        ("/var/lib/rancher/rke2/agent/etc/containerd/config.toml", "/srv/other"),
    ],
)
def test_database_of_containerd_is_found_where_it_may_be(
    configuration: Optional[str], directory: str, recorded: Recorded, host: Host, tmp_path: Path
) -> None:
    shutil.copytree(recorded("containerd-1.6-labels") + "/run", tmp_path / "run")
    if configuration:
        host(configuration, f'version = 2\nroot = "{directory}/"\n[plugins]\nroot = "/wrong"\n')
    root = host(f"{directory}/io.containerd.metadata.v1.bolt/meta.db", META_CONTENT)
    assert without_kubelets(labels(root))["gate-2"] == {"app": "gateway"}


def test_without_a_database_labels_are_not_known(recorded: Recorded, tmp_path: Path) -> None:
    shutil.copytree(recorded("containerd-1.6-labels") + "/run", tmp_path / "run")
    assert labels(str(tmp_path)) == {"gate-1": None, "gate-2": None, "db-0": None}


def test_database_of_docker_s_containerd_is_not_read(recorded: Recorded, host: Host, tmp_path: Path) -> None:
    shutil.copytree(recorded("docker-20.10") + "/run", tmp_path / "run")
    assert problems_of(host(META, b"damaged")) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "no valid meta page"), (b"\x7fELF" * 9000, "no valid meta page"), (META_CONTENT[:20480], "behind the end")],
)
def test_damaged_database_of_containerd_is_a_problem_and_pods_are_still_there(
    content: bytes, reason: str, recorded: Recorded, host: Host, tmp_path: Path
) -> None:
    shutil.copytree(recorded("containerd-1.6-labels") + "/run", tmp_path / "run")
    (problem,) = problems_of(host(META, content))
    assert (problem.subject, problem.path) == ("containerd labels", META)
    assert reason in problem.reason


def test_database_that_changes_all_the_time_is_a_problem(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = max((0, 4096), key=lambda start: struct.unpack_from("<Q", META_CONTENT, start + 64)[0])
    older = bytearray(META_CONTENT)
    older[newest + 30] ^= 0xFF
    # Once more for each of the places where K3s and RKE2 have theirs.
    versions = [META_CONTENT, bytes(older)] * 15
    monkeypatch.setattr(bolt_file, "read_bytes", lambda *_arguments: versions.pop())
    reasons = {problem.reason for problem in problems_of(recorded("containerd-1.6-labels"))}
    assert reasons == {"it changed during each of 5 attempts to read it"}


def everything(bucket: Bucket, depth: int = 0) -> int:
    """Read all below a bucket; return the bytes of its keys and values."""
    size = sum(len(key) + len(value) for key, value in bucket.values())
    return size + sum(len(name) + everything(inner, depth + 1) for name, inner in bucket.buckets())


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 9 * 4096), st.integers(1, 255)), min_size=1, max_size=40))
def test_damage_in_nested_buckets_raises_nothing_but_its_own_error(flips: List[Tuple[int, int]]) -> None:
    damaged = bytearray(META_CONTENT)
    for position, bits in flips:
        damaged[position] ^= bits
    try:
        size = everything(open_database(bytes(damaged)))
    except (BoltError, RecursionError):
        return
    assert size <= len(META_CONTENT)


def sqlite(root: Path, name: str, rows: Dict[str, str], journal: str = "delete") -> Path:
    """Make the database of a newer podman, with the columns that it has."""
    path = root / STORE[1:] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(str(path))
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute(
        "CREATE TABLE ContainerConfig(ID TEXT PRIMARY KEY NOT NULL, Name TEXT UNIQUE NOT NULL, PodID TEXT, JSON TEXT)"
    )
    connection.executemany(
        "INSERT INTO ContainerConfig VALUES (?, ?, NULL, ?)", [(key, f"name-{key}", text) for key, text in rows.items()]
    )
    connection.commit()
    connection.close()
    return path


def podman_container(host: Host, identifier: str) -> str:
    text = json.dumps({"annotations": {"io.container.manager": "libpod"}})
    return host(f"{STORE}/overlay-containers/{identifier}/userdata/config.json", text)


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("name", ["db.sql", "libpod/db.sql"])
def test_newer_podman_keeps_them_in_sqlite(name: str, journal: str, host: Host, tmp_path: Path) -> None:
    root = podman_container(host, A)
    podman_container(host, B)
    path = sqlite(tmp_path, name, {A: '{"labels": {"app": "gateway"}}', B: '{"name": "x"}'}, journal)
    beside = sorted(os.listdir(path.parent))
    assert labels(root) == {A: {"app": "gateway"}, B: {}}
    assert sorted(os.listdir(path.parent)) == beside


def test_transaction_that_podman_has_not_committed_is_not_seen(host: Host, tmp_path: Path) -> None:
    root = podman_container(host, A)
    path = sqlite(tmp_path, "db.sql", {A: '{"labels": {"app": "old"}}'})
    writer = sqlite3.connect(str(path), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE ContainerConfig SET JSON = ?", ('{"labels": {"app": "new"}}',))
    assert labels(root) == {A: {"app": "old"}}
    writer.execute("COMMIT")
    writer.close()
    assert labels(root) == {A: {"app": "new"}}


def test_what_is_in_the_write_ahead_log_only_is_seen(host: Host, tmp_path: Path) -> None:
    root = podman_container(host, A)
    path = sqlite(tmp_path, "db.sql", {A: '{"labels": {"app": "old"}}'}, "wal")
    writer = sqlite3.connect(str(path), isolation_level=None)
    writer.execute("UPDATE ContainerConfig SET JSON = ?", ('{"labels": {"app": "new"}}',))
    assert labels(root) == {A: {"app": "new"}}
    writer.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is no SQLite database"),
        (b"SQLite format 3\0", "it is no SQLite database"),
        (b"SQLite format 3\0" + b"\xff" * 5000, "SQLite cannot read it"),
    ],
)
def test_damaged_sqlite_is_a_problem(content: bytes, reason: str, host: Host) -> None:
    podman_container(host, A)
    (problem,) = problems_of(host(f"{STORE}/db.sql", content))
    assert (problem.subject, problem.path) == ("podman labels", f"{STORE}/db.sql")
    assert reason in problem.reason


def test_configuration_that_is_no_json_is_a_problem(host: Host, tmp_path: Path) -> None:
    sqlite(tmp_path, "db.sql", {A: "{"})
    (problem,) = problems_of(podman_container(host, A))
    assert problem.path == f"{STORE}/db.sql"


def test_named_pipe_in_place_of_the_database_is_not_waited_for(host: Host, tmp_path: Path) -> None:
    root = podman_container(host, A)
    os.mkfifo(tmp_path / STORE[1:] / "db.sql")
    assert [problem.reason for problem in problems_of(root)] == ["it is not a regular file"]


def test_python_without_sqlite_is_a_problem_in_words(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite(tmp_path, "db.sql", {})
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    (problem,) = problems_of(podman_container(host, A))
    assert "this host's Python cannot read SQLite databases" in problem.reason
