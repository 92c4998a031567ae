# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the very socket that is meant is ever handed out, and only while it listens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from typing import Dict, Iterator, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.foreign_listeners import (
    ListenerGone,
    ListeningSocket,
    borrowed,
    listen_again,
    own_cookie,
    read_backlog,
)
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.processes import SocketHolder

HOLD = """
import os, socket, sys
def numbers(one):
    port = one.getsockname()[1] if one.family == socket.AF_INET else 0
    return one.fileno(), os.fstat(one.fileno()).st_ino, port
listening = [socket.create_server(("127.0.0.1", 0), backlog=20) for _ in range(2)]
bound = socket.socket()
bound.bind(("127.0.0.1", 0))
unix = socket.socket(socket.AF_UNIX)
unix.bind("")
unix.listen(5)
file = open("/dev/null")
print(*[number for one in (*listening, bound, unix) for number in numbers(one)], file.fileno(), flush=True)
if sys.stdin.readline():
    listening[0].shutdown(socket.SHUT_RDWR)
    print("closed", flush=True)
    sys.stdin.read()
"""
NAMES = ("first", "second", "bound", "unix")


class Holding:
    """A process with sockets of all kinds. sockets: identity and holder by name."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        numbers = list(map(int, process.stdout.readline().split()))
        self.file = SocketHolder(process.pid, numbers.pop())
        self.sockets: Dict[str, Tuple[ListeningSocket, SocketHolder]] = {}
        for place, name in enumerate(NAMES):
            descriptor, inode, port = numbers[3 * place : 3 * place + 3]
            self.sockets[name] = (ListeningSocket(inode, None, port), SocketHolder(process.pid, descriptor))

    def shut_down(self) -> None:
        """End the first listener; its descriptor stays open."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("close\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "closed\n"


@pytest.fixture
def held() -> Iterator[Holding]:
    """A process with sockets; no descriptor of ours stays open."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=pipe, stdout=pipe, text=True) as process:
        before = sorted(os.listdir("/proc/self/fd"))
        yield Holding(process)
        assert sorted(os.listdir("/proc/self/fd")) == before
        process.kill()


def test_the_socket_itself_is_handed_out(held: Holding) -> None:
    wanted, holder = held.sockets["first"]
    with borrowed(wanted, [holder]) as one:
        cookie = own_cookie(one)
        assert (one.getsockname()[1], read_backlog(one)) == (wanted.port, 20)
        assert (listen_again(one, 30), listen_again(one, 10)) == (30, 10)
    with borrowed(replace(wanted, cookie=cookie), [holder]) as one:
        assert read_backlog(one) == 10


def test_the_first_holder_that_has_it_is_taken(held: Holding) -> None:
    wanted, holder = held.sockets["first"]
    _other, wrong = held.sockets["second"]
    closed = SocketHolder(holder.pid, 999)
    with borrowed(wanted, [closed, held.file, wrong, SocketHolder(1 << 21, 3), holder]) as one:
        assert one.getsockname()[1] == wanted.port


@pytest.mark.parametrize("name", ["bound", "unix"])
def test_what_is_no_tcp_listener_is_not_handed_out(held: Holding, name: str) -> None:
    wanted, holder = held.sockets[name]
    with pytest.raises(ListenerGone), borrowed(wanted, [holder]):
        pass


def test_another_identity_is_not_handed_out(held: Holding) -> None:
    wanted, holder = held.sockets["first"]
    other, other_holder = held.sockets["second"]
    with borrowed(other, [other_holder]) as one:
        cookie = own_cookie(one)
    attempts = [
        (replace(wanted, cookie=cookie), holder),
        (replace(wanted, port=wanted.port - 1), holder),
        (replace(wanted, inode=other.inode), holder),
        (wanted, other_holder),
        (wanted, held.file),
    ]
    for identity, where in attempts:
        with pytest.raises(ListenerGone), borrowed(identity, [where]):
            pass
    with pytest.raises(ListenerGone), borrowed(wanted, []):
        pass


def test_a_listener_that_was_shut_down_does_not_begin_to_listen_again(held: Holding) -> None:
    wanted, holder = held.sockets["first"]
    with borrowed(wanted, [holder]) as one:
        held.shut_down()
        with pytest.raises(ListenerGone):
            listen_again(one, 30)
        with pytest.raises(ListenerGone), borrowed(wanted, [holder]):
            pass
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0


def test_the_copies_of_many_do_not_pile_up(held: Holding) -> None:
    wanted, holder = held.sockets["second"]
    with ExitStack() as stack:
        copies = {stack.enter_context(borrowed(wanted, [holder])).fileno() for _one in range(50)}
        assert len(copies) == 50
