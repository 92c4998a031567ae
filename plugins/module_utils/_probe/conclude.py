# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a search has shown, as a result: verdicts, and reasons in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Tuple

from .._model.path import Direction, Limit, Verdict
from .search import Search
from .side import Side
from .transport import Way

DEAF = (
    "whether a router says so cannot be heard without the right to open raw sockets (CAP_NET_RAW): run as root "
    "(become: true)"
)


def conclude_direction(search: Search, side: Side) -> Direction:
    """Return what is known about one direction."""
    lost, samples = search.counted(side)
    found = Direction(
        verdict=Verdict.UNKNOWN,
        at_least=side.best,
        at_most=_at_most(side),
        reported_mtu=side.reported[0] if side.reported is not None else None,
        router=side.reported[1] if side.reported is not None else None,
        icmp_observable=_observable(search, side),
        tries_above=side.tries.get(side.best + 1, 0) if side.best < side.ceiling else 0,
        lost=lost,
        samples=samples,
    )
    if not search.answered:
        rejected = search.rejected
        if search.given_up is not None and rejected is None:
            return replace(found, reason=search.given_up)
        if rejected is None and tuple(search.task.ways) == (Way.FORWARD,):
            silence = "nothing came back: filtered, nobody there, a full accept queue, or all was lost"
            return replace(found, reason=silence)
        silence = "nothing came back, whatever the size"
        return replace(found, verdict=Verdict.UNREACHABLE, reason=rejected.reason if rejected else silence)
    if side.contradiction:
        contradiction = "a smaller packet was said to be too big: not all take the same way"
        return replace(found, reason=f"{side.best} bytes arrived, and {contradiction}")
    if not side.proven:
        return replace(found, at_most=side.ceiling, reason=side.stuck or "the measurement ended early")
    if not side.certain or (side.stuck is not None and side.untold is not None):
        return replace(found, reason=side.stuck or "the measurement ended early")
    verdict, limit, why = _certain(search, side)
    confidence = 1.0 - (side.doubt or 0.0)
    return replace(found, verdict=verdict, path_mtu=side.best, limited_by=limit, reason=why, confidence=confidence)


def _certain(search: Search, side: Side) -> Tuple[Verdict, Limit, Optional[str]]:
    if side.best >= side.ceiling:
        if side.far_limit is not None and side.far_limit < search.task.ceiling:
            return Verdict.REDUCED, Limit.FAR_LINK, f"the far end's own link carries {side.far_limit} bytes"
        return Verdict.OK, Limit.LINK, None
    if side.silent is not None:
        vanish = f"packets of {side.silent} bytes are lost, and nobody says so; messages come about smaller ones only"
        return Verdict.BLACK_HOLE, Limit.PATH, vanish
    if side.was_reported:
        named = side.reported is not None and side.reported[0] > 0
        return Verdict.REDUCED, Limit.PATH, None if named else "the router names no MTU (RFC 792)"
    if side.doubt is None:
        reason = "answers are fragmented on the way; whether ICMP reaches the far end cannot be seen from here"
        return Verdict.REDUCED, Limit.PATH, reason
    if side.way is Way.FORWARD and not search.task.hears_too_big:
        return Verdict.UNKNOWN, Limit.PATH, f"packets larger than {side.best} bytes are lost; {DEAF}"
    if side.reported is not None and side.reported[0]:
        reason = f"larger packets are lost silently; {side.reported[1]} names {side.reported[0]} bytes, which is not it"
        return Verdict.BLACK_HOLE, Limit.PATH, reason
    return Verdict.BLACK_HOLE, Limit.PATH, f"packets larger than {side.best} bytes are lost, and nobody says so"


def _observable(search: Search, side: Side) -> bool:
    return side.reported is not None or (side.way is Way.FORWARD and search.task.hears_too_big)


def within_offer(found: Direction, offered: Optional[int]) -> Direction:
    """Return what a TCP port shows: what it never offered to take may be dropped by whoever reads the handshake.

    offered: bytes of the largest packet that the advertised MSS allows; None where that is not known.
    """
    if found.verdict is not Verdict.BLACK_HOLE or offered is None or found.at_least < offered:
        return found
    reason = f"at least {found.at_least}; larger packets than the advertised MSS allows ({offered} bytes) are lost, "
    return replace(
        found,
        verdict=Verdict.UNKNOWN,
        path_mtu=None,
        at_most=None,
        limited_by=None,
        confidence=0.0,
        reason=reason + "which a middlebox may do: what the path carries is not known",
    )


def _at_most(side: Side) -> Optional[int]:
    if side.contradiction:
        return None
    return side.too_big - 1 if side.too_big is not None else side.ceiling


def worse(forward: Direction, back: Direction) -> Direction:
    """Return the direction whose verdict is the worse; forward where they are equal."""
    return back if back.verdict.rank > forward.verdict.rank else forward
