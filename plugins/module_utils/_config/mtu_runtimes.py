# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTU of new containers outside of Kubernetes."""

from __future__ import annotations

from typing import Callable, Dict, List

from .._model.mtu_config import MtuWish, Stack, StackPlan

RUNTIME_PLANNERS: Dict[Stack, Callable[[str, MtuWish], StackPlan]] = {}


def find_runtime_stacks(root: str, wish: MtuWish) -> List[Stack]:
    """Return the stacks for containers outside of Kubernetes that the host has."""
    return []
