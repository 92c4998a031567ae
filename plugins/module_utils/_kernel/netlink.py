# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Messages and sockets of netlink, with nothing but the standard library.

Source: RFC 3549; netlink(7); include/uapi/linux/netlink.h; net/netlink/af_netlink.c (netlink_dump).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from types import TracebackType
from typing import Callable, Iterator, List, NamedTuple, Optional, Type

from .attributes import MalformedMessage, NetlinkError, align, read_s32

MSG_TRUNC, MSG_DONTWAIT = int(socket.MSG_TRUNC), int(socket.MSG_DONTWAIT)
"""Plain numbers: to combine members of an enumeration takes longer than to receive."""
NETLINK_ROUTE = 0
NETLINK_SOCK_DIAG = 4

HEADER = struct.Struct("=IHHII")
FLAG_REQUEST = 0x1
FLAG_ACKNOWLEDGE = 0x4
FLAG_DUMP_INTERRUPTED = 0x10
FLAG_DUMP = 0x300
TYPE_NOOP = 1
TYPE_ERROR = 2
TYPE_DONE = 3
TYPE_OVERRUN = 4
_CONTROL_TYPES = (TYPE_NOOP, TYPE_ERROR, TYPE_DONE, TYPE_OVERRUN)

SOL_NETLINK = 270
NETLINK_GET_STRICT_CHK = 12

BUFFER_SIZE = 65536
"""Bytes. The kernel fills at most 32 KiB of a dump at a time, unless a single message needs more."""
BUFFER_LIMIT = 4 << 20
ATTEMPTS = 10
ANSWER_TIMEOUT = 10
DUMP_TIMEOUT = 60.0
"""Seconds: for the kernel to answer at all, and for one dump as a whole."""


class InterruptedDump(NetlinkError):
    """What was to be listed kept changing while it was listed, on every attempt."""


class Message(NamedTuple):
    """One netlink message without its header."""

    type: int
    flags: int
    sequence: int
    payload: bytes


class Dump(NamedTuple):
    """What a dump gave: the messages that were kept, and how many there would have been."""

    messages: List[Message]
    total: int


class _Truncated(Exception):
    """A datagram of ``size`` bytes did not fit into the buffer."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def pack_message(message_type: int, flags: int, sequence: int, payload: bytes) -> bytes:
    """Return a message with its header; the kernel fills in our port id."""
    return HEADER.pack(HEADER.size + len(payload), message_type, flags, sequence, 0) + payload


def split_messages(datagram: bytes) -> Iterator[Message]:
    """Yield the messages of one datagram.

    Raises MalformedMessage for a header that is cut off, or a length that is too short or reaches beyond the datagram.
    """
    offset = 0
    end = len(datagram)
    while offset < end:
        if offset + HEADER.size > end:
            raise MalformedMessage(f"{end - offset} bytes where a message header is needed")
        length, kind, flags, sequence, _port = HEADER.unpack_from(datagram, offset)
        if length < HEADER.size or offset + length > end:
            raise MalformedMessage(f"message of {length} bytes at offset {offset} of {end}")
        yield Message(kind, flags, sequence, datagram[offset + HEADER.size : offset + length])
        offset += align(length)


def _raise_error(code: int) -> None:
    """Raise what a negative error number of the kernel stands for; 0 is success."""
    if code < 0:
        raise OSError(-code, os.strerror(-code))


class NetlinkSocket:
    """A netlink socket of the calling thread's network namespace; a context manager.

    Strict checking of requests (NETLINK_GET_STRICT_CHK, Linux 4.20) is switched on where the kernel has it: without
    it some filters of dumps are ignored, so that readers check what they get.
    ``strict`` says whether it is on.
    """

    def __init__(self, protocol: int, connection: Optional[socket.socket] = None) -> None:
        self._connection = connection or socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
        )
        self._sequence = 0
        self._buffer = bytearray(BUFFER_SIZE)
        try:
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", ANSWER_TIMEOUT, 0))
            self.strict = self._switch_strict_checking_on()
        except OSError:
            self.close()
            raise

    def _switch_strict_checking_on(self) -> bool:
        try:
            self._connection.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                raise
            return False
        return True

    def __enter__(self) -> NetlinkSocket:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()

    def dump(self, message_type: int, payload: bytes, flags: int = 0) -> List[Message]:
        """Return everything that the kernel lists for a request. See dump_some() for the errors."""
        return self.dump_some(message_type, payload, flags).messages

    def dump_some(
        self,
        message_type: int,
        payload: bytes,
        flags: int = 0,
        accept: Optional[Callable[[bytes], bool]] = None,
        limit: Optional[int] = None,
    ) -> Dump:
        """List, and keep of the messages whose payload is accepted the first ``limit`` ones.

        A dump during which something changed (NLM_F_DUMP_INTR) is repeated.
        Raises InterruptedDump when that never ends, MalformedMessage for what makes no sense, OSError for what the
        kernel refuses or when it does not answer.
        """
        for _attempt in range(ATTEMPTS):
            sequence = self._send(message_type, flags | FLAG_DUMP, payload)
            try:
                result = self._collect(sequence, accept, limit)
            except _Truncated as truncated:
                self._make_room(truncated.size)
                continue
            if result is not None:
                return result
        raise InterruptedDump(f"the list kept changing while it was read, {ATTEMPTS} times in a row")

    def request(self, message_type: int, payload: bytes, flags: int = 0) -> Optional[Message]:
        """Ask for one thing; return the answer, or None for a mere acknowledgement. Errors as for dump_some()."""
        sequence = self._send(message_type, flags, payload)
        deadline = time.monotonic() + DUMP_TIMEOUT
        while True:
            try:
                datagram = self._receive(deadline)
            except _Truncated as truncated:
                raise MalformedMessage(f"an answer of {truncated.size} bytes") from truncated
            for message in split_messages(datagram):
                if message.sequence != sequence:
                    continue
                if message.type == TYPE_ERROR:
                    _raise_error(read_s32(message.payload))
                    return None
                if message.type not in _CONTROL_TYPES:
                    return message

    def _send(self, message_type: int, flags: int, payload: bytes) -> int:
        """Send a request and return its sequence number."""
        self._sequence += 1
        self._connection.send(pack_message(message_type, flags | FLAG_REQUEST, self._sequence, payload))
        return self._sequence

    def _collect(
        self, sequence: int, accept: Optional[Callable[[bytes], bool]], limit: Optional[int]
    ) -> Optional[Dump]:
        """Read one dump to its end; None when it has to be repeated."""
        kept: List[Message] = []
        total = 0
        intact = True
        for message in self._answers(sequence):
            if message.flags & FLAG_DUMP_INTERRUPTED or message.type == TYPE_OVERRUN:
                intact = False
            if message.type in _CONTROL_TYPES or (accept is not None and not accept(message.payload)):
                continue
            total += 1
            if limit is None or total <= limit:
                kept.append(message)
        return Dump(kept, total) if intact else None

    def _answers(self, sequence: int) -> Iterator[Message]:
        """Yield the messages of one dump and the one that ends it. Lost ones appear as one of TYPE_OVERRUN."""
        deadline = time.monotonic() + DUMP_TIMEOUT
        while True:
            try:
                datagram = self._receive(deadline)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                yield Message(TYPE_OVERRUN, 0, sequence, b"")
                continue
            for message in split_messages(datagram):
                if message.sequence != sequence:
                    continue
                yield message
                if message.type in (TYPE_DONE, TYPE_ERROR):
                    if len(message.payload) >= 4:
                        _raise_error(read_s32(message.payload))
                    return

    def _receive(self, deadline: float, flags: int = 0) -> bytes:
        """Return the next datagram from the kernel: not from another process, which may write to us as well."""
        while True:
            try:
                size, address = self._connection.recvfrom_into(self._buffer, 0, MSG_TRUNC | flags)
            except BlockingIOError as error:
                raise TimeoutError(errno.ETIMEDOUT, "the kernel did not answer in time") from error
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, "the kernel did not come to an end in time")
            if address[0] != 0:
                continue
            if size > len(self._buffer):
                raise _Truncated(size)
            return bytes(memoryview(self._buffer)[:size])

    def _make_room(self, size: int) -> None:
        """Enlarge the buffer for a datagram of ``size`` bytes, and read away what is left of the dump it was in."""
        if size > BUFFER_LIMIT:
            raise MalformedMessage(f"a datagram of {size} bytes")
        self._buffer = bytearray(align(size))
        deadline = time.monotonic() + DUMP_TIMEOUT
        try:
            while True:
                self._drain_one(deadline)
        except TimeoutError:
            return

    def _drain_one(self, deadline: float) -> None:
        try:
            self._receive(deadline, MSG_DONTWAIT)
        except _Truncated as truncated:
            self._buffer = bytearray(min(align(truncated.size), BUFFER_LIMIT))
