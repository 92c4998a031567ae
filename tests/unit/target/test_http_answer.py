# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of HTTP in any pieces: where they end, and what they say about the connection."""

from __future__ import annotations

from typing import Callable, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._probe.http_answer import BODY_AT_MOST, Answer

HEAD = b"HTTP/1.1 200 OK\r\nServer: x\r\n"


def chunked(parts: List[bytes]) -> bytes:
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts if part)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nTrailer: y\r\n\r\n"


def plain(parts: List[bytes]) -> bytes:
    body = b"".join(parts)
    return b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


@settings(max_examples=60)
@given(st.sampled_from([chunked, plain]), st.lists(st.binary(max_size=40), max_size=5), st.data())
def test_an_answer_is_complete_at_its_last_byte_and_not_before(
    make: Callable[[List[bytes]], bytes], parts: List[bytes], data: st.DataObject
) -> None:
    content = make(parts)
    answer, at = Answer(), 0
    while at < len(content):
        assert not answer.complete
        piece = data.draw(st.integers(1, 60))
        answer.feed(content[at : at + piece])
        at += piece
    assert answer.complete and answer.status == 200 and answer.kept_alive


@given(st.binary(max_size=200))
def test_whatever_arrives_ends_in_an_answer_or_a_value_error(content: bytes) -> None:
    for begun in (b"", HEAD, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"):
        try:
            Answer().feed(begun + content)
        except ValueError as error:
            assert "HTTP" in str(error)


@pytest.mark.parametrize(
    "head, method, complete, kept",
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "GET", False, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD", True, True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", True, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", "GET", True, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", True, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", "GET", True, True),
    ],
)
def test_what_a_head_says_of_its_connection(head: bytes, method: str, complete: bool, kept: bool) -> None:
    answer = Answer(method)
    assert answer.feed(head) is complete and answer.kept_alive is kept
    assert answer.end()


def test_a_long_answer_is_long_enough() -> None:
    answer = Answer()
    answer.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n40000000\r\n")
    assert not answer.feed(bytes(BODY_AT_MOST - 1))
    assert answer.feed(b"x")


def test_a_cut_off_answer_is_not_complete() -> None:
    answer = Answer()
    answer.feed(HEAD + b"Content-Length: 10\r\n\r\nhalf")
    assert not answer.end()


@pytest.mark.parametrize("length", [b"x", b"-1", b"1, 2", b"\xb2"])
def test_a_length_that_is_none_is_refused(length: bytes) -> None:
    with pytest.raises(ValueError, match="length"):
        Answer().feed(HEAD + b"Content-Length: " + length + b"\r\n\r\n")


def test_what_the_keep_alive_header_announces() -> None:
    answer = Answer()
    answer.feed(HEAD + b"Keep-Alive: timeout=5, max=1000\r\nContent-Length: 0\r\n\r\n")
    assert (answer.announced("timeout"), answer.announced("max"), answer.announced("min")) == (5, 1000, None)
