# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reading buckets of a bolt database: in such files Docker keeps its networks, containerd and podman their containers.

Layout (go.etcd.io/bbolt, version 2 of the format, little-endian on every machine that Linux containers run on):
a file of pages; each page has a header of 16 bytes: id u64, flags u16, count u16, overflow u32 (further pages that
belong to it). Pages 0 and 1 hold the two copies of the meta record; the one with a right checksum and the higher
transaction id counts. Branch pages hold {position u32, key size u32, page id u64}, leaf pages {flags u32, position u32,
key size u32, value size u32}; positions count from the element itself. A bucket is a leaf element with flag 1, whose
value is {root page u64, sequence u64}; root page 0 means that its only page follows inline. Buckets hold buckets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence, Set, Tuple

_MAGIC = 0xED0CDAED
_VERSION = 2
_HEADER = struct.Struct("<QHHI")
_META = struct.Struct("<IIIIQQQQQQ")
_BRANCH_ELEMENT = struct.Struct("<IIQ")
_LEAF_ELEMENT = struct.Struct("<IIII")
_BUCKET = struct.Struct("<QQ")
_BRANCH_PAGE = 0x01
_LEAF_PAGE = 0x02
_META_PAGE = 0x04
_IS_BUCKET = 0x01
_PAGE_SIZES = (4096, 16384, 65536, 1024, 2048, 8192, 32768)
# Flags, key and value.
_Entry = Tuple[int, bytes, bytes]


class BoltError(ValueError):
    """The content is no bolt database, or a damaged one. The message says what is wrong."""


@dataclass(frozen=True)
class _Meta:
    page_size: int
    root: int
    transaction: int


@dataclass(frozen=True)
class _Page:
    """A page with its overflow pages. body: everything from its header on."""

    flags: int
    count: int
    body: bytes


def transaction_of(content: bytes) -> int:
    """Return the number of the last transaction that was written in full. Raises BoltError."""
    return _newest_meta(content).transaction


def read_bucket(content: bytes, name: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """Yield key and value of every entry of a top-level bucket, in the order of the keys; nothing if it is absent.

    content: the whole file. Raises BoltError at the first thing that contradicts the format; nothing that was read
    from such a page is yielded.
    """
    bucket = open_database(content).bucket(name)
    if bucket is not None:
        yield from bucket.values()


def open_database(content: bytes) -> Bucket:
    """Return the bucket at the top, which holds all others. content: the whole file. Raises BoltError."""
    reader = _Reader(content, _newest_meta(content))
    return Bucket(reader, reader.entries())


class Bucket:
    """One bucket. Each bucket in it may be opened once: that the pages of a damaged file lead in circles is seen by it.

    All methods raise BoltError at what contradicts the format.
    """

    def __init__(self, reader: _Reader, entries: Sequence[_Entry]) -> None:
        self._reader = reader
        self._entries = entries

    def values(self) -> Iterator[Tuple[bytes, bytes]]:
        """Yield key and value of every entry that is no bucket, in the order of the keys."""
        return ((key, value) for flags, key, value in self._entries if not flags & _IS_BUCKET)

    def buckets(self) -> Iterator[Tuple[bytes, Bucket]]:
        """Open every bucket in this one; yield its name and it, in the order of the names."""
        for flags, key, value in self._entries:
            if flags & _IS_BUCKET:
                yield key, Bucket(self._reader, self._reader.bucket(value))

    def bucket(self, name: bytes) -> Optional[Bucket]:
        """Open the bucket of that name in this one; None where there is none."""
        for flags, key, value in self._entries:
            if flags & _IS_BUCKET and key == name:
                return Bucket(self._reader, self._reader.bucket(value))
        return None


def _newest_meta(content: bytes) -> _Meta:
    first = _meta_at(content, 0)
    # Where the first copy is damaged, the page size, and with it the place of the second, has to be tried.
    sizes = (first.page_size,) if first else _PAGE_SIZES
    candidates = [first, *(_meta_at(content, size) for size in sizes)]
    metas = [meta for meta in candidates if meta]
    if not metas:
        raise BoltError("it has no valid meta page; it is no bolt database or a damaged one")
    return max(metas, key=lambda meta: meta.transaction)


def _meta_at(content: bytes, offset: int) -> Optional[_Meta]:
    if len(content) < offset + _HEADER.size + _META.size:
        return None
    _identifier, flags, _count, _overflow = _HEADER.unpack_from(content, offset)
    start = offset + _HEADER.size
    magic, version, page_size, _flags, root, _sequence, _free, _pages, transaction, checksum = _META.unpack_from(
        content, start
    )
    checked = content[start : start + _META.size - 8]
    if not flags & _META_PAGE or (magic, version) != (_MAGIC, _VERSION) or checksum != _fnv1a(checked):
        return None
    return _Meta(page_size, root, transaction) if page_size in _PAGE_SIZES else None


def _fnv1a(content: bytes) -> int:
    """Return the 64-bit FNV-1a hash (RFC 9923)."""
    value = 0xCBF29CE484222325
    for byte in content:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


class _Reader:
    """Walks the pages of one file. Each page may be met once, or the pages of a damaged file could lead in circles."""

    def __init__(self, content: bytes, meta: _Meta) -> None:
        self._content = content
        self._meta = meta
        self._met: Set[int] = set()
        self._bytes_left = len(content)

    def entries(self) -> List[_Entry]:
        """Return the entries at the top: the buckets."""
        return list(self._below(self._page(self._meta.root)))

    def bucket(self, record: bytes) -> List[_Entry]:
        """Return the entries of the bucket that a record describes."""
        if len(record) < _BUCKET.size:
            raise BoltError("the record of a bucket is too short")
        root, _sequence = _BUCKET.unpack_from(record)
        return list(self._below(self._page(root) if root else _inline_page(record[_BUCKET.size :])))

    def _page(self, identifier: int) -> _Page:
        size = self._meta.page_size
        start = identifier * size
        if start + size > len(self._content):
            raise BoltError(f"page {identifier} lies behind the end of the file")
        own_identifier, flags, count, overflow = _HEADER.unpack_from(self._content, start)
        end = start + (overflow + 1) * size
        if own_identifier != identifier or end > len(self._content):
            raise BoltError(f"the header of page {identifier} is damaged")
        if identifier in self._met:
            raise BoltError(f"more than one way leads to page {identifier}")
        self._met.add(identifier)
        return _Page(flags, count, self._content[start:end])

    def _below(self, top: _Page) -> Iterator[_Entry]:
        pages = [top]
        while pages:
            page = pages.pop()
            if page.flags == _LEAF_PAGE:
                yield from self._counted(_leaf_elements(page))
            elif page.flags == _BRANCH_PAGE:
                pages.extend(reversed([self._page(identifier) for identifier in _branch_elements(page)]))
            else:
                raise BoltError(f"a page of the tree has the unknown type {page.flags:#x}")

    def _counted(self, entries: Iterator[_Entry]) -> Iterator[_Entry]:
        """Hand on entries that together are no larger than the file, which those of a sound file can't be."""
        for entry in entries:
            # What lies inline in the record of a bucket is counted when that is opened.
            flags, key, value = entry
            self._bytes_left -= len(key) + (_BUCKET.size if flags & _IS_BUCKET else len(value))
            if self._bytes_left < 0:
                raise BoltError("its elements overlap")
            yield entry


def _inline_page(body: bytes) -> _Page:
    if len(body) < _HEADER.size:
        raise BoltError("the page inside of a bucket's record is too short")
    _identifier, flags, count, _overflow = _HEADER.unpack_from(body)
    return _Page(flags, count, body)


def _leaf_elements(page: _Page) -> Iterator[_Entry]:
    for start in _element_starts(page, _LEAF_ELEMENT.size):
        flags, position, key_size, value_size = _LEAF_ELEMENT.unpack_from(page.body, start)
        key_start = start + position
        value_start = key_start + key_size
        if value_start + value_size > len(page.body):
            raise BoltError("an element of a leaf page reaches beyond its page")
        yield flags, page.body[key_start:value_start], page.body[value_start : value_start + value_size]


def _branch_elements(page: _Page) -> Iterator[int]:
    for start in _element_starts(page, _BRANCH_ELEMENT.size):
        _position, _key_size, identifier = _BRANCH_ELEMENT.unpack_from(page.body, start)
        yield identifier


def _element_starts(page: _Page, size: int) -> range:
    end = _HEADER.size + page.count * size
    if end > len(page.body):
        raise BoltError("a page claims more elements than it has room for")
    return range(_HEADER.size, end, size)
