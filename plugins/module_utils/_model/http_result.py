# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What became of HTTP requests, and of connections that were left idle."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Dict, Optional, Tuple

from .fact import Fact


class Outcome(Enum):
    """How one request ended. ANSWERED: a whole answer came, whatever its status.

    TIMED_OUT: the connection stood, and no whole answer came in time. RESET: by the far end or a middlebox.
    CLOSED: the far end ended the connection before a whole answer was there. REFUSED: by a reset to the SYN.
    NOT_CONNECTED: no connection for another reason, a time-out of the handshake among them.
    """

    ANSWERED = "answered"
    TIMED_OUT = "timed out"
    RESET = "reset"
    CLOSED = "closed"
    REFUSED = "refused"
    NOT_CONNECTED = "not connected"
    TLS = "tls failed"
    NO_HTTP = "no http"


@dataclass(frozen=True)
class Latency(Fact):
    """Milliseconds from the SYN to the end of the answer, of the requests that were answered."""

    median_ms: float
    p90_ms: float
    p99_ms: float
    longest_ms: float


@dataclass(frozen=True)
class SizeOutcome(Fact):
    """The requests of one size to one target.

    body_bytes: of each request's body. sent: those that were seen to their end; failed: those of them without an answer
    that counts as good. failure_rate, interval: 0 to 1, the latter with 95 % confidence; None where nothing was sent.
    outcomes: Outcome's values to how often; statuses: of the answers ("504"). retransmits: of all connections together.
    kernel_path_mtu: the least that the kernel took for the path MTU of a connection when it was over; send_mss: the
    least number of bytes of data that it put into one segment.
    """

    body_bytes: int
    sent: int
    failed: int
    failure_rate: Optional[float]
    interval: Optional[Tuple[float, float]]
    outcomes: Dict[str, int] = field(default_factory=dict)
    statuses: Dict[str, int] = field(default_factory=dict)
    latency: Optional[Latency] = None
    retransmits: int = 0
    kernel_path_mtu: Optional[int] = None
    send_mss: Optional[int] = None


@dataclass(frozen=True)
class HttpResult(Fact):
    """One target. address: that was connected to; addresses: all that the name resolved to.

    planned, sent: requests. complete: whether all that was planned was sent; reason: why not.
    """

    name: str
    url: str
    method: str
    host: str
    node: Optional[str]
    address: Optional[str]
    port: int
    addresses: Tuple[str, ...] = ()
    planned: int = 0
    sent: int = 0
    failed: int = 0
    complete: bool = False
    reason: Optional[str] = None
    sizes: Tuple[SizeOutcome, ...] = ()


class End(Enum):
    """How a connection that was left idle ended. NOT_KEPT: the answer itself said that it would be closed.

    FIN, RESET: after idle_seconds. OPEN: it still answered when the time was over. SILENT: it looked open, but the
    request that was sent then was reset, or got no answer: something on the way had forgotten it.
    FAILED: there was no answer to begin with.
    """

    NOT_KEPT = "not kept"
    FIN = "fin"
    RESET = "reset"
    OPEN = "still open"
    SILENT = "silent drop"
    FAILED = "failed"


@dataclass(frozen=True)
class IdleConnection(Fact):
    """One connection. idle_seconds: from the end of the answer to its end, or for how long it was watched."""

    ended: End
    idle_seconds: Optional[float] = None
    status: Optional[int] = None
    reason: Optional[str] = None


@dataclass(frozen=True)
class KeepaliveResult(Fact):
    """How long a server keeps idle connections.

    ended: how the first connection to end did so. kept_seconds: for how long that one was kept; None where none ended.
    at_least_seconds: for how long all were seen to be kept. resolution_seconds: by how much either may be wrong.
    announced_timeout, announced_requests: of the Keep-Alive header, seconds and requests; server: of the Server header.
    load_balancer, idle_seconds: what it is compared with; None for nothing. verdict: see idle_timeouts.Verdict.
    """

    name: str
    url: str
    method: str
    host: str
    node: Optional[str]
    address: Optional[str]
    port: int
    ended: End
    kept_seconds: Optional[float] = None
    at_least_seconds: Optional[float] = None
    resolution_seconds: Optional[float] = None
    announced_timeout: Optional[int] = None
    announced_requests: Optional[int] = None
    server: Optional[str] = None
    load_balancer: Optional[str] = None
    idle_seconds: Optional[float] = None
    verdict: Optional[str] = None
    reason: Optional[str] = None
    connections: Tuple[IdleConnection, ...] = ()
