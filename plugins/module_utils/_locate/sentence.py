# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The answer of a trace as one sentence for a person."""

from __future__ import annotations

from typing import Optional

from .._model.owner import OwnerKind
from .._model.trace import DropKind, IcmpFate, Spot

WHY = {
    DropKind.TOO_BIG: "too big to be forwarded",
    DropKind.TUNNEL: "the tunnel's outer packet does not fit or is lost",
    DropKind.SEGMENT: "the two ends of the link disagree on its MTU",
    DropKind.BRIDGE: "the bridge drops what does not fit its port, without a word",
    DropKind.FIREWALL: "a firewall rule drops them",
    DropKind.REVERSE_PATH: "rp_filter: the way back to their source is another interface",
    DropKind.LISTEN_OVERFLOW: "the listener's accept queue is full",
    DropKind.OTHER: "dropped",
    DropKind.BEYOND: "nobody that is ours saw them again",
    DropKind.NONE: "nothing is dropped",
}


def whose(spot: Spot) -> str:
    """Return the owner of an interface: its host, or its pod or container and the host of that."""
    if spot.owner.kind is OwnerKind.HOST:
        return spot.host
    if spot.owner.kind is OwnerKind.UNKNOWN:
        return f"{spot.owner.name or f'namespace {spot.namespace}'} on {spot.host}"
    return f"{spot.owner.kind.value} {spot.owner.name} on {spot.host}"


def place(before: Optional[Spot], after: Optional[Spot]) -> str:
    """Return where, in words: between two interfaces, or behind the last one."""
    if before is None:
        return "before any interface of the sender" if after is None else f"before {after.link} of {whose(after)}"
    if after is None:
        return f"behind {before.link} of {whose(before)}"
    if (before.host, before.namespace) == (after.host, after.namespace):
        return f"between {before.link} and {after.link} of {whose(before)}"
    return f"between {before.link} of {whose(before)} and {after.link} of {whose(after)}"


def sentence(kind: DropKind, size: str, where: str, rule: Optional[str], icmp: Optional[IcmpFate]) -> str:
    """Return the whole sentence. size: "packets of 1500 bytes"; where: as place() says it."""
    text = f"{size} end {where}: {WHY[kind]}"
    if rule is not None:
        text += f" ({rule})"
    return text + _icmp(icmp)


def _icmp(icmp: Optional[IcmpFate]) -> str:
    if icmp is None:
        return ""
    if not icmp.sent:
        return "; no ICMP message tells the sender"
    by = f" of {icmp.sent_by}" if icmp.sent_by else ""
    eaten = f", where a rule drops it: {icmp.filtered_by}" if icmp.filtered_by else ""
    if icmp.arrived:
        return f"; the ICMP message{by} comes back to the sender{eaten}"
    if icmp.last_seen is None:
        return f"; the ICMP message about it does not leave {icmp.host}: {icmp.filtered_by}"
    return f"; the ICMP message{by} was last seen at {icmp.last_seen.link} of {whose(icmp.last_seen)}{eaten}"
