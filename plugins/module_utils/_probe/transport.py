# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the measuring loop and the ways of sending have in common.

A transport sends single packets of exact sizes and tells what came of them; it draws no conclusions. The loop decides
which sizes to send and when, and draws them. What passes between them are named tuples: there are many of them, and
they take a third of the time of frozen dataclasses.
"""

from __future__ import annotations

from enum import Enum
from typing import List, NamedTuple, Optional, Protocol, Sequence, Union


class Way(Enum):
    """The direction that a probe tests. ROUND: a request and its answer, both of the probe's size."""

    FORWARD = "forward"
    BACK = "back"
    ROUND = "round"


class Probe(NamedTuple):
    """One packet to send. path: index of the path. size: bytes of the IP packet. number: unique within the path."""

    path: int
    way: Way
    size: int
    number: int


class Arrived(NamedTuple):
    """A probe came through. fragment_size: bytes of the largest fragment that the answer came in; 0: in one piece.

    forward_fragmented: the far end says that the probe itself came in fragments. moment: of the monotonic clock.
    """

    probe: Probe
    moment: float
    fragment_size: int = 0
    forward_fragmented: bool = False


class TooBig(NamedTuple):
    """ICMP "fragmentation needed" (RFC 792, 1191) or "packet too big" (RFC 4443) about one of our probes.

    mtu: of the next hop, 0 where the router names none. router: who sent it. way: BACK where the far end relays one
    that it received about what it sent. number: of the probe, where the message tells which one it is about.
    """

    path: int
    way: Way
    size: int
    mtu: int
    router: str
    moment: float
    number: Optional[int] = None


class LocalLimit(NamedTuple):
    """The link of the sending end (way BACK: the far end) does not take the size. mtu: bytes that it takes."""

    path: int
    way: Way
    size: int
    mtu: int


class Rejected(NamedTuple):
    """Somebody said that the target cannot be had: host or port unreachable, prohibited, no route, no permission."""

    path: int
    reason: str
    router: Optional[str]
    moment: float


class Asked(NamedTuple):
    """The far end has confirmed a request for BACK probes: those that do not arrive were lost, not never sent."""

    path: int
    numbers: Sequence[int]
    moment: float


class Split(NamedTuple):
    """A piece of an answer that the far end had fragmented was fragmented again: a router does it, on the way back."""

    path: int
    moment: float


Event = Union[Arrived, TooBig, LocalLimit, Rejected, Asked, Split]


class Sent(NamedTuple):
    """What left: IP packets and bytes, headers included. Both 0 where the kernel took nothing."""

    packets: int
    octets: int


class Target(NamedTuple):
    """Where a path leads. link_mtu: of the device by which packets leave, in bytes. port: of the far end, if any."""

    address: str
    link_mtu: int
    port: Optional[int] = None


class SendsAtOnce:
    """Of a transport with which nothing waits: what the kernel does not take is not sent at all."""

    def pending(self, path: int) -> int:
        """See Transport."""
        return 0


class Transport(Protocol):
    """One way of sending, for one family in one network namespace (that in which it was opened)."""

    overhead: int
    """Bytes that a probe has at least: its smallest size."""
    ways: Sequence[Way]
    """What it can test."""
    hears_too_big: bool
    """Whether it would hear of a router's message that a probe of the way there is too big."""
    descriptors: Sequence[int]
    """File descriptors whose readability means events; their error condition does as well."""

    def send(self, probes: Sequence[Probe]) -> Sent:
        """Send probes in this order; never blocks: what does not fit into the socket's buffer is taken as not sent."""

    def cost(self, probe: Probe) -> Sent:
        """Return what sending a probe takes at most where nothing is lost, all that belongs to it included."""

    def pending(self, path: int) -> int:
        """Return how many probes of a path send() has taken and not sent yet; receive() sends those that have room."""

    def receive(self, moment: float) -> List[Event]:
        """Return what came since the last call. moment: now, on the monotonic clock."""

    def close(self) -> None:
        """Close all sockets."""
