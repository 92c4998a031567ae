# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a packet of some size on a planned path, by the kernel's rules and without sending any.

Rules: a node that sends or forwards drops, or fragments, what its outgoing link does not take, or a locked route, even
where that takes more than the link (ip_forward.c, ip_output.c). veth and bridge ports take 4 bytes more than their MTU,
for a VLAN tag, and drop the rest without a word (include/linux/netdevice.h, __is_skb_forwardable). A vxlan adds 50
bytes over IPv4; what its underlay drops nobody hears of, unless its device is a bridge's port (ip_tunnel_core.c,
skb_tunnel_check_pmtu).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, List, Optional, Sequence, Set, Tuple, Union

from plan import LAST_ROUTER, TARGET, DontFragment, Link, Plan

VLAN_TAG = 4
VXLAN_OVERHEAD = 50
IPV4_HEADER = 20
IPV6_HEADER = 40
IPV6_FRAGMENT_HEADER = 8


@dataclass(frozen=True)
class Send:
    """A node sends or forwards. speaks: its ICMP message reaches the sender. origin: it is the sender itself."""

    node: int
    mtu: int
    speaks: bool
    origin: bool = False


@dataclass(frozen=True)
class Wire:
    """Something that silently drops what is larger than its MTU and a VLAN tag."""

    mtu: int


@dataclass(frozen=True)
class Tunnel:
    """An overlay, and what its outer packets meet."""

    node: int
    mtu: int
    speaks: bool
    df: DontFragment
    bridged: bool
    underlay: Tuple[Union[Send, Wire], ...]


Gate = Union[Send, Wire, Tunnel]


@dataclass(frozen=True)
class Fate:
    """What becomes of a packet. pieces: sizes in which it arrives; empty when it doesn't.

    told: MTU in the ICMP message that the sender gets. local: the sender's own kernel refuses.
    """

    pieces: Tuple[int, ...] = ()
    told: Optional[int] = None
    local: bool = False


@dataclass(frozen=True)
class Truth:
    """One direction: the largest packet with DF that arrives, and what may be said about it.

    path_mtu: as long as no node has learned anything. later_mtu: once one has; mostly the same.
    verdicts: values of Verdict that are right; more than one where the kernel itself changes its mind.
    link_mtu: of the link by which the sender sends.
    """

    path_mtu: int
    later_mtu: int
    verdicts: FrozenSet[str]
    link_mtu: int


OK, REDUCED, BLACK_HOLE = "ok", "reduced, ICMP works", "black hole"


def gates(plan: Plan, forward: bool) -> List[Gate]:
    """Return what a packet meets in one direction, in order."""
    found: List[Gate] = []
    outer: List[Union[Send, Wire]] = []
    overlay = plan.overlay
    for node in range(plan.start, TARGET) if forward else range(TARGET, plan.start, -1):
        inside = overlay is not None and (
            plan.first_router <= node < LAST_ROUTER if forward else plan.first_router < node <= LAST_ROUTER
        )
        entering = inside and node == (plan.first_router if forward else LAST_ROUTER)
        routes = overlay is None or not overlay.bridged or node in (plan.start, TARGET) or inside
        step = _step(plan, node, forward, routes)
        if not inside:
            found += step
            continue
        outer += step
        assert overlay is not None
        if entering:
            mtu = overlay.near_mtu if forward else overlay.far_mtu
            tunnel = Tunnel(node, mtu, node not in plan.mute, overlay.df, overlay.bridged, ())
        if node == (LAST_ROUTER - 1 if forward else plan.first_router + 1):
            found.append(Tunnel(tunnel.node, mtu, tunnel.speaks, tunnel.df, tunnel.bridged, tuple(outer)))
    return found


def _step(plan: Plan, node: int, forward: bool, routes: bool) -> List[Union[Send, Wire]]:
    """Return what is between a node and the next in this direction. routes: the node is not a bridge here."""
    segment = plan.segment(node if forward else node - 1)
    link = segment.forward if forward else segment.back
    own, others = _ends(link, forward)
    lock = (plan.locked_forward if forward else plan.locked_back).get(node)
    origin = node in (plan.start, TARGET)
    first: Union[Send, Wire] = Wire(own)
    if routes:
        first = Send(node, lock or own, node not in plan.mute, origin)
    return [first, *(Wire(mtu) for mtu in others)]


def _ends(link: Link, forward: bool) -> Tuple[int, List[int]]:
    ports = list(link.ports or ())
    return (link.near, [*ports, link.far]) if forward else (link.far, [*reversed(ports), link.near])


def fate(met: Sequence[Gate], family: int, size: int, df: bool) -> Fate:
    """Return what becomes of a packet. df: that nobody may fragment it; in IPv6 only the sender may."""
    pieces: Tuple[int, ...] = (size,)
    for gate in met:
        largest = max(pieces)
        if isinstance(gate, Wire):
            if largest > gate.mtu + VLAN_TAG:
                return Fate()
            continue
        if isinstance(gate, Tunnel):
            ended = _enter(gate, largest, df or family == 6)
            if ended is not None:
                return ended
            if not gate.bridged:
                pieces = _fragments(pieces, gate.mtu, family)
            if not all(_carried(gate, piece, df or family == 6) for piece in pieces):
                return Fate()
            continue
        if largest > gate.mtu:
            if df or (family == 6 and not gate.origin):
                return Fate(local=True) if gate.origin else Fate(told=gate.mtu if gate.speaks else None)
            pieces = _fragments(pieces, gate.mtu, family)
    return Fate(pieces)


def _enter(tunnel: Tunnel, largest: int, df: bool) -> Optional[Fate]:
    """Return the end of a packet that the tunnel's device does not take; None when it does."""
    if not tunnel.bridged:
        return Fate(told=tunnel.mtu if tunnel.speaks else None) if df and largest > tunnel.mtu else None
    if largest > tunnel.mtu + VLAN_TAG:
        return Fate()
    room = _room(tunnel)
    return Fate(told=room) if df and largest > room else None


def _room(tunnel: Tunnel) -> int:
    """What the tunnel's own node sees of the underlay."""
    first = tunnel.underlay[0]
    assert isinstance(first, Send)
    return first.mtu - VXLAN_OVERHEAD


def _carried(tunnel: Tunnel, piece: int, df: bool) -> bool:
    outer_df = tunnel.df is DontFragment.SET or (tunnel.df is DontFragment.INHERIT and df)
    return bool(fate(tunnel.underlay, 4, piece + VXLAN_OVERHEAD, outer_df).pieces)


def _fragments(pieces: Sequence[int], mtu: int, family: int) -> Tuple[int, ...]:
    """Split packets, or fragments of one, into fragments whose payloads but the last are multiples of 8 (RFC 791)."""
    header = IPV4_HEADER if family == 4 else IPV6_HEADER + IPV6_FRAGMENT_HEADER
    found: List[int] = []
    for piece in pieces:
        left = piece - (IPV4_HEADER if family == 4 else IPV6_HEADER)
        if piece <= mtu:
            found.append(piece)
            continue
        while left > 0:
            room = mtu - header if left <= mtu - header else (mtu - header) // 8 * 8
            found.append(min(left, room) + header)
            left -= room
    return tuple(found)


def truth(plan: Plan, forward: bool) -> Truth:
    """Return the truth about a direction. ValueError: a larger packet arrives although a smaller doesn't."""
    met = gates(plan, forward)
    first = met[0]
    assert isinstance(first, Send)
    candidates = sorted(size for size in _critical(met) if 500 <= size <= first.mtu)
    arrives = [bool(fate(met, plan.family, size, True).pieces) for size in candidates]
    if arrives != sorted(arrives, reverse=True) or not arrives[0]:
        raise ValueError("sizes do not simply end to pass")
    path_mtu = max(size for size, passes in zip(candidates, arrives) if passes)
    later_mtu = min([path_mtu, *(_room(gate) for gate in _learning(plan.family, met))])
    return Truth(path_mtu, later_mtu, _verdicts(plan.family, met, first.mtu, path_mtu), first.mtu)


def _critical(met: Sequence[Gate]) -> Set[int]:
    """Sizes around which something may change, and the smallest of all."""
    found = {576}
    for gate in met:
        mtus = {gate.mtu}
        if isinstance(gate, Tunnel):
            mtus |= {size - VXLAN_OVERHEAD for size in _critical(gate.underlay)}
        found |= {mtu + more for mtu in mtus for more in (0, 1, VLAN_TAG, VLAN_TAG + 1)}
    return found


def _verdicts(family: int, met: Sequence[Gate], link_mtu: int, path_mtu: int) -> FrozenSet[str]:
    """Do as a sender that believes ICMP: start with what the link takes, send less when told to."""
    learning = bool(_learning(family, met))
    if path_mtu == link_mtu:
        return frozenset({OK, REDUCED}) if learning else frozenset({OK})
    size = link_mtu
    while size > path_mtu:
        end = fate(met, family, size, True)
        if end.told is None:
            return frozenset({BLACK_HOLE, REDUCED}) if learning else frozenset({BLACK_HOLE})
        size = min(end.told, size - 1)
    return frozenset({REDUCED})


def _learning(family: int, met: Sequence[Gate]) -> List[Tunnel]:
    """Return the tunnels whose node learns from a first packet and tells the sender of the next ones.

    A bridge's port does when it sets DF and so hears of its underlay's limits; IPv6, other than IPv4, also forwards by
    what was learned, whether or not the outer packet could have been fragmented.
    """
    tunnels = [gate for gate in met if isinstance(gate, Tunnel)]
    return [
        gate
        for gate in tunnels
        if (gate.bridged and gate.df is not DontFragment.UNSET) or (family == 6 and not gate.bridged)
    ]


def learns(family: int, met: Sequence[Gate]) -> bool:
    """Tell whether the fate of a packet depends on those before it."""
    return bool(_learning(family, met))
