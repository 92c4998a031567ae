# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether setting a kernel parameter does anything on this kernel, and why not."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import Enum
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from .fact import Fact
from .sysctl_key import dotted

Listing = Callable[[str], List[str]]
"""Names in a directory below /proc/sys, given with slashes; none where it is absent."""


class Effect(Enum):
    """What becomes of a value that is written."""

    NORMAL = "normal"
    NONE = "none"
    """The file is there, and the kernel does not look at it."""
    REMOVED = "removed"
    MISSPELT = "misspelt"
    UNKNOWN = "unknown"
    """There is no such parameter, and none with a similar name."""
    NOT_YET = "not_yet"
    """It comes with an interface or a module that is not there now."""


@dataclass(frozen=True)
class KeyEffect(Fact):
    """The effect of a key and, unless it is normal, the reason in words."""

    kind: Effect
    reason: Optional[str] = None


class _History(NamedTuple):
    """since: the first kernel in which the key has no effect. reason: why, and what to use."""

    since: Tuple[int, int]
    reason: str


_IGNORED: Dict[str, _History] = {
    "net/ipv4/tcp_adv_win_scale": _History(
        (6, 6), "obsolete since Linux 6.6, which finds the ratio for each socket (commit dfa2f0483360)"
    ),
    "net/ipv4/tcp_low_latency": _History((4, 14), "a legacy option without effect since Linux 4.14 (ip-sysctl.rst)"),
    "net/ipv4/tcp_fack": _History((4, 15), "a legacy option without effect since Linux 4.15 (ip-sysctl.rst)"),
    "net/ipv4/route/max_size": _History((3, 6), "without effect since Linux 3.6: IPv4 has no route cache any more"),
}
_RENAMED = "removed in Linux 4.9; its name is net.netfilter.nf_conntrack_{} now"
_REMOVED: Dict[str, str] = {
    "net/ipv4/tcp_tw_recycle": "removed in Linux 4.12: it broke clients behind address translation",
    "net/ipv4/tcp_thin_dupack": "removed in Linux 4.11",
    "net/ipv4/tcp_frto_response": "removed in Linux 3.10",
    "net/ipv4/tcp_cookie_size": "removed in Linux 3.10",
    "net/ipv4/tcp_abc": "removed in Linux 3.9",
    "net/ipv4/ip_conntrack_max": _RENAMED.format("max"),
    "net/ipv4/netfilter/ip_conntrack_max": _RENAMED.format("max"),
    "net/ipv4/netfilter/ip_conntrack_tcp_timeout_established": _RENAMED.format("tcp_timeout_established"),
    "net/ipv4/netfilter/ip_conntrack_tcp_timeout_time_wait": _RENAMED.format("tcp_timeout_time_wait"),
}
_MODULES: Dict[str, str] = {
    "net/bridge": "br_netfilter",
    "net/netfilter": "nf_conntrack",
    "net/nf_conntrack_max": "nf_conntrack",
    "net/ipv4/vs": "ip_vs",
    "net/ipv6": "ipv6",
    "net/mptcp": "mptcp",
    "net/sctp": "sctp",
    "net/mpls": "mpls_router",
}
_PER_INTERFACE = re.compile(r"net/(?:ipv[46]/(?:conf|neigh)|mpls/conf)/([^/]+)(?:/.*)?")


def effect_of(key: str, exists: bool, kernel: str, listing: Listing) -> KeyEffect:
    """Return what a key (with slashes) does. kernel: the release, as uname says it."""
    if exists:
        history, version = _IGNORED.get(key), _version(kernel)
        if history is not None and version is not None and version >= history.since:
            return KeyEffect(Effect.NONE, history.reason)
        return KeyEffect(Effect.NORMAL)
    if key in _REMOVED:
        return KeyEffect(Effect.REMOVED, _REMOVED[key])
    return _absent(key, listing)


def interface_of(key: str) -> Optional[str]:
    """Return the interface that a key (with slashes) belongs to; None for one of no single interface."""
    match = _PER_INTERFACE.fullmatch(key)
    return match.group(1) if match and match.group(1) not in ("all", "default") else None


def _absent(key: str, listing: Listing) -> KeyEffect:
    """Find the first part of a key that is not there, and tell why."""
    parts = key.split("/")
    directory = ""
    for position, part in enumerate(parts):
        names = listing(directory)
        if part in names:
            directory = f"{directory}/{part}".lstrip("/")
            continue
        missing = f"{directory}/{part}".lstrip("/")
        if interface_of(missing) == part:
            return KeyEffect(Effect.NOT_YET, f"there is no interface {part} now")
        module = _MODULES.get(missing) or _MODULES.get(directory)
        similar = difflib.get_close_matches(part, names, n=1, cutoff=0.8)
        if module is not None and not similar:
            return KeyEffect(Effect.NOT_YET, f"it is not there unless the kernel has loaded {module}")
        if similar:
            meant = "/".join([*filter(None, [directory]), similar[0], *parts[position + 1 :]])
            return KeyEffect(Effect.MISSPELT, f"there is no such parameter; did you mean {dotted(meant)}?")
        break
    return KeyEffect(Effect.UNKNOWN, "there is no such parameter on this kernel")


def _version(kernel: str) -> Optional[Tuple[int, int]]:
    match = re.match(r"(\d+)\.(\d+)", kernel)
    return (int(match.group(1)), int(match.group(2))) if match else None
