# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Tables of nftables by nft(8), in the network namespace of the calling thread.

Source: nft(8). Tables are kept as the text that nft lists and reads again. Two nft of different versions write the same
rule in different ways, so that what is wanted is compared only after the nft of this host has written it as well.
"""

from __future__ import annotations

import json
import shutil
from typing import List, NamedTuple, Optional

from .commands import SEARCH_PATH, output_of
from .new_namespace import in_new_namespace


class Table(NamedTuple):
    """A table's family (ip, ip6, inet, ...) and name."""

    family: str
    name: str

    def __str__(self) -> str:
        return f"{self.family} {self.name}"


def find_nft() -> Optional[str]:
    """Return the path of nft, None where it is not installed."""
    return shutil.which("nft", path=SEARCH_PATH)


def read_tables() -> List[Table]:
    """Return all tables. Raises OSError, and ValueError for what is no JSON of nft."""
    text = output_of(_nft(), "-j", "list", "tables")
    try:
        entries = [entry["table"] for entry in json.loads(text)["nftables"] if "table" in entry]
        return [Table(entry["family"], entry["name"]) for entry in entries]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not what nft -j prints: {error}") from error


def read_table(table: Table) -> Optional[str]:
    """Return a table's text without what its counters have counted, None where there is none.

    Raises OSError and ValueError.
    """
    if table not in read_tables():
        return None
    return output_of(_nft(), "-s", "list", "table", table.family, table.name)


def replace_table(table: Table, text: Optional[str]) -> None:
    """Put a table in place of the one of that name, in one transaction; None removes it. Raises OSError."""
    output_of(_nft(), "-f", "-", given=replacing(table, text))


def replacing(table: Table, text: Optional[str]) -> str:
    """Return what nft is to read for that: to name a table makes it, so that it can be deleted whether it is or not."""
    return f"table {table}\ndelete table {table}\n{text or ''}"


def as_listed(table: Table, text: str) -> str:
    """Return a table's text as this host's nft lists it, by loading it where nobody is.

    Raises OSError where nft refuses it, or where no network namespace can be made.
    """

    def load_and_list() -> str:
        replace_table(table, text)
        return output_of(_nft(), "-s", "list", "table", table.family, table.name)

    return in_new_namespace(load_and_list)


def _nft() -> str:
    return find_nft() or "nft"
