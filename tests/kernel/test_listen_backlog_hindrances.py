# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the way of a larger backlog is named, what fails does not spoil the rest, and the module says it all."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Tuple

import pytest
from backlog_world import (
    World,
    outcomes,
    run_module,
    told,
)

from ansible_collections.netfit.cluster.plugins.module_utils._change.raise_backlogs import Done, carry_out, prepare
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError, Gone, Resource, Target
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.unit_restart import Restarter
from ansible_collections.netfit.cluster.plugins.module_utils._model.backlog import Outcome


def test_a_value_that_does_not_hold_is_an_error_that_says_what_was_read(world: World) -> None:
    world.start("web", backlog=9)
    with world.session() as session:
        prepared = prepare(world.selection(800), False)
        world.lab.sysctl("web", "net.core.somaxconn", "100")
        done = carry_out(prepared, session, Restarter())
    assert [(step.outcome, step.after) for step in done.steps] == [(Outcome.FAILED, 100)]
    assert "was told to listen with a backlog of 800, and has 100" in done.steps[0].reason


def test_the_module_and_its_check_mode(world: World) -> None:
    world.start("web", backlog=9)
    options: Dict[str, Any] = {"ports": [world.port], "backlog": 2000}
    checked = run_module(world.folder, check=True, **options)
    assert world.shown("web") == [9]
    result = run_module(world.folder, **options)
    assert (result["changed"], world.shown("web")) == (True, [2000])
    assert told({**checked, "run": result["run"]}) == told(result)
    again = run_module(world.folder, **options)
    assert (again["changed"], again["listeners"][0]["outcome"]) == (False, "already")


def test_the_module_refuses_bad_input_before_it_looks(world: World) -> None:
    result = run_module(world.folder, ports=[world.port], backlog=0)
    assert result["failed"] and result["msg"] == "backlog is 0; it takes 1 to 2147483647"
    result = run_module(world.folder, backlog=5)
    assert result["failed"] and "nothing is chosen" in result["msg"]
    result = run_module(world.folder, backlog=5, ports=[world.port], run="../x")
    assert result["failed"] and "run is '../x'" in result["msg"]
    assert not (world.folder / "journal").exists()


def test_without_the_right_it_says_which_and_what_would_do(world: World) -> None:
    world.start("web", backlog=9)
    prefix = ("capsh", "--drop=cap_sys_ptrace", "--", "-c", 'exec "$@"', "sh")
    result = run_module(world.folder, prefix, ports=[world.port], backlog=2000)
    listeners = result["listeners"]
    assert [(one["outcome"], one["before"], one["after"]) for one in listeners] == [("needs_restart", 9, 9)]
    assert "CAP_SYS_PTRACE" in listeners[0]["reason"]
    assert world.shown("web") == [9]
    assert listeners[0]["process"] == {"pid": None, "name": "unknown process"}
    assert "CAP_SYS_PTRACE" in json.dumps(result["warnings"])


SECCOMP = """
import ctypes, struct
def forbid(number, answer):
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | answer), (0x06, 0, 0, 0x7fff0000)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in code))
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(Program(4, ctypes.addressof(program)))) == 0
"""


@pytest.mark.parametrize(("answer", "said"), [(1, "seccomp filter forbids"), (38, "seccomp filter hides it")])
def test_a_seccomp_filter_is_named(world: World, answer: int, said: str) -> None:
    world.start("web", backlog=9)
    before = f"{SECCOMP}\nforbid(438, {answer})"
    result = run_module(world.folder, before=before, ports=[world.port], backlog=2000)
    (listener,) = result["listeners"]
    assert (listener["outcome"], world.shown("web")) == ("needs_restart", [9])
    assert said in listener["reason"] and listener["restart"].startswith("end python")


@pytest.mark.parametrize(("asks", "outcome"), [(3000, ("raised", 9, 2000)), (10, ("failed", 9, 10))])
def test_a_unit_is_restarted_only_when_allowed(
    world: World, monkeypatch: pytest.MonkeyPatch, asks: int, outcome: Tuple[str, int, int]
) -> None:
    """The command is a stand-in: it ends the server and starts one that asks for another backlog."""
    server, _workers = world.start("web", backlog=9)
    restarted: List[str] = []

    def restart(unit: str) -> None:
        restarted.append(unit)
        world.lab.stop(server)
        world.start("web", backlog=asks)

    module = "ansible_collections.netfit.cluster.plugins.module_utils"
    monkeypatch.setattr(f"{module}._facts.owners.Owners.unit_of_process", lambda _owners, _pid: "web.service")
    monkeypatch.setattr(f"{module}._kernel.foreign_descriptors.PIDFD_GETFD", 100000)
    result = world.raise_to(2000, restarter=Restarter(restart))
    assert (restarted, outcomes(result)) == ([], [("needs_restart", 9, 9)])
    assert result["listeners"][0]["restart"] == "systemctl restart web.service"
    assert world.somaxconn("web") == 2000
    result = world.raise_to(2000, restarter=Restarter(restart), restart=True)
    assert (restarted, result["restarted"], outcomes(result)) == (["web.service"], ["web.service"], [outcome])
    assert result["listeners"][0]["reason"].startswith("web.service was restarted")


class Meddler:
    """A Resource in whose writes somebody else meddles."""

    def __init__(self, real: Resource, meddle: Callable[[Target, Any], None]) -> None:
        self._meddle = meddle
        self.read, self.identity, self.describe, self.show = real.read, real.identity, real.describe, real.show
        self._write = real.write

    def write(self, target: Target, value: Any) -> None:
        """Write, with what comes after."""
        self._write(target, value)
        self._meddle(target, value)


def carried_out_with(world: World, backlog: int, **resources: Resource) -> Done:
    directory, lock = str(world.folder / "journal"), str(world.folder / "lock")
    with Session("run-1", "test", {**RESOURCES, **resources}, directory, lock) as session:
        return carry_out(prepare(world.selection(backlog), False), session, Restarter())


def test_where_somaxconn_stays_the_listener_is_not_touched(world: World) -> None:
    """Listening again could lower its backlog to what somaxconn has become."""
    world.start("web", backlog=1000)
    world.lab.sysctl("web", "net.core.somaxconn", "10")
    real = RESOURCES["sysctl"]

    def refuse(target: Target, _value: Any) -> None:
        real.write(target, "10")
        raise ChangeError("it is read-only there")

    done = carried_out_with(world, 2000, sysctl=Meddler(real, refuse))
    assert [(step.outcome, step.before, step.after) for step in done.steps] == [(Outcome.FAILED, 1000, 1000)]
    assert done.steps[0].reason == "net.core.somaxconn caps it: it is read-only there"
    assert list(done.not_raised) == [f"net.core.somaxconn of {world.lab.name('web')}: it is read-only there"]
    assert (done.sysctls, world.shown("web")) == ([], [1000])


def test_a_backlog_that_is_lowered_right_after_is_seen(world: World) -> None:
    world.start("web", backlog=9)
    real = RESOURCES["listen_backlog"]
    done = carried_out_with(world, 800, listen_backlog=Meddler(real, lambda target, _value: real.write(target, 700)))
    assert [(step.outcome, step.after) for step in done.steps] == [(Outcome.FAILED, 700)]
    assert done.steps[0].reason == "it was told to listen with a backlog of 800, and sock_diag shows 700"


def test_after_a_boot_no_socket_is_what_it_was(world: World) -> None:
    world.start("web", backlog=9)
    prepared, _done = world.planned(500)
    (target,) = prepared.targets.values()
    resource = RESOURCES["listen_backlog"]
    later = {**target, "boot": "another"}
    with pytest.raises(Gone, match="the host has been restarted since"):
        resource.read(later)
    with pytest.raises(Gone, match="the host has been restarted since"):
        resource.write(later, 500)
    assert world.shown("web") == [9]


def test_resources_have_names_for_people(world: World) -> None:
    world.start("web", backlog=9)
    prepared, _done = world.planned(500)
    (target,) = prepared.targets.values()
    resource = RESOURCES["listen_backlog"]
    assert resource.describe(target).startswith(f"backlog of {world.lab.name('web')} 0.0.0.0:{world.port} python")
    assert (resource.read(target), resource.show(9)) == (9, "9")
