# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A flood of connections: what is counted, and what a short queue and a long one make of it on real hosts."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from netfit_lab import flood, gateway_flood, lab
from netfit_lab.errors import CommandFailed

ROOT = Path(lab.__file__).resolve().parents[1]
NODES = ("n1", "n2", "n3", "n4")
CONNECTIONS = 400
RELISTEN = """
import ctypes, os, socket, sys
call = ctypes.CDLL(None, use_errno=True).syscall
pid, backlog = int(sys.argv[1]), int(sys.argv[2])
rows = [line.split() for line in open(f"/proc/{pid}/net/tcp").readlines()[1:]]
listening = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
handle = os.pidfd_open(pid)
for name in os.listdir(f"/proc/{pid}/fd"):
    if os.readlink(f"/proc/{pid}/fd/{name}") in listening:
        socket.socket(fileno=call(438, handle, int(name), 0)).listen(backlog)
"""
"""pidfd_getfd(2) and listen(2) on every listening socket of a process."""


@pytest.fixture(scope="module")
def incident(real: None) -> Iterator[lab.Lab]:
    """The running incident."""
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    name = f"nf-test-flood-{os.getpid()}"
    document = yaml.safe_load((ROOT / "topologies" / "incident.yml").read_text())
    try:
        yield lab.up(name, "incident", document, print)
    finally:
        lab.down(name, print)


def flooded(running: lab.Lab) -> gateway_flood.GatewayFlood:
    return gateway_flood.flood_gateway(running, "n2", NODES, 30004, CONNECTIONS)


def raise_somaxconn(gateway: gateway_flood.Gateway, value: int) -> None:
    enter = ["nsenter", f"--net={gateway.namespace}"]
    gateway.host.run([*enter, "sysctl", "--quiet", "--write", f"net.core.somaxconn={value}"])


def listen_again(gateway: gateway_flood.Gateway, backlog: int) -> None:
    gateway.host.run(["/usr/bin/python3", "-c", RELISTEN, gateway.processes[0], str(backlog)])


def assert_overflowing(sick: gateway_flood.GatewayFlood) -> None:
    """A queue of 128 holds 129 connections (Linux sk_acceptq_is_full), and no SYN comes through when it is full.

    A handshake that was under way when it became full is completed later.
    """
    assert (sick.backlog, sick.outcome.first_retry) == (128, 0)
    assert 129 <= sick.outcome.at_once < CONNECTIONS / 2
    assert sick.dropped >= 2 * (CONNECTIONS - sick.outcome.at_once)


def test_only_both_a_larger_somaxconn_and_a_new_listen_heal(incident: lab.Lab) -> None:
    sick = flooded(incident)
    assert_overflowing(sick)

    gateway = gateway_flood.find_gateway(incident.host("n2"))
    listen_again(gateway, 1024)
    assert gateway_flood.find_gateway(gateway.host).backlog == 128
    raise_somaxconn(gateway, 4096)
    half = flooded(incident)
    assert_overflowing(half)
    assert half.overflows[0] == sick.overflows[1]

    listen_again(gateway, 1024)
    healed = flooded(incident)
    assert (healed.backlog, healed.dropped) == (1024, 0)
    assert healed.outcome == flood.Outcome(CONNECTIONS, CONNECTIONS, 0, 0)


def test_server_goes_on_when_the_flood_fails(incident: lab.Lab) -> None:
    gateway = gateway_flood.find_gateway(incident.host("n2"))
    with pytest.raises(CommandFailed, match="boom"), gateway.busy():
        stopped = gateway.host.run(["ps", "-o", "state=", "-p", ",".join(gateway.processes)]).stdout.split()
        raise CommandFailed("boom")
    assert set(stopped) == {"T"}
    states = gateway.host.run(["ps", "-o", "state=", "-p", ",".join(gateway.processes)]).stdout.split()
    assert "T" not in states and len(states) == 2


def test_host_without_a_pod_that_listens_is_named(incident: lab.Lab) -> None:
    with pytest.raises(CommandFailed, match=r"n1: no pod listens on port 8081"):
        gateway_flood.find_gateway(incident.host("n1"))


Serve = Callable[[socket.socket], None]


@pytest.fixture
def server() -> Iterator[Callable[[Serve], flood.Address]]:
    """Start a server on the loopback that treats each connection as it is told; give its address."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)

    def start(serve: Serve) -> flood.Address:
        def accept() -> None:
            while True:
                try:
                    connection = listening.accept()[0]
                except OSError:
                    return
                with connection:
                    serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        host, port = listening.getsockname()
        return host, port

    yield start
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def answer(text: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(text)

    return serve


@pytest.mark.parametrize(
    ("text", "at_once"),
    [(b"HTTP/1.1 200 OK\r\n\r\nok", 20), (b"HTTP/1.1 502 Bad\r\n\r\n 200 ", 0), (b"", 0)],
    ids=["answered", "refused", "closed"],
)
def test_only_connections_that_got_a_good_answer_count(
    text: bytes, at_once: int, server: Callable[[Serve], flood.Address]
) -> None:
    outcome = flood.flood([server(answer(text))], 20, 10)
    assert outcome == flood.Outcome(20, at_once, 0, 0)
    assert outcome.unanswered == 20 - at_once


def test_connections_go_to_the_targets_in_turn(server: Callable[[Serve], flood.Address]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        nobody = other.getsockname()
    address = server(answer(b"HTTP/1.0 200 OK\r\n\r\n"))
    assert flood.flood([address, nobody], 10, 10) == flood.Outcome(10, 5, 0, 0)


def test_server_that_says_nothing_is_waited_for_until_patience_ends(server: Callable[[Serve], flood.Address]) -> None:
    release = threading.Event()
    outcome = flood.flood([server(lambda _connection: release.wait(30))], 3, 0.2)  # type: ignore[arg-type,return-value]
    release.set()
    assert outcome == flood.Outcome(3, 0, 0, 0)


def test_table_of_floods() -> None:
    sick = gateway_flood.GatewayFlood(128, flood.Outcome(400, 129, 20, 240), (7, 549))
    assert sick.dropped == 542
    assert gateway_flood.as_table([sick]).splitlines()[1].split() == [
        "128", "400", "129", "20", "240", "11", "7", "->", "549",
    ]  # fmt: skip


@pytest.mark.parametrize("target", ["127.0.0.1", "127.0.0.1:x", ":"])
def test_target_without_a_port_is_refused(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        flood.main([target])
    assert f"ADDRESS:PORT is needed, not {target!r}" in capsys.readouterr().err
