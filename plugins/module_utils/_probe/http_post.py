# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""HTTP POSTs on connections of their own, with a look at what TCP did meanwhile.

A client of our own, because TCP_INFO has to be read from the connection. It sends one request (RFC 9112) with a body of
given size and reads no more than the head of the answer.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from typing import Optional, Tuple

from .._model.path import HttpRequest
from .tcp_info import TcpInfo, read_tcp_info
from .tcp_targets import Url

CHUNK = 65536
HEAD_AT_MOST = 65536


def post(family: int, address: Tuple[object, ...], url: Url, body_bytes: int, timeout: float) -> HttpRequest:
    """Send one POST and say what came of it. address: to connect to, whatever the URL's host is.

    timeout: seconds for all of it. With https the certificate is not checked: nothing secret is sent, and what is asked
    is whether the answer comes.
    """
    deadline = time.monotonic() + timeout
    started = time.monotonic()
    connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    status: Optional[int] = None
    info: Optional[TcpInfo] = None
    try:
        # Not lingering: what could not be sent within the timeout must not be sent on afterwards.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(timeout)
        connection.connect(address)
        outcome, status = _ask(connection, url, body_bytes, deadline)
    except ConnectionRefusedError:
        outcome = "refused"
    except (socket.timeout, TimeoutError):
        outcome = "timed out"
    except (OSError, ValueError):
        outcome = "closed"
    finally:
        try:
            info = read_tcp_info(connection)
        except OSError:
            info = None
        connection.close()
    return HttpRequest(
        body_bytes=body_bytes,
        outcome=outcome,
        status=status,
        seconds=round(time.monotonic() - started, 6),
        retransmits=info.retransmits if info else None,
        path_mtu=(info.path_mtu or None) if info else None,
    )


def request_head(url: Url, body_bytes: int) -> bytes:
    """Return the head of the request."""
    lines = (
        f"POST {url.path} HTTP/1.1",
        f"Host: {url.authority}",
        "User-Agent: netfit",
        "Content-Type: application/octet-stream",
        f"Content-Length: {body_bytes}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


def parse_status(head: bytes) -> Optional[int]:
    """Return the status of the first line of an answer, None while it is not complete. Raises ValueError."""
    line, end, _rest = head.partition(b"\r\n")
    if not end:
        return None
    parts = line.split(b" ", 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or len(parts[1]) != 3 or not parts[1].isdigit():
        raise ValueError("not an HTTP answer")
    return int(parts[1])


def _ask(connection: socket.socket, url: Url, body_bytes: int, deadline: float) -> Tuple[str, Optional[int]]:
    if not url.secure:
        return _exchange(connection, url, body_bytes, deadline)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # The duplicate is closed with the wrapper; the caller's own stays open for a last look.
    with context.wrap_socket(connection.dup(), server_hostname=url.host) as wrapped:
        return _exchange(wrapped, url, body_bytes, deadline)


def _exchange(connection: socket.socket, url: Url, body_bytes: int, deadline: float) -> Tuple[str, Optional[int]]:
    """Send head and body, then read until there is a final status; an answer may come before the body is through."""
    head = request_head(url, body_bytes)
    first = head + bytes(min(body_bytes, CHUNK))
    left = body_bytes - min(body_bytes, CHUNK)
    _send(connection, first, deadline)
    while left:
        _send(connection, bytes(min(left, CHUNK)), deadline)
        left -= min(left, CHUNK)
    answer = b""
    while len(answer) < HEAD_AT_MOST:
        connection.settimeout(_left(deadline))
        more = connection.recv(CHUNK)
        if not more:
            return "closed", None
        answer += more
        status = parse_status(answer)
        while status is not None and 100 <= status < 200 and b"\r\n\r\n" in answer:
            answer = answer.partition(b"\r\n\r\n")[2]
            status = parse_status(answer)
        if status is not None and status >= 200:
            return "answered", status
    return "closed", None


def _send(connection: socket.socket, content: bytes, deadline: float) -> None:
    connection.settimeout(_left(deadline))
    connection.sendall(content)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for the request is up")
    return left
