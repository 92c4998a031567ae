# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a network namespace is, and a process."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.netfit.cluster.plugins.module_utils._facts.owners import Owners
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import (
    ContainerRecord,
    ControlGroup,
    Namespace,
    OwnerKind,
)

SANDBOX, APP, WEB = "a" * 64, "b" * 64, "c" * 64


def record(container_id: str, **fields: Any) -> ContainerRecord:
    return ContainerRecord(**{"runtime": "containerd", "container_id": container_id, "name": "x", **fields})


def owners(**fields: Any) -> Owners:
    paths: Dict[str, int] = fields.pop("paths", {})
    defaults: Dict[str, Any] = {"records": (), "control_groups": {}, "pids_by_namespace": {}}
    return Owners(host_name="n1", inode_of=paths.get, **{**defaults, **fields})


def test_the_namespace_of_process_1_is_the_hosts_even_when_a_pod_shares_it() -> None:
    fields = {"pod": "kube-proxy", "pod_namespace": "kube-system", "host_network": True}
    host_network = record(SANDBOX, sandbox=True, pid=7, **fields)
    owner = owners(records=[host_network], pids_by_namespace={1: [1, 7]}).of_namespace(Namespace(1, host=True))
    assert (owner.kind, owner.name) == (OwnerKind.HOST, "n1")


def test_a_pod_is_found_by_the_bind_mount_that_its_sandbox_names() -> None:
    sandbox = record(
        SANDBOX, pod="gateway", pod_namespace="prod", sandbox=True, network_namespace_path="/run/netns/cni-1"
    )
    owner = owners(records=[sandbox], paths={"/run/netns/cni-1": 9}).of_namespace(Namespace(9))
    assert (owner.kind, owner.name, owner.pod, owner.pod_namespace) == (
        OwnerKind.POD,
        "prod/gateway",
        "gateway",
        "prod",
    )


def test_the_sandbox_wins_over_the_containers_in_its_namespace_in_any_order() -> None:
    app = record(APP, name="app", pod="gateway", pod_namespace="prod", sandbox_id=SANDBOX, pid=12)
    sandbox = record(SANDBOX, name="pause", pod="gateway", pod_namespace="prod", sandbox=True, pid=11)
    for records in ([app, sandbox], [sandbox, app]):
        owner = owners(records=records, pids_by_namespace={9: [11, 12]}).of_namespace(Namespace(9))
        assert owner.container_id == SANDBOX


def test_a_container_that_borrowed_anothers_namespace_does_not_own_it() -> None:
    web = record(WEB, runtime="docker", name="web", pid=21, network_namespace_path="/run/docker/netns/0123456789ab")
    sidecar = record(APP, runtime="docker", name="a-sidecar", pid=22)
    found = owners(records=[sidecar, web], pids_by_namespace={9: [21, 22]})
    assert found.of_namespace(Namespace(9)).name == "web"


def test_a_recycled_pid_of_a_record_does_not_hide_its_namespace_path() -> None:
    stopped = record(WEB, name="web", pid=999, network_namespace_path="/run/netns/web")
    found = owners(records=[stopped], pids_by_namespace={1: [1]}, paths={"/run/netns/web": 9})
    assert found.of_namespace(Namespace(9)).name == "web"


def test_without_a_record_the_control_group_still_names_the_container() -> None:
    group = ControlGroup(container_id=WEB, runtime="docker")
    owner = owners(control_groups={21: group}, pids_by_namespace={9: [21]}).of_namespace(Namespace(9))
    assert (owner.kind, owner.name, owner.runtime) == (OwnerKind.CONTAINER, "c" * 12, "docker")


def test_a_pod_uid_in_the_control_group_makes_a_pod() -> None:
    group = ControlGroup(container_id=WEB, runtime="cri-o", pod_uid="1-2")
    owner = owners(control_groups={21: group}, pids_by_namespace={9: [21]}).of_namespace(Namespace(9))
    assert (owner.kind, owner.name) == (OwnerKind.POD, "pod 1-2")


def test_nobody_knows_is_unknown_and_keeps_the_name_of_the_mount() -> None:
    owner = owners().of_namespace(Namespace(9, paths=("/run/netns/blue",)))
    assert (owner.kind, owner.name) == (OwnerKind.UNKNOWN, "blue")


def test_a_process_of_a_host_network_pod_belongs_to_the_pod_and_not_to_the_host() -> None:
    proxy = record(SANDBOX, pod="kube-proxy", pod_namespace="kube-system", host_network=True, pid=7)
    found = owners(
        records=[proxy], control_groups={7: ControlGroup(container_id=SANDBOX)}, pids_by_namespace={1: [1, 7]}
    )
    host = found.of_namespace(Namespace(1, host=True))
    assert found.of_process(7, host).name == "kube-system/kube-proxy"
    assert found.of_process(1, host) == host


def test_a_unit_is_named_on_the_host_and_not_inside_a_container() -> None:
    found = owners(
        control_groups={5: ControlGroup(unit="ssh.service"), 6: ControlGroup(unit="docker-c.scope", container_id=WEB)}
    )
    assert (found.unit_of_process(5), found.unit_of_process(6), found.unit_of_process(7)) == ("ssh.service", None, None)
