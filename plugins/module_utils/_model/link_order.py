# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""In which order the MTUs of links are set, so that no link ever sends what the one below cannot take.

Lower from the top down: what makes packets stops making large ones before what carries them stops carrying. Raise from
the bottom up. Some drivers insist on it: a macvlan or VLAN cannot be larger than the device below
(drivers/net/macvlan.c macvlan_change_mtu), a VXLAN device not larger than its underlay allows (drivers/net/vxlan).
"""

from __future__ import annotations

from typing import Dict, Hashable, List, Mapping, Sequence, Tuple, TypeVar

Node = TypeVar("Node", bound=Hashable)


def depths(below: Mapping[Node, Sequence[Node]]) -> Dict[Node, int]:
    """Return how far each link is from the ground. below: link to the links that carry it.

    A circle, which only a misreading can give, ends where it began.
    """
    found: Dict[Node, int] = {}

    def depth(node: Node, on_the_way: Tuple[Node, ...]) -> int:
        if node in on_the_way:
            return 0
        if node not in found:
            lower = [depth(one, (*on_the_way, node)) for one in below.get(node, ())]
            found[node] = 1 + max(lower) if lower else 0
        return found[node]

    for node in below:
        depth(node, ())
    return found


def in_order(changes: Mapping[Node, Tuple[int, int]], below: Mapping[Node, Sequence[Node]]) -> List[Node]:
    """Return the links in the order in which they are set. changes: link to (MTU now, MTU wanted), in bytes.

    Those to be lowered come first, from the top down; then those to be raised, from the bottom up.
    """
    depth = depths({**{node: () for node in changes}, **below})
    lowered = [node for node, (now, wanted) in changes.items() if wanted < now]
    raised = [node for node, (now, wanted) in changes.items() if wanted > now]
    lowered.sort(key=lambda node: -depth[node])
    raised.sort(key=lambda node: depth[node])
    return lowered + raised
