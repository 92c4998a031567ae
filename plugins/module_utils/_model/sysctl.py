# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Kernel parameters as read from /proc/sys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .fact import Fact


@dataclass(frozen=True)
class SysctlReading(Fact):
    """A parameter as one network namespace shows it.

    value: runs of white space turned into one blank; None where it could not be read, and then error says why.
    writable: the file's mode lets its owner write. A parameter that is there and not writable inside a namespace is one
    of the whole host.
    """

    value: Optional[str]
    writable: bool
    error: Optional[str] = None
