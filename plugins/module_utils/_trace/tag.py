# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a trace's packets are known by, on every host, behind every address translation."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

RUN_NAME = re.compile(r"[A-Za-z0-9_.-]{8,64}\Z")
MAX_NUMBERS = 256
"""Packets that one trace can tell apart."""
SEQUENCE_STEP = 1 << 16
"""From one packet's TCP sequence number to the next: an acknowledgement is less than this above its packet's."""


@dataclass(frozen=True)
class Tag:
    """Everything follows from the run's name, so that hosts need to be told nothing else.

    octets: the first 8 of the payload. identification: that of packet 0 in IPv4; packet n has n more; survives in a
    quote of only 8 bytes. sequence: that of TCP; packet n has n steps more. flow_label: of IPv6.
    """

    octets: bytes
    identification: int
    sequence: int
    flow_label: int


def make_tag(run: str) -> Tag:
    """Return the tag of a run. Raises ValueError for a name that is none."""
    if not RUN_NAME.match(run):
        raise ValueError(f"run is {run!r}; it takes 8 to 64 letters, digits, '.', '_' and '-'")
    digest = hashlib.sha256(b"netfit trace " + run.encode("ascii")).digest()
    return Tag(
        octets=digest[:8],
        identification=1 + int.from_bytes(digest[8:10], "big") % (0xFFFF - MAX_NUMBERS),
        sequence=0x10000000 + int.from_bytes(digest[10:14], "big") % 0xE0000000,
        flow_label=1 + int.from_bytes(digest[14:17], "big") % 0xFFFFF,
    )
