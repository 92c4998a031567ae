# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Units of systemd as things that can be changed and undone: their files, the links that enable them, and their state.

systemd reads its files anew after each of them is written or removed, so that it never knows a unit that is no more.
"""

from __future__ import annotations

from typing import Any, Dict, Hashable, Optional

from .._kernel import systemd
from .file_resource import FileResource
from .resource import ChangeError, Target
from .symlink_resource import SymlinkResource


class UnitFileResource(FileResource):
    """See Resource and FileResource."""

    def write(self, target: Target, value: Optional[Dict[str, Any]]) -> None:
        """Write, or remove for None, and let systemd know."""
        super().write(target, value)
        _reload(target)


class UnitLinkResource(SymlinkResource):
    """See Resource and SymlinkResource."""

    def write(self, target: Target, value: Optional[str]) -> None:
        """Make, change or remove it, and let systemd know."""
        super().write(target, value)
        _reload(target)


class UnitStateResource:
    """See Resource. Target: {"unit": ...}. Value: whether it is active."""

    def read(self, target: Target) -> bool:
        """Tell whether it is active. Where systemd does not run, nothing is."""
        try:
            return systemd.runs() and systemd.is_active(target["unit"])
        except OSError as error:
            raise ChangeError(f"{self.describe(target)} cannot be asked for: {error}") from error

    def write(self, target: Target, value: bool) -> None:
        """Start or stop it, and see that it is."""
        unit = target["unit"]
        if not value and not systemd.runs():
            return
        try:
            if value:
                systemd.start(unit)
            else:
                systemd.stop(unit)
        except OSError as error:
            verb = "started" if value else "stopped"
            raise ChangeError(f"{unit} could not be {verb}: {error}; see journalctl --unit={unit}") from error
        if self.read(target) is not value:
            raise ChangeError(f"{unit} is {self.show(not value)} all the same; see journalctl --unit={unit}")

    def settle(self, target: Target) -> None:
        """Nothing is ever left."""

    def identity(self, target: Target) -> Hashable:
        """The unit."""
        return str(target["unit"])

    def describe(self, target: Target) -> str:
        """The unit."""
        return f"the state of {target['unit']}"

    def show(self, value: bool) -> str:
        """In the words of systemd."""
        return "active" if value else "inactive"


def _reload(target: Target) -> None:
    if not systemd.runs():
        return
    try:
        systemd.reload_units()
    except OSError as error:
        raise ChangeError(f"{target['path']} was written, and systemd does not read it: {error}") from error
