# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""MTUs that configuration files declare."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Optional

from .fact import Fact, Source


class MtuMeaning(Enum):
    """What the number in a file stands for: the same word "mtu" means three things."""

    UNDERLAY = "underlay"
    """The MTU of the network below; the stack subtracts its overhead."""
    OVERLAY = "overlay"
    """The MTU of the overlay device, overhead already subtracted."""
    INTERFACE = "interface"
    """The final MTU of a container's or bridge's interface."""


@dataclass(frozen=True)
class DeclaredMtu(Fact):
    """One declared MTU.

    stack: flannel, canal, calico, cni, docker, podman, or what configures the host's own links: networkd, netplan,
    network_manager, ifupdown, ifcfg, wicked. value: bytes. meaning: see MtuMeaning.
    link: name of the live link that ought to carry it, where the file determines one (flannel.1, docker0, cni0).
    network: the address range that it is about in CIDR (FLANNEL_NETWORK, a subnet), where the file gives one.
    name: of the network, conflist or plugin. source: file, line and key.
    active: False for a file that is there and not in force (a conflist that another one precedes).
    """

    stack: str
    value: int
    meaning: MtuMeaning
    source: Source
    link: Optional[str] = None
    network: Optional[str] = None
    name: Optional[str] = None
    active: bool = True
