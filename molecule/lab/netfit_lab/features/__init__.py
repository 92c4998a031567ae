# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a topology that are built on top of running hosts: overlays, pods, load balancers.

A module in this package that has a `FEATURE` is found by itself. Its key is then a top-level key of topologies.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..host import Host
    from ..lab import Lab
    from ..topology import Topology


class Feature:
    """One kind of thing that a lab can have beyond hosts and networks.

    key: the top-level key in topologies. order: features with lower numbers are started first.
    """

    key: str = ""
    order: int = 50

    def check(self, value: Any, topology: Topology) -> None:
        """Raise BadTopology when what stands under the key cannot be built."""

    def services(self, value: Any, topology: Topology) -> dict[str, tuple[str, ...]]:
        """Return systemd units that hosts need at boot for this, by host."""
        return {}

    def packages(self, value: Any, topology: Topology) -> tuple[str, ...]:
        """Return the Debian packages that this machine needs for this."""
        return ()

    def start(self, lab: Lab, value: Any) -> None:
        """Build it; all hosts and their services are up."""

    def after_reboot(self, lab: Lab, value: Any, host: Host) -> None:
        """Build again what the reboot of this host took away; the host and its services are up."""

    def stop(self, lab: Lab, value: Any) -> None:
        """Undo what would outlive the lab's namespaces. Not called for a lab whose keeper is dead."""


@cache
def installed() -> dict[str, Feature]:
    """Return the features of this package by key, in the order in which they are started."""
    found: list[Feature] = []
    for module in pkgutil.iter_modules(__path__):
        feature = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FEATURE", None)
        if isinstance(feature, Feature):
            found.append(feature)
    return {feature.key: feature for feature in sorted(found, key=lambda item: (item.order, item.key))}
