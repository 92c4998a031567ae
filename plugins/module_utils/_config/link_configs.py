# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Making the MTU of links last: a plan for each, by whoever configures it."""

from __future__ import annotations

from typing import List, Sequence, Tuple

from .._model.link_owner import LinkConfigPlan, LinkOwner


def plan_link_configs(root: str, wishes: Sequence[Tuple[LinkOwner, int]]) -> List[LinkConfigPlan]:
    """Return a plan for each link with the MTU (bytes) that it is to have, in their order.

    All links of a run belong into one call: several may be in one file, which then appears in the plan of the first,
    and one definition may be for several. Raises nothing: what can't be read or understood blocks that link's plan.
    """
    return [plan_link_config(root, owner, mtu) for owner, mtu in wishes]


def plan_link_config(root: str, owner: LinkOwner, mtu: int) -> LinkConfigPlan:
    """Return the plan for a single link, see plan_link_configs()."""
    return LinkConfigPlan(owner, mtu, blocked="not built yet")
