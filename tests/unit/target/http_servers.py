# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers on the loopback address that behave as they are told, for the clients of http_request_info."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from typing import Callable, Dict, Iterator, List, Optional

Handler = Callable[[socket.socket], None]
PATIENCE = 10.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.contextmanager
def serve(
    handler: Handler, context: Optional[ssl.SSLContext] = None, address: str = "127.0.0.1", port: int = 0
) -> Iterator[int]:
    """Run a server; yield its port. Every connection gets a thread of its own, and is closed when that ends."""
    listener = socket.create_server((address, port), backlog=64)
    over = threading.Event()

    def handle(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            stream = connection if context is None else context.wrap_socket(connection, server_side=True)
            with contextlib.closing(stream):
                handler(stream)

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE)


def read_request(connection: socket.socket) -> Dict[str, str]:
    """Read a request; return its headers by lower-case name, the first line as ":line". Raises OSError at the end."""
    content = b""
    while b"\r\n\r\n" not in content:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("the client is gone")
        content += more
    head, _end, body = content.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines[1:])}
    left = int(headers.get("content-length", 0)) - len(body)
    while left > 0:
        left -= len(connection.recv(65536)) or left
    return {":line": lines[0], **headers}


def answering(answer: bytes, seen: Optional[List[Dict[str, str]]] = None) -> Handler:
    """Answer each request with these bytes, as long as the client stays."""

    def handler(connection: socket.socket) -> None:
        while True:
            request = read_request(connection)
            if seen is not None:
                seen.append(request)
            connection.sendall(answer)

    return handler


def by_size(limit: int, above: Handler) -> Handler:
    """Answer requests whose body is at most so large; do something else with others."""

    def handler(connection: socket.socket) -> None:
        if int(read_request(connection).get("content-length", 0)) <= limit:
            connection.sendall(OK)
        else:
            above(connection)

    return handler


def silent(connection: socket.socket) -> None:
    """Say nothing until the client goes."""
    while connection.recv(65536):
        pass


def reset(connection: socket.socket) -> None:
    """End the connection by a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))


def closing(connection: socket.socket) -> None:
    """End the connection in order."""


def keeping(seconds: float, end: Handler = closing, more: bytes = b"") -> Handler:
    """Answer requests, and end a connection that is idle for so long. more: headers."""

    def handler(connection: socket.socket) -> None:
        answer = OK.replace(b"Content-Length", more + b"Content-Length", 1)
        while True:
            try:
                read_request(connection)
            except socket.timeout:
                end(connection)
                return
            connection.sendall(answer)
            connection.settimeout(seconds)

    return handler
