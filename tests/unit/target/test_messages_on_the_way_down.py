# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages help a sender only if there is one about each packet that it sends on its way down to the path MTU."""

from __future__ import annotations

from typing import Dict, Optional

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._probe.side import Side
from ansible_collections.netfit.cluster.plugins.module_utils._probe.transport import Way


@pytest.mark.parametrize(
    ("messages", "stuck_at"),
    [
        ({1500: 1400}, None),
        ({1500: 1450, 1450: 1400, 1401: 1400}, None),
        ({1500: 0, 1401: 0}, None),
        ({1454: 1400, 1401: 1400}, 1500),
        ({1500: 1450, 1401: 1400}, 1450),
    ],
    ids=["at once", "in two steps", "without a number", "the largest vanish", "what the first one named vanishes"],
)
def test_where_a_sender_gets_stuck(messages: Dict[int, int], stuck_at: Optional[int]) -> None:
    side = Side(Way.FORWARD, 1500)
    side.arrived(1400)
    for size, mtu in messages.items():
        side.refused(size, by_message=True)
        side.named(size, mtu, "198.18.0.1")
    side.refused(1401, by_message=True)
    assert side.certain
    assert side.untold == stuck_at
    assert side.over == (stuck_at is None)
