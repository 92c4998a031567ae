# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which program configures a link of the host, and what makes an MTU last there: the plan, before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Optional, Tuple

from .fact import Fact
from .file_change import FileChange


class LinkManager(Enum):
    """What brings links up at boot and keeps them as its files say."""

    NETWORKD = "networkd"
    NETPLAN = "netplan"
    NETWORK_MANAGER = "network_manager"
    IFUPDOWN = "ifupdown"
    IFCFG = "ifcfg"
    WICKED = "wicked"


class Reload(Enum):
    """What makes a manager read its files anew, without taking a link down; the journal knows them by these names."""

    NOTHING = "nothing"
    """Its files are read when it brings the link up or starts anew; or making it read them would cut the link off."""
    NETPLAN_NETWORKD = "netplan_networkd"
    NETPLAN_NETWORK_MANAGER = "netplan_network_manager"
    NETWORK_MANAGER_PROFILE = "network_manager_profile"
    NETWORK_MANAGER_SETTINGS = "network_manager_settings"


@dataclass(frozen=True)
class LinkOwner(Fact):
    """Who configures a link of the host's own network namespace.

    manager: None where none of those that we know does. evidence: how that was found, in words.
    files: those that say how the link is configured, the one in force first; of netplan its own, not what it generates.
    connection: the UUID of NetworkManager's profile. definition: the name under which netplan or ifupdown knows it.
    backend: what netplan lets configure the link. generated: the file that it makes for that.
    """

    link: str
    manager: Optional[LinkManager]
    evidence: str
    files: Tuple[str, ...] = ()
    connection: Optional[str] = None
    definition: Optional[str] = None
    backend: Optional[LinkManager] = None
    generated: Optional[str] = None


@dataclass(frozen=True)
class MtuLine(Fact):
    """The line of a file that sets an MTU. line: from 1. key: in the words of the file. mtu: bytes."""

    file: str
    line: int
    key: str
    mtu: int


@dataclass(frozen=True)
class LinkConfigPlan:
    """What makes an MTU last for one link, over a restart of its manager, a renewal of its lease and a reboot.

    mtu: bytes. before: what the files say now, None where they don't. changes: none where all is so already.
    notes: what is worth knowing, in words. blocked: why it can't be had, and what a person can do; nothing is to be
    written then. reload: what has to follow each of the changes.
    """

    owner: LinkOwner
    mtu: int
    before: Optional[int] = None
    changes: Tuple[FileChange, ...] = ()
    notes: Tuple[str, ...] = ()
    blocked: Optional[str] = None
    reload: Reload = Reload.NOTHING

    @property
    def persisted(self) -> bool:
        """Tell whether the MTU lasts once the changes are made."""
        return self.blocked is None

    def as_result(self) -> Dict[str, Any]:
        """Return what a module says about the link's configuration."""
        return {
            "owner": self.owner.as_fact(),
            "before": self.before,
            "after": self.before if self.blocked else self.mtu,
            "persisted": self.persisted,
            "written": [change.path for change in self.changes],
            "notes": list(self.notes),
            "reason": self.blocked or "",
        }
