# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One HTTP request on a connection of its own, and how it ended.

A client of our own, because TCP_INFO has to be read from the connection, and because what goes wrong is the result. It
follows no redirect and has no memory: one request (RFC 9112), one answer.
"""

from __future__ import annotations

import errno
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import Optional, Tuple

from .._model.http_result import Outcome
from .http_answer import Answer
from .tcp_info import TcpInfo, read_tcp_info

CHUNK = 65536
NOT_LINGERING = struct.pack("=ii", 1, 0)
NO_ANSWER = "no answer to the SYN"
Address = Tuple[object, ...]


class Ended(Exception):
    """A request is over without an answer."""

    def __init__(self, outcome: Outcome, reason: Optional[str] = None) -> None:
        """outcome: how; reason: more about it, in words."""
        super().__init__(outcome.value)
        self.outcome = outcome
        self.reason = reason


@dataclass(frozen=True)
class Place:
    """Where to connect to. server_name: for TLS, None for none. verify: whether the certificate has to be good."""

    family: int
    address: Address
    server_name: Optional[str] = None
    verify: bool = False


@dataclass(frozen=True)
class Request:
    """What is sent. host: the Host header. keep: whether the connection is to stay open afterwards."""

    method: str
    path: str
    host: str
    body_bytes: int = 0
    keep: bool = False

    @property
    def head(self) -> bytes:
        """The head of the request."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}", "User-Agent: netfit"]
        if self.method == "POST":
            lines += ["Content-Type: application/octet-stream", f"Content-Length: {self.body_bytes}"]
        lines.append(f"Connection: {'keep-alive' if self.keep else 'close'}")
        return "\r\n".join((*lines, "", "")).encode("ascii")


@dataclass(frozen=True)
class Exchange:
    """One request. seconds: from the SYN to its end. info: of the connection then, where the kernel tells."""

    outcome: Outcome
    seconds: float
    status: Optional[int] = None
    reason: Optional[str] = None
    info: Optional[TcpInfo] = None


class Connection:
    """A TCP connection, with TLS where the place has a name for that. Every method raises Ended."""

    def __init__(self, place: Place, deadline: float) -> None:
        """Connect. deadline: of the monotonic clock."""
        self.raw = socket.socket(place.family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.stream: socket.socket = self.raw
        try:
            self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connect(place, deadline)
            if place.server_name is not None:
                self.stream = _secured(self.raw, place, deadline)
        except BaseException:
            self.close(abort=True)
            raise

    def _connect(self, place: Place, deadline: float) -> None:
        try:
            self.raw.settimeout(_left(deadline))
            self.raw.connect(place.address)
        except ConnectionRefusedError as error:
            raise Ended(Outcome.REFUSED, error.strerror) from error
        except (socket.timeout, TimeoutError) as error:
            raise Ended(Outcome.NOT_CONNECTED, NO_ANSWER) from error
        except OSError as error:
            raise Ended(Outcome.NOT_CONNECTED, error.strerror or str(error)) from error

    def ask(self, request: Request, deadline: float, whole: bool = True) -> Answer:
        """Send a request and return its answer. whole: wait for the end of its body, too."""
        answer = Answer(request.method)
        failed: Optional[Exception] = None
        try:
            self._send(request, deadline)
        except (socket.timeout, TimeoutError) as error:
            raise Ended(Outcome.TIMED_OUT, "the body could not be sent in time") from error
        except OSError as error:
            # An answer that came before the body was through may still be there to be read.
            failed = error
        try:
            self._receive(answer, deadline, whole)
        except (socket.timeout, TimeoutError) as error:
            raise Ended(Outcome.TIMED_OUT) from error
        except ValueError as error:
            raise Ended(Outcome.NO_HTTP, str(error)) from error
        except OSError as error:
            raise _broken(failed or error) from error
        if answer.complete or (not whole and answer.status is not None):
            return answer
        raise Ended(Outcome.CLOSED) if failed is None else _broken(failed)

    def _send(self, request: Request, deadline: float) -> None:
        head, left = request.head, request.body_bytes
        first = min(left, CHUNK)
        self._send_all(head + bytes(first), deadline)
        left -= first
        while left:
            self._send_all(bytes(min(left, CHUNK)), deadline)
            left -= min(left, CHUNK)

    def _send_all(self, content: bytes, deadline: float) -> None:
        self.stream.settimeout(_left(deadline))
        self.stream.sendall(content)

    def _receive(self, answer: Answer, deadline: float, whole: bool) -> None:
        while not answer.complete and (whole or answer.status is None):
            self.stream.settimeout(_left(deadline))
            content = self.stream.recv(CHUNK)
            if not content:
                answer.end()
                return
            answer.feed(content)

    def info(self) -> Optional[TcpInfo]:
        """Return what the kernel knows of the connection."""
        try:
            return read_tcp_info(self.raw)
        except OSError:
            return None

    def close(self, abort: bool) -> None:
        """Close. abort: by a reset, so that what could not be sent in time is not sent on afterwards."""
        try:
            if abort:
                self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOT_LINGERING)
        except OSError:
            pass
        self.stream.close()
        self.raw.close()


def exchange(place: Place, request: Request, timeout: float, whole: bool = True, abort: bool = False) -> Exchange:
    """Send one request on a new connection and say what came of it.

    timeout: seconds for all of it. whole: wait for the end of the answer, too. abort: reset the connection in any case.
    """
    started = time.monotonic()
    deadline = started + timeout
    connection: Optional[Connection] = None
    outcome, status, reason, info = Outcome.ANSWERED, None, None, None
    try:
        connection = Connection(place, deadline)
        status = connection.ask(request, deadline, whole).status
    except Ended as error:
        outcome, reason = error.outcome, error.reason
    finally:
        seconds = time.monotonic() - started
        if connection is not None:
            info = connection.info()
            connection.close(abort or outcome is not Outcome.ANSWERED)
    return Exchange(outcome, round(seconds, 6), status, reason, info)


def _secured(raw: socket.socket, place: Place, deadline: float) -> socket.socket:
    """Return the connection with TLS. Raises Ended."""
    context = ssl.create_default_context() if place.verify else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not place.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # The duplicate is closed with what wraps it; the raw one stays open for a last look.
    duplicate = raw.dup()
    try:
        duplicate.settimeout(_left(deadline))
        return context.wrap_socket(duplicate, server_hostname=place.server_name)
    except BaseException as error:
        duplicate.close()
        if isinstance(error, (socket.timeout, TimeoutError)):
            raise Ended(Outcome.TIMED_OUT, "in the handshake of TLS") from error
        if isinstance(error, (OSError, ValueError)):
            raise _broken(error) from error
        raise


def _broken(error: Exception) -> Ended:
    """Return how a request ended by an error that is no time-out."""
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Ended(Outcome.CLOSED, "in the handshake of TLS")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Ended(Outcome.TLS, error.verify_message)
    if isinstance(error, ssl.SSLError):
        return Ended(Outcome.TLS, error.reason)
    if isinstance(error, (ConnectionResetError, ConnectionAbortedError)):
        return Ended(Outcome.RESET)
    if isinstance(error, BrokenPipeError):
        return Ended(Outcome.CLOSED)
    if isinstance(error, OSError):
        return Ended(Outcome.TIMED_OUT if error.errno == errno.ETIMEDOUT else Outcome.CLOSED, error.strerror)
    return Ended(Outcome.TLS, str(error))


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for the request is up")
    return left
