# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Netlink attributes: there and back, and what makes no sense."""

from __future__ import annotations

import struct
from typing import Callable, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.netfit.cluster.plugins.module_utils._kernel import attributes
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.attributes import (
    MalformedMessage,
    pack_attribute,
    pack_attributes,
    parse_attributes,
)

VALUES = some.dictionaries(some.integers(0, 0x3FFF), some.binary(max_size=40))


@given(VALUES)
def test_what_is_packed_is_parsed(values: Dict[int, bytes]) -> None:
    assert parse_attributes(pack_attributes(list(values.items()))) == values


@given(VALUES, some.integers(0, 0x3FFF), some.binary(max_size=16))
def test_nested_ones_come_back(inner: Dict[int, bytes], kind: int, header: bytes) -> None:
    packed = header + pack_attribute(kind | 0x8000, pack_attributes(list(inner.items())))
    nested = list(parse_attributes(packed, len(header)).values())
    assert [parse_attributes(value) for value in nested] == [inner]


@given(some.binary(max_size=200), some.integers(0, 20))
def test_garbage_ends_in_attributes_or_one_error(buffer: bytes, offset: int) -> None:
    try:
        found = parse_attributes(buffer, offset)
    except MalformedMessage:
        return
    assert sum(4 + len(value) for value in found.values()) <= max(0, len(buffer) - offset)


def test_layout() -> None:
    """struct nlattr: length without padding, type, value, padding to four bytes."""
    assert pack_attribute(3, b"eth0\0") == struct.pack("=HH", 9, 3) + b"eth0\0\0\0\0"


def test_the_last_of_equal_types_counts() -> None:
    assert parse_attributes(pack_attributes([(1, b"a"), (1, b"b")])) == {1: b"b"}


def test_flags_of_the_type_are_left_out() -> None:
    assert parse_attributes(pack_attributes([(18 | 0x8000, b""), (19 | 0x4000, b"x")])) == {18: b"", 19: b"x"}


@pytest.mark.parametrize("length", [0, 3, 9, 65535])
def test_lengths_that_make_no_sense(length: int) -> None:
    with pytest.raises(MalformedMessage, match=f"{length} bytes"):
        parse_attributes(struct.pack("=HHI", length, 1, 0))


def test_fewer_than_four_bytes_at_the_end_are_ignored() -> None:
    assert parse_attributes(pack_attribute(1, b"abcd") + b"\xff\xff\xff") == {1: b"abcd"}


CONVERSIONS: List[Tuple[Callable[[bytes], object], bytes, object]] = [
    (attributes.read_u8, b"\x07", 7),
    (attributes.read_u16, struct.pack("=H", 513), 513),
    (attributes.read_u32, struct.pack("=I", 4294967295), 4294967295),
    (attributes.read_s32, struct.pack("=i", -1), -1),
    (attributes.read_be16, b"\x12\xb5", 4789),
    (attributes.read_be32, b"\x00\x00\x01\x00", 256),
    (attributes.read_address, b"\x0a\x01\x00\x01", "10.1.0.1"),
    (attributes.read_address, b"\xfd" + bytes(14) + b"\x01", "fd00::1"),
]


@pytest.mark.parametrize(("read", "value", "expected"), CONVERSIONS)
def test_values(read: Callable[[bytes], object], value: bytes, expected: object) -> None:
    assert read(value) == expected


@pytest.mark.parametrize("read", sorted({read for read, _value, _expected in CONVERSIONS}, key=str))
def test_values_that_are_cut_off(read: Callable[[bytes], object]) -> None:
    with pytest.raises(MalformedMessage):
        read(b"")


def test_text() -> None:
    assert attributes.read_text(b"eth0\0junk") == "eth0"
    assert attributes.read_text(b"eth\xff") == "eth\\xff"
