# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which program configures a link: found in what the programs themselves note about it while they run."""

from __future__ import annotations

from .._model.link_owner import LinkOwner
from .ifcfg import find_ifcfg
from .ifupdown import find_ifupdown
from .netplan import find_netplan
from .network_manager import find_network_manager
from .networkd import find_networkd

NOBODY = (
    "neither systemd-networkd, NetworkManager nor ifup has noted that it configures this link, and no ifcfg file is "
    "named after it: whoever made it (a container runtime, a hypervisor, a script) decides about its MTU"
)


def find_link_owner(root: str, link: str, index: int) -> LinkOwner:
    """Return who configures a link of the host's namespace. index: of the interface, as the kernel numbers it.

    Raises UnreadableFile.
    """
    # What generates the files of another comes before it; a file alone says less than what a program has noted.
    ifcfg = find_ifcfg(root, link, index)
    manager = find_network_manager(root, link, index)
    if ifcfg is not None and manager is not None and not manager.files:
        return ifcfg
    return (
        find_netplan(root, link, index)
        or find_networkd(root, link, index)
        or manager
        or find_ifupdown(root, link)
        or ifcfg
        or LinkOwner(link, None, NOBODY)
    )
