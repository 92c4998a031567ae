# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The messages between a prober and its responder, as bytes of a UDP datagram. Pure.

Header, big endian: magic (2), version (1), kind (1), session (8), number (4), size (2), bytes of the body (2),
value (4), credit (4), tag (8); then the body, then padding. The tag is HMAC-SHA256 (RFC 2104) of header and body, cut
to 8 bytes, its key derived from the token of the run; padding carries nothing and is not covered.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from enum import IntEnum
from typing import List, NamedTuple, Optional, Sequence, Tuple

MAGIC = b"nf"
VERSION = 1
_HEADER = struct.Struct("!2sBBQIHHII")
_ENTRY = struct.Struct("!IH")
TAG_BYTES = 8
HEADER_BYTES = _HEADER.size + TAG_BYTES
ENTRY_LIMIT = 64
"""Sizes in one request."""
TOKEN_BYTES = 8
"""A token has at least as many."""
MAX_NUMBER = 2**32 - 1
MAX_SIZE = 65535


class Kind(IntEnum):
    """What a message is. From the prober: PROBE, REQUEST, DEPOSIT; all others are the responder's."""

    PROBE = 1
    """Tests the way forward with its own size; answered by SEEN."""
    SEEN = 2
    """A probe came. number, size: the probe's. value: bytes of its largest fragment, 0 when it came in one piece."""
    REQUEST = 3
    """Asks for samples; the body is a list of entries. Answered by ACCEPTED or SHORT."""
    ACCEPTED = 4
    """All samples of a request are being sent. number: the request's."""
    SHORT = 5
    """No sample of a request is sent, for want of credit. number: the request's. value: bytes that it costs."""
    SAMPLE = 6
    """Tests the way back with its own size. number, size: of the entry. value: the number of the request."""
    DEPOSIT = 7
    """Earns credit by its size; never answered."""
    REPORT = 8
    """A router told the responder that a sample is too big. number, size: the sample's. value: MTU. body: address."""
    LIMIT = 9
    """The responder's link does not take a sample. number, size: the sample's. value: the link's MTU in bytes."""


class Message(NamedTuple):
    """A message whose tag is right. credit: bytes that the responder may still send to the session."""

    kind: Kind
    session: int
    number: int
    size: int
    value: int
    credit: int
    body: bytes


class Seal:
    """Makes and checks messages of one run."""

    def __init__(self, token: bytes) -> None:
        self._key = hmac.new(token, b"netfit path probe", hashlib.sha256).digest()

    def pack(
        self, kind: Kind, session: int, number: int, size: int = 0, value: int = 0, credit: int = 0, body: bytes = b""
    ) -> bytes:
        """Return a message without padding. Raises struct.error where a value does not fit into its field."""
        head = _HEADER.pack(MAGIC, VERSION, kind, session, number, size, len(body), value, credit)
        return head + self._tag(head + body) + body

    def unpack(self, datagram: bytes) -> Optional[Message]:
        """Return the message in a datagram or in the beginning of one; None when it is not of this run, or altered."""
        if len(datagram) < HEADER_BYTES or datagram[:2] != MAGIC or datagram[2] != VERSION:
            return None
        _magic, _version, kind, session, number, size, covered, value, credit = _HEADER.unpack_from(datagram)
        body = datagram[HEADER_BYTES : HEADER_BYTES + covered]
        tag = datagram[_HEADER.size : HEADER_BYTES]
        if len(body) != covered or not hmac.compare_digest(tag, self._tag(datagram[: _HEADER.size] + body)):
            return None
        try:
            return Message(Kind(kind), session, number, size, value, credit, body)
        except ValueError:
            return None

    def proof(self, text: str) -> str:
        """Return what only a holder of the token can make of a text: 16 hex digits."""
        return hmac.digest(self._key, b"proof " + text.encode(), "sha256")[:TAG_BYTES].hex()

    def _tag(self, covered: bytes) -> bytes:
        return hmac.digest(self._key, covered, "sha256")[:TAG_BYTES]


def pack_entries(entries: Sequence[Tuple[int, int]]) -> bytes:
    """Return the body of a request. entries: number of the sample, bytes of its IP packet; at most ENTRY_LIMIT."""
    return b"".join([_ENTRY.pack(number, size) for number, size in entries])


def unpack_entries(body: bytes) -> Optional[List[Tuple[int, int]]]:
    """Return the entries of a request's body; None for a body that is none."""
    if not body or len(body) % _ENTRY.size or len(body) > ENTRY_LIMIT * _ENTRY.size:
        return None
    return list(_ENTRY.iter_unpack(body))
