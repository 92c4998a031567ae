# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Names of address and route scopes (include/uapi/linux/rtnetlink.h, enum rt_scope_t)."""

from __future__ import annotations

SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}


def scope_name(scope: int) -> str:
    """Return the name of a scope, or its number as text where it has none."""
    return SCOPES.get(scope, str(scope))
