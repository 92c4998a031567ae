# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrupt, huge, unreadable and foreign files: a problem that names the file, and everything else goes on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, List, Tuple, Union

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.containers import read_containers
from ansible_collections.netfit.cluster.plugins.module_utils._config.declared import read_declared_mtus

Host = Callable[[str, Union[str, bytes]], str]

ID = "8d9fef2e8ba765850ed5d0528cbbe9db0ffa63c5c905f466265b365417c906cc"
DECLARING = (
    "/run/flannel/subnet.env",
    "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json",
    "/etc/cni/net.d/10-canal.conflist",
    "/etc/cni/net.d/20-other.conf",
    "/var/lib/calico/mtu",
    "/etc/docker/daemon.json",
    "/var/lib/docker/network/files/local-kv.db",
    "/etc/containers/networks/a.json",
)
TEXTS = (
    "/etc/default/docker",
    "/etc/systemd/system/docker.service.d/a.conf",
    "/etc/rancher/k3s/config.yaml",
    "/etc/containerd/config.toml",
    "/etc/crio/crio.conf",
    "/etc/containers/containers.conf",
    "/etc/containers/storage.conf",
)
STATES = (
    f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json",
    f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/init.pid",
    f"/var/lib/docker/containers/{ID}/config.v2.json",
    f"/var/lib/docker/containers/{ID}/hostconfig.json",
    f"/run/containers/storage/overlay-containers/{ID}/userdata/config.json",
    "/var/lib/containers/storage/overlay-containers/containers.json",
)
# What is read as JSON for its content, and so is a problem where it is none.
STATES_IN_JSON = tuple(path for path in STATES if path.endswith(".json"))


def everything(root: str) -> List[Tuple[str, str]]:
    """Read all; give file and reason of each problem."""
    problems = [*read_declared_mtus(root)[1], *read_containers(root)[1]]
    return [(str(problem.path), problem.reason) for problem in problems]


@pytest.mark.parametrize("path", [*DECLARING, *STATES_IN_JSON])
@pytest.mark.parametrize("content", [b"\x7fELF\x02\x01\x01" + bytes(range(256)), b"{", b"\xff\xfe", b"[" * 5000, b"{]"])
def test_foreign_content_is_a_problem_with_the_file(path: str, content: bytes, host: Host) -> None:
    problems = dict(everything(host(path, content)))
    assert set(problems) == {path}
    assert problems[path]


@pytest.mark.parametrize("path", [path for path in DECLARING if not path.endswith("daemon.json")])
def test_empty_file_is_a_problem(path: str, host: Host) -> None:
    assert {file for file, _reason in everything(host(path, b""))} == {path}


def test_empty_daemon_json_is_none(host: Host) -> None:
    assert everything(host("/etc/docker/daemon.json", b"\n")) == []


@pytest.mark.parametrize("path", [*DECLARING, *TEXTS, *STATES])
def test_directory_in_place_of_a_file_is_a_problem(path: str, tmp_path: Path) -> None:
    (tmp_path / path[1:]).mkdir(parents=True)
    problems = set(everything(str(tmp_path)))
    if path.endswith("init.pid"):
        # Without a configuration beside it there is no container.
        assert problems == set()
    elif path.endswith("hostconfig.json"):
        assert {file for file, _reason in problems} <= {path}
    else:
        assert problems == {(path, "it is not a regular file")}


@pytest.mark.parametrize("path", [*DECLARING, *TEXTS, *STATES_IN_JSON])
def test_link_that_leads_to_itself_is_a_problem(path: str, tmp_path: Path) -> None:
    file = tmp_path / path[1:]
    file.parent.mkdir(parents=True)
    file.symlink_to(file)
    assert set(everything(str(tmp_path))) == {(path, "too many levels of symbolic links")}


@pytest.mark.parametrize("path", [*DECLARING, *TEXTS, *STATES_IN_JSON])
def test_named_pipe_is_a_problem_and_is_not_waited_for(path: str, tmp_path: Path) -> None:
    file = tmp_path / path[1:]
    file.parent.mkdir(parents=True)
    os.mkfifo(file)
    assert set(everything(str(tmp_path))) == {(path, "it is not a regular file")}


@pytest.mark.parametrize("path", [*DECLARING, *STATES_IN_JSON])
def test_huge_file_is_a_problem_and_is_not_read_whole(path: str, host: Host) -> None:
    root = host(path, b"")
    os.truncate(root + path, 1 << 40)
    problems = everything(root)
    assert {file for file, _reason in problems} == {path}
    assert "larger than" in problems[0][1]


@pytest.mark.parametrize(
    "directory", ["/etc/cni/net.d", "/etc/containers/networks", "/var/lib/docker/containers", "/run/containers/storage"]
)
def test_file_in_place_of_a_directory_is_a_problem(directory: str, host: Host) -> None:
    assert (directory, "it is not a directory") in everything(host(directory, b""))


def test_file_without_permission_is_a_problem(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    root = host("/run/flannel/subnet.env", "FLANNEL_MTU=1450\n")
    real = os.open

    def refuse(path: str, flags: int) -> int:
        if path.endswith("subnet.env"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags)

    monkeypatch.setattr(os, "open", refuse)
    assert everything(root) == [("/run/flannel/subnet.env", "permission denied; run as root")]


def test_corrupt_conflist_leaves_the_next_one_in_force(host: Host) -> None:
    host("/etc/cni/net.d/10-canal.conflist", '{"name": "a", "plugins": [')
    host("/run/flannel/subnet.env", "FLANNEL_MTU=1450\n")
    root = host("/etc/cni/net.d/20-b.conflist", '{"name": "b", "plugins": [{"type": "calico", "mtu": 1400}]}')
    mtus, problems = read_declared_mtus(root)
    assert [(mtu.stack, mtu.value, mtu.active) for mtu in mtus] == [("flannel", 1450, True), ("calico", 1400, True)]
    assert [(problem.path, problem.reason) for problem in problems] == [
        ("/etc/cni/net.d/10-canal.conflist", "not valid JSON: line 1: the text ends too early")
    ]


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("/run/flannel/subnet.env", "FLANNEL_NETWORK=10.42.0.0/16\n", "it has no FLANNEL_MTU"),
        ("/run/flannel/subnet.env", "FLANNEL_MTU=14x0\n", "line 1: FLANNEL_MTU is '14x0', expected a decimal number"),
        ("/run/flannel/subnet.env", "FLANNEL_MTU=\n", "line 1: FLANNEL_MTU is ''"),
        ("/run/flannel/subnet.env", "FLANNEL_MTU=-5\n", "line 1: FLANNEL_MTU is '-5', which is no MTU"),
        ("/run/flannel/subnet.env", "FLANNEL_NETWORK=x\nFLANNEL_MTU=1450\n", "line 1: FLANNEL_NETWORK is no address"),
        ("/var/lib/calico/mtu", "many", "line 1: mtu is 'many', expected a decimal number"),
        ("/etc/docker/daemon.json", '{\n"mtu": "1400"}', "line 2: mtu is '1400', expected a whole number"),
        ("/etc/docker/daemon.json", '{"mtu": 1400.5}', "line 1: mtu is 1400.5, expected a whole number"),
        ("/etc/docker/daemon.json", '{"mtu": true}', "line 1: mtu is True, expected a whole number"),
        ("/etc/docker/daemon.json", '{"mtu": [1400]}', "line 1: mtu is 'array', expected a whole number"),
        ("/etc/docker/daemon.json", '{"mtu": 99999999999}', "line 1: mtu is 99999999999, which is no MTU"),
        ("/etc/docker/daemon.json", '["mtu"]', "the JSON text is no object"),
        ("/etc/cni/net.d/1.conflist", '{"name": "x", "plugins": []}', "it names no plugin"),
        (
            "/etc/cni/net.d/1.conf",
            '{"type": "azure-vnet", "mtu": 1400}',
            "line 1: what mtu means to the plugin 'azure-vnet' is not known",
        ),
        (
            "/etc/containers/networks/a.json",
            '{"driver": "bridge",\n"options": {"mtu": 1400}}',
            "line 2: options.mtu is 1400, expected a decimal number in quotes",
        ),
    ],
)
def test_value_that_the_stack_would_refuse_is_a_problem(path: str, content: str, reason: str, host: Host) -> None:
    problems = everything(host(path, content))
    # The Docker daemon's file is read for the containers' directory as well.
    assert {file for file, _reason in problems} == {path}
    assert reason in problems[0][1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_bytes_in_any_file_raise(host: Host, data: st.DataObject) -> None:
    fragments = st.sampled_from(
        [b"{", b"}", b"[", b"]", b'"mtu"', b":", b"1450", b",", b'"plugins"', b'"type"', b'"bridge"', b"\n", b"=", b'"']
    )
    noise = st.one_of(st.binary(max_size=200), st.lists(fragments, max_size=60).map(b"".join))
    root = ""
    for path in [*DECLARING, *TEXTS, *STATES]:
        root = host(path, data.draw(noise))
    for file, reason in everything(root):
        assert file.startswith("/") and reason
