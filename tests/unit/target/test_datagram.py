# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages between prober and responder: what is packed comes out, and nothing else is taken for one."""

from __future__ import annotations

from typing import List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._probe.datagram import (
    ENTRY_LIMIT,
    HEADER_BYTES,
    MAX_NUMBER,
    Kind,
    Message,
    Seal,
    pack_entries,
    unpack_entries,
)

SEAL = Seal(b"the token of a run")
WORDS = st.integers(0, MAX_NUMBER)
MESSAGES = st.builds(
    Message,
    st.sampled_from(Kind),
    st.integers(0, 2**64 - 1),
    WORDS,
    st.integers(0, 65535),
    WORDS,
    WORDS,
    st.binary(max_size=40),
)
PADDING = st.integers(0, 64).map(bytes)


@given(MESSAGES, PADDING)
def test_what_was_packed_comes_out_whatever_the_padding(message: Message, padding: bytes) -> None:
    assert SEAL.unpack(SEAL.pack(*message) + padding) == message


@given(MESSAGES, PADDING, st.data())
def test_a_changed_bit_is_noticed(message: Message, padding: bytes, data: st.DataObject) -> None:
    packed = bytearray(SEAL.pack(*message))
    bit = data.draw(st.integers(0, len(packed) * 8 - 1))
    packed[bit // 8] ^= 1 << bit % 8
    assert SEAL.unpack(bytes(packed) + padding) is None


@given(MESSAGES, st.data())
def test_a_truncated_message_is_refused(message: Message, data: st.DataObject) -> None:
    packed = SEAL.pack(*message)
    assert SEAL.unpack(packed[: data.draw(st.integers(0, len(packed) - 1))]) is None


@given(MESSAGES, st.binary(min_size=1, max_size=40))
def test_another_token_is_refused(message: Message, token: bytes) -> None:
    assert token == b"the token of a run" or Seal(token).unpack(SEAL.pack(*message)) is None


@given(st.binary(max_size=100))
def test_noise_is_refused(noise: bytes) -> None:
    assert SEAL.unpack(noise) is None
    assert SEAL.unpack(b"nf\1\1" + noise) is None


def test_a_header_fits_the_smallest_packets() -> None:
    assert len(SEAL.pack(Kind.PROBE, 1, 1)) == HEADER_BYTES == 36


@given(st.lists(st.tuples(WORDS, st.integers(0, 65535)), min_size=1, max_size=ENTRY_LIMIT))
def test_entries_come_out(entries: List[Tuple[int, int]]) -> None:
    assert unpack_entries(pack_entries(entries)) == entries


@pytest.mark.parametrize("body", [b"", b"12345", bytes(6 * (ENTRY_LIMIT + 1))])
def test_what_is_no_list_of_entries_is_refused(body: bytes) -> None:
    assert unpack_entries(body) is None


def test_a_proof_needs_the_token() -> None:
    assert SEAL.proof("a 1 2") == Seal(b"the token of a run").proof("a 1 2")
    assert SEAL.proof("a 1 2") not in (Seal(b"another").proof("a 1 2"), SEAL.proof("a 1 3"))
