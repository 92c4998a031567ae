# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which MTUs the files of a host declare, with their meaning, their place and what they are about."""

from __future__ import annotations

import json
from typing import Callable, List, Optional, Tuple, Union

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.declared import read_declared_mtus
from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import DeclaredMtu, MtuMeaning
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Source

Host = Callable[[str, Union[str, bytes]], str]
Recorded = Callable[[str], str]

INTERFACE, OVERLAY, UNDERLAY = MtuMeaning.INTERFACE, MtuMeaning.OVERLAY, MtuMeaning.UNDERLAY
SUBNET_ENV = "/run/flannel/subnet.env"
CNI = "/etc/cni/net.d/"


def declared(root: str) -> List[DeclaredMtu]:
    mtus, problems = read_declared_mtus(root)
    assert problems == []
    return mtus


def short(root: str) -> List[Tuple[str, int, MtuMeaning, Optional[str], bool]]:
    return [(mtu.stack, mtu.value, mtu.meaning, mtu.link, mtu.active) for mtu in declared(root)]


def test_host_without_any_of_the_files_declares_nothing(tmp_path: object) -> None:
    assert read_declared_mtus(str(tmp_path)) == ([], [])


def test_rke1_canal_names_every_place_in_full(recorded: Recorded) -> None:
    assert declared(recorded("rke1-canal")) == [
        DeclaredMtu(
            "flannel", 1450, OVERLAY, Source(SUBNET_ENV, 3, "FLANNEL_MTU"), link="flannel.1", network="10.42.0.0/16"
        ),
        DeclaredMtu(
            "canal", 1450, INTERFACE, Source(CNI + "10-canal.conflist", 10, "plugins[0].mtu"), name="k8s-pod-network"
        ),
        # The conflist has a number of its own, so that the one which Felix found is not used.
        DeclaredMtu("calico", 1500, INTERFACE, Source("/var/lib/calico/mtu", 1, "mtu"), active=False),
    ]


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("rke1-coreos", [("flannel", 1450, OVERLAY, None, True), ("canal", 1450, INTERFACE, None, True)]),
        (
            "rke2-canal",
            [
                ("flannel", 8951, OVERLAY, "flannel.1", True),
                ("flannel", 8951, OVERLAY, "flannel-v6.1", True),
                ("calico", 9001, INTERFACE, None, True),
            ],
        ),
        (
            "rke2-flannel",
            [
                ("flannel", 1400, UNDERLAY, "flannel.4096", True),
                ("flannel", 1350, OVERLAY, "flannel.4096", True),
                ("flannel", 1300, INTERFACE, "cni0", True),
            ],
        ),
        ("k3s", [("flannel", 1450, OVERLAY, "flannel.1", True), ("canal", 1500, INTERFACE, None, False)]),
        (
            "k3s-flannel-conf",
            [
                ("flannel", 1420, UNDERLAY, "flannel-wg", True),
                ("flannel", 9000, UNDERLAY, "flannel.1", False),
                ("flannel", 1450, OVERLAY, "flannel-wg", True),
                ("canal", 1500, INTERFACE, None, False),
            ],
        ),
        ("openshift-multus", []),
        (
            "kubernetes-multus",
            [
                ("cni", 1400, INTERFACE, "br-pods", True),
                ("cni", 1390, INTERFACE, None, True),
                ("calico", 1440, INTERFACE, None, False),
            ],
        ),
        ("cri-o", [("cni", 1400, INTERFACE, "cni0", True)]),
        ("containerd-1.6", [("cni", 1450, INTERFACE, "cni0", True)]),
        (
            "podman-4.3-cni",
            [("podman", 1400, INTERFACE, "cni-podman3", True), ("podman", 1450, INTERFACE, "cni-podman1", True)],
        ),
        (
            "podman-4.3-netavark",
            [("podman", 1400, INTERFACE, "podman3", True), ("podman", 1450, INTERFACE, "podman1", True)],
        ),
    ],
)
def test_each_system_declares(
    system: str, expected: List[Tuple[str, int, MtuMeaning, Optional[str], bool]], recorded: Recorded
) -> None:
    assert short(recorded(system)) == expected


def test_both_families_of_flannel_have_their_own_range(recorded: Recorded) -> None:
    ranges = [(mtu.link, mtu.network) for mtu in declared(recorded("rke2-canal")) if mtu.stack == "flannel"]
    assert ranges == [("flannel.1", "10.42.0.0/16"), ("flannel-v6.1", "fd00:42::/56")]


def test_recorded_podman_networks_have_line_name_and_range(recorded: Recorded) -> None:
    assert declared(recorded("podman-4.3-netavark"))[0] == DeclaredMtu(
        "podman",
        1400,
        INTERFACE,
        Source("/etc/containers/networks/both.json", 21, "options.mtu"),
        link="podman3",
        network="10.98.0.0/24",
        name="both",
    )


def test_tunnel_comes_from_the_host_where_no_file_names_it(host: Host) -> None:
    root = host(SUBNET_ENV, "FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_MTU=1450\n")
    assert short(root) == [("flannel", 1450, OVERLAY, None, True)]
    host("/sys/class/net/flannel.7/mtu", "1450\n")
    assert short(root) == [("flannel", 1450, OVERLAY, "flannel.7", True)]
    host("/sys/class/net/flannel-wg/mtu", "1420\n")
    assert short(root) == [("flannel", 1450, OVERLAY, None, True)]


@pytest.mark.parametrize("kind", ["host-gw", "ipip", "udp"])
def test_backends_that_ignore_mtu_make_it_inactive(kind: str, host: Host) -> None:
    root = host("/etc/kube-flannel/net-conf.json", json.dumps({"Backend": {"type": kind, "MTU": 1400}}))
    assert [(mtu.value, mtu.active) for mtu in declared(root)] == [(1400, False)]


@pytest.mark.parametrize("value", [0, None])
def test_automatic_values_are_not_declared(value: Optional[int], host: Host) -> None:
    host(CNI + "10-a.conflist", json.dumps({"name": "a", "plugins": [{"type": "bridge", "mtu": value}]}))
    host("/etc/kube-flannel/net-conf.json", json.dumps({"Backend": {"Type": "vxlan", "MTU": value}}))
    root = host("/etc/docker/daemon.json", json.dumps({"mtu": value}))
    assert short(root) == []


def test_last_of_duplicate_keys_wins_and_has_its_own_line(host: Host) -> None:
    root = host(CNI + "10-a.conf", '{\n"type": "bridge",\n"mtu": 1500,\n"bridge": "a",\n"MTU":\n 1400}')
    assert [(mtu.value, mtu.source.line, mtu.source.key) for mtu in declared(root)] == [(1400, 5, "MTU")]


def test_first_file_of_the_directory_is_in_force(host: Host) -> None:
    root = ""
    for name, value in (("20", 1420), ("10", 1410), ("00", 1400), ("100", 1499)):
        text = json.dumps({"name": "x", "plugins": [{"type": "calico", "mtu": value}]})
        root = host(CNI + name + ("-calico.conflist.bak" if value == 1400 else "-calico.conflist"), text)
    assert [(mtu.value, mtu.active) for mtu in declared(root)] == [(1410, True), (1499, False), (1420, False)]


def test_network_that_multus_is_told_to_take_is_in_force(host: Host) -> None:
    multus = {"type": "multus", "name": "m", "clusterNetwork": "/host/etc/cni/net.d/10-canal.conflist"}
    host(CNI + "00-multus.conf", json.dumps(multus))
    host(CNI + "05-other.conflist", '{"name": "o", "plugins": [{"type": "ptp", "mtu": 1300}]}')
    root = host(CNI + "10-canal.conflist", '{"name": "c", "plugins": [{"type": "calico", "mtu": 1450}]}')
    found = [(mtu.stack, mtu.value, mtu.active) for mtu in declared(root)]
    assert found == [("cni", 1300, False), ("canal", 1450, True)]


def test_networks_of_nerdctl_are_in_force_beside_that_of_the_cluster(host: Host) -> None:
    host(CNI + "10-calico.conflist", '{"name": "c", "plugins": [{"type": "calico", "mtu": 1440}]}')
    root = host(
        CNI + "nerdctl-shop.conflist",
        '{"name": "shop", "nerdctlID": "1f", "plugins": [{"type": "bridge", "bridge": "br-1f", "mtu": 1400}]}',
    )
    assert short(root) == [("calico", 1440, INTERFACE, None, True), ("nerdctl", 1400, INTERFACE, "br-1f", True)]


def test_plugins_that_subtract_declare_the_underlay(host: Host) -> None:
    root = host(CNI + "05-cilium.conf", '{"name": "cilium", "type": "cilium-cni", "mtu": 1500}')
    assert short(root) == [("cilium", 1500, UNDERLAY, None, True)]


def test_docker_daemon_file_declares_the_default_network_and_defaults(host: Host) -> None:
    root = host(
        "/etc/docker/daemon.json",
        '{\n  "mtu": 1420,\n  "default-network-opts": {\n    "bridge": {"com.docker.network.driver.mtu": "1430"},\n'
        '    "overlay": {"com.docker.network.driver.mtu": "1400"}\n  }\n}\n',
    )
    found = [(mtu.value, mtu.meaning, mtu.link, mtu.name, mtu.source.line) for mtu in declared(root)]
    assert found == [
        (1420, INTERFACE, "docker0", "bridge", 2),
        (1430, INTERFACE, None, "default of bridge networks", 4),
        (1400, UNDERLAY, None, "default of overlay networks", 5),
    ]


@pytest.mark.parametrize(("bridge", "link", "active"), [("br0", "br0", True), ("none", None, False)])
def test_docker_bridge_of_another_name(bridge: str, link: Optional[str], active: bool, host: Host) -> None:
    root = host("/etc/docker/daemon.json", json.dumps({"mtu": 1400, "bridge": bridge}))
    assert short(root) == [("docker", 1400, INTERFACE, link, active)]


@pytest.mark.parametrize(
    ("path", "text", "line", "key"),
    [
        ("/etc/default/docker", '# DOCKER_OPTS="--mtu 1300"\nDOCKER_OPTS="--dns 8.8.8.8 --mtu=1400"\n', 2, "--mtu"),
        ("/etc/sysconfig/docker", "OPTIONS='--mtu 1400'\n", 1, "--mtu"),
        (
            "/etc/systemd/system/docker.service.d/mtu.conf",
            "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd \\\n  -H fd:// \\\n  --mtu=1400\n",
            5,
            "ExecStart --mtu",
        ),
    ],
)
def test_dockerd_option_is_found_where_it_is_set(path: str, text: str, line: int, key: str, host: Host) -> None:
    found = declared(host(path, text))
    assert found == [DeclaredMtu("docker", 1400, INTERFACE, Source(path, line, key), link="docker0", name="bridge")]


def test_later_drop_in_of_docker_takes_the_place_of_earlier_ones(host: Host) -> None:
    directory = "/etc/systemd/system/docker.service.d/"
    host(directory + "10-mtu.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --mtu=1400\n")
    root = host(directory + "20-plain.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n")
    assert declared(root) == []


def test_podman_networks_of_a_backend_that_is_not_used_are_inactive(host: Host) -> None:
    host("/etc/containers/networks/a.json", '{"name": "a", "driver": "bridge", "options": {"mtu": "1400"}}')
    root = host("/var/lib/containers/storage/defaultNetworkBackend", "cni")
    assert [mtu.active for mtu in declared(root)] == [False]
    host("/etc/containers/containers.conf", '[network]\nnetwork_backend = "netavark"\n')
    assert [mtu.active for mtu in declared(root)] == [True]


def test_podman_networks_are_found_where_containers_conf_moves_them(host: Host) -> None:
    host("/etc/containers/containers.conf", '[network]\nnetwork_config_dir = "/srv/networks"  # moved\n')
    root = host("/srv/networks/a.json", '{"name": "a", "driver": "macvlan", "options": {"mtu": "1400"}}')
    assert short(root) == [("podman", 1400, INTERFACE, None, True)]
