# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of findings for files of other programs: hosts and containers name things as they like."""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_NO_CHARACTERS = "".join(chr(plane << 16 | last) for plane in range(0x11) for last in (0xFFFE, 0xFFFF))
UNWRITABLE = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NO_CHARACTERS}]")
"""What XML 1.0 section 2.2 or HTML forbids or advises against, or UTF-8 cannot hold; tab and ends of lines may stay."""
LINE_END = re.compile("\r\n?|[\u2028\u2029]")


def writable(value: object) -> str:
    """Return the value as text that every format can hold; what none can hold is replaced, not left out."""
    return UNWRITABLE.sub(REPLACEMENT, LINE_END.sub("\n", str(value)))


def one_line(value: object) -> str:
    """Return the same with each run of white space as one blank."""
    return " ".join(writable(value).split())
