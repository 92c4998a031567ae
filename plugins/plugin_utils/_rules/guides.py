# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people want to know of a rule besides the catalogue: how it finds, and what to do. The texts: guides.yml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Tuple

from .own_data import own_yaml

GUIDES_FILE = Path(__file__).with_name("guides.yml")


@dataclass(frozen=True)
class Guide:
    """found: in words. by_hand: steps, Markdown. tags: of netfit.cluster.remediate. note: about these."""

    found: str
    by_hand: Tuple[str, ...]
    tags: Tuple[str, ...]
    note: Optional[str] = None


def read_guides() -> Dict[str, Guide]:
    """Return the guide of each rule, by id."""
    return {
        rule: Guide(entry["found"], tuple(entry["by_hand"]), tuple(entry["tags"]), entry.get("note"))
        for rule, entry in own_yaml(GUIDES_FILE).items()
    }
