# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What was measured about a path: all sizes are those of whole IP packets in bytes, header included."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Optional, Tuple

from .fact import Fact
from .owner import Owner
from .route import PathMtuException


class Verdict(Enum):
    """What a path does with packets of full size, best first.

    OK: it carries whatever the sender's link can send. REDUCED: less than that, and routers say so by ICMP.
    BLACK_HOLE: less than that, and nobody says so. UNREACHABLE: nothing came back, whatever the size.
    UNKNOWN: the measurement does not suffice to say; the reason tells why.
    """

    OK = "ok"
    REDUCED = "reduced, ICMP works"
    UNKNOWN = "unknown"
    BLACK_HOLE = "black hole"
    UNREACHABLE = "unreachable"

    @property
    def rank(self) -> int:
        """0 for ok up to 4 for unreachable."""
        return list(Verdict).index(self)


class Limit(Enum):
    """What ends a direction's path MTU: the sender's own link, a place on the way, or the far end's own link."""

    LINK = "link"
    PATH = "path"
    FAR_LINK = "far link"


class Method(Enum):
    """How a path is measured. AUTO is an option only: what is reported is one of the others."""

    AUTO = "auto"
    ICMP = "icmp"
    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True)
class Direction(Fact):
    """One direction of a path.

    path_mtu: bytes; None unless it is certain. at_least: the largest size that was seen to arrive, 0 for none.
    at_most: the largest size that is not known to be lost; None where nothing limits it from above.
    limited_by: see Limit, None while path_mtu is. reported_mtu, router: what an ICMP message about our own packets
    said, and the address that sent it. icmp_observable: False where such a message would not have reached us (the way
    back without a responder). tries_above: packets of the smallest size that did not pass.
    lost, samples: of the packets whose size is known to pass, how many did not come through; their quotient estimates
    the loss of the round trip. confidence: probability, 0 to 1, that path_mtu is right.
    """

    verdict: Verdict
    path_mtu: Optional[int] = None
    at_least: int = 0
    at_most: Optional[int] = None
    limited_by: Optional[Limit] = None
    reported_mtu: Optional[int] = None
    router: Optional[str] = None
    icmp_observable: bool = True
    tries_above: int = 0
    lost: int = 0
    samples: int = 0
    confidence: float = 0.0
    reason: Optional[str] = None


@dataclass(frozen=True)
class PathMeasurement(Fact):
    """One path, measured in both directions.

    name: as the caller named it, else the target. target: as given; address: what it resolved to.
    source: owner of the network namespace that it was measured from; namespace: its inode.
    method: what the values come from; device, link_mtu: the link that the packets left by and its MTU.
    expected_mtu: what the caller expects the path to carry. verdict: the worse of what was measured; reason: in words.
    cached_mtu: a path MTU that the kernel had learned for this address before; exceptions: all that it held for it.
    learned: exceptions that are there after the measurement and were not before; empty unless something else sent.
    round_trip_ms: the shortest. packets_sent, bytes_sent: by this end, IP packets with their headers.
    seconds: from the first packet to the decision. about: what the caller wanted to have back with the result.
    """

    name: str
    target: str
    address: Optional[str]
    family: Optional[str]
    source: Owner
    namespace: Optional[int]
    method: Optional[Method]
    verdict: Verdict
    forward: Direction
    back: Direction
    device: Optional[str] = None
    link_mtu: Optional[int] = None
    expected_mtu: Optional[int] = None
    reason: Optional[str] = None
    cached_mtu: Optional[int] = None
    exceptions: Tuple[PathMtuException, ...] = ()
    learned: Tuple[PathMtuException, ...] = ()
    round_trip_ms: Optional[float] = None
    packets_sent: int = 0
    packets_received: int = 0
    bytes_sent: int = 0
    seconds: float = 0.0
    about: Dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Segment(Fact):
    """One full-size TCP segment that was sent alone.

    size: bytes of its IP packet. outcome: arrived, lost (silently), too big (ICMP said so), refused (by the local
    kernel) or unknown. reported_mtu, router: of the ICMP message. round_trip_ms: until its acknowledgement.
    """

    size: int
    outcome: str
    reported_mtu: Optional[int] = None
    router: Optional[str] = None
    round_trip_ms: Optional[float] = None


@dataclass(frozen=True)
class HttpRequest(Fact):
    """One HTTP POST on a connection of its own.

    body_bytes: of its body. outcome: answered, timed out, closed, refused. status: of the answer.
    retransmits, path_mtu: TCP_INFO's tcpi_total_retrans and tcpi_pmtu when it was over. seconds: until the answer.
    """

    body_bytes: int
    outcome: str
    status: Optional[int] = None
    seconds: Optional[float] = None
    retransmits: Optional[int] = None
    path_mtu: Optional[int] = None


@dataclass(frozen=True)
class TcpPath(Fact):
    """What a client of one open TCP port gets.

    advertised_mss: bytes, the MSS option of the far end's SYN-ACK; where that could not be seen, advertised_mss_exact
    is False and it is the least that it can be. send_mss: tcpi_snd_mss, what is left of it for data after options and
    what the kernel knows of the path. path_mtu: IP packets in bytes that reach the far end, None
    unless certain; at_least: the largest that was acknowledged. reported_mtu, router: of ICMP messages that arrived.
    kernel_path_mtu: tcpi_pmtu of a fresh connection; cached_mtu: an exception that the kernel held before.
    connections: that were opened. traceless: False where the kernel may have learned from the measurement, because it
    could not be done otherwise or a URL was asked for; learned: what it did learn.
    Others as in PathMeasurement.
    """

    name: str
    target: str
    address: Optional[str]
    port: int
    family: Optional[str]
    source: Owner
    namespace: Optional[int]
    verdict: Verdict
    reason: Optional[str] = None
    device: Optional[str] = None
    link_mtu: Optional[int] = None
    expected_mtu: Optional[int] = None
    advertised_mss: Optional[int] = None
    advertised_mss_exact: bool = True
    send_mss: Optional[int] = None
    path_mtu: Optional[int] = None
    at_least: int = 0
    reported_mtu: Optional[int] = None
    router: Optional[str] = None
    kernel_path_mtu: Optional[int] = None
    cached_mtu: Optional[int] = None
    retransmits: int = 0
    round_trip_ms: Optional[float] = None
    confidence: float = 0.0
    segments: Tuple[Segment, ...] = ()
    requests: Tuple[HttpRequest, ...] = ()
    connections: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    seconds: float = 0.0
    traceless: bool = True
    learned: Tuple[PathMtuException, ...] = ()
    about: Dict[str, Any] = field(default_factory=dict)
