# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a TCP buffer has to be for one connection to fill a path.

Sources: RFC 7323 section 1.1 (bandwidth times delay); Linux before 6.6 uses half of a buffer for its own book-keeping
(net.ipv4.tcp_adv_win_scale 1), later ones a share that they measure: twice is enough for both.
"""

from __future__ import annotations

import math

PAGE = 4096
SMALLEST, LARGEST = 1 << 20, (1 << 31) - PAGE
"""Bytes. Less is never set, for every kernel has more by default; more does not fit the kernel's number."""


def bandwidth_delay_bytes(bandwidth_mbit: float, round_trip_ms: float) -> float:
    """Return the bytes that are under way on a full path. Raises ValueError for what is no path."""
    if not 0 < bandwidth_mbit <= 1_000_000:
        raise ValueError(f"bandwidth_mbit is {bandwidth_mbit:g}; it takes a number up to 1000000 (Mbit a second)")
    if not 0 < round_trip_ms <= 10_000:
        raise ValueError(f"round_trip_ms is {round_trip_ms:g}; it takes a number up to 10000 (milliseconds)")
    return bandwidth_mbit * 1e6 / 8 * round_trip_ms / 1e3


def window_bytes(bandwidth_mbit: float, round_trip_ms: float) -> int:
    """Return the largest buffer of a connection in bytes: twice what is under way, in whole pages."""
    twice = 2 * bandwidth_delay_bytes(bandwidth_mbit, round_trip_ms)
    return min(LARGEST, max(SMALLEST, math.ceil(twice / PAGE) * PAGE))
