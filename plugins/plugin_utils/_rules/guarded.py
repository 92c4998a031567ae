# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU-008: a guarded change that was undone because nobody could confirm it."""

from __future__ import annotations

from typing import List

from ...module_utils._model.finding import Confidence, Evidence, Finding, Target
from ...module_utils._model.owner import Owner, OwnerKind
from .making import fail
from .policy import Policy
from .view import HostView

MOST_CHANGES = 10


def rolled_back(host: HostView, policy: Policy) -> List[Finding]:
    """MTU-008: one finding per run that the guard on the host has undone."""
    return [
        fail(
            "MTU-008",
            policy,
            Target(host=host.name, scope="host", owner=Owner(OwnerKind.HOST, host.name), key=f"run {one.run}"),
            f"undone{f' at {one.moment}' if one.moment else ''}: {one.reason}",
            "confirmed over a fresh connection",
            [
                Evidence("what the guard on the host noted", one.reason, "netfit_mtu guard"),
                *[Evidence("undone", change, None) for change in one.changes[:MOST_CHANGES]],
                Evidence("the network does not carry what the change needed; measure before the next try", None, None),
            ],
            None,
            confidence=Confidence.MEASURED,
        )
        for one in host.rolled_back
    ]
