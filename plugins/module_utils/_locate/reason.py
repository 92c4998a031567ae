# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel said about packets of ours, found by time: its events do not tell whose packet it was."""

from __future__ import annotations

from bisect import bisect_left
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from .._model.sighting import KernelDrop

WINDOW = 0.003
"""Seconds after a packet's last sighting. The next packet is sent after longer than that."""
TELLING = ("PKT_TOO_BIG", "IP_RPFILTER", "TCP_LISTEN_OVERFLOW", "NETFILTER_DROP")
"""Reasons that say it all, the best first; the ICMP message about a packet may be dropped for one of the latter."""
LOCATIONS = {
    "ip_forward": "PKT_TOO_BIG",
    "ip6_forward": "PKT_TOO_BIG",
    "nft_do_chain": "NETFILTER_DROP",
    "nf_hook_slow": "NETFILTER_DROP",
    "tcp_conn_request": "TCP_LISTEN_OVERFLOW",
}
"""Where the kernel is too old for reasons, and for the function that mostly has that one."""


def find_reason(
    drops: Sequence[KernelDrop], lost: Mapping[int, float], passed: Sequence[float] = ()
) -> Optional[KernelDrop]:
    """Return the event that goes with most of the lost packets, None where there is none.

    lost: number to the moment of the last sighting. passed: moments at which packets went on from the same place; an
    event that goes with them as well has nothing to do with the loss. All moments are of one host's clock.
    """
    ordered = sorted(drops, key=lambda drop: drop.moment)
    moments = [drop.moment for drop in ordered]
    with_lost = _count(ordered, moments, list(lost.values()))
    with_passed = _count(ordered, moments, list(passed))
    likely: List[Tuple[int, float, KernelDrop]] = []
    for what, (count, delay, drop) in with_lost.items():
        innocent = with_passed.get(what, (0, 0.0, drop))[0]
        if 2 * count >= len(lost) and innocent * len(lost) < count * max(1, len(passed)):
            likely.append((_rank(drop), delay, drop))
    return min(likely, key=lambda entry: entry[:2])[2] if likely else None


def name_of(drop: Optional[KernelDrop]) -> Optional[str]:
    """Return the reason's name, on an old kernel what the location stands for, None where nothing is said."""
    if drop is None:
        return None
    if drop.reason is not None and drop.reason != "NOT_SPECIFIED":
        return drop.reason
    return LOCATIONS.get(drop.location) if drop.reason is None else None


def in_words(drop: Optional[KernelDrop]) -> Optional[str]:
    """Return the kernel's words: reason and function."""
    if drop is None:
        return None
    return f"{drop.reason} in {drop.location}" if drop.reason else f"in {drop.location}"


def _rank(drop: KernelDrop) -> int:
    name = name_of(drop)
    return TELLING.index(name) if name in TELLING else len(TELLING)


def _count(
    drops: Sequence[KernelDrop], moments: Sequence[float], times: Sequence[float]
) -> Dict[Tuple[str, Optional[str]], Tuple[int, float, KernelDrop]]:
    """Return for each location and reason after how many of the times it came, how soon at best, and an example."""
    found: Dict[Tuple[str, Optional[str]], Tuple[int, float, KernelDrop]] = {}
    for time in times:
        seen: Set[Tuple[str, Optional[str]]] = set()
        for position in range(bisect_left(moments, time), len(drops)):
            drop = drops[position]
            if drop.moment - time > WINDOW:
                break
            what = (drop.location, drop.reason)
            if what in seen:
                continue
            seen.add(what)
            count, delay, example = found.get(what, (0, WINDOW, drop))
            found[what] = (count + 1, min(delay, drop.moment - time), example)
    return found
