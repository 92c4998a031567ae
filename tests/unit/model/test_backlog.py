# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which listeners are meant, and what is planned for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.netfit.cluster.plugins.module_utils._model.backlog import (
    Candidate,
    Holder,
    Outcome,
    Selection,
    SomaxconnStep,
    choose,
    how_to_restart,
    make_plan,
    unmatched,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.listener import Listener
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Namespace, Owner, OwnerKind

HOST = Owner(OwnerKind.HOST, name="n1")
POD = Owner(OwnerKind.POD, "prod/gateway", "gateway", "prod", "a" * 64, "containerd", 40)
SHOP = Owner(OwnerKind.CONTAINER, "shop", container_id="b" * 64, runtime="docker", pid=50)
HOST_NAMESPACE, POD_NAMESPACE, SHOP_NAMESPACE = Namespace(1, host=True), Namespace(2), Namespace(3)
WHERE = {HOST: HOST_NAMESPACE, POD: POD_NAMESPACE, SHOP: SHOP_NAMESPACE}


def holder(pid: int, *names: str, unit: Optional[str] = None, owner: Owner = HOST) -> Holder:
    return Holder(pid, 3, names, unit, owner)


def candidate(port: int, backlog: int, *holders: Holder, owner: Owner = HOST, address: str = "0.0.0.0") -> Candidate:
    family = "ipv6" if ":" in address else "ipv4"
    listener = Listener(family, address, port, backlog, 0, 0, 0, inode=port * 10, cookie=port, uid=0)
    return Candidate(WHERE[owner], owner, listener, holders)


NGINX = candidate(80, 511, holder(10, "nginx", unit="nginx.service"), holder(11, "nginx", unit="nginx.service"))
ADMIN = candidate(8081, 128, holder(12, "admin"), address="127.0.0.1")
ADMIN6 = candidate(8082, 128, holder(12, "admin"), address="::1")
GATEWAY = candidate(8080, 50, holder(40, "java", owner=POD), owner=POD)
SHOP80 = candidate(80, 4096, holder(50, "MainThread", "node", owner=SHOP), owner=SHOP)
ACTIVATED = candidate(22, 128, holder(20, "sshd", unit="ssh.service"), holder(1, "systemd", unit="init.scope"))
UNSEEN = candidate(9999, 7)
EXPORTER = candidate(9100, 9, holder(60, "a-rather-long-n", "a-rather-long-name"))
ALL = [NGINX, ADMIN, ADMIN6, GATEWAY, SHOP80, ACTIVATED, UNSEEN, EXPORTER]


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ({"ports": (80,)}, [NGINX, SHOP80]),
        ({"ports": (80, 8080)}, [NGINX, GATEWAY, SHOP80]),
        ({"ports": (80,), "processes": ("nginx",)}, [NGINX]),
        ({"processes": ("node",)}, [SHOP80]),
        ({"processes": ("MainThread",)}, [SHOP80]),
        ({"processes": ("systemd",)}, [ACTIVATED]),
        ({"processes": ("a-rather-long-name",)}, [EXPORTER]),
        ({"processes": ("a-rather-long-n",)}, [EXPORTER]),
        ({"units": ("nginx",)}, [NGINX]),
        ({"units": ("nginx.service",)}, [NGINX]),
        ({"units": ("ssh.service",)}, [ACTIVATED]),
        ({"units": ("init.scope",)}, [ACTIVATED]),
        ({"containers": ("shop",)}, [SHOP80]),
        ({"containers": ("b" * 12,)}, [SHOP80]),
        ({"containers": ("b" * 11,)}, []),
        ({"containers": ("a" * 12,)}, [GATEWAY]),
        ({"containers": ("prod/gateway",)}, []),
        ({"pods": ("prod/gateway",)}, [GATEWAY]),
        ({"pods": ("test/gateway",)}, []),
        ({"pods": ("prod/gateway",), "ports": (81,)}, []),
        ({"below": True}, [NGINX, GATEWAY, ACTIVATED, UNSEEN, EXPORTER]),
        ({"below": True, "except_processes": ("sshd", "nginx")}, [GATEWAY, UNSEEN, EXPORTER]),
        ({"below": True, "backlog": 100}, [GATEWAY, UNSEEN, EXPORTER]),
        ({"below": True, "backlog": 50}, [UNSEEN, EXPORTER]),
        ({"ports": (8081,)}, []),
        ({"ports": (8081, 8082), "loopback": True}, [ADMIN, ADMIN6]),
        ({"processes": ("admin",), "below": True, "loopback": True}, [ADMIN, ADMIN6]),
    ],
)
def test_each_part_of_a_selection_narrows(options: Dict[str, Any], meant: List[Candidate]) -> None:
    selection = Selection(**{"backlog": 1000, **options})
    selection.validate()
    assert choose(ALL, selection) == meant


def test_what_means_nothing_is_said_and_how_to_mean_it() -> None:
    selection = Selection(1000, ports=(80, 81, 8081), processes=("nginx", "ngnix"), pods=("prod/gone",))
    assert unmatched(ALL, selection) == [
        "ports: nothing listens for 81",
        "ports: 8081 listens on loopback only; loopback: true includes it",
        "processes: nothing listens for ngnix",
        "pods: nothing listens for prod/gone",
    ]
    assert unmatched(ALL, replace(selection, loopback=True, processes=(), pods=(), ports=(8081,))) == []


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"backlog": 0}, "backlog is 0; it takes 1 to 2147483647"),
        ({"backlog": -1}, "backlog is -1; it takes 1 to 2147483647"),
        ({"backlog": 1 << 31}, "backlog is 2147483648; it takes 1 to 2147483647"),
        ({"ports": (0,)}, "ports has 0; it takes 1 to 65535"),
        ({"ports": (80, 65536)}, "ports has 65536; it takes 1 to 65535"),
        ({"units": ("",)}, "units has an empty name"),
        ({"except_processes": (" ",)}, "except_processes has an empty name"),
        ({"pods": ("gateway",)}, "pods has 'gateway'; it takes namespace/name"),
        ({"ports": ()}, "nothing is chosen: name ports, processes, units, containers or pods, or set below"),
        ({"ports": (), "except_processes": ("sshd",)}, "nothing is chosen"),
        ({"ports": (), "loopback": True}, "nothing is chosen"),
    ],
)
def test_bad_input_is_refused(options: Dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        Selection(**{"backlog": 1000, "ports": (80,), **options}).validate()
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize("backlog", [1, 2147483647])
def test_the_limits_are_taken(backlog: int) -> None:
    selection = Selection(backlog, ports=(1, 65535))
    selection.validate()
    assert (selection.backlog, selection.ports) == (backlog, (1, 65535))


def free(_one: Candidate) -> None:
    return None


def refused(_one: Candidate) -> Tuple[Outcome, str]:
    return Outcome.NEEDS_RESTART, "no right"


def test_somaxconn_goes_first_and_only_where_it_caps_what_is_raised() -> None:
    plan = make_plan([NGINX, GATEWAY, SHOP80], 4096, {1: 5000, 2: 128, 3: 128}, free, False)
    assert plan.sysctls == (SomaxconnStep(POD_NAMESPACE, POD, 128, 4096),)
    assert [(step.before, step.after, step.outcome) for step in plan.steps] == [
        (511, 4096, Outcome.RAISED),
        (50, 4096, Outcome.RAISED),
        (4096, 4096, Outcome.ALREADY),
    ]
    assert plan.changes


def test_two_listeners_of_a_namespace_raise_its_somaxconn_once() -> None:
    plan = make_plan([NGINX, ACTIVATED], 4096, {1: 1024}, free, False)
    assert plan.sysctls == (SomaxconnStep(HOST_NAMESPACE, HOST, 1024, 4096),)


def test_the_second_plan_has_nothing_to_do() -> None:
    plan = make_plan([SHOP80], 4096, {3: 4096}, refused, True)
    assert not plan.changes
    assert [step.outcome for step in plan.steps] == [Outcome.ALREADY]


def test_a_hidden_somaxconn_is_known_all_the_same() -> None:
    plan = make_plan([GATEWAY], 4096, {2: None}, free, False)
    assert (plan.sysctls, plan.steps[0].outcome) == ((), Outcome.RAISED)
    plan = make_plan([GATEWAY], 4097, {2: None}, free, False)
    assert plan.steps[0].outcome is Outcome.FAILED
    assert "hidden on this kernel, and stays 4096" in plan.steps[0].reason
    assert not plan.changes


def test_what_cannot_be_raised_says_so_and_somaxconn_waits_for_the_restart() -> None:
    plan = make_plan([GATEWAY, NGINX], 4096, {1: 128, 2: 4096}, refused, False)
    assert [(step.outcome, step.after, step.reason) for step in plan.steps] == [
        (Outcome.NEEDS_RESTART, 50, "no right"),
        (Outcome.NEEDS_RESTART, 511, "no right"),
    ]
    assert [step.after for step in plan.sysctls] == [4096]
    assert plan.restarts == ()


def test_only_services_are_restarted_each_once_and_only_when_allowed() -> None:
    second = candidate(443, 511, holder(10, "nginx", unit="nginx.service"))
    scope = candidate(81, 1, holder(70, "python3", unit="session-1.scope"))
    plan = make_plan([NGINX, second, GATEWAY, scope, UNSEEN], 4096, {1: 4096, 2: 4096}, refused, True)
    assert plan.restarts == ("nginx.service",)
    assert plan.changes
    raised = make_plan([NGINX], 4096, {1: 4096}, free, True)
    assert raised.restarts == ()


def test_a_listener_that_is_gone_is_no_change() -> None:
    plan = make_plan([GATEWAY], 4096, {2: 128}, lambda _one: (Outcome.GONE, "closed"), True)
    assert (plan.sysctls, plan.restarts, plan.changes) == ((), (), False)
    assert (plan.steps[0].outcome, plan.steps[0].after) == (Outcome.GONE, None)


@given(
    some.lists(some.integers(0, 3000), max_size=5),
    some.integers(1, 3000),
    some.one_of(some.none(), some.integers(0, 3000)),
    some.booleans(),
)
def test_a_plan_never_lowers(backlogs: List[int], wanted: int, somaxconn: Optional[int], may: bool) -> None:
    chosen = [candidate(1 + number, backlog, holder(9, "x")) for number, backlog in enumerate(backlogs)]
    plan = make_plan(chosen, wanted, {1: somaxconn}, free if may else refused, False)
    assert [step.candidate for step in plan.steps] == chosen
    for step in plan.steps:
        assert step.after is not None and step.after >= step.before
        assert (step.outcome is Outcome.ALREADY) == (step.before >= wanted)
    for raised in plan.sysctls:
        assert raised.before < raised.after == wanted
        assert any(step.before < wanted for step in plan.steps)
    if may and somaxconn is not None and any(backlog < wanted for backlog in backlogs):
        assert max([somaxconn, *(step.after for step in plan.sysctls)]) >= wanted


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (NGINX, "systemctl restart nginx.service"),
        (GATEWAY, "kubectl --namespace prod delete pod gateway (its controller makes a new one)"),
        (SHOP80, "docker restart shop"),
        (candidate(1, 1, holder(5, "x", owner=replace(SHOP, runtime="podman")), owner=SHOP), "podman restart shop"),
        (
            candidate(1, 1, holder(5, "x", unit="session-1.scope")),
            "end x 5 and start it again the way that it was started",
        ),
        (UNSEEN, "end unknown process and start it again the way that it was started"),
    ],
)
def test_the_restart_that_would_do(one: Candidate, told: str) -> None:
    assert how_to_restart(one) == told


def test_names_for_people_tell_sockets_apart() -> None:
    assert NGINX.name == "n1 0.0.0.0:80 nginx[10] socket 800"
    assert ADMIN6.place == "[::1]:8082"
    assert UNSEEN.name == "n1 0.0.0.0:9999 unknown process socket 99990"
