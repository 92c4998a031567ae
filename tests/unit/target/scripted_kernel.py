# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A netlink socket whose other end is a script."""

from __future__ import annotations

import socket
import struct
from collections import deque
from typing import Any, Callable, Deque, List, Tuple, Union, cast

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import (
    HEADER,
    TYPE_DONE,
    NetlinkSocket,
    pack_message,
)

Answer = Union[bytes, OSError, Tuple[bytes, int]]
"""A datagram, an error, or a datagram with the port id of its sender."""
DONE = struct.pack("=i", 0)


def reply(message_type: int, payload: bytes, flags: int = 2) -> Callable[[int], bytes]:
    """Return a message that gets the sequence number of the request."""
    return lambda sequence: pack_message(message_type, flags, sequence, payload)


class ScriptedConnection:
    """Stands in for socket.socket: each request takes the next list of answers."""

    def __init__(self, scripts: List[List[Any]], errors_of_options: Tuple[int, ...] = ()) -> None:
        self._scripts = deque(scripts)
        self._pending: Deque[Answer] = deque()
        self._errors_of_options = errors_of_options
        self.requests: List[bytes] = []
        self.closed = False

    def setsockopt(self, level: int, option: int, value: object) -> None:
        """Refuse those options that the test names."""
        if level == 270 and self._errors_of_options:
            raise OSError(self._errors_of_options[0], "refused")

    def send(self, request: bytes) -> int:
        """Queue the answers of the next script."""
        self.requests.append(request)
        sequence = HEADER.unpack_from(request)[3]
        for answer in self._scripts.popleft():
            made = answer(sequence) if callable(answer) else answer
            self._pending.append(b"".join(part(sequence) for part in made) if isinstance(made, list) else made)
        return len(request)

    def recvfrom_into(self, buffer: bytearray, _size: int, _flags: int) -> Tuple[int, Tuple[int, int]]:
        """Hand out the next answer; none is what a socket with a timeout says when nothing comes."""
        if not self._pending:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        answer = self._pending.popleft()
        if isinstance(answer, OSError):
            raise answer
        datagram, sender = answer if isinstance(answer, tuple) else (answer, 0)
        taken = datagram[: len(buffer)]
        buffer[: len(taken)] = taken
        return len(datagram), (sender, 0)

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def scripted(*scripts: List[Any]) -> Tuple[NetlinkSocket, ScriptedConnection]:
    """Return a socket and what is behind it."""
    connection = ScriptedConnection(list(scripts))
    return NetlinkSocket(0, cast(socket.socket, connection)), connection


def dump_of(*payloads: bytes, message_type: int = 16) -> List[Any]:
    """Return the script of a dump that goes well."""
    return [*(reply(message_type, payload) for payload in payloads), reply(TYPE_DONE, DONE)]
