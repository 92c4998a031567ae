# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person asks of the MTU plan, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from .._rules.policy import Policy

SMALLEST, LARGEST = 68, 65535
"""Bytes of an IPv4 packet that every network must carry, and that there can be: RFC 791."""
SMALLEST_IPV6 = 1280
"""RFC 8200 section 5."""
KEEP, LOWER = "keep", "lower"


class PlanError(ValueError):
    """What is asked for is not possible; the text names the option, the value and what is allowed."""


@dataclass(frozen=True)
class PlanWish:
    """underlay_mtu: bytes that the network between the nodes carries, whatever was measured beyond; None: as measured.

    raise_smaller: make larger what could carry more. lower_uplinks: hosts' own links get what their paths carry.
    uplink_mtu: or that many bytes; None where no number was given.
    """

    underlay_mtu: Optional[int] = None
    raise_smaller: bool = False
    lower_uplinks: bool = False
    uplink_mtu: Optional[int] = None


def read_wish(policy: Policy, given: Mapping[str, Any]) -> PlanWish:
    """Return the wish that the policy's part "mtu" and the options together are; an option that is not None wins.

    Raises PlanError.
    """
    said = {name: policy.mtu[name] if given.get(name) is None else given[name] for name in policy.mtu}
    uplinks = said["uplinks"]
    fixed = None if uplinks in (KEEP, LOWER) else _bytes("uplinks", uplinks, f"{KEEP}, {LOWER}, or ")
    underlay = said["underlay_mtu"]
    return PlanWish(
        None if underlay is None or underlay == "" else _bytes("underlay_mtu", underlay),
        _truth("raise", said["raise"]),
        uplinks == LOWER,
        fixed,
    )


def _bytes(option: str, value: Any, words: str = "") -> int:
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and SMALLEST <= int(text) <= LARGEST):
        raise PlanError(f"{option}: {value!r}; allowed is {words}a whole number from {SMALLEST} to {LARGEST} (bytes)")
    return int(text)


def _truth(option: str, value: Any) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    known = words.get(str(value).lower())
    if known is None:
        raise PlanError(f"{option}: {value!r}; allowed are true and false")
    return known
