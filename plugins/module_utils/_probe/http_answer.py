# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reading an HTTP/1 answer as it arrives (RFC 9112 sections 4 to 7): pure. The body is counted, not kept."""

from __future__ import annotations

import re
from typing import Dict, Optional

HEAD_AT_MOST = 65536
BODY_AT_MOST = 1 << 20
"""Bytes of a body that are waited for: a longer one counts as whole then."""
LINE_AT_MOST = 4096
NO_BODY = (204, 304)


def parse_status(head: bytes) -> Optional[int]:
    """Return the status of the first line of an answer, None while it is not complete. Raises ValueError."""
    line, end, _rest = head.partition(b"\r\n")
    if not end:
        return None
    parts = line.split(b" ", 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or len(parts[1]) != 3 or not parts[1].isdigit():
        raise ValueError("not an HTTP answer")
    return int(parts[1])


class Answer:
    """One answer to a request of that method. feed() until it is complete; end() when the far end has closed.

    status: None until the final one is there. headers: by lower-case name, a repeated one joined by commas.
    Both methods raise ValueError for what is no HTTP answer.
    """

    def __init__(self, method: str = "GET") -> None:
        """Begin with nothing."""
        self.status: Optional[int] = None
        self.headers: Dict[str, str] = {}
        self.complete = False
        self._method = method
        self._buffer = b""
        self._body = 0
        self._left: Optional[int] = None
        self._chunked = False
        self._chunk = 0
        self._last = False

    def feed(self, content: bytes) -> bool:
        """Take in what arrived; return whether the answer is complete now."""
        self._buffer += content
        while self.status is None and self._read_head():
            pass
        if self.status is not None and not self.complete:
            self._read_body()
        return self.complete

    def end(self) -> bool:
        """Return whether the answer is complete now that nothing more comes: a body without a length is."""
        unbounded = self.status is not None and self._left is None and not self._chunked
        self.complete = self.complete or unbounded
        return self.complete

    @property
    def kept_alive(self) -> bool:
        """Whether the connection may be used again: RFC 9112 section 9.3."""
        said = [word.strip().lower() for word in self.headers.get("connection", "").split(",")]
        if "close" in said or (self._left is None and not self._chunked):
            return False
        return self.headers[":version"] != "HTTP/1.0" or "keep-alive" in said

    def announced(self, name: str) -> Optional[int]:
        """Return a parameter of the Keep-Alive header: "timeout" (seconds) or "max" (requests)."""
        found = re.search(rf"\b{name}\s*=\s*\"?([0-9]{{1,9}})\b", self.headers.get("keep-alive", ""), re.IGNORECASE)
        return int(found[1]) if found else None

    def _read_head(self) -> bool:
        """Read one head; return whether to look for another, which follows an interim one."""
        status = parse_status(self._buffer)
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            if len(self._buffer) > HEAD_AT_MOST or (status is None and len(self._buffer) > LINE_AT_MOST):
                raise ValueError("not an HTTP answer: its head has no end")
            return False
        self._buffer = rest
        if status is None or 100 <= status < 200:
            return True
        self.headers = _headers(head)
        self.status = status
        self._chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        if self._method == "HEAD" or status in NO_BODY:
            self._chunked, self._left = False, 0
        elif not self._chunked and "content-length" in self.headers:
            self._left = _length(self.headers["content-length"])
        return False

    def _read_body(self) -> None:
        self._read_chunks() if self._chunked else self._read_plainly()
        self.complete = self.complete or self._body >= BODY_AT_MOST

    def _read_plainly(self) -> None:
        self._body += len(self._buffer)
        self._buffer = b""
        self.complete = self._left is not None and self._body >= self._left

    def _read_chunks(self) -> None:
        """A chunk's size line, its bytes and a line's end; the last one has the size 0 and perhaps trailers."""
        while not self.complete and not self._last and self._body < BODY_AT_MOST:
            if self._chunk == 0 and not self._read_size():
                break
            taken = min(len(self._buffer), self._chunk)
            self._buffer, self._chunk, self._body = self._buffer[taken:], self._chunk - taken, self._body + taken
            if self._chunk:
                return
        if self._last:
            self.complete = self._buffer.startswith(b"\r\n") or b"\r\n\r\n" in self._buffer
            if not self.complete and len(self._buffer) > HEAD_AT_MOST:
                raise ValueError("not an HTTP answer: its trailers have no end")

    def _read_size(self) -> bool:
        """Read the line before a chunk; return whether it was there. The line's end after a chunk is a part of it."""
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            if len(self._buffer) > LINE_AT_MOST:
                raise ValueError("not an HTTP answer: a chunk has no size")
            return False
        self._buffer, size = rest, _chunk_size(line)
        self._last = size == 0
        self._chunk = size + 2 if size else 0
        return not self._last


def _headers(head: bytes) -> Dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")
    found = {":version": lines[0].split(" ", 1)[0]}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            found[key] = f"{found[key]}, {value.strip()}" if key in found else value.strip()
    return found


def _length(text: str) -> int:
    lengths = {part.strip() for part in text.split(",")}
    only = lengths.pop()
    if lengths or not only.isascii() or not only.isdigit():
        raise ValueError("not an HTTP answer: its length is no number")
    return int(only)


def _chunk_size(line: bytes) -> int:
    digits = line.split(b";", 1)[0].strip()
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", digits):
        raise ValueError("not an HTTP answer: a chunk has no size")
    return int(digits, 16)
