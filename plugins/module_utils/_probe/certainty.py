# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How sure a loss is: the arithmetic of telling "this size does not pass" from bad luck."""

from __future__ import annotations

from math import comb

DOUBT = 1e-5
"""A size is said not to pass only where chance would explain what was seen less often than this."""


def chance_of_all_lost(tries: int, controls: int, controls_arrived: int) -> float:
    """Return how likely it is that of all packets that arrived none is a try, if size made no difference.

    Fisher's exact test, one-sided: ``controls_arrived`` of ``tries + controls`` equal packets arrived; the number of
    ways in which all of them are controls over the number of all ways.
    """
    return comb(controls, controls_arrived) / comb(controls + tries, controls_arrived)


def chance_if_split(tries: int, controls: int, controls_arrived: int) -> float:
    """Return how likely it is that all tries are lost if each is carried in two packets on the way, a control in one.

    A tunnel that fragments its outer packets doubles the loss of those that do not fit. The loss of one packet is
    estimated from the controls by Laplace's rule of succession.
    """
    loss = (controls - controls_arrived + 1) / (controls + 2)
    return float((1.0 - (1.0 - loss) ** 2) ** tries)


def doubt(tries: int, controls: int, controls_arrived: int) -> float:
    """Return the larger of both chances: 1 where nothing is known, near 0 where the size certainly does not pass."""
    if tries == 0 or controls_arrived == 0:
        return 1.0
    arguments = (tries, controls, controls_arrived)
    return max(chance_of_all_lost(*arguments), chance_if_split(*arguments))
