# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading values out of YAML, with messages that name the place, the value and what is allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import BadTopology

NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
MTU_MINIMUM, MTU_MAXIMUM = 68, 65535
"""Bytes: RFC 791 section 3.2 (the smallest MTU of IPv4), and what a veth takes (drivers/net/veth.c, ETH_MAX_MTU)."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ", did you mean X?" for the known name most like this one, else the list of all known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names) or 'none'}"


def known_keys(where: str, value: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise BadTopology for the first key of the mapping that is not a known one."""
    allowed = set(known)
    for key in value:
        if key not in allowed:
            raise BadTopology(f"{where}: unknown key {key!r}{nearest(str(key), allowed)}")


def mapping(where: str, value: Any) -> dict[str, Any]:
    """Return a mapping with text keys; nothing at all is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadTopology(f"{where}: a mapping with text keys is needed, not {value!r}")
    return value


def texts(where: str, value: Any) -> tuple[str, ...]:
    """Return a list of texts as a tuple; nothing at all is an empty one."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadTopology(f"{where}: a list of texts is needed, not {value!r}")
    return tuple(value)


def text(where: str, value: Any) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise BadTopology(f"{where}: a text is needed, not {value!r}")
    return value


def boolean(where: str, value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise BadTopology(f"{where}: true or false is needed, not {value!r}")
    return value


def mtu(where: str, value: Any) -> int:
    """Return an MTU in bytes."""
    if not isinstance(value, int) or isinstance(value, bool) or not MTU_MINIMUM <= value <= MTU_MAXIMUM:
        raise BadTopology(f"{where}: an MTU from {MTU_MINIMUM} to {MTU_MAXIMUM} bytes is needed, not {value!r}")
    return value


def name(where: str, value: str, longest: int = 30) -> str:
    """Return the name of a lab, host, segment or router."""
    if not NAME.fullmatch(value) or len(value) > longest:
        raise BadTopology(f"{where}: {value!r} is no name (a letter, then up to {longest - 1} of a-z 0-9 -)")
    return value
