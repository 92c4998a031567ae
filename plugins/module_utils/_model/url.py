# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The parts of an HTTP URL: pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


class BadUrl(ValueError):
    """A text is no URL that a request can be sent to; the message says what is allowed."""


@dataclass(frozen=True)
class Url:
    """What a request is sent to. authority: for the Host header. path: with its query, at least "/"."""

    secure: bool
    host: str
    port: int
    authority: str
    path: str


def read_url(text: str) -> Url:
    """Return the parts of a URL of http or https (RFC 9110 section 4.2). Raises BadUrl."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadUrl(f"url is {text!r}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadUrl(f"url is {text!r}; it takes http://host/path or https://host/path")
    if parts.username is not None or not text.isascii() or any(not 32 < ord(character) < 127 for character in text):
        raise BadUrl("url has a user, a space or a special character in it; it takes none of them")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    return Url(secure, parts.hostname, port or (443 if secure else 80), parts.netloc, path)
