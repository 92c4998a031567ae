# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All MTUs that the configuration files of a host declare."""

from __future__ import annotations

from typing import List, Tuple

from .._model.declared import DeclaredMtu
from .._model.fact import Problem


def read_declared_mtus(root: str) -> Tuple[List[DeclaredMtu], List[Problem]]:
    """Return what the files below ``root`` ("/" on a real host) declare, and what could not be read."""
    return [], []
