# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured paths as the rules see them. All sizes are those of whole IP packets in bytes, header included."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Tuple

from ...module_utils._model.owner import Owner, OwnerKind
from ...module_utils._model.path import Limit, Verdict
from .http_view import HttpView, IdleView
from .making import owner_name

IP_AND_TCP = {"ipv4": 20 + 20, "ipv6": 40 + 20}
"""Bytes of headers around a TCP segment's data that the MSS does not count: RFC 9293 section 3.7.1, RFC 8200."""


class Way(Enum):
    """A direction of a path: FORWARD from where it was measured."""

    FORWARD = "forward"
    BACK = "back"


@dataclass(frozen=True)
class End:
    """One end of a path.

    host: inventory name, None for an end that is not in the inventory. owner: of the network namespace; None for an
    end that is known by its address alone. name: for people, and the same in every run. port: TCP.
    """

    name: str
    host: Optional[str] = None
    owner: Optional[Owner] = None
    port: Optional[int] = None


@dataclass(frozen=True)
class DirectionView:
    """See Direction in the model; a size that is not known is None. sender, receiver: the ends."""

    sender: End
    receiver: End
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
    confidence: Optional[float] = None
    reason: Optional[str] = None

    @property
    def narrow(self) -> bool:
        """Whether it carries less than its sender's link can send."""
        return self.verdict in (Verdict.REDUCED, Verdict.BLACK_HOLE)

    @property
    def capacity(self) -> Optional[int]:
        """The most that it can carry: its path MTU, or what is known to be lost beyond; None where neither is."""
        return self.path_mtu if self.path_mtu is not None else self.at_most

    @property
    def link_mtu(self) -> Optional[int]:
        """MTU of its sender's link as far as the measurement shows it."""
        return self.path_mtu if self.limited_by is Limit.LINK else None


@dataclass(frozen=True)
class PathView:
    """A measured path of either kind. See PathMeasurement and TcpPath in the model.

    tcp: whether it is what a client of a TCP port gets; then back is None, and advertised_mss may be known.
    kind: class of its ends ("pod-pod"); network: of the pods, where pods have several. hidden_by: path MTU that the
    kernel of the sender had learned for the far end before, in bytes.
    """

    tcp: bool
    name: str
    kind: str
    source: End
    peer: End
    namespace: Optional[int]
    target: Optional[str]
    address: Optional[str]
    family: str
    method: Optional[str]
    forward: DirectionView
    back: Optional[DirectionView]
    reason: Optional[str] = None
    network: Optional[str] = None
    device: Optional[str] = None
    link_mtu: Optional[int] = None
    expected_mtu: Optional[int] = None
    expected_because: Optional[str] = None
    hidden_by: Optional[int] = None
    advertised_mss: Optional[int] = None
    mss_exact: bool = True
    retransmits: int = 0
    packets_sent: Optional[int] = None

    @property
    def ways(self) -> List[Tuple[Way, DirectionView]]:
        """The directions that were measured."""
        both = [(Way.FORWARD, self.forward)]
        return both if self.back is None else [*both, (Way.BACK, self.back)]

    @property
    def peer_identity(self) -> str:
        """The far end in words that are the same in every run, with what tells two paths to it apart."""
        more = f" on network {self.network}" if self.network is not None else ""
        return f"{self.peer.name}{more}" + (" by IPv6" if self.family == "ipv6" else "")

    @property
    def lost(self) -> int:
        """Packets that did not come through although their size does, both directions together."""
        return sum(direction.lost for _way, direction in self.ways)

    @property
    def samples(self) -> int:
        """Packets that could have been lost so."""
        return sum(direction.samples for _way, direction in self.ways)

    @property
    def invited(self) -> Optional[int]:
        """The largest packet that the far end's MSS invites this sender to send; None where that is not known."""
        if self.advertised_mss is None:
            return None
        size = self.advertised_mss + IP_AND_TCP[self.family]
        return min(size, self.link_mtu) if self.link_mtu is not None else size


@dataclass(frozen=True)
class DropView:
    """See Drop in the model. icmp_host: where the message was eaten, else where the packet was seen last.

    target: address that the packets were sent to, None where the trace does not tell.
    """

    text: str
    target: Optional[str]
    size: Optional[int]
    kind: str
    icmp_host: Optional[str]
    sent_by: Optional[str]
    filtered_by: Optional[str]
    rule: Optional[str]
    reason: Optional[str]


@dataclass(frozen=True)
class Measured:
    """What was measured from one host."""

    paths: Tuple[PathView, ...] = ()
    drops: Tuple[DropView, ...] = ()
    http: Tuple[HttpView, ...] = ()
    idle: Tuple[IdleView, ...] = ()


def end_of(host: Optional[str], owner: Optional[Owner], fallback: str, port: Optional[int] = None) -> End:
    """Make an end. fallback: what it is called where neither host nor owner says enough."""
    if owner is None or (owner.kind is OwnerKind.UNKNOWN and owner.name is None):
        name = host or fallback
    elif owner.kind is OwnerKind.HOST:
        name = host or owner.name or fallback
    else:
        name = owner_name(owner) + (f" on {host}" if host is not None else "")
    return End(name if port is None else f"port {port} of {name}", host, owner, port)
