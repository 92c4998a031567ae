# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of containers that give less than what is asked for: left alone, unless they are to be raised."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Callable, Dict, Optional, Tuple, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._config.drop_ins import Blocked
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_ceiling import new_size
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_cni import plan_cni_mtu, plan_nerdctl_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_docker import plan_docker_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_podman import plan_podman_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish, StackPlan

Host = Callable[[str, Union[str, bytes]], str]
DAEMON = "/etc/docker/daemon.json"
OPTION = "com.docker.network.driver.mtu"
NETWORKS = "/etc/containers/networks"
CNI = "/etc/cni/net.d"
LARGE = MtuWish(underlay_mtu=9001, pod_mtu=9001, container_mtu=9001, docker_version=(24, 0), default_link_mtu=9001)
FITTING = replace(LARGE, underlay_mtu=1500, pod_mtu=1500, container_mtu=1500, default_link_mtu=1500)
SIZES = st.integers(68, 65535)


def written(plan: StackPlan) -> Dict[str, Any]:
    return {change.path: json.loads(change.after.text) for change in plan.changes if change.after is not None}


def sizes(plan: StackPlan) -> Dict[Optional[int], Optional[int]]:
    return {knob.before: knob.after for knob in plan.knobs}


@pytest.fixture
def netavark(host: Host) -> Callable[..., str]:
    """Return a function that makes podman's networks, each with its MTU or without one."""

    def make(**networks: Optional[str]) -> str:
        for name, mtu in networks.items():
            options = {} if mtu is None else {"mtu": mtu}
            host(f"{NETWORKS}/{name}.json", json.dumps({"name": name, "driver": "bridge", "options": options}))
        return host("/etc/containers/containers.conf", '[network]\nnetwork_backend = "netavark"\n')

    return make


@pytest.mark.parametrize("text", [None, "{}", '{"mtu": 1500}', '{"mtu": 1380}', '{"mtu": 0}'])
def test_docker_gets_no_more_than_it_has(host: Host, text: Optional[str]) -> None:
    root = host("/etc/hosts", "") if text is None else host(DAEMON, text)
    plan = plan_docker_mtu(root, LARGE)
    assert plan.changes == ()
    assert all(before == after for before, after in sizes(plan).items())
    raised = written(plan_docker_mtu(root, replace(LARGE, raising=True)))
    assert raised[DAEMON]["mtu"] == 9001
    assert raised[DAEMON]["default-network-opts"]["overlay"] == {OPTION: "9001"}


def test_each_setting_of_docker_is_lowered_by_itself(host: Host) -> None:
    text = json.dumps({"mtu": 1380, "default-network-opts": {"bridge": {OPTION: "9000"}}})
    plan = plan_docker_mtu(host(DAEMON, text), FITTING)
    assert written(plan)[DAEMON] == {"mtu": 1380, "default-network-opts": {"bridge": {OPTION: "1500"}}}
    assert "Less than 1500, and left alone without raise: /etc/docker/daemon.json mtu 1380." in plan.reason


@pytest.mark.parametrize(("text", "mtu"), [('{"mtu": "1380"}', 1380), ('{"mtu": true}', 1500), ('{"mtu": "x"}', 1500)])
def test_what_dockerd_can_not_read_is_put_right_and_not_raised(host: Host, text: str, mtu: int) -> None:
    assert written(plan_docker_mtu(host(DAEMON, text), LARGE)) == {DAEMON: {"mtu": mtu}}


def test_a_smaller_option_of_dockerd_stays(host: Host) -> None:
    root = host("/etc/default/docker", 'DOCKER_OPTS="--mtu 1380"\n')
    plan = plan_docker_mtu(root, FITTING)
    assert plan.changes == () and sizes(plan)[1380] == 1380
    with pytest.raises(Blocked, match="make it 1500"):
        plan_docker_mtu(root, replace(FITTING, raising=True))


def test_each_network_of_podman_is_lowered_by_itself(netavark: Callable[..., str]) -> None:
    plan = plan_podman_mtu(netavark(vpn="1380", wide="9000", plain=None), FITTING)
    assert {path: network["options"] for path, network in written(plan).items()} == {
        f"{NETWORKS}/wide.json": {"mtu": "1500"}
    }
    assert sizes(plan) == {1380: 1380, 9000: 1500, None: None}
    assert plan.reason == f"Less than 1500, and left alone without raise: {NETWORKS}/vpn.json options.mtu 1380."
    raised = written(plan_podman_mtu(netavark(), replace(FITTING, container_mtu=1480, raising=True)))
    assert set(raised) == {f"{NETWORKS}/{name}.json" for name in ("vpn", "wide", "plain", "podman")}
    assert {network["options"]["mtu"] for network in raised.values()} == {"1480"}


@pytest.mark.parametrize(
    ("uplink", "mtu", "size"),
    [(1500, 1500, None), (9001, 9001, None), (None, 1500, None), (9001, 8951, "1500"), (9001, 1450, "1450")],
)
def test_where_podmans_release_decides_it_is_written_only_if_one_of_them_gives_too_much(
    netavark: Callable[..., str], uplink: Optional[int], mtu: int, size: Optional[str]
) -> None:
    plan = plan_podman_mtu(netavark(), replace(LARGE, container_mtu=mtu, default_link_mtu=uplink))
    found = {path: network["options"]["mtu"] for path, network in written(plan).items()}
    assert found == ({f"{NETWORKS}/podman.json": size} if size is not None else {})


def test_a_macvlan_network_of_podman_has_its_parents_mtu(host: Host, netavark: Callable[..., str]) -> None:
    root = netavark()
    host("/sys/class/net/eth1/mtu", "9001\n")
    network = {"name": "lan", "driver": "macvlan", "network_interface": "eth1"}
    host(f"{NETWORKS}/lan.json", json.dumps(network))
    assert written(plan_podman_mtu(root, LARGE)) == {}
    assert written(plan_podman_mtu(root, FITTING)) == {f"{NETWORKS}/lan.json": {**network, "options": {"mtu": "1500"}}}


@pytest.mark.parametrize("plan_it", [plan_nerdctl_mtu, plan_podman_mtu])
def test_each_conflist_is_lowered_by_itself(host: Host, plan_it: Callable[[str, MtuWish], StackPlan]) -> None:
    root = host("/etc/containers/containers.conf", '[network]\nnetwork_backend = "cni"\n')
    nerdctl = plan_it is plan_nerdctl_mtu
    for name, bridge in (("vpn", {"mtu": 1380}), ("wide", {"mtu": 9000}), ("plain", {})):
        labels: Dict[str, Any] = {"nerdctlLabels": {}} if nerdctl else {"args": {"podman_labels": {}}}
        content = {"cniVersion": "0.4.0", "name": name, **labels, "plugins": [{"type": "bridge", **bridge}]}
        host(f"{CNI}/{'nerdctl-' if nerdctl else ''}{name}.conflist", json.dumps(content))
    plan = plan_it(root, FITTING)
    assert {path.rpartition("-" if nerdctl else "/")[2]: one["plugins"] for path, one in written(plan).items()} == {
        "wide.conflist": [{"type": "bridge", "mtu": 1500}]
    }
    assert sizes(plan) == {1380: 1380, 9000: 1500, None: None}
    assert len(written(plan_it(root, replace(FITTING, raising=True)))) == 3


@pytest.mark.parametrize(
    ("plugins", "size"),
    [
        ([{"type": "bridge"}], None),
        ([{"type": "bridge", "mtu": 1380}], None),
        ([{"type": "macvlan", "master": "eth1"}], None),
        ([{"type": "bridge", "mtu": 1380}, {"type": "tuning", "mtu": 1450}], None),
        ([{"type": "bridge", "mtu": 1380}, {"type": "tuning", "mtu": 9001}], 1380),
        ([{"type": "macvlan", "master": "eth2"}], 8900),
    ],
)
def test_pods_get_no_more_than_their_configuration_gives(host: Host, plugins: Any, size: Optional[int]) -> None:
    host("/sys/class/net/eth1/mtu", "8900\n")
    host("/sys/class/net/eth2/mtu", "9001\n")
    root = host(f"{CNI}/10-a.conflist", json.dumps({"cniVersion": "1.0.0", "name": "a", "plugins": plugins}))
    plan = plan_cni_mtu(root, replace(LARGE, pod_mtu=8900))
    if size is None:
        assert "gives no more already" in plan.reason or "left alone without raise" in plan.reason
    found: Tuple[Any, ...] = tuple(written(plan).values())
    expected = [size] * len(plugins) if size else []
    assert [one.get("mtu") for network in found for one in network["plugins"]] == expected


@given(SIZES, st.lists(SIZES, min_size=1, max_size=3))
def test_without_raising_nothing_becomes_larger_and_all_of_it_fits(mtu: int, in_force: Any) -> None:
    size = new_size(mtu, False, in_force)
    assert (size is None) == all(one <= mtu for one in in_force)
    assert size is None or (size <= mtu and all(size <= one for one in in_force))
    assert new_size(mtu, True, in_force) == mtu
