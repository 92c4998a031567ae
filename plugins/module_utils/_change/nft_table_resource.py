# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Tables of nftables as things that can be changed and undone.

Target: {"family": "inet", "name": ...}, in the host's network namespace. Value: the text that this host's nft lists,
without what counters have counted; None where there is no such table.
"""

from __future__ import annotations

from typing import Hashable, Optional

from .._kernel.nft import Table, as_listed, find_nft, read_table, replace_table
from .resource import ChangeError, Target

MISSING = (
    "nft is not installed: install the package nftables (apt-get install nftables, dnf install nftables, zypper "
    "install nftables)"
)


class NftTableResource:
    """See Resource. A table is replaced in one transaction: no packet meets half of it."""

    def read(self, target: Target) -> Optional[str]:
        """Return the table's text. Without nft there is none that could be read."""
        if find_nft() is None:
            return None
        try:
            return read_table(_table(target))
        except (OSError, ValueError) as error:
            raise ChangeError(f"{self.describe(target)} cannot be read: {error}; run as root (become: true)") from error

    def write(self, target: Target, value: Optional[str]) -> None:
        """Replace or remove it, and read it back."""
        if find_nft() is None:
            if value is None:
                return
            raise ChangeError(MISSING)
        table = _table(target)
        try:
            replace_table(table, value)
            wanted = None if value is None else as_listed(table, value)
        except OSError as error:
            raise ChangeError(f"{self.describe(target)} cannot be written: {error}") from error
        if self.read(target) != wanted:
            raise ChangeError(f"{self.describe(target)} was written and reads otherwise: another program changes it")

    def settle(self, target: Target) -> None:
        """Nothing is ever left."""

    def identity(self, target: Target) -> Hashable:
        """Family and name."""
        return _table(target)

    def describe(self, target: Target) -> str:
        """Family and name."""
        return f"the table {_table(target)}"

    def show(self, value: Optional[str]) -> str:
        """How many rules it has: its text is too much for one line."""
        if value is None:
            return "absent"
        rules = [line for line in value.splitlines() if line.startswith("\t\t") and not line.startswith("\t\ttype ")]
        return f"present with {len(rules)} rules"


def _table(target: Target) -> Table:
    return Table(target["family"], target["name"])
