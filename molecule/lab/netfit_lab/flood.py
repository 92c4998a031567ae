# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many connections at once, opened for real, and what became of each.

python -m netfit_lab.flood 198.18.7.12:30004 --connections 400 --patience 4
"""

from __future__ import annotations

import argparse
import errno
import json
import selectors
import socket
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_REQUEST = b"GET / HTTP/1.0\r\n\r\n"
_GOOD = b" 200 "
_TOTAL_RETRANSMITS = 100
"""Offset of tcpi_total_retrans, a u32, in struct tcp_info (Linux include/uapi/linux/tcp.h)."""

Address = tuple[str, int]


@dataclass(frozen=True)
class Outcome:
    """What became of the connections of one flood.

    at_once: answered, and the first SYN was taken. first_retry, later_retry: answered, and the first or a later
    repetition of the SYN was taken; Linux repeats it after 1, 2, 3 ... seconds from 6.5 on (ip-sysctl.rst,
    tcp_syn_linear_timeouts), before after 1, 3, 7 ... unanswered: all others.
    """

    connections: int
    at_once: int
    first_retry: int
    later_retry: int

    @property
    def unanswered(self) -> int:
        """How many got no answer in time."""
        return self.connections - self.at_once - self.first_retry - self.later_retry


@dataclass
class _Client:
    """One connection. repeated: how many of its SYNs were lost. None while it isn't established."""

    connection: socket.socket
    repeated: int | None = None
    answer: bytes = b""
    done: bool = False


def flood(targets: Sequence[Address], connections: int, patience: float) -> Outcome:
    """Open this many connections, to the targets in turn, send a request in each, and wait for the answers.

    patience: seconds, from the last SYN on. A line on standard error tells when that was sent.
    """
    clients: list[_Client] = []
    with selectors.DefaultSelector() as selector:
        try:
            for number in range(connections):
                client = _Client(socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
                clients.append(client)
                begun = client.connection.connect_ex(targets[number % len(targets)])
                client.done = begun not in (0, errno.EINPROGRESS)
                if not client.done:
                    selector.register(client.connection, selectors.EVENT_WRITE, client)
            print(f"{connections} SYNs are sent", file=sys.stderr, flush=True)
            _converse(selector, time.monotonic() + patience)
        finally:
            for client in clients:
                client.connection.close()
    repeated = [client.repeated for client in clients if client.done and _GOOD in client.answer.split(b"\r\n", 1)[0]]
    at_once, first_retry = repeated.count(0), repeated.count(1)
    return Outcome(connections, at_once, first_retry, len(repeated) - at_once - first_retry)


def _converse(selector: selectors.BaseSelector, deadline: float) -> None:
    """Take every connection as far as it comes before the deadline."""
    while selector.get_map() and (left := deadline - time.monotonic()) > 0:
        for key, events in selector.select(left):
            client: _Client = key.data
            try:
                _go_on(selector, client, events)
            except OSError:
                client.done = True
            if client.done:
                selector.unregister(client.connection)


def _go_on(selector: selectors.BaseSelector, client: _Client, events: int) -> None:
    """Send the request once the connection is established; then collect the answer up to its end."""
    connection = client.connection
    if events & selectors.EVENT_WRITE:
        failure = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            raise OSError(failure, "not connected")
        # Before anything else is sent, so that what was repeated are SYNs.
        values = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        (client.repeated,) = struct.unpack_from("=I", values, _TOTAL_RETRANSMITS)
        connection.send(_REQUEST)
        selector.modify(connection, selectors.EVENT_READ, client)
    else:
        received = connection.recv(65536)
        client.answer += received
        client.done = not received


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        raise argparse.ArgumentTypeError(f"ADDRESS:PORT is needed, not {text!r}")
    return host, int(port)


def main(arguments: Sequence[str]) -> int:
    """Flood, print the outcome as JSON, and return 0: that connections fail is a result here, not an error."""
    parser = argparse.ArgumentParser(prog="flood", description="Open many connections at once and count what happens.")
    parser.add_argument("targets", nargs="+", type=_address, metavar="ADDRESS:PORT")
    parser.add_argument("--connections", type=int, default=400, help="(default: 400)")
    parser.add_argument("--patience", type=float, default=4.0, help="seconds after the last SYN (default: 4)")
    options = parser.parse_args(arguments)
    print(json.dumps(asdict(flood(options.targets, options.connections, options.patience))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
