# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of the MTU of one network of containers: lowered where it is too large, raised only when asked for."""

from __future__ import annotations

from typing import List, Optional, Sequence

from .._model.mtu_config import Knob
from .reading import read_text


def new_size(mtu: int, raising: bool, in_force: Sequence[int]) -> Optional[int]:
    """Return what a network is to be given, in bytes; None for one that is left as it is.

    mtu: what is asked for. in_force: what the network gives now, by its settings or without one; several where they
    differ, or where it is not known which of them it is. Not raising, none of them becomes larger.
    """
    if raising:
        return mtu
    return min(mtu, *in_force) if max(in_force) > mtu else None


def link_mtu(root: str, link: str) -> Optional[int]:
    """Return the MTU of a link of the host, in bytes; None where there is no such link."""
    # A name with a slash is none of a link, and would lead out of the directory.
    text = read_text(root, f"/sys/class/net/{link}/mtu") if "/" not in link else None
    return int(text) if text is not None and text.strip().isdecimal() else None


def words_about_smaller(knobs: Sequence[Knob], mtu: int) -> List[str]:
    """Return a sentence about the settings that have less than what is asked for and keep it, none where none has."""
    kept = [f"{knob.name} {knob.before}" for knob in knobs if knob.before == knob.after and (knob.before or mtu) < mtu]
    return [f"Less than {mtu}, and left alone without raise: {', '.join(kept)}."] if kept else []
