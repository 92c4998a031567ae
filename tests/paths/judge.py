# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a measurement is worth beside the truth: exact, honestly unknown, or wrong."""

from __future__ import annotations

from typing import List, Optional

from plan import Plan
from truth import Truth, fate, gates, truth

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import (
    Direction,
    Method,
    PathMeasurement,
    Verdict,
)

EXACT, UNKNOWN = "exact", "unknown"
LARGE_ANSWER = 18500
"""Bytes of an answer that no link takes whole."""


def judge(plan: Plan, method: Method, measured: PathMeasurement, forward: bool) -> str:
    """Return EXACT, UNKNOWN, or what is wrong about one direction of a measurement, in words."""
    found = measured.forward if forward else measured.back
    known = truth(plan, forward)
    own = truth(plan, True).link_mtu
    sizes = {known.path_mtu, known.later_mtu}
    if method is Method.ICMP and not forward:
        sizes.add(largest_answer(plan))
    if found.path_mtu is None:
        return _of_unknown(found, known, max(sizes))
    right = {min(size, own) for size in sizes}
    if found.path_mtu not in right:
        return f"path MTU {found.path_mtu}, not {sorted(right)}"
    if not forward and method is Method.ICMP and found.path_mtu == min(largest_answer(plan), own) != known.path_mtu:
        return EXACT
    if found.verdict.value in _verdicts(known, found, own, forward):
        return EXACT
    return f"verdict {found.verdict.value!r}, not {sorted(known.verdicts)}"


def _of_unknown(found: Direction, known: Truth, largest: int) -> str:
    """Without a value there is a reason, and what is said about the limits is true all the same."""
    if found.verdict is not Verdict.UNKNOWN:
        return f"verdict {found.verdict.value!r} without a path MTU: {found.reason}"
    if found.reason is None:
        return "unknown without a reason"
    if found.at_least > largest or (found.at_most is not None and found.at_most < known.later_mtu):
        return f"from {found.at_least} to {found.at_most}, not {known.path_mtu}"
    return UNKNOWN


def _verdicts(known: Truth, found: Direction, own: int, forward: bool) -> List[str]:
    """Return the verdicts that are right for a direction whose path MTU was found.

    On the way back nothing above the own link's MTU is looked for; a far link that is narrower than that is a
    reduction; and whether ICMP reaches the far end cannot always be seen.
    """
    right = {Verdict(value) for value in known.verdicts}
    if known.later_mtu != known.path_mtu and found.path_mtu == known.later_mtu:
        # What a node has learned it does not always tell: it depends on whether its ICMP is silenced.
        right |= {Verdict.REDUCED, Verdict.BLACK_HOLE}
    if not forward:
        if known.path_mtu >= own:
            right = {Verdict.OK}
        elif known.path_mtu == known.link_mtu:
            right = {Verdict.OK, Verdict.REDUCED}
        elif not found.icmp_observable or known.link_mtu > own:
            right |= {Verdict.REDUCED, Verdict.BLACK_HOLE}
    return [verdict.value for verdict in right]


def largest_answer(plan: Plan) -> int:
    """Return the largest answer to an echo request that comes back in one piece: the path MTU but for overlays.

    Kernels send answers without DF. An overlay that hands DF on ("inherit") lets their outer packets be fragmented, and
    one that is a bridge's port drops what has DF and is too large, but not what hasn't: both carry more of these
    answers than of other packets, and by ICMP nobody can see that.
    """
    known = truth(plan, False)
    if plan.overlay is None or plan.family == 6:
        return known.path_mtu
    met = gates(plan, False)
    sizes = range(known.path_mtu, known.link_mtu + 1)
    return next((size for size in sizes if len(fate(met, 4, size + 1, False).pieces) != 1), known.link_mtu)


def smallest_offer(plan: Plan) -> int:
    """Return the smallest packet that the target's MSS may allow: by its link, in IPv6 also by what it has learned."""
    home = truth(plan, False)
    return home.link_mtu if plan.family == 4 else min(home.path_mtu, home.later_mtu)


def unknowable(plan: Plan, method: Method, forward: bool) -> Optional[str]:
    """Return why a method cannot know a direction of a path on which nothing is lost by chance; None when it can."""
    if method is not Method.TCP or forward:
        known = truth(plan, forward)
        if known.path_mtu != known.later_mtu:
            return "the overlay's node carries a first packet of a size and then refuses it, because it has learned"
    if method is Method.TCP:
        if forward and truth(plan, True).path_mtu >= smallest_offer(plan):
            return "TCP: what the far end's MSS does not allow may be dropped for that reason"
        return None if forward else "TCP: the far end sends nothing of a size that we choose"
    if method is Method.UDP or forward:
        return None
    if plan.family == 6:
        return "ICMPv6: large answers depend on what the far kernel learns meanwhile"
    limit, own = truth(plan, False).path_mtu, truth(plan, True).link_mtu
    if limit >= own:
        return None
    pieces = fate(gates(plan, False), 4, LARGE_ANSWER, False).pieces[:-1]
    if pieces and min(pieces) == max(pieces):
        return "ICMP: answers come in fragments that the target itself may have made of its own accord"
    if not fate(gates(plan, True), 4, limit + 1, False).pieces or not fate(gates(plan, True), 4, own, False).pieces:
        return "ICMP: requests as large as the answers that are looked for do not reach the far end, even fragmented"
    return None
