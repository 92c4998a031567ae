# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where a packet died, and how that is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Optional, Tuple

from .fact import Fact
from .finding import Evidence
from .owner import Owner


class DropKind(Enum):
    """Why a packet was dropped.

    TOO_BIG: a router could not forward it for its size. TUNNEL: a tunnel's outer packet did not fit or was lost.
    SEGMENT: the two ends of a link disagree on the MTU. BRIDGE: a bridge dropped it for its size without a word.
    FIREWALL: a rule. REVERSE_PATH: rp_filter. LISTEN_OVERFLOW: a full accept queue. OTHER: the kernel's reason tells.
    NONE: it was not dropped. BEYOND: not on any host that is ours.
    """

    TOO_BIG = "too big"
    TUNNEL = "tunnel"
    SEGMENT = "segment"
    BRIDGE = "bridge"
    FIREWALL = "firewall"
    REVERSE_PATH = "reverse path filter"
    LISTEN_OVERFLOW = "listen overflow"
    OTHER = "other"
    BEYOND = "beyond our hosts"
    NONE = "none"


@dataclass(frozen=True)
class Spot(Fact):
    """An interface: on which host, in whose network namespace. direction: in or out, as the namespace sees it."""

    host: str
    owner: Owner
    namespace: int
    link: str
    mtu: Optional[int] = None
    direction: Optional[str] = None


@dataclass(frozen=True)
class IcmpFate(Fact):
    """What became of the ICMP "fragmentation needed" or "packet too big" that the drop caused.

    sent: by address sent_by on host. arrived: at the sender of the packet. last_seen: where it was seen last.
    filtered_by: the rule, in words, where it was eaten on a host that is ours.
    """

    sent: bool
    sent_by: Optional[str] = None
    host: Optional[str] = None
    arrived: Optional[bool] = None
    last_seen: Optional[Spot] = None
    filtered_by: Optional[str] = None


@dataclass(frozen=True)
class Drop(Fact):
    """The answer of a trace: where packets of one size stop that pass in another.

    size, passing_size: bytes of the IP packet. last_seen, next_expected: the two interfaces between which it vanished.
    reason: the kernel's (skb:kfree_skb), where it tells. rule: the firewall's, in words, where it was one.
    text: one sentence for a person: "between flannel.1 and eth0 of node n1".
    """

    kind: DropKind
    text: str
    size: int
    passing_size: Optional[int] = None
    last_seen: Optional[Spot] = None
    next_expected: Optional[Spot] = None
    reason: Optional[str] = None
    rule: Optional[str] = None
    icmp: Optional[IcmpFate] = None
    evidence: Tuple[Evidence, ...] = ()
