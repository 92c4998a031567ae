# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers at the ends of the paths: responders and TCP listeners of many namespaces, in one child process."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import threading
from contextlib import contextmanager
from typing import Iterator, List, NoReturn, Sequence

from network_lab import in_namespace

from ansible_collections.netfit.cluster.plugins.module_utils._probe.datagram import Seal
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder import Responder, Station, open_stations
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder_core import Allowance, ResponderCore

PORT = 47815
TOKEN = "0123456789abcdef0123456789abcdef"
LIFETIME_SECONDS = 900.0


@contextmanager
def answering(paths: Sequence[str]) -> Iterator[None]:
    """Answer at UDP and TCP port PORT in the namespaces of these paths."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(paths, writing)
    os.close(writing)
    try:
        assert os.read(reading, 1) == b"r", "the far ends cannot answer"
        yield
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _answer(paths: Sequence[str], writing: int) -> NoReturn:
    try:
        signal.alarm(int(LIFETIME_SECONDS))
        stations: List[Station] = []
        listeners: List[socket.socket] = []
        for path in paths:
            stations += in_namespace(path, lambda: open_stations(os.stat("/proc/thread-self/ns/net").st_ino, PORT))
            listeners += in_namespace(path, _listeners)
        plenty = Allowance(1e12, 1e12)
        core = ResponderCore(Seal(TOKEN.encode()), plenty, Allowance(1e12, 1e12))
        threading.Thread(target=_accept, args=(listeners,), daemon=True).start()
        os.write(writing, b"r")
        Responder(stations, core).serve(LIFETIME_SECONDS)
    finally:
        os._exit(1)


def _listeners() -> List[socket.socket]:
    made = []
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        if family == socket.AF_INET6 and not os.path.exists("/proc/thread-self/net/if_inet6"):
            continue
        one = socket.socket(family)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((host, PORT))
        one.listen(64)
        made.append(one)
    return made


def _accept(listeners: Sequence[socket.socket]) -> None:
    """Take connections until the other end closes them."""
    selector = selectors.DefaultSelector()
    for one in listeners:
        selector.register(one, selectors.EVENT_READ, True)
    while True:
        for key, _mask in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            if key.data:
                selector.register(key.fileobj.accept()[0], selectors.EVENT_READ, False)
                continue
            try:
                ended = not key.fileobj.recv(65536)
            except OSError:
                ended = True
            if ended:
                selector.unregister(key.fileobj)
                key.fileobj.close()
