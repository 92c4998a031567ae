# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which MTUs a link can have: by the standards, by its driver, and by what carries it."""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

from .link import Link

SMALLEST = {"ipv4": 68, "ipv6": 1280}
"""Bytes: RFC 791 section 3.2, RFC 8200 section 5. Below 1280 Linux takes IPv6 off the link (net/ipv6/addrconf.c)."""
LARGEST = 65535
"""Bytes: the length field of an IP header (RFC 791 section 3.1) has 16 bits; loopback alone has more."""
STACKED = ("vlan", "macvlan", "macvtap", "ipvlan", "ipvtap")
"""Kinds that cannot be larger than the device below."""


def check_mtu(where: str, mtu: int) -> None:
    """Raise ValueError for a number that no link can have. where: the option, for the message."""
    if not SMALLEST["ipv4"] <= mtu <= LARGEST:
        raise ValueError(
            f"{where} is {mtu}; an MTU is from {SMALLEST['ipv4']} bytes ({SMALLEST['ipv6']} with IPv6) to {LARGEST}"
        )


def refusal(link: Link, mtu: int, carriers: Sequence[Tuple[Link, Optional[int]]]) -> Optional[str]:
    """Return why a link cannot have an MTU, None where it can. carriers: with the MTU that each is about to get."""
    if link.min_mtu and mtu < link.min_mtu:
        return f"its driver takes {link.min_mtu} at least"
    if link.max_mtu and mtu > link.max_mtu:
        return f"its driver takes {link.max_mtu} at most"
    if mtu < SMALLEST["ipv6"] and any(address.family == "ipv6" for address in link.addresses):
        return (
            f"it has IPv6 addresses, and IPv6 needs {SMALLEST['ipv6']} at least (RFC 8200): the kernel would take them "
            "away"
        )
    for carrier, wanted in carriers:
        room = wanted if wanted is not None else carrier.mtu
        if link.kind in STACKED and mtu > room:
            return f"{carrier.name}, which carries it, has {room}"
        tunnel = link.encapsulation
        if tunnel is not None and not tunnel.collect_metadata and mtu > room - tunnel.overhead:
            return (
                f"{carrier.name}, which carries it, has {room}, and {tunnel.kind} over {tunnel.underlay_family} takes "
                f"{tunnel.overhead} of them: {room - tunnel.overhead} at most"
            )
    return None
