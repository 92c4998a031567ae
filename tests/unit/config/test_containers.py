# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers and pods, from the state that real runtimes left on disk."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Callable, Dict, List, Optional, Union

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.containers import read_containers
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import ContainerRecord

Host = Callable[[str, Union[str, bytes]], str]
Recorded = Callable[[str], str]

UID = "11111111-2222-3333-4444-555555555555"
TASKS = "/run/containerd/io.containerd.runtime.v2.task"
A, B, C = "a" * 64, "b" * 64, "c" * 64


def records(root: str) -> List[ContainerRecord]:
    found, problems = read_containers(root)
    assert problems == []
    return found


def by_name(root: str) -> Dict[str, ContainerRecord]:
    return {record.name: record for record in records(root)}


def oci(annotations: Optional[Dict[str, str]] = None, network: Optional[Dict[str, str]] = None) -> str:
    namespaces = [{"type": "pid"}, *([network] if network is not None else [])]
    return json.dumps({"annotations": annotations or {}, "linux": {"namespaces": namespaces}})


def test_docker_container_on_a_network_in_full(recorded: Recorded) -> None:
    identifier = "013b10f6a234b70ee9da5adb6408ffa9e95874c772ac2ce014e0a671f8de79b3"
    assert by_name(recorded("docker-20.10"))["gateway"] == ContainerRecord(
        runtime="docker",
        container_id=identifier,
        name="gateway",
        pid=374,
        network_namespace_path="/var/run/docker/netns/0c56b9cd432a",
        sysctls={"net.core.somaxconn": "1024"},
        source=f"/var/lib/docker/containers/{identifier}/config.v2.json",
        labels={},
    )


def test_docker_containers_are_not_listed_again_for_containerd(recorded: Recorded) -> None:
    found = records(recorded("docker-20.10"))
    assert sorted(record.name for record in found) == ["finished", "gateway", "nothing", "on-host", "sidecar", "web"]
    assert all(str(record.source).startswith("/var/lib/docker/") for record in found)


def test_docker_modes_of_the_network(recorded: Recorded) -> None:
    found = by_name(recorded("docker-20.10"))
    assert {name for name, record in found.items() if record.host_network} == {"on-host"}
    assert found["sidecar"].network_namespace_path == "/proc/517/ns/net"
    assert (found["finished"].pid, found["finished"].network_namespace_path) == (None, None)


def test_docker_pod_of_dockershim(recorded: Recorded) -> None:
    web = by_name(recorded("docker-20.10"))["web"]
    assert (web.sandbox, web.pod, web.pod_namespace, web.pod_uid) == (True, "web", "prod", UID)
    assert web.sandbox_id == web.container_id


def test_containerd_alone_tells_of_docker_containers_where_docker_state_is_gone(
    recorded: Recorded, tmp_path: Path
) -> None:
    shutil.copytree(recorded("docker-20.10") + "/run", tmp_path / "run")
    found = records(str(tmp_path))
    assert {record.runtime for record in found} == {"docker"}
    assert len(found) == 5
    assert [record.pid for record in found if record.host_network] == [466]


def docker_container(host: Host, identifier: str, name: str, mode: str, labels: Dict[str, str]) -> str:
    directory = f"/var/lib/docker/containers/{identifier}/"
    state = {"Name": "/" + name, "State": {"Running": True, "Pid": 7}, "Config": {"Labels": labels}}
    host(directory + "config.v2.json", json.dumps(state))
    return host(directory + "hostconfig.json", json.dumps({"NetworkMode": mode}))


def test_docker_pod_without_labels_is_known_by_its_name(host: Host) -> None:
    docker_container(host, A, f"k8s_POD_web-0_prod_{UID}_2", "none", {})
    root = docker_container(host, B, f"k8s_app_web-0_prod_{UID}_2", f"container:{A}", {})
    sandbox, container = records(root)
    assert (sandbox.sandbox, sandbox.name, sandbox.pod, sandbox.sandbox_id) == (True, "web-0", "web-0", A)
    assert (container.sandbox, container.name, container.pod) == (False, "app", "web-0")
    assert (container.pod_namespace, container.pod_uid, container.sandbox_id) == ("prod", UID, A)


def test_docker_container_that_joins_one_on_the_host_network_is_on_it_too(host: Host) -> None:
    docker_container(host, A, "first", "host", {})
    root = docker_container(host, B, "second", f"container:{A}", {})
    assert [record.host_network for record in records(root)] == [True, True]


def test_docker_container_that_ended_has_no_pid(host: Host) -> None:
    state = {"Name": "/done", "State": {"Running": False, "Pid": 7}}
    root = host(f"/var/lib/docker/containers/{A}/config.v2.json", json.dumps(state))
    assert [(record.pid, record.network_namespace_path) for record in records(root)] == [(None, None)]


def test_docker_data_directory_may_be_moved_and_remapped(host: Host) -> None:
    host("/etc/docker/daemon.json", '{"data-root": "/srv/docker"}')
    root = host(f"/srv/docker/100000.100000/containers/{A}/config.v2.json", '{"Name": "/moved"}')
    assert [(record.name, record.pid) for record in records(root)] == [("moved", None)]


def test_cri_pod_and_its_container_of_a_real_containerd(recorded: Recorded) -> None:
    found = {(record.pod, record.name): record for record in records(recorded("containerd-1.6"))}
    sandbox, container = found["gateway-0", "gateway-0"], found["gateway-0", "app"]
    assert (sandbox.sandbox, sandbox.pod_namespace, sandbox.pod_uid, sandbox.pid) == (True, "prod", UID, 937)
    assert sandbox.network_namespace_path == "/var/run/netns/cni-7a04a07f-ae5b-1cdd-6cb0-0220b3ebcb16"
    assert sandbox.sysctls == {"net.core.somaxconn": "1024"}
    assert (container.sandbox, container.sandbox_id, container.pid) == (False, sandbox.container_id, 968)
    assert (container.network_namespace_path, container.host_network) == ("/proc/968/ns/net", False)


def test_cri_pod_on_the_host_network_has_its_containers_there(recorded: Recorded) -> None:
    found = {(record.pod, record.name): record for record in records(recorded("containerd-1.6"))}
    assert found["host-pod", "host-pod"].host_network
    assert found["host-pod", "app"].host_network
    assert not found["gateway-0", "gateway-0"].host_network


def test_container_of_ctr_bears_its_id_as_name(recorded: Recorded) -> None:
    found = by_name(recorded("containerd-1.6"))["t1"]
    assert (found.runtime, found.container_id, found.pid) == ("containerd", "t1", 857)
    assert found.network_namespace_path == "/proc/857/ns/net"


def test_same_id_of_two_people_is_two_containers(host: Host) -> None:
    host(f"{TASKS}/default/t1/config.json", oci(network={"type": "network"}))
    root = host(f"{TASKS}/other/t1/config.json", oci(network={"type": "network"}))
    assert len(records(root)) == 2


@pytest.mark.parametrize(
    ("configuration", "state"),
    [
        ("/var/lib/rancher/k3s/agent/etc/containerd/config.toml", "/run/k3s/containerd"),
        ("/etc/containerd/config.toml", "/srv/containerd"),
    ],
)
def test_containerd_state_is_found_where_its_configuration_has_it(configuration: str, state: str, host: Host) -> None:
    host(configuration, f'version = 2\nstate = "{state}"\n[plugins]\nstate = "/wrong"\n')
    annotations = {
        "io.kubernetes.cri.container-type": "sandbox",
        "io.kubernetes.cri.sandbox-name": "web",
        "io.kubernetes.cri.sandbox-namespace": "prod",
    }
    root = host(f"{state}/io.containerd.runtime.v2.task/k8s.io/{A}/config.json", oci(annotations))
    assert [(record.name, record.pod_namespace, record.sandbox) for record in records(root)] == [("web", "prod", True)]


def test_crio_pods_and_containers(recorded: Recorded) -> None:
    found = {record.container_id: record for record in records(recorded("cri-o"))}
    sandbox, container, host_sandbox, host_container = (found[letter * 64] for letter in "abcd")
    namespace = "/var/run/netns/5b0d2c70-52a0-4b3a-9d6a-6f6a3e1b2f11"
    assert sandbox == ContainerRecord(
        runtime="cri-o",
        container_id=A,
        name="web",
        sandbox=True,
        pod="web",
        pod_namespace="prod",
        pod_uid=UID,
        sandbox_id=A,
        pid=2101,
        network_namespace_path=namespace,
        sysctls={"net.core.somaxconn": "4096"},
        source=f"/run/containers/storage/overlay-containers/{A}/userdata/config.json",
    )
    assert (container.name, container.pod, container.sandbox_id, container.pid) == ("gateway", "web", A, 2155)
    assert (container.network_namespace_path, container.host_network) == (namespace, False)
    assert (host_sandbox.name, host_sandbox.pod_namespace) == ("kube-proxy-x2x4v", "kube-system")
    assert host_sandbox.host_network and host_container.host_network


@pytest.mark.parametrize("backend", ["cni", "netavark"])
def test_podman_containers_of_a_real_podman(backend: str, recorded: Recorded) -> None:
    found = by_name(recorded(f"podman-4.3-{backend}"))
    infra = next(name for name in found if name.endswith("-infra"))
    assert set(found) == {"gateway", "on-host", "sidecar", "nothing", "finished", "app", infra}
    assert {record.runtime for record in found.values()} == {"podman"}
    assert {name for name, record in found.items() if record.host_network} == {"on-host"}
    assert str(found["gateway"].network_namespace_path).startswith("/run/netns/netns-")
    assert found["gateway"].sysctls == {"net.core.somaxconn": "1024", "net.ipv4.ping_group_range": "0 0"}
    assert found["sidecar"].network_namespace_path == f"/proc/{found['sidecar'].pid}/ns/net"


def test_storage_of_podman_may_be_moved(host: Host) -> None:
    host("/etc/containers/storage.conf", '[storage]\ngraphroot = "/srv/graph"\nrunroot = "/srv/run"\n')
    host(f"/srv/run/vfs-containers/{A}/userdata/pidfile", "77")
    host("/srv/graph/vfs-containers/containers.json", json.dumps([{"id": A, "names": ["moved"]}]))
    root = host(f"/srv/graph/vfs-containers/{A}/userdata/config.json", oci({"io.container.manager": "libpod"}))
    assert [(record.name, record.pid, record.host_network) for record in records(root)] == [("moved", 77, True)]


def test_store_entries_of_neither_runtime_are_left_out(host: Host) -> None:
    host(f"/var/lib/containers/storage/overlay-containers/{A}/userdata/config.json", oci({"other": "tool"}))
    root = host(f"/var/lib/containers/storage/overlay-containers/{B}/userdata/something", "")
    assert records(root) == []


@pytest.mark.parametrize(
    ("group", "pid"),
    [(f"0::/k8s.io/{A}\n", 42), (f"0::/k8s.io/{B}\n", None), ("0::/system.slice/ssh.service\n", None), (None, None)],
)
def test_process_id_that_went_to_another_process_does_not_count(
    group: Optional[str], pid: Optional[int], host: Host
) -> None:
    host("/proc/1/cgroup", "0::/init.scope\n")
    host(f"{TASKS}/k8s.io/{A}/init.pid", "42")
    if group:
        host("/proc/42/cgroup", group)
    root = host(f"{TASKS}/k8s.io/{A}/config.json", oci(network={"type": "network", "path": "/proc/9/ns/net"}))
    found = records(root)[0]
    assert (found.pid, found.network_namespace_path) == (pid, "/proc/42/ns/net" if pid else None)


def test_bound_namespace_outlives_its_process(host: Host) -> None:
    host("/proc/1/cgroup", "0::/init.scope\n")
    network = {"type": "network", "path": "/var/run/netns/cni-1"}
    root = host(f"{TASKS}/k8s.io/{A}/config.json", oci(network=network))
    assert [(record.pid, record.network_namespace_path) for record in records(root)] == [(None, "/var/run/netns/cni-1")]


@pytest.mark.parametrize("value", ["[]", "null", '{"linux": 5}', '{"linux": {"namespaces": [1, {"type": 2}]}}'])
def test_configuration_of_unexpected_types_is_taken_for_what_it_says(value: str, host: Host) -> None:
    root = host(f"{TASKS}/k8s.io/{A}/config.json", value)
    assert [(record.name, record.sysctls) for record in records(root)] in ([(A, None)], [])


def test_container_that_vanishes_midway_is_no_problem(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host(f"{TASKS}/k8s.io/{A}/config.json", oci())
    root = host(f"{TASKS}/k8s.io/{B}/config.json", oci())
    real = Path(root + TASKS)

    listing = os.listdir

    def list_and_remove(path: str) -> List[str]:
        names = listing(path)
        if str(path).endswith("/k8s.io"):
            shutil.rmtree(real / "k8s.io" / A)
        return names

    monkeypatch.setattr(os, "listdir", list_and_remove)
    assert [record.container_id for record in records(root)] == [B]
