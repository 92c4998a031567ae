# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each runtime's files are turned into, where they shadow ours, and what is refused with which advice."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.container_runtimes import (
    find_runtimes,
    plan_runtime,
)
from ansible_collections.netfit.cluster.plugins.module_utils._config.drop_ins import sysctls_of
from ansible_collections.netfit.cluster.plugins.module_utils._model.allowed_sysctls import (
    SAFE_SINCE,
    covers,
    needs_allowing,
    with_allowed,
    without_allowed,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.container_sysctl import Runtime, RuntimePlan, Wanted

Host = Callable[[str, Union[str, bytes]], str]
SOMAXCONN = Wanted({"net.core.somaxconn": "4096"})
TUNING = "/opt/cni/bin/tuning"
CONFLIST = '{"name": "a", "plugins": [{"type": "%s"}]}'


def plan(root: str, runtime: Runtime, wanted: Wanted = SOMAXCONN) -> RuntimePlan:
    return plan_runtime(root, runtime, wanted)


def after(made: RuntimePlan) -> str:
    assert made.change is not None, made.reason
    assert made.change.after is not None
    return made.change.after.text


def write(root: Path, files: Dict[str, str]) -> str:
    for path, text in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return str(root)


# What CRI-O and podman take from their files, by the rules of their documentation; the model is written anew here.
LISTS = st.lists(
    st.tuples(
        st.sampled_from(["10-a.conf", "50-b.conf", "89-c.conf", "95-d.conf"]),
        st.lists(st.sampled_from(["net.core.somaxconn=1", "net/core/somaxconn=2", "kernel.sem=1 2 3 4", "a.b=c"])),
        st.sampled_from([None, True, False]),
    ),
    unique_by=lambda entry: entry[0],
)


def in_force(files: Dict[str, Tuple[List[str], Optional[bool]]]) -> Dict[str, str]:
    entries: List[str] = []
    append = False
    for _name, (values, attribute) in sorted(files.items()):
        append = append if attribute is None else attribute
        entries = entries + values if append else values
    return sysctls_of(tuple(entries))


@given(LISTS)
def test_podman_keeps_the_sysctls_of_other_files(lists: List[Tuple[str, List[str], Optional[bool]]]) -> None:
    files = {name: (values, attribute) for name, values, attribute in lists}
    with tempfile.TemporaryDirectory() as directory:
        texts = {}
        for name, (values, attribute) in files.items():
            items = [json.dumps(value) for value in values]
            items += [] if attribute is None else [f"{{append={json.dumps(attribute)}}}"]
            texts[f"/etc/containers/containers.conf.d/{name}"] = (
                f"[containers]\ndefault_sysctls = [{', '.join(items)}]\n"
            )
        root = write(Path(directory), texts)
        made = plan(root, Runtime.PODMAN)
        if made.blocked:
            assert "95-d.conf:2 sets default_sysctls after 90-netfit.conf" in made.reason
            return
        assert made.before == in_force(files)
        expected = {**in_force(files), "net.core.somaxconn": "4096"}
        # A file after ours that adds to the lists before has the last word.
        if "95-d.conf" in files:
            expected.update(sysctls_of(tuple(files["95-d.conf"][0])))
        assert made.after == expected
        write(Path(directory), {made.change.path: after(made)} if made.change else {})
        again = plan(root, Runtime.PODMAN)
        assert (again.change, again.before) == (None, made.after)


def test_crio_reads_files_of_any_name_and_podman_does_not(host: Host) -> None:
    root = host("/etc/crio/crio.conf.d/20-own", '[crio.runtime]\ndefault_sysctls = ["a.b=1"]')
    host("/etc/containers/containers.conf.d/20-own", '[containers]\ndefault_sysctls = ["a.b=1"]')
    assert plan(root, Runtime.CRIO).before == {"a.b": "1"}
    assert plan(root, Runtime.PODMAN).before == {}


def test_crio_has_to_be_restarted_and_podman_has_no_daemon(host: Host) -> None:
    root = host("/etc/x", "")
    crio = plan(root, Runtime.CRIO).as_result()
    assert crio["restart"] == {"unit": "crio.service", "command": "systemctl restart crio"}
    assert "keep the sysctls that they have" in crio["running"]
    assert plan(root, Runtime.PODMAN).as_result()["restart"] is None


@pytest.mark.parametrize(
    ("runtime", "path", "text", "message"),
    [
        (
            Runtime.CRIO,
            "/etc/crio/crio.conf.d/91-x",
            "[crio.runtime]\ndefault_sysctls = []",
            "91-x:2 sets default_sysctls",
        ),
        (Runtime.CRIO, "/etc/crio/crio.conf", "[crio.runtime\n", "crio.conf can't be understood (line 1: expected"),
        (Runtime.CRIO, "/etc/crio/crio.conf.d/90-netfit.conf", "# mine\n", "was not written by netfit"),
        (Runtime.K3S, "/etc/rancher/k3s/config.yaml.d/95.yaml", "a: 1\nkubelet-arg: v=2", "95.yaml:2 sets kubelet-arg"),
        (Runtime.K3S, "/etc/rancher/k3s/config.yaml", "kubelet-arg: *x", "config.yaml can't be understood (line 1"),
        (Runtime.RKE2, "/etc/rancher/rke2/config.yaml.d/90-netfit.yaml", "a: 1", "was not written by netfit"),
        (Runtime.RKE1, "/x", "", "name it with rke1_cluster_file"),
        (Runtime.KUBELET, "/x", "", "name the directory of its --config-dir with kubelet_config_directory"),
        (Runtime.KUBELET, "/etc/default/kubelet", "KUBELET_EXTRA_ARGS=a \\\n b", "line 1: it goes on in the next line"),
        (Runtime.CNI, "/x", "", "no CNI configuration is in force for pods: name the file with cni_file"),
    ],
)
def test_what_cannot_be_done_says_why_and_what_to_do(
    host: Host, runtime: Runtime, path: str, text: str, message: str
) -> None:
    made = plan(host(path, text), runtime)
    assert made.blocked
    assert message in made.reason
    assert made.change is None


@pytest.mark.parametrize(
    ("path", "text", "owner"),
    [
        ("/etc/cni/net.d/10-canal.conflist", CONFLIST % "calico", "Calico or Canal"),
        ("/etc/cni/net.d/10-flannel.conflist", CONFLIST % "flannel", "flannel"),
        ("/etc/cni/net.d/05-cilium.conflist", CONFLIST % "cilium-cni", "Cilium"),
        (
            "/etc/cni/net.d/10-kindnet.conflist",
            CONFLIST % "ptp",
            "the network add-on that 10-kindnet.conflist is named after",
        ),
        ("/etc/cni/net.d/00-multus.conf", '{"type": "multus"}', "Multus"),
        ("/var/lib/rancher/k3s/agent/etc/cni/net.d/10-x.conflist", CONFLIST % "bridge", "K3s"),
    ],
)
def test_a_network_of_an_add_on_is_refused_with_its_owner(host: Host, path: str, text: str, owner: str) -> None:
    host(TUNING, "")
    made = plan(host(path, text), Runtime.CNI)
    assert made.blocked
    assert f"{path} is written by {owner} and would lose the change: set sysctls in" in made.reason


def test_a_network_without_the_plugin_is_refused_because_no_pod_would_start(host: Host) -> None:
    root = host("/etc/cni/net.d/10-own.conflist", CONFLIST % "bridge")
    assert "without it no pod would start" in plan(root, Runtime.CNI).reason
    assert not plan(host("/usr/lib/cni/tuning", ""), Runtime.CNI).blocked


def test_a_network_of_one_plugin_is_refused(host: Host) -> None:
    host(TUNING, "")
    root = host("/etc/cni/net.d/10-own.conf", '{"type": "bridge", "name": "a"}')
    assert "make a .conflist of it" in plan(root, Runtime.CNI).reason


def test_the_allow_list_of_tuning_refuses_a_key(host: Host) -> None:
    host(TUNING, "")
    root = host("/etc/cni/net.d/10-own.conflist", CONFLIST % "bridge")
    host("/etc/cni/tuning/allowlist.conf", "^net.ipv4.tcp_[a-z]*$\n[\n")
    made = plan(root, Runtime.CNI, Wanted({"net.core.somaxconn": "4096", "net.ipv4.tcp_sack": "0", "kernel.sem": "1"}))
    assert made.after == {"net.ipv4.tcp_sack": "0"}
    assert sorted(made.refused) == ["kernel.sem", "net.core.somaxconn"]
    assert "allowlist.conf does not allow it" in made.refused["net.core.somaxconn"]
    nothing = plan(root, Runtime.CNI)
    assert (nothing.change, nothing.reason) == (None, "none of the keys can be set here, see refused")


def test_a_flag_counts_more_than_the_drop_in_directory(host: Host) -> None:
    root = host("/etc/default/kubelet", "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=net.ipv4.tcp_sack")
    made = plan(root, Runtime.KUBELET, Wanted(SOMAXCONN.sysctls, kubelet_config_directory="/etc/kubelet.d"))
    assert "--allowed-unsafe-sysctls, which counts more than /etc/kubelet.d" in made.reason


def test_a_new_flag_repeats_the_configuration_that_it_takes_the_place_of(host: Host) -> None:
    root = host("/var/lib/kubelet/config.yaml", "allowedUnsafeSysctls: [kernel.msg*]\n")
    host("/etc/sysconfig/kubelet", "KUBELET_EXTRA_ARGS=\n")
    made = plan(root, Runtime.KUBELET)
    assert after(made) == "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=kernel.msg*,net.core.somaxconn\n"
    assert made.change is not None
    assert made.change.path == "/etc/sysconfig/kubelet"


@pytest.mark.parametrize(("version", "needed"), [(None, True), ((1, 28), True), ((1, 29), False), ((1, 35), False)])
def test_a_key_that_is_safe_needs_no_entry(host: Host, version: Optional[Tuple[int, int]], needed: bool) -> None:
    wanted = Wanted({"net.ipv4.tcp_keepalive_time": "300"}, kubernetes=version)
    made = plan(host("/etc/rancher/k3s/config.yaml", ""), Runtime.K3S, wanted)
    assert (made.change is not None) is needed
    assert "pod" in made.snippets
    if not needed:
        assert made.reason == "kubelet allows the keys without an entry"


def test_the_oldest_safe_keys_need_no_entry_whatever_the_version() -> None:
    assert not needs_allowing("net.ipv4.ip_local_port_range", None)
    assert needs_allowing("net.core.somaxconn", (9, 9))
    assert all(since <= (1, 32) for since in SAFE_SINCE.values())


ENTRIES = st.lists(st.sampled_from(["net.core.somaxconn", "net.core.*", "net.*", "kernel.sem", "net.ipv4.tcp_rmem"]))
KEYS = st.lists(st.sampled_from(["net.core.somaxconn", "net.ipv4.tcp_rmem", "kernel.sem"]), unique=True)


@given(ENTRIES, KEYS)
def test_allowing_adds_what_no_entry_covers_and_can_be_taken_back(entries: List[str], keys: List[str]) -> None:
    allowed = with_allowed(entries, keys)
    assert allowed[: len(set(entries))] == list(dict.fromkeys(entries))
    assert all(any(covers(entry, key) for entry in allowed) for key in keys)
    assert with_allowed(allowed, keys) == allowed
    assert set(without_allowed(allowed, keys)) == set(entries) - set(keys)


def test_the_snippets_are_what_their_readers_expect(host: Host) -> None:
    wanted = Wanted({"net.ipv4.tcp_rmem": "1 2 3", "net.core.somaxconn": "4096"})
    root = host("/x", "")
    docker, containerd = plan(root, Runtime.DOCKER, wanted), plan(root, Runtime.CONTAINERD, wanted)
    assert (docker.change, containerd.change) == (None, None)
    assert "daemon.json knows none" in docker.reason
    command = "docker run --sysctl net.core.somaxconn=4096 --sysctl 'net.ipv4.tcp_rmem=1 2 3' IMAGE\n"
    assert docker.snippets["docker_run"] == command
    assert yaml.safe_load(docker.snippets["compose"]) == {"services": {"SERVICE": {"sysctls": dict(wanted.sysctls)}}}
    items: List[Dict[str, Any]] = [{"name": key, "value": value} for key, value in sorted(wanted.sysctls.items())]
    assert yaml.safe_load(containerd.snippets["pod"]) == {"spec": {"securityContext": {"sysctls": items}}}
    assert yaml.safe_load(containerd.snippets["helm"]) == {
        "podSecurityContext": {"sysctls": items},
        "controller": {"sysctls": dict(wanted.sysctls)},
    }
    assert plan(root, Runtime.DOCKER, Wanted({}, present=False)).snippets == {}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, []),
        ({"/usr/bin/podman": ""}, [Runtime.PODMAN]),
        ({"/etc/crio/crio.conf": "", "/etc/cni/net.d/1.conflist": CONFLIST % "bridge"}, [Runtime.CRIO]),
        (
            {"/usr/bin/containerd": "", "/etc/cni/net.d/1.conflist": CONFLIST % "bridge"},
            [Runtime.CNI, Runtime.CONTAINERD],
        ),
        ({"/usr/bin/podman": "", "/etc/cni/net.d/87-podman-bridge.conflist": CONFLIST % "bridge"}, [Runtime.PODMAN]),
        ({"/etc/rancher/rke2/config.yaml": ""}, [Runtime.RKE2]),
        ({"/usr/local/bin/k3s": ""}, [Runtime.K3S]),
        ({"/lib/systemd/system/kubelet.service": "", "/usr/bin/dockerd": ""}, [Runtime.KUBELET, Runtime.DOCKER]),
    ],
)
def test_runtimes_are_found_by_looking(tmp_path: Path, files: Dict[str, str], expected: List[Runtime]) -> None:
    assert find_runtimes(write(tmp_path, files), SOMAXCONN) == expected


def test_rke1_is_found_by_its_file(tmp_path: Path) -> None:
    assert find_runtimes(str(tmp_path), Wanted({}, rke1_cluster_file="/srv/cluster.yml")) == [Runtime.RKE1]


def test_a_file_of_ours_keeps_its_mode_and_a_foreign_one_its_bytes(host: Host) -> None:
    path = "/etc/cni/net.d/10-own.conflist"
    host(TUNING, "")
    root = host(path, b'{"name": "\xff", "plugins": [{"type": "bridge"}]}\r\n')
    (Path(root) / path.lstrip("/")).chmod(0o600)
    made = plan(root, Runtime.CNI)
    assert made.change is not None
    assert made.change.after is not None
    assert made.change.after.mode == 0o600
    written = after(made).encode("utf-8", "surrogateescape")
    assert written.startswith(b'{"name": "\xff", "plugins": [{"type": "bridge"}, {"type": "tuning"')
    assert written.endswith(b"\r\n")
    assert "\ufffd" not in made.change.as_diff()["after"]
    made.change.as_diff()["after"].encode()


@pytest.mark.parametrize(
    ("enabled", "unit", "command"),
    [
        ("rke2-agent.service", "rke2-agent.service", "systemctl restart rke2-agent"),
        ("rke2-server.service", "rke2-server.service", "systemctl restart rke2-server"),
        ("x.service", None, "systemctl restart rke2-server or systemctl restart rke2-agent"),
    ],
)
def test_the_service_that_is_enabled_is_the_one_to_restart(
    host: Host, enabled: str, unit: Optional[str], command: str
) -> None:
    # An installation of RKE2 has the units of servers and of agents.
    root = host(f"/etc/systemd/system/multi-user.target.wants/{enabled}", "")
    assert plan(root, Runtime.RKE2).as_result()["restart"] == {"unit": unit, "command": command}


def test_a_cluster_file_of_rancher_has_the_same_one_level_deeper(host: Host) -> None:
    text = "docker_root_dir: /x\nrancher_kubernetes_engine_config:\n  services:\n    kubelet: {}\n"
    root = host("/srv/cluster.yml", text)
    made = plan(root, Runtime.RKE1, Wanted(SOMAXCONN.sysctls, rke1_cluster_file="/srv/cluster.yml"))
    assert yaml.safe_load(after(made))["rancher_kubernetes_engine_config"]["services"]["kubelet"] == {
        "extra_args": {"allowed-unsafe-sysctls": "net.core.somaxconn"}
    }


def test_the_environment_file_that_kubelet_s_unit_reads_counts(host: Host) -> None:
    host("/etc/default/kubelet", "KUBELET_EXTRA_ARGS=--v=2\n")
    host("/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", "EnvironmentFile=-/etc/sysconfig/kubelet\n")
    made = plan(host("/etc/sysconfig/kubelet", ""), Runtime.KUBELET)
    assert made.change is not None
    assert made.change.path == "/etc/sysconfig/kubelet"


def test_a_network_loses_just_the_keys_that_are_taken_back_however_they_are_written(host: Host) -> None:
    tuning = '{"type": "tuning", "sysctl": {"net/core/somaxconn": "4096", "net.ipv4.tcp_sack": "0"}}'
    root = host("/etc/cni/net.d/10-own.conflist", f'{{"plugins": [{{"type": "bridge"}}, {tuning}]}}')
    made = plan(root, Runtime.CNI, Wanted(SOMAXCONN.sysctls, present=False))
    assert json.loads(after(made))["plugins"][1] == {"type": "tuning", "sysctl": {"net.ipv4.tcp_sack": "0"}}
