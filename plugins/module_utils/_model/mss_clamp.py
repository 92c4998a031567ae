# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the table that lowers the MSS of forwarded connections consists of; pure.

The MSS is set to what the route's MTU leaves, in both directions of both families: nft takes the smaller of the routes
to the packet's source and destination (net/netfilter/nft_rt.c, get_tcpmss) and never raises an MSS
(net/netfilter/nft_exthdr.c, nft_exthdr_tcp_set_eval). Packets with RST are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, List, Sequence, Tuple

from .fact import Fact

FAMILY, NAME = "inet", "netfit_mss"
PORT_LIMIT = 65535
_INTERFACE = re.compile(r"[A-Za-z0-9_.:@-]{1,15}\Z|[A-Za-z0-9_.:@-]{1,14}\*\Z")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")
_SYN = "tcp flags & (syn | rst) == syn"
_CLAMP = "counter tcp option maxseg size set rt mtu"

PortRange = Tuple[int, int]


@dataclass(frozen=True)
class ClampScope(Fact):
    """Which forwarded connections are meant. interfaces: packets that come in or go out there; none: all.

    ports: first and last of the ranges of the port that the client asked for, before any translation; none: all.
    """

    interfaces: Tuple[str, ...] = ()
    ports: Tuple[PortRange, ...] = ()


def parse_scope(interfaces: Sequence[str], ports: Sequence[str]) -> ClampScope:
    """Return the scope. interfaces: names, or beginnings of names with "*". ports: "30004" or "30000-32767".

    Raises ValueError.
    """
    for name in interfaces:
        if not _INTERFACE.match(name):
            raise ValueError(
                f"interfaces: {name!r} is no name of a link: it has 1 to 15 letters, digits and _ . : @ -, or is the "
                "beginning of such names with * at its end; leave interfaces out for all links"
            )
    return ClampScope(tuple(sorted(set(interfaces))), merged(_range(text) for text in ports))


def merged(ranges: Iterable[PortRange]) -> Tuple[PortRange, ...]:
    """Return the same ports in as few ranges as there can be, in order."""
    joined: List[PortRange] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def table_text(scope: ClampScope) -> str:
    """Return the table for nft(8), one rule for each interface, direction and range.

    No sets: nft 1.0.6 lists a set of ports of "ct original proto-dst" in a way that it doesn't read again.
    """
    places = [f'{way} "{name}" ' for name in scope.interfaces for way in ("iifname", "oifname")] or [""]
    ports = [f"ct original proto-dst {_ports(one)} " for one in scope.ports] or [""]
    rules = [f"\t\t{place}{_SYN} {port}{_CLAMP}\n" for place in places for port in ports]
    return (
        f"table {FAMILY} {NAME} {{\n\tchain forward {{\n"
        f"\t\ttype filter hook forward priority mangle; policy accept;\n{''.join(rules)}\t}}\n}}\n"
    )


def unmatched(scope: ClampScope, links: Iterable[str]) -> List[str]:
    """Return the interfaces of a scope that none of the links is."""
    names = list(links)
    return [wanted for wanted in scope.interfaces if not any(_is(wanted, name) for name in names)]


def _is(wanted: str, name: str) -> bool:
    return name.startswith(wanted[:-1]) if wanted.endswith("*") else name == wanted


def _range(text: str) -> PortRange:
    match = _PORTS.match(text)
    first, last = (int(match.group(1)), int(match.group(2) or match.group(1))) if match else (0, 0)
    if not 1 <= first <= last <= PORT_LIMIT:
        raise ValueError(
            f"ports: {text!r} is neither a port nor a range of ports: write numbers from 1 to {PORT_LIMIT}, as in "
            "30004 or 30000-32767"
        )
    return first, last


def _ports(one: PortRange) -> str:
    first, last = one
    return str(first) if first == last else f"{first}-{last}"
