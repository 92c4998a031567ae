# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a measurement is worth beside the truth: exact, honestly unknown, or wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import List, Optional, Sequence, Set

from plan import DontFragment, Plan
from truth import VLAN_TAG, VXLAN_OVERHEAD, Gate, Send, Truth, Tunnel, fate, gates, truth

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import (
    Direction,
    Method,
    PathMeasurement,
    Verdict,
)
from ansible_collections.netfit.cluster.plugins.module_utils._probe.search import PROOF_SIZES

EXACT, UNKNOWN = "exact", "unknown"
SMALLEST_PROBE = 68
"""Bytes: no smaller packet is ever sent."""


def judge(plan: Plan, method: Method, measured: PathMeasurement, forward: bool) -> str:
    """Return EXACT, UNKNOWN, or what is wrong about one direction of a measurement, in words."""
    found = measured.forward if forward else measured.back
    known = truth(plan, forward)
    own = truth(plan, True).link_mtu
    sizes, answers = {known.path_mtu, known.later_mtu}, set()
    if method is Method.ICMP and not forward:
        answers = largest_answers(plan)
        sizes |= answers
    if found.path_mtu is None:
        return _of_unknown(found, known, max(sizes))
    right = {min(size, own) for size in sizes}
    if found.path_mtu not in right:
        return f"path MTU {found.path_mtu}, not {sorted(right)}"
    if found.path_mtu != known.path_mtu and found.path_mtu in {min(size, own) for size in answers}:
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
    if not forward:
        if known.path_mtu >= own:
            right = {Verdict.OK}
        elif known.path_mtu == known.link_mtu:
            right = {Verdict.OK, Verdict.REDUCED}
        elif not found.icmp_observable or known.link_mtu > own:
            right |= {Verdict.REDUCED, Verdict.BLACK_HOLE}
    if known.later_mtu != known.path_mtu and found.path_mtu == known.later_mtu:
        # What a node has learned it does not always tell: it depends on whether its ICMP is silenced. Also on the way
        # back, where the link itself takes all that was looked for.
        right |= {Verdict.REDUCED, Verdict.BLACK_HOLE}
    return [verdict.value for verdict in right]


def largest_answers(plan: Plan) -> Set[int]:
    """Return the largest answers to an echo request that may come back in one piece: the path MTU but for overlays.

    Kernels send answers without DF. An overlay that hands DF on ("inherit") lets their outer packets be fragmented, and
    one that is a bridge's port drops what has DF and is too large, but not what hasn't: both carry more of these
    answers than of other packets, and by ICMP nobody can see that. How much more changes when a packet with DF has
    taught the overlay's node how narrow its underlay is: it then fragments those without DF itself.
    """
    known = truth(plan, False)
    if plan.overlay is None or plan.family == 6:
        return {known.path_mtu}
    return {_largest_whole(met, known) for met in _gates_of_answers(plan)}


def _largest_whole(met: Sequence[Gate], known: Truth) -> int:
    sizes = range(known.path_mtu, known.link_mtu + 1)
    return next((size for size in sizes if len(fate(met, 4, size + 1, False).pieces) != 1), known.link_mtu)


def _gates_of_answers(plan: Plan) -> List[List[Gate]]:
    """Return what answers may meet on the way back: as long as no node has learned anything, and afterwards."""
    met = gates(plan, False)
    found = [met]
    for place, gate in enumerate(met):
        if isinstance(gate, Tunnel) and gate.df is DontFragment.INHERIT:
            sizes = range(SMALLEST_PROBE, gate.mtu + VLAN_TAG + VXLAN_OVERHEAD + 1)
            told = {fate(gate.underlay, 4, size, True).told for size in sizes}
            found += [[*met[:place], _taught(gate, mtu), *met[place + 1 :]] for mtu in told if mtu is not None]
    return found


def _taught(tunnel: Tunnel, mtu: int) -> Tunnel:
    """The same tunnel after a message has named an MTU: its node sends what is larger and has no DF in parts."""
    first, *others = tunnel.underlay
    assert isinstance(first, Send)
    return replace(tunnel, underlay=(replace(first, mtu=min(first.mtu, mtu)), *others))


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
    if not _fragments_prove(plan):
        return "ICMP: answers come in fragments that the target itself may have made of its own accord"
    if not fate(gates(plan, True), 4, limit + 1, False).pieces or not fate(gates(plan, True), 4, own, False).pieces:
        return "ICMP: requests as large as the answers that are looked for do not reach the far end, even fragmented"
    return None


def _fragments_prove(plan: Plan) -> bool:
    """Whether it can be seen, where larger answers come in fragments, that a router makes these (fragments.py).

    That takes an answer which the target has to fragment itself, and whose fragments arrive and are of two sizes.
    """
    known = truth(plan, False)
    for met in _gates_of_answers(plan):
        in_fragments = len(fate(met, 4, _largest_whole(met, known) + 1, False).pieces) > 1
        if in_fragments and not any(_of_two_sizes(fate(met, 4, size, False).pieces[:-1]) for size in PROOF_SIZES):
            return False
    return True


def _of_two_sizes(pieces: Sequence[int]) -> bool:
    return len(set(pieces)) > 1
