# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a person can do when the kernel refuses."""

from __future__ import annotations

import os


def how_to_see_processes() -> str:
    """Say what is missing to look into the processes of others: root, or for root a capability."""
    if os.geteuid() != 0:
        return "run as root (become: true)"
    return "root without CAP_SYS_PTRACE may look only into processes that have no capability which it lacks"


def how_to_enter_namespaces() -> str:
    """Say what is missing to enter a network namespace."""
    return "run as root (become: true)" if os.geteuid() != 0 else "it takes CAP_SYS_ADMIN"
