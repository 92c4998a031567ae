# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Routes and what the kernel has learned about paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from .fact import Fact


@dataclass(frozen=True)
class NextHop(Fact):
    """One leg of a multipath route. weight: 1 to 256."""

    gateway: Optional[str]
    device: Optional[str]
    weight: int


@dataclass(frozen=True)
class Route(Fact):
    """An entry of a routing table.

    family: ipv4 or ipv6. type: unicast, local, broadcast, blackhole, unreachable ... destination: CIDR
    ("0.0.0.0/0" and "::/0" for a default route). table: number (254 is main). priority: its metric.
    protocol: number of rtm_protocol (2 kernel, 3 boot, 4 static ...). scope: global, site, link, host or nowhere.
    source: preferred source address. mtu: bytes, None where the route has none of its own;
    mtu_locked: learned path MTUs are ignored. advertised_mss: bytes. next_hops: for a multipath route.
    """

    family: str
    type: str
    destination: str
    table: int
    gateway: Optional[str] = None
    device: Optional[str] = None
    priority: Optional[int] = None
    protocol: Optional[int] = None
    scope: Optional[str] = None
    source: Optional[str] = None
    mtu: Optional[int] = None
    mtu_locked: bool = False
    advertised_mss: Optional[int] = None
    next_hops: Tuple[NextHop, ...] = ()


@dataclass(frozen=True)
class PathMtuException(Fact):
    """A path MTU that the kernel learned for one destination (RFC 1191, RFC 8201) and keeps for a while.

    mtu: bytes. locked: below net.ipv4.route.min_pmtu, so DF is no longer set. expires_seconds: time left.
    """

    family: str
    destination: str
    mtu: int
    locked: bool
    gateway: Optional[str]
    device: Optional[str]
    expires_seconds: Optional[float]
