# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose process it is, by the path of its control group: every shape that runtimes make."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.control_groups import parse_control_group
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import ControlGroup

ID = "8d9fef2e8ba765850ed5d0528cbbe9db0ffa63c5c905f466265b365417c906cc"
OTHER = "2188502b22543c3762024020dd5fd94571c79c0b45200a80b8804a1787fd703e"
UID = "11111111-2222-3333-4444-555555555555"
SLICE_UID = UID.replace("-", "_")
STATIC = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("path", "runtime", "pod_uid"),
    [
        (f"/kubepods/burstable/pod{UID}/{ID}", None, UID),
        (f"/kubepods/besteffort/pod{UID}/{ID}", None, UID),
        (f"/kubepods/pod{UID}/{ID}", None, UID),
        (f"/kubepods/burstable/pod{STATIC}/{ID}", None, STATIC),
        (f"/kubepods/burstable/pod{UID}/crio-{ID}", "cri-o", UID),
        (
            f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SLICE_UID}.slice/cri-containerd-{ID}.scope",
            "containerd",
            UID,
        ),
        (f"/kubepods.slice/kubepods-pod{SLICE_UID}.slice/crio-{ID}.scope", "cri-o", UID),
        (f"/kubepods.slice/kubepods-pod{SLICE_UID}.slice/crio-{ID}.scope/container", "cri-o", UID),
        (
            f"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{SLICE_UID}.slice/docker-{ID}.scope",
            "docker",
            UID,
        ),
        (
            f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{SLICE_UID}.slice/cri-containerd-{ID}.scope",
            "containerd",
            UID,
        ),
        (
            f"/system.slice/containerd.service/kubepods-burstable-pod{SLICE_UID}.slice:cri-containerd:{ID}",
            "containerd",
            UID,
        ),
        (f"/system.slice/k3s.service/kubepods/burstable/pod{UID}/{ID}", None, UID),
        (f"/docker/{ID}", "docker", None),
        (f"/../../docker/{ID}", "docker", None),
        (f"/docker/{ID}/init.scope", "docker", None),
        (f"/docker/{ID}/system.slice/nginx.service", "docker", None),
        (f"/system.slice/docker-{ID}.scope", "docker", None),
        (f"/my-parent/{ID}", None, None),
        (f"/moby/{ID}", "docker", None),
        (f"/k8s.io/{ID}", "containerd", None),
        (f"/default/{ID}", "containerd", None),
        (f"/system.slice/nerdctl-{ID}.scope", "containerd", None),
        (f"/machine.slice/libpod-{ID}.scope", "podman", None),
        (f"/machine.slice/libpod-{ID}.scope/container", "podman", None),
        (f"/machine.slice/machine-libpod_pod_{OTHER}.slice/libpod-{ID}.scope", "podman", None),
        (f"/libpod_parent/libpod-{ID}", "podman", None),
        (f"/libpod_parent/{OTHER}/libpod-{ID}", "podman", None),
        (f"/system.slice/web.service/libpod-payload-{ID}", "podman", None),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container", "podman", None),
    ],
)
def test_path_of_a_container_gives_its_id_runtime_and_pod(
    path: str, runtime: Optional[str], pod_uid: Optional[str]
) -> None:
    expected = ControlGroup(container_id=ID, runtime=runtime, pod_uid=pod_uid)
    assert parse_control_group(f"0::{path}\n") == expected
    assert parse_control_group(f"0::{path} (deleted)\n") == expected


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/system.slice/nginx.service", "nginx.service"),
        ("/system.slice/system-postgresql.slice/postgresql@15-main.service", "postgresql@15-main.service"),
        ("/system.slice/k3s.service", "k3s.service"),
        ("/system.slice/containerd.service", "containerd.service"),
        ("/user.slice/user-0.slice/session-3.scope", "session-3.scope"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service", "web.service"),
        ("/init.scope", "init.scope"),
        ("/system.slice/web.service/supervisor", "web.service"),
        (f"/machine.slice/libpod-conmon-{ID}.scope", f"libpod-conmon-{ID}.scope"),
        (f"/system.slice/crio-conmon-{ID}.scope", f"crio-conmon-{ID}.scope"),
    ],
)
def test_path_of_a_service_gives_its_unit_and_no_container(path: str, unit: str) -> None:
    assert parse_control_group(f"0::{path}\n") == ControlGroup(unit=unit)


@pytest.mark.parametrize(
    "text", ["", "0::/\n", "\n\n", "garbage", "1:2", "0::relative\n", "0::/libpod_parent/conmon\n"]
)
def test_nothing_telling_gives_nothing(text: str) -> None:
    assert parse_control_group(text) == ControlGroup()


def test_container_in_a_container_is_the_inner_one() -> None:
    path = f"/docker/{OTHER}/kubelet/kubepods/burstable/pod{UID}/{ID}"
    assert parse_control_group(f"0::{path}\n") == ControlGroup(container_id=ID, pod_uid=UID)
    assert parse_control_group(f"0::/docker/{OTHER}/docker/{ID}\n").container_id == ID


def test_pod_level_alone_gives_the_pod() -> None:
    assert parse_control_group(f"0::/kubepods/pod{UID}\n") == ControlGroup(pod_uid=UID)
    assert parse_control_group(f"0::/docker/{OTHER}/kubelet/kubepods/pod{UID}\n") == ControlGroup(pod_uid=UID)


def test_name_that_a_person_gave_with_ctr() -> None:
    recorded = "9:name=systemd:/default/t1\n8:pids:/default/t1\n4:memory:/default/t1\n0::/default/t1\n"
    assert parse_control_group(recorded) == ControlGroup(container_id="t1", runtime="containerd")
    assert parse_control_group("0::/default/t1/below\n").container_id is None


def test_version_one_host_where_only_some_controllers_know_the_container() -> None:
    text = f"12:cpu,cpuacct:/\n11:pids:/docker/{ID}\n4:memory:/docker/{ID}\n1:name=systemd:/system.slice/ssh.service\n"
    assert parse_control_group(text) == ControlGroup(container_id=ID, runtime="docker")


def test_controllers_that_were_handed_on_count_before_those_that_were_not() -> None:
    text = f"12:cpuset:/docker/{OTHER}\n11:pids:/docker/{OTHER}/docker/{ID}\n"
    assert parse_control_group(text).container_id == ID


def test_hybrid_host_where_only_the_unified_line_knows_the_container() -> None:
    text = f"3:memory:/\n1:name=systemd:/system.slice/docker.service\n0::/system.slice/docker-{ID}.scope\n"
    assert parse_control_group(text) == ControlGroup(container_id=ID, runtime="docker")


def test_unit_of_a_hybrid_host_is_taken_from_where_it_stands() -> None:
    text = "8:pids:/system.slice/ssh.service\n3:cpuset:/\n1:name=systemd:/system.slice/ssh.service\n0::/\n"
    assert parse_control_group(text) == ControlGroup(unit="ssh.service")


@given(st.text(alphabet=st.sampled_from("0:/abcdef.-_scopeliervodkubn\n \x00") | st.characters(), max_size=300))
def test_no_text_raises(text: str) -> None:
    group = parse_control_group(text)
    assert group.container_id is None or group.unit is None


@given(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64), st.uuids())
def test_every_id_and_pod_comes_back(identifier: str, uid: object) -> None:
    group = parse_control_group(f"0::/kubepods/burstable/pod{uid}/{identifier}\n")
    assert (group.container_id, group.pod_uid) == (identifier, str(uid))
