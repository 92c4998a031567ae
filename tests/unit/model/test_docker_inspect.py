# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker's networks made anew and its restart: which commands, in which order, and when rather not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.docker_inspect import (
    DockerContainer,
    Endpoint,
    read_container,
    read_network,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.docker_network import AddressPool, DockerNetwork
from ansible_collections.netfit.cluster.plugins.module_utils._model.docker_recreation import plan_recreations
from ansible_collections.netfit.cluster.plugins.module_utils._model.docker_restart import plan_restart

DATA = Path(__file__).resolve().parent.parent / "data" / "docker-inspect"
OPTION = "com.docker.network.driver.mtu"


def recorded(name: str) -> List[Dict[str, Any]]:
    shown: List[Dict[str, Any]] = json.loads((DATA / f"{name}.json").read_text())
    return shown


NETWORKS = [read_network(shown) for shown in recorded("networks")]
CONTAINERS = [read_container(shown) for shown in recorded("containers")]
ATTACHED = {shown["Name"]: list(shown["Containers"]) for shown in recorded("networks")}


def container(name: str, state: str = "running", mode: str = "shop", **more: Any) -> DockerContainer:
    return DockerContainer(f"{name}-id", name, state, mode, **more)


def test_recorded_networks_and_containers() -> None:
    found = {network.name: network for network in NETWORKS}
    assert found["six"].pools == (AddressPool("172.22.0.0/16", gateway="172.22.0.1"), AddressPool("fd00:1::/64"))
    assert found["aux"].pools == (
        AddressPool("10.97.0.0/24", "10.97.0.128/25", "10.97.0.254", {"printer": "10.97.0.5"}),
    )
    assert found["ov"].scope == "swarm" and found["ingress"].ingress and found["six"].internal
    c1 = next(one for one in CONTAINERS if one.name == "c1")
    assert (c1.state, c1.mode, c1.running) == ("running", "own", True)
    # The alias that Docker makes of the container's id is Docker's to make again.
    assert c1.endpoints == {"own": Endpoint(("10.99.0.50",), ("--ip", "10.99.0.50", "--alias", "shopfront"))}


def test_recorded_networks_are_made_anew_where_nothing_is_lost() -> None:
    made, left = plan_recreations(NETWORKS, ATTACHED, CONTAINERS, 1390)
    assert [one.network for one in made] == ["aux", "own", "plain", "shop", "six"]
    assert {one.network for one in left} == {"docker_gwbridge", "p_default"}
    assert made[1].in_words == (
        "docker network disconnect own c1",
        "docker network disconnect own c2",
        "docker network disconnect own c3",
        "docker network rm own",
        f"docker network create --driver bridge --subnet 10.99.0.0/24 --opt {OPTION}=1390 own",
        "docker network connect --ip 10.99.0.50 --alias shopfront own c1",
        "docker network connect own c2",
        "docker network connect own c3",
    )
    assert made[1].as_it_was == (f"docker network create --driver bridge --subnet 10.99.0.0/24 --opt {OPTION}=1400 own")


SHOP = DockerNetwork("shop", "bridge")


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (container("a", state="restarting"), "a is restarting"),
        (container("a", state="paused"), "a is paused"),
        (container("a", own_hardware_address=True), "MAC address of its own"),
        (container("a", labels={"com.docker.swarm.task.id": "x"}), "task of the swarm"),
    ],
)
def test_a_network_is_left_where_a_container_would_not_be_the_same(one: DockerContainer, said: str) -> None:
    made, left = plan_recreations([SHOP], {"shop": ["a-id"]}, [one], 1450)
    assert made == [] and said in left[0].reason


def test_a_network_with_something_else_in_it_is_left() -> None:
    made, left = plan_recreations([SHOP], {"shop": ["a-id", "lb-shop"]}, [container("a")], 1450)
    assert made == [] and "lb-shop" in left[0].reason


def test_a_stopped_container_is_taken_along() -> None:
    stopped = container("a", state="exited", endpoints={"shop": Endpoint((), ("--alias", "x"))})
    created = container("b", state="created")
    made, _left = plan_recreations([SHOP], {}, [created, stopped, container("c", mode="other")], 1450)
    assert [command[2:] for command in made[0].commands if command[2] != "create"] == [
        ("disconnect", "shop", "a"),
        ("rm", "shop"),
        ("connect", "--alias", "x", "shop", "a"),
        ("connect", "shop", "b"),
    ]


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (DockerNetwork("n", "bridge", labels={"com.docker.compose.project": "p"}), "compose"),
        (DockerNetwork("docker_gwbridge", "bridge"), "leave the swarm"),
        (DockerNetwork("n", "bridge", config_only=True), "takes no MTU"),
    ],
)
def test_networks_of_others_are_left_with_the_reason(network: DockerNetwork, reason: str) -> None:
    made, left = plan_recreations([network], {}, [], 1450)
    assert made == [] and reason in left[0].reason


def test_what_has_the_mtu_or_takes_its_parents_is_not_spoken_of() -> None:
    networks = [
        DockerNetwork("bridge", "bridge"),
        DockerNetwork("a", "bridge", options={OPTION: "1450"}),
        DockerNetwork("b", "macvlan"),
        DockerNetwork("d", "bridge", options={OPTION: "1400"}),
        DockerNetwork("c", "overlay", scope="swarm", options={OPTION: "1500"}),
    ]
    assert plan_recreations(networks, {}, [], 1450) == ([], [])


# Docker as far as these commands go: networks, and who is in them at which address.
World = Tuple[Set[str], Dict[str, Dict[str, str]]]


def run(world: World, command: Tuple[str, ...]) -> None:
    networks, inside = world
    _docker, _network, verb, *words = command
    if verb == "disconnect":
        del inside[words[1]][words[0]]
    elif verb == "rm":
        assert not any(words[0] in member for member in inside.values()), "network has active endpoints"
        networks.remove(words[0])
    elif verb == "create":
        assert words[-1] not in networks
        networks.add(words[-1])
    else:
        *options, network, name = words
        assert network in networks
        fixed = options[options.index("--ip") + 1] if "--ip" in options else ""
        taken = {member[network] for member in inside.values() if network in member}
        address = fixed or next(f"10.0.0.{n}" for n in range(2, 99) if f"10.0.0.{n}" not in taken)
        assert address not in taken, "address in use"
        inside[name][network] = address


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.one_of(st.none(), st.integers(2, 9)), max_size=8))
def test_after_the_commands_all_are_back_at_their_fixed_addresses(members: Dict[str, Any]) -> None:
    chosen: Dict[str, Any] = {}
    for name, number in members.items():
        chosen[name] = f"10.0.0.{number}" if number and f"10.0.0.{number}" not in chosen.values() else None
    containers = [
        container(name, endpoints={"shop": Endpoint((fixed,), ("--ip", fixed)) if fixed else Endpoint()})
        for name, fixed in chosen.items()
    ]
    world: World = ({"shop"}, {name: {"shop": f"x{name}"} for name in chosen})
    made, _left = plan_recreations([SHOP], {}, containers, 1450)
    for command in made[0].commands:
        run(world, command)
    assert world[0] == {"shop"}
    assert all("shop" in world[1][name] for name in chosen)
    assert all(world[1][name]["shop"] == fixed for name, fixed in chosen.items() if fixed)


DEFAULT = DockerNetwork("bridge", "bridge", options={OPTION: "1500"})


@pytest.mark.parametrize(
    ("default", "needed"),
    [
        (DEFAULT, True),
        (DockerNetwork("bridge", "bridge"), True),
        (DockerNetwork("bridge", "bridge", options={OPTION: "1450"}), False),
        (None, False),
    ],
)
def test_a_restart_is_needed_where_the_default_network_has_too_much(default: Any, needed: bool) -> None:
    assert plan_restart(default, [], False, 1450).needed is needed


@pytest.mark.parametrize(("raising", "needed"), [(False, False), (True, True)])
def test_a_restart_for_more_is_needed_only_where_that_was_asked_for(raising: bool, needed: bool) -> None:
    assert plan_restart(DEFAULT, [], False, 9001, raising).needed is needed
    assert plan_restart(DockerNetwork("bridge", "bridge"), [], False, 9001, raising).needed is needed
    assert not plan_restart(None, [], False, 9001, raising).needed


def test_with_live_restore_all_are_stopped_first_and_in_the_right_order_started() -> None:
    inside = container("a", mode="container:web-id")
    ones = [inside, container("web"), container("old", state="exited")]
    plan = plan_restart(DEFAULT, ones, True, 1450)
    assert (plan.stop, plan.start, plan.stops) == (("a", "web"), ("web", "a"), ("a", "web"))
    assert plan_restart(DEFAULT, ones, False, 1450).stop == ()
    assert plan_restart(DEFAULT, ones, False, 1450).start == ("web", "a")


def test_containers_of_a_swarm_are_the_swarms_to_start() -> None:
    task = container("task", labels={"com.docker.swarm.task.id": "x"}, auto_remove=True)
    plan = plan_restart(DEFAULT, [task], False, 1450)
    assert (plan.refused, plan.start, plan.stops) == ("", (), ("task",))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (container("a", auto_remove=True), "a would be gone"),
        (container("a", labels={"io.kubernetes.pod.name": "x"}), "drain the node"),
    ],
)
def test_a_restart_that_would_lose_something_is_refused(one: DockerContainer, said: str) -> None:
    assert said in plan_restart(DEFAULT, [one], True, 1450).refused
    assert plan_restart(DEFAULT, [container("b")], True, 1450).refused == ""


@given(st.recursive(st.none() | st.text() | st.integers(), lambda one: st.dictionaries(st.text(), one), max_leaves=5))
def test_reading_never_fails_on_what_is_missing(value: Any) -> None:
    shown = value if isinstance(value, dict) else {}
    keys = ("Config", "HostConfig", "NetworkSettings", "State", "IPAM", "Options", "Labels", "ConfigFrom", "Name", "Id")
    everything = {key: value for key in keys}
    for one in (shown, everything):
        assert isinstance(read_container(one), DockerContainer)
        assert isinstance(read_network(one), DockerNetwork)
