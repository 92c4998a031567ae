# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan asks of module cni_mtu for containers: with it nothing is written that the plan does not show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_docker import plan_docker_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._config.mtu_podman import plan_podman_mtu
from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import MtuMeaning
from ansible_collections.netfit.cluster.plugins.module_utils._model.mtu_config import MtuWish
from ansible_collections.netfit.cluster.tests.unit import builders as b
from ansible_collections.netfit.cluster.tests.unit.plan import clusters as c
from ansible_collections.netfit.cluster.tests.unit.plan.test_mtu_plan import docker

Facts = Dict[str, Any]
Planner = Callable[[str, MtuWish], Any]
DAEMON = "/etc/docker/daemon.json"
NETWORKS = "/etc/containers/networks"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Facts, int], Dict[str, Any]]:
    """Return a function that gives the wish of host d1 to Docker and podman, and returns what they would write."""
    root = tmp_path / "root"

    def files(host: Facts, uplink: int) -> Dict[str, Any]:
        asked = host["wish"]
        wish = MtuWish(
            underlay_mtu=asked["underlay_mtu"],
            container_mtu=asked["container_mtu"],
            raising=asked["raise"],
            docker_version=(24, 0),
            default_link_mtu=uplink,
        )
        planners: List[Planner] = [plan_docker_mtu, plan_podman_mtu]
        changes = [change for planner in planners for change in planner(str(root), wish).changes]
        return {change.path: json.loads(change.after.text) for change in changes}

    put(root, "/etc/containers/containers.conf", '[network]\nnetwork_backend = "netavark"\n')
    return files


def put(root: Path, path: str, text: str) -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def podman(name: str, mtu: int) -> Any:
    return b.declared("podman", mtu, MtuMeaning.INTERFACE, f"{NETWORKS}/{name}.json", "options.mtu")


def daemon(mtu: int) -> Any:
    return b.declared("docker", mtu, MtuMeaning.INTERFACE, DAEMON, link="docker0")


def put_files(tmp_path: Path, vpn: int, docker_mtu: int = 0) -> None:
    root = tmp_path / "root"
    put(root, f"{NETWORKS}/vpn.json", json.dumps({"name": "vpn", "driver": "bridge", "options": {"mtu": str(vpn)}}))
    if docker_mtu:
        put(root, DAEMON, json.dumps({"mtu": docker_mtu}))


def test_a_host_with_a_large_uplink_keeps_containers_of_1500(write: Any) -> None:
    plan = c.plan_of(docker(1500, 1500, uplink=9001))
    assert (plan["cluster"]["changes"], plan["hosts"]["d1"]["underlay"]["source"]) == (0, "claimed")
    assert plan["hosts"]["d1"]["wish"]["raise"] is False
    assert write(plan["hosts"]["d1"], 9001) == {}
    assert write(c.plan_of(docker(1500, 1500, uplink=9001), **{"raise": True})["hosts"]["d1"], 9001) == {}


def test_a_network_with_less_keeps_it_beside_others_with_more(write: Any, tmp_path: Path) -> None:
    put_files(tmp_path, 1380, 1450)
    facts = docker(1450, 1450, uplink=1500, other=1450, runtime_file=[podman("vpn", 1380), daemon(1450)])
    plan = c.plan_of(facts)
    assert plan["cluster"]["changes"] == 0
    assert write(plan["hosts"]["d1"], 1500) == {}


def test_a_network_with_less_takes_nothing_away_from_others(write: Any, tmp_path: Path) -> None:
    put_files(tmp_path, 1380)
    plan = c.plan_of(docker(1500, 1500, uplink=1500, runtime_file=[podman("vpn", 1380)]))
    assert plan["cluster"]["changes"] == 0
    assert write(plan["hosts"]["d1"], 1500) == {}


def test_only_what_is_too_large_is_lowered(write: Any, tmp_path: Path) -> None:
    put_files(tmp_path, 1380, 1450)
    facts = docker(1450, 1450, uplink=1400, other=1280, runtime_file=[podman("vpn", 1380), daemon(1450)])
    host = c.plan_of(facts)["hosts"]["d1"]
    assert {one["knob"]: (one["now"], one["value"]) for one in host["knobs"]} == {
        "Podman network mtu": (1380, 1380),
        "Docker daemon mtu": (1450, 1400),
    }
    written = write(host, 1400)
    assert set(written) == {DAEMON, f"{NETWORKS}/podman.json"}
    assert written[DAEMON]["mtu"] == 1400
    assert written[f"{NETWORKS}/podman.json"]["options"] == {"mtu": "1400"}


def test_a_node_of_k3s_that_is_told_less_than_its_mates_keeps_it() -> None:
    file = "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json"
    told = {1: 1450, 2: 1500, 3: None}
    facts = {}
    for number, mtu in told.items():
        conf = b.declared("flannel", mtu or 0, MtuMeaning.UNDERLAY, file, "Backend.MTU", link="flannel.1")
        facts[f"n{number}"] = c.node(number, nodes=3, pod_mtu=1450, declarations=[conf] if mtu else [])
    hosts = c.plan_of(facts)["hosts"]
    shown = [[one["value"] for one in host["knobs"] if "Backend.MTU" in one["knob"]] for host in hosts.values()]
    assert shown == [[1450], [1500], []]
    assert [host["wish"]["underlay_mtu"] for host in hosts.values()] == [1450, 1500, 1500]


def test_raised_is_what_the_plan_says(write: Any, tmp_path: Path) -> None:
    put_files(tmp_path, 1380)
    facts = docker(1500, 1500, uplink=9001, runtime_file=[podman("vpn", 1380)])
    measured = c.with_paths(facts, d1=[c.measured("d2", 8951, 9001)])
    host = c.plan_of(measured, **{"raise": True})["hosts"]["d1"]
    assert {one["knob"]: (one["now"], one["value"]) for one in host["knobs"]} == {
        "Podman network mtu": (1380, 8951),
        "Docker daemon mtu": (None, 8951),
    }
    assert (host["wish"]["container_mtu"], host["wish"]["raise"]) == (8951, True)
    assert "new containers of every runtime get 8951, also where no file says anything yet" in host["notes"]
    written = write(host, 9001)
    assert written[DAEMON]["mtu"] == 8951
    assert written[f"{NETWORKS}/vpn.json"]["options"] == {"mtu": "8951"}
