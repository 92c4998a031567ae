# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the hosts of a trace saw of its packets: plain observations, no conclusions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Dict, Optional, Tuple

from .fact import Fact, Problem
from .owner import Owner


class SightingKind(Enum):
    """FORWARD: a packet of the trace. REPLY: the answer to one. ERROR: an ICMP message that quotes one."""

    FORWARD = "forward"
    REPLY = "reply"
    ERROR = "error"


@dataclass(frozen=True)
class IcmpMessage(Fact):
    """An ICMP error as seen on its way. source, destination: its own. mtu: of the next hop, 0 where it names none.

    tunnel: of which the quoted packet is an outer one, None where the trace's own packet is quoted.
    """

    source: str
    destination: str
    type: int
    code: int
    family: str
    mtu: int = 0
    tunnel: Optional[str] = None

    @property
    def too_big(self) -> bool:
        """Tell that a packet did not fit."""
        return (self.type, self.code) == (3, 4) if self.family == "ipv4" else self.type == 2

    @property
    def time_exceeded(self) -> bool:
        """Tell that a packet's time to live was used up."""
        return self.type == (11 if self.family == "ipv4" else 3)

    @property
    def port_unreachable(self) -> bool:
        """Tell that the packet arrived where nobody listens."""
        return (self.type, self.code) == ((3, 3) if self.family == "ipv4" else (1, 4))


@dataclass(frozen=True)
class Sighting(Fact):
    """Packets of one kind and size at one interface in one direction.

    link: its name. direction: in or out, as the namespace sees it. size: bytes of the trace's own IP packet, None where
    the packet here does not tell; length: of the outermost IP packet that carried it here. numbers: of the packets;
    moments: when each was seen first, seconds of this host's monotonic clock. time_to_live: of the packet itself;
    outer_time_to_live: of the outermost one around it. tunnel: how it was encapsulated here, None for not at all.
    source, destination: addresses of the packet itself; for kind ERROR of the quoted one.
    error: for kind ERROR.
    """

    kind: SightingKind
    namespace: int
    link: str
    direction: str
    size: Optional[int]
    length: int
    numbers: Tuple[int, ...]
    moments: Tuple[float, ...]
    time_to_live: int
    tunnel: Optional[str] = None
    outer_time_to_live: Optional[int] = None
    source: Optional[str] = None
    destination: Optional[str] = None
    error: Optional[IcmpMessage] = None

    @property
    def first(self) -> float:
        """When the first of them was seen."""
        return min(self.moments, default=0.0)


@dataclass(frozen=True)
class WatchedLink(Fact):
    """An interface at which something was seen. rx_dropped, tx_dropped: packets, during the trace.

    Others as in Link.
    """

    index: int
    name: str
    kind: str
    mtu: int
    bridge: Optional[str] = None
    lower: Optional[str] = None
    rx_dropped: int = 0
    tx_dropped: int = 0


@dataclass(frozen=True)
class WatchedNamespace(Fact):
    """A network namespace in which something was seen. counters: what they grew by during the trace."""

    inode: int
    owner: Owner
    links: Tuple[WatchedLink, ...] = ()
    counters: Dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FirewallRule(Fact):
    """A rule that can drop packets. text: for a person, with table and chain. verdict: drop or reject.

    hooks: of the base chains that it may be reached from. packets: that it dropped during the trace, None where it has
    no counter.
    """

    namespace: int
    text: str
    verdict: str
    hooks: Tuple[str, ...] = ()
    packets: Optional[int] = None


@dataclass(frozen=True)
class KernelDrop(Fact):
    """A packet, of whomever, that the kernel freed unused. reason: its name, None before Linux 5.17.

    location: the kernel's function. moment: seconds of this host's monotonic clock.
    """

    moment: float
    location: str
    reason: Optional[str] = None


@dataclass(frozen=True)
class HostTrace(Fact):
    """All that one host saw. missed: packets that the captures themselves lost. watched: namespaces."""

    run: str
    host: str
    sightings: Tuple[Sighting, ...] = ()
    namespaces: Tuple[WatchedNamespace, ...] = ()
    rules: Tuple[FirewallRule, ...] = ()
    kernel_drops: Tuple[KernelDrop, ...] = ()
    seconds: float = 0.0
    watched: int = 0
    missed: int = 0
    problems: Tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Burst(Fact):
    """What was sent. Numbers from 0 have passing_size, from count on size, from 2 * count on a limited time to live.

    namespace: inode. sent: packets that left by size, passing first; refused: what the local kernel said about those
    of size that it did not take. hops: how far the time to live was tried.
    """

    run: str
    protocol: str
    family: str
    source: str
    target: str
    namespace: int
    size: int
    passing_size: int
    count: int
    sent: Tuple[int, int]
    port: Optional[int] = None
    refused: Optional[str] = None
    link: Optional[str] = None
    link_mtu: Optional[int] = None
    hops: int = 0
    seconds: float = 0.0

    def numbers(self, large: bool) -> range:
        """Numbers of the packets of one size."""
        return range(self.count, 2 * self.count) if large else range(self.count)
