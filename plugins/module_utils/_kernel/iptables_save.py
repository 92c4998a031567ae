# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Finding the programs that write down the tables of iptables: one speaks with nf_tables, one with the legacy tables.

Source: iptables-save(8), xtables-nft(8), xtables-legacy(8). Both go by the name iptables-save, and a link decides.
"""

from __future__ import annotations

import os
import shutil
from typing import List, Optional, Tuple

from .commands import SEARCH_PATH

NFT, LEGACY = "nft", "legacy"
BUNDLED = ("/var/lib/rancher/k3s/data/current/bin/aux",)
"""Where a distribution of Kubernetes keeps its own, on hosts that have none."""
_NAMES = {"ipv4": "iptables", "ipv6": "ip6tables"}


def find_save_command(kind: str, family: str, path: str = SEARCH_PATH) -> Optional[Tuple[str, ...]]:
    """Return the words that write down tables of that kind and family; None where nothing here does."""
    name = _NAMES[family]
    places = [*path.split(os.pathsep), *BUNDLED]
    for program in _found(f"{name}-{kind}-save", places):
        return (program,)
    for program in _found(f"{name}-save", places):
        if _kind(program) == kind:
            return (program,)
    for program in _found(f"xtables-{kind}-multi", places):
        return (program, f"{name}-save")
    return None


def _found(name: str, places: List[str]) -> List[str]:
    found = shutil.which(name, path=os.pathsep.join(places))
    return [found] if found is not None else []


def _kind(program: str) -> str:
    """Return what a program speaks with, by the file that it is a link to; before nf_tables that had no word for it."""
    return NFT if "nft" in os.path.basename(os.path.realpath(program)) else LEGACY
