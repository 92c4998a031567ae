# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All containers and pod sandboxes that the runtimes of a host have on record."""

from __future__ import annotations

from typing import List, Tuple

from .._model.fact import Problem
from .._model.owner import ContainerRecord


def read_containers(root: str) -> Tuple[List[ContainerRecord], List[Problem]]:
    """Return the containers recorded below ``root`` ("/" on a real host), and what could not be read."""
    return [], []
