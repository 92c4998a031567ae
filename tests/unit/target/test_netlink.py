# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages, and a socket that copes with everything that a kernel may send."""

from __future__ import annotations

import errno
import socket
import struct
from typing import List, Tuple, cast

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scripted_kernel import DONE, ScriptedConnection, dump_of, reply, scripted

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.attributes import MalformedMessage
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import (
    ATTEMPTS,
    BUFFER_SIZE,
    FLAG_DUMP_INTERRUPTED,
    TYPE_DONE,
    TYPE_ERROR,
    InterruptedDump,
    NetlinkSocket,
    pack_message,
    split_messages,
)

MESSAGES = some.lists(some.tuples(some.integers(16, 65535), some.integers(0, 65535), some.binary(max_size=50)))
INTERRUPTED = 2 | FLAG_DUMP_INTERRUPTED


def padded(message: bytes) -> bytes:
    return message + bytes(-len(message) % 4)


@given(MESSAGES, some.integers(0, 2**32 - 1))
def test_what_is_packed_is_split(messages: List[Tuple[int, int, bytes]], sequence: int) -> None:
    datagram = b"".join(padded(pack_message(kind, flags, sequence, payload)) for kind, flags, payload in messages)
    found = [(message.type, message.flags, message.payload) for message in split_messages(datagram)]
    assert found == messages
    assert all(message.sequence == sequence for message in split_messages(datagram))


@given(some.binary(max_size=200))
def test_garbage_ends_in_messages_or_one_error(datagram: bytes) -> None:
    try:
        found = list(split_messages(datagram))
    except MalformedMessage:
        return
    assert sum(16 + len(message.payload) for message in found) <= len(datagram)


@given(some.lists(some.binary(max_size=60), max_size=5))
def test_a_socket_survives_garbage(datagrams: List[bytes]) -> None:
    netlink, _connection = scripted(datagrams)
    with pytest.raises((MalformedMessage, TimeoutError)):
        netlink.dump(18, b"")


def test_header_layout() -> None:
    """struct nlmsghdr: length, type, flags, sequence, port id."""
    assert pack_message(18, 0x301, 7, b"abcd") == struct.pack("=IHHII", 20, 18, 0x301, 7, 0) + b"abcd"


def test_a_dump_asks_and_collects() -> None:
    netlink, connection = scripted(dump_of(b"one.", b"two."))
    assert [message.payload for message in netlink.dump(18, b"head")] == [b"one.", b"two."]
    assert connection.requests == [pack_message(18, 0x301, 1, b"head")]


def test_messages_of_other_requests_and_senders_are_not_ours() -> None:
    stale = pack_message(16, 2, 99, b"old.")
    forged = (pack_message(16, 2, 1, b"evil"), 4711)
    netlink, _connection = scripted([stale, forged, *dump_of(b"ours")])
    assert [message.payload for message in netlink.dump(18, b"")] == [b"ours"]


@pytest.mark.parametrize(
    "spoiled",
    [
        [reply(16, b"half", INTERRUPTED), reply(TYPE_DONE, DONE)],
        [reply(16, b"half"), reply(TYPE_DONE, DONE, INTERRUPTED)],
        [reply(16, b"half"), OSError(errno.ENOBUFS, "lost"), reply(TYPE_DONE, DONE)],
        [reply(16, b"half"), reply(4, b""), reply(TYPE_DONE, DONE)],
    ],
)
def test_a_dump_that_was_disturbed_is_repeated(spoiled: List[object]) -> None:
    netlink, connection = scripted(spoiled, spoiled, dump_of(b"all."))
    assert [message.payload for message in netlink.dump(18, b"")] == [b"all."]
    assert len(connection.requests) == 3


def test_a_dump_that_is_always_disturbed_ends() -> None:
    netlink, connection = scripted(*[[reply(TYPE_DONE, DONE, INTERRUPTED)]] * 50)
    with pytest.raises(InterruptedDump, match="kept changing"):
        netlink.dump(18, b"")
    assert len(connection.requests) == ATTEMPTS


def test_a_message_that_is_larger_than_the_buffer_is_asked_for_again() -> None:
    large = bytes(BUFFER_SIZE + 1000)
    netlink, connection = scripted([reply(16, large), reply(TYPE_DONE, DONE)], dump_of(large))
    assert [len(message.payload) for message in netlink.dump(18, b"")] == [len(large)]
    assert len(connection.requests) == 2


def test_a_message_without_end_is_refused() -> None:
    netlink, _connection = scripted([reply(16, bytes(5 << 20))])
    with pytest.raises(MalformedMessage, match="datagram of 5242896 bytes"):
        netlink.dump(18, b"")


@pytest.mark.parametrize(
    "final",
    [
        [reply(TYPE_ERROR, struct.pack("=i", -errno.EPERM) + bytes(16))],
        [reply(16, b"half"), reply(TYPE_DONE, struct.pack("=i", -errno.EPERM))],
    ],
)
def test_errors_of_the_kernel_are_errors_of_the_system(final: List[object]) -> None:
    netlink, _connection = scripted(final)
    with pytest.raises(PermissionError):
        netlink.dump(18, b"")


def test_a_silent_kernel_is_not_waited_for_for_ever() -> None:
    netlink, _connection = scripted([])
    with pytest.raises(TimeoutError, match="did not answer"):
        netlink.dump(18, b"")


def test_the_limit_counts_what_was_accepted() -> None:
    netlink, _connection = scripted(dump_of(*(bytes([number]) * 4 for number in range(10))))
    dump = netlink.dump_some(26, b"", accept=lambda payload: payload[0] % 2 == 0, limit=2)
    assert ([message.payload[0] for message in dump.messages], dump.total) == ([0, 2], 5)


def test_a_request_gives_its_answer() -> None:
    netlink, connection = scripted([reply(88, b"here")])
    answer = netlink.request(90, b"what")
    assert answer is not None
    assert (answer.type, answer.payload) == (88, b"here")
    assert connection.requests == [pack_message(90, 1, 1, b"what")]


def test_answers_to_others_are_no_answer() -> None:
    stale = pack_message(88, 0, 99, b"old.")
    netlink, _connection = scripted([stale, (pack_message(88, 0, 1, b"evil"), 4711), reply(88, b"ours")])
    answer = netlink.request(90, b"")
    assert answer is not None
    assert answer.payload == b"ours"


def test_a_request_may_be_acknowledged_only() -> None:
    netlink, _connection = scripted([reply(TYPE_ERROR, bytes(20))])
    assert netlink.request(90, b"") is None


def test_a_request_that_is_refused() -> None:
    netlink, _connection = scripted([reply(TYPE_ERROR, struct.pack("=i", -errno.ENOENT))])
    with pytest.raises(FileNotFoundError):
        netlink.request(90, b"")


def test_a_kernel_without_strict_checking() -> None:
    connection = ScriptedConnection([], (errno.ENOPROTOOPT,))
    assert not NetlinkSocket(0, cast(socket.socket, connection)).strict
    assert scripted()[0].strict


def test_a_socket_that_cannot_be_set_up_is_closed() -> None:
    connection = ScriptedConnection([], (errno.EPERM,))
    with pytest.raises(PermissionError):
        NetlinkSocket(0, cast(socket.socket, connection))
    assert connection.closed


def test_leaving_the_context_closes() -> None:
    netlink, connection = scripted()
    with netlink:
        assert not connection.closed
    assert connection.closed
