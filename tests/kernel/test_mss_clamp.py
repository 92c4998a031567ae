# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MSS clamp on the incident's node: what hangs without it passes with it, and others' tables stay as they are."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Callable, Dict, Tuple

import pytest
from network_lab import Lab, run
from tcp_lab import NO_ICMP, PORT, SERVER, Server, chain, incident, nft

from ansible_collections.netfit.cluster.plugins.module_utils._change.mss_clamp import (
    TABLE,
    ClampHost,
    ClampPlan,
    ClampWish,
    carry_out,
    plan_clamp,
)
from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError
from ansible_collections.netfit.cluster.plugins.module_utils._change.resources import RESOURCES
from ansible_collections.netfit.cluster.plugins.module_utils._change.session import Session
from ansible_collections.netfit.cluster.plugins.module_utils._change.undo import choose_run, plan_undo, undo
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.nft import as_listed
from ansible_collections.netfit.cluster.plugins.module_utils._model.mss_clamp import parse_scope, table_text

NODE_PORT = ("198.18.7.11", 30004)
BODY = 20_000
TCP_TIMESTAMPS = 12
"""Bytes that the option takes from each segment."""
TARGET = {"family": TABLE.family, "name": TABLE.name}
EVERYTHING = table_text(parse_scope((), ()))

Clamp = Callable[..., ClampPlan]


@pytest.fixture
def broken(lab: Lab) -> Lab:
    """The incident with a client that does not hear ICMP, and a firewall of somebody else on the node."""
    incident(lab, pod_mtu=1500)
    Server(lab, "pod", answer=True).start()
    nft(lab, "client", "input", *NO_ICMP)
    nft(lab, "n1", "forward", "tcp dport 22 drop", "counter")
    return lab


@pytest.fixture
def clamp(broken: Lab, tmp_path: Path) -> Clamp:
    """Do what the module does on node n1, on a host without systemd."""
    host = ClampHost(str(tmp_path / "root"))

    def change(wish: ClampWish, name: str = "", check: bool = False) -> ClampPlan:
        def work() -> ClampPlan:
            plan = plan_clamp(wish, host)
            if plan.changes and not check:
                with Session(name, "mss_clamp", host.resources, *journal(tmp_path)) as session:
                    carry_out(plan, session, host)
            return plan

        return broken.inside("n1", work)

    return change


def journal(place: Path) -> Tuple[str, str]:
    return str(place / "journal"), str(place / "lock")


def rules(lab: Lab, name: str = "n1") -> Dict[str, str]:
    """All tables of a namespace by name, without what counters have counted."""
    shown = run("ip", "netns", "exec", lab.name(name), "nft", "-s", "list", "ruleset")
    return {text.split(" {")[0]: text for text in shown.split("table ")[1:]}


def upload(lab: Lab, port: int = NODE_PORT[1]) -> Tuple[str, int]:
    """Send a body on a new connection; return what became of it, and the MSS that the other end has offered."""

    def send() -> Tuple[str, int]:
        with socket.create_connection((NODE_PORT[0], port), timeout=1.5) as connection:
            offered = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) + TCP_TIMESTAMPS
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % BODY + bytes(BODY))
            try:
                return connection.recv(100).decode().split()[1], offered
            except TimeoutError:
                return "timed out", offered

    return lab.inside("client", send)


def scoped(interfaces: Tuple[str, ...] = (), ports: Tuple[str, ...] = ()) -> ClampWish:
    return ClampWish(scope=parse_scope(interfaces, ports))


def test_large_uploads_hang_without_it_and_pass_with_it(broken: Lab, clamp: Clamp) -> None:
    assert upload(broken) == ("timed out", 1460)
    before = rules(broken)
    plan = clamp(ClampWish())
    assert upload(broken) == ("204", 1410)
    assert rules(broken) == {**before, "inet netfit_mss": (plan.after or "")[len("table ") :]}
    clamp(ClampWish(present=False))
    assert rules(broken) == before
    assert upload(broken) == ("timed out", 1460)


def test_the_second_time_nothing_is_changed(clamp: Clamp) -> None:
    planned = clamp(ClampWish(), check=True)
    assert (planned.before, [change.kind for change in planned.changes]) == (None, ["nft_table"])
    assert clamp(ClampWish()) == planned
    again = clamp(ClampWish())
    assert (again.changes, again.before, again.after) == ((), planned.after, planned.after)
    absent = ClampWish(present=False)
    assert len(clamp(absent).changes) == 1
    assert clamp(absent).changes == ()


def test_a_rule_that_somebody_has_removed_is_put_back(broken: Lab, clamp: Clamp) -> None:
    wanted = clamp(ClampWish()).after
    run("ip", "netns", "exec", broken.name("n1"), "nft", "flush", "chain", "inet", "netfit_mss", "forward")
    assert upload(broken)[0] == "timed out"
    plan = clamp(ClampWish())
    assert plan.before != wanted and plan.after == wanted
    assert upload(broken) == ("204", 1410)


@pytest.mark.parametrize(
    ("wish", "outcome"),
    [
        (scoped(("flannel.1",)), "204"),
        (scoped(("flannel*",)), "204"),
        (scoped(("eth7",)), "timed out"),
        # It is the port that the client asks for that counts, not the pod's own.
        (scoped(ports=("30004",)), "204"),
        (scoped(ports=("22", "30000-32767")), "204"),
        (scoped(("flannel.1", "eth7"), ("80", "30004")), "204"),
        (scoped(ports=(str(PORT),)), "timed out"),
        (scoped(("flannel.1",), ("30005-32767",)), "timed out"),
    ],
)
def test_only_what_is_meant_is_clamped(broken: Lab, clamp: Clamp, wish: ClampWish, outcome: str) -> None:
    clamp(wish)
    assert upload(broken)[0] == outcome
    assert clamp(wish).changes == ()


def test_another_scope_takes_the_place_of_the_first(broken: Lab, clamp: Clamp) -> None:
    clamp(scoped(ports=("80",)))
    assert upload(broken)[0] == "timed out"
    clamp(scoped(("flannel.1",)))
    assert upload(broken) == ("204", 1410)
    assert "proto-dst" not in rules(broken)["inet netfit_mss"]


def test_an_open_connection_keeps_its_segment_size(broken: Lab, clamp: Clamp) -> None:
    def connect() -> socket.socket:
        return socket.create_connection(NODE_PORT, timeout=1.5)

    connection = broken.inside("client", connect)
    broken.kept.append(connection)
    clamp(ClampWish())
    connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % BODY + bytes(BODY))
    with pytest.raises(TimeoutError):
        connection.recv(100)


def test_a_run_is_undone(broken: Lab, clamp: Clamp, tmp_path: Path) -> None:
    first = clamp(scoped(("flannel.1",)), "one").after
    clamp(ClampWish(), "two")
    assert rules(broken)["inet netfit_mss"] != first

    def undo_run(name: str) -> None:
        chosen = choose_run(name, journal(tmp_path)[0])
        assert chosen is not None
        steps = plan_undo(chosen, RESOURCES)
        assert [step.conflict for step in steps] == [None]
        undo(chosen, steps, RESOURCES, journal(tmp_path)[0])

    broken.inside("n1", lambda: undo_run("two"))
    assert "table " + rules(broken)["inet netfit_mss"] == first
    broken.inside("n1", lambda: undo_run("one"))
    assert "inet netfit_mss" not in rules(broken)


def test_what_nft_refuses_changes_nothing(broken: Lab) -> None:
    before = rules(broken)

    def write() -> None:
        RESOURCES["nft_table"].write(TARGET, "table inet netfit_mss {\n\tnonsense\n}\n")

    with pytest.raises(ChangeError, match=r"the table inet netfit_mss cannot be written: .*syntax error"):
        broken.inside("n1", write)
    assert rules(broken) == before


def test_what_is_listed_is_read_again_and_listed_the_same() -> None:
    """A run is undone by loading what nft had listed before."""
    text = table_text(parse_scope(("cali*", "flannel.1", "eth0.5"), ("80", "443", "30000-32767")))
    listed = as_listed(TABLE, text)
    assert listed.count("proto-dst") == 18
    assert as_listed(TABLE, listed) == listed


def test_ipv6_is_clamped_as_well(lab: Lab) -> None:
    chain(lab)
    Server(lab, "server").start()

    def offered() -> int:
        with socket.create_connection((SERVER["ipv6"], PORT), timeout=1.5) as connection:
            return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) + TCP_TIMESTAMPS

    assert lab.inside("client", offered) == 1440
    lab.inside("far", lambda: RESOURCES["nft_table"].write(TARGET, EVERYTHING))
    assert lab.inside("client", offered) == 1450 - 60
