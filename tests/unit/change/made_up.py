# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Things that can be changed and exist only in memory."""

from __future__ import annotations

from typing import Any, Dict, Hashable, Optional

from ansible_collections.netfit.cluster.plugins.module_utils._change.resource import ChangeError, Gone, Target


class Shelf:
    """A Resource: named values. refused: a value that cannot be written. gone: names that are no more."""

    def __init__(self, **values: Any) -> None:
        self.values: Dict[str, Any] = dict(values)
        self.refused: Optional[Any] = None
        self.gone: set[str] = set()
        self.written: list[tuple[str, Any]] = []

    def read(self, target: Target) -> Any:
        """Return a value."""
        if target["name"] in self.gone:
            raise Gone("it has ended")
        return self.values.get(target["name"])

    def write(self, target: Target, value: Any) -> None:
        """Set a value."""
        if target["name"] in self.gone:
            raise Gone("it has ended")
        if self.refused is not None and value == self.refused:
            raise ChangeError(f"{target['name']} does not take {value}")
        self.values[target["name"]] = value
        self.written.append((target["name"], value))

    def settle(self, target: Target) -> None:
        """Nothing is left."""

    def identity(self, target: Target) -> Hashable:
        """The name."""
        return str(target["name"])

    def describe(self, target: Target) -> str:
        """The name."""
        return str(target["name"])

    def show(self, value: Any) -> str:
        """The value."""
        return str(value)
