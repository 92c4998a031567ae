# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How long is waited for the answers to what was sent at once."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from .transport import Probe

SILENT_WAITS = (0.05, 0.2, 1.0)
HANDSHAKE_WAITS = (*SILENT_WAITS, 2.5)
"""Seconds after which a path that says nothing is asked again, and then given up. By TCP longer: Linux sends a SYN
again after 1 and 3 seconds."""
HINT_FLOOR, DECISION_FLOOR = 0.005, 0.020
"""Seconds to wait for answers at least: for those that only guide the search, and for those that decide."""
LATE = 1.0
"""Seconds in which what a search did not wait for may still come: a busy host answers late, and has lost nothing.
TCP waits for so long at least (RFC 6298, 2.4)."""
ROUND_TRIPS = 3.0
"""How many times the longest round trip is waited for."""


class Round(NamedTuple):
    """What to send, and how many seconds to wait for it at least. whatever: also on a path that has answered before."""

    probes: Sequence[Probe]
    floor: float
    whatever: bool = True

    def patience(self, answered: bool, round_trip: float) -> float:
        """Return how many seconds after the last packet, sent or received, the round is over.

        answered: whether the path has ever answered. round_trip: the longest so far in seconds.
        """
        if not answered:
            return self.floor
        return max(self.floor if self.whatever else HINT_FLOOR, ROUND_TRIPS * round_trip)
