# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which sizes to try: those that links and tunnels are known to have, and steps between them."""

from __future__ import annotations

from typing import List

FLOORS = {"ipv4": 1200, "ipv6": 1280}
"""Bytes that nearly every path carries, so that the first round tells whether anybody answers."""
LOWER_FLOORS = {"ipv4": (576, 68), "ipv6": ()}
"""What is tried when those do not arrive. IPv6 has no smaller path MTU (RFC 8200 section 5); IPv4: RFC 791."""
USUAL = (
    576, 1006, 1280, 1350, 1370, 1380, 1392, 1400, 1410, 1420, 1430, 1440, 1450, 1460, 1480, 1492, 1500, 4352, 8000,
    8500, 8900, 8930, 8950, 8980, 9000,
)  # fmt: skip
"""MTUs of overlays and links: 1380 and 1400 of clouds, 1420 WireGuard, 1440 Calico over IPIP in IPv6, 1450 VXLAN, 1480
IPIP, 1492 PPPoE, and so on up to jumbo frames."""
AT_ONCE = 14
"""Sizes that are tried at once. Two rounds of this many tell 1200 from 1500 to the byte but for one or two."""


def between(low: int, high: int) -> List[int]:
    """Return at most about AT_ONCE sizes greater than low and less than high, smallest first; all if they are few.

    low + 1 is among them, for low may be the answer; those that are usual are preferred to even steps.
    """
    count = high - low - 1
    if count <= AT_ONCE:
        return list(range(low + 1, high))
    usual = [size for size in USUAL if low < size < high]
    step = count / (AT_ONCE - 1)
    even = [low + 1 + round(number * step) for number in range(AT_ONCE - 1)]
    picked = {low + 1, *usual[-AT_ONCE:]}
    for size in even:
        if len(picked) >= AT_ONCE + 2:
            break
        if low < size < high and all(abs(size - other) > step / 2 for other in picked):
            picked.add(size)
    return sorted(picked)
