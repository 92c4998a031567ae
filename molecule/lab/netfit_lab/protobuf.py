# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of the protocol-buffers wire format as the container runtime's requests need.

Source: the encoding guide of Protocol Buffers, "Message Structure" and "Maps".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union

Value = Union[int, str, bytes, Mapping[str, str]]
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def message(*fields: tuple[int, Value]) -> bytes:
    """Return a message from its fields: number and value; bytes are a nested message, a mapping is a map of texts."""
    return b"".join(_field(number, value) for number, value in fields)


def _field(number: int, value: Value) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    if isinstance(value, Mapping):
        return b"".join(_field(number, message((1, key), (2, text))) for key, text in value.items())
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _LENGTH) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


class Fields:
    """The fields of a message that was received. Raises ValueError when it is cut short or has a group in it."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._offset = 0
        self._lengths: dict[int, list[bytes]] = {}
        self._numbers: dict[int, int] = {}
        while self._offset < len(content):
            self._read_field()

    def text(self, number: int) -> str:
        """Return a text field, "" when it is not there."""
        return self._lengths.get(number, [b""])[-1].decode()

    def number(self, number: int) -> int:
        """Return an integer field, 0 when it is not there."""
        return self._numbers.get(number, 0)

    def nested(self, number: int) -> Fields:
        """Return a nested message, an empty one when it is not there."""
        return Fields(self._lengths.get(number, [b""])[-1])

    def repeated(self, number: int) -> list[Fields]:
        """Return all nested messages of a repeated field."""
        return [Fields(content) for content in self._lengths.get(number, [])]

    def _read_field(self) -> None:
        tag = self._read_varint()
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            self._numbers[number] = self._read_varint()
        elif kind == _LENGTH:
            self._lengths.setdefault(number, []).append(self._read(self._read_varint()))
        elif kind in (_FIXED64, _FIXED32):
            self._numbers[number] = int.from_bytes(self._read(8 if kind == _FIXED64 else 4), "little")
        else:
            raise ValueError(f"field {number} has the unknown wire type {kind}")

    def _read_varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._read(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def _read(self, length: int) -> bytes:
        end = self._offset + length
        if end > len(self._content):
            raise ValueError(f"a message of {len(self._content)} bytes ends within a field")
        content, self._offset = self._content[self._offset : end], end
        return content
