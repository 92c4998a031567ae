# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Counters of the network stack, per network namespace.

Source: net/ipv4/proc.c (snmp_seq_show, netstat_seq_show), net/ipv6/proc.c; proc_pid_net(5). Columns come and go with
the kernel's version, so that they are found by their names in the header line.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Dict, FrozenSet, List, Tuple

DIRECTORY = "/proc/thread-self/net"
"""Not /proc/self/net, which shows the namespace of the process's main thread."""

_TCP_EXTENDED = (
    "ListenOverflows ListenDrops TCPReqQFullDrop TCPReqQFullDoCookies SyncookiesSent SyncookiesRecv SyncookiesFailed "
    "TCPDeferAcceptDrop EmbryonicRsts TCPBacklogDrop TCPRcvQDrop PruneCalled RcvPruned OfoPruned TCPRcvCollapsed "
    "TCPZeroWindowDrop TCPToZeroWindowAdv TCPWantZeroWindowAdv TCPAbortOnMemory TCPMemoryPressures TCPTimeWaitOverflow "
    "TCPMTUPFail TCPMTUPSuccess TCPSynRetrans TCPTimeouts TCPKeepAlive TCPMinTTLDrop PFMemallocDrop "
    "TCPMigrateReqSuccess TCPMigrateReqFailure IPReversePathFilter TCPWqueueTooBig OutOfWindowIcmps LockDroppedIcmps"
)
_IP = "InHdrErrors OutDiscards FragOKs FragFails FragCreates ReasmReqds ReasmOKs ReasmFails ReasmTimeout"
_IP6 = "InTooBigErrors OutDiscards FragOKs FragFails FragCreates ReasmReqds ReasmOKs ReasmFails ReasmTimeout"

SELECTED: FrozenSet[str] = frozenset(
    [f"TcpExt.{name}" for name in _TCP_EXTENDED.split()]
    + [f"Ip.{name}" for name in _IP.split()]
    + [f"Ip6.{name}" for name in _IP6.split()]
    + [f"Tcp.{name}" for name in ("InSegs", "PassiveOpens", "RetransSegs", "AttemptFails", "EstabResets", "OutRsts")]
    + [f"Icmp.{name}" for name in ("InDestUnreachs", "OutDestUnreachs", "OutRateLimitGlobal", "OutRateLimitHost")]
    + ["IcmpMsg.InType3", "IcmpMsg.OutType3", "Icmp6.InPktTooBigs", "Icmp6.OutPktTooBigs"]
)
"""Counters that tell of sizes and queues, named protocol and counter as the kernel spells them."""

_LISTED = {name.replace(".", ""): name for name in SELECTED if name.startswith(("Ip6.", "Icmp6."))}
"""Names as /proc/net/snmp6 spells them, and as we do."""


def read_counters(directory: str = DIRECTORY) -> Dict[str, int]:
    """Return the selected counters of the calling thread's network namespace since it was made.

    A counter that this kernel does not have, or a protocol that it was built without, is absent. Raises OSError for
    anything but that.
    """
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = parse_table(_read("netstat", descriptor))
        found.update(parse_table(_read("snmp", descriptor)))
        found.update(parse_list(_read("snmp6", descriptor)))
    finally:
        os.close(descriptor)
    return found


def parse_table(text: str) -> Dict[str, int]:
    """Parse pairs of lines, "Protocol: names" and "Protocol: numbers"; return the selected ones.

    A pair that does not fit together is left out.
    """
    found: Dict[str, int] = {}
    lines = text.split("\n")
    for header, line in zip(lines[0::2], lines[1::2]):
        width, columns = _selected_columns(header)
        numbers = line.split() if columns else []
        if len(numbers) == width and header.startswith(numbers[0]):
            for position, name in columns:
                found[name] = int(numbers[position])
    return found


@lru_cache(maxsize=256)
def _selected_columns(header: str) -> Tuple[int, Tuple[Tuple[int, str], ...]]:
    """Return the number of columns, and position and full name of each selected one.

    The same header comes back in every namespace.
    """
    names = header.split()
    full = [f"{names[0].rstrip(':')}.{name}" for name in names]
    return len(names), tuple((position, name) for position, name in enumerate(full) if position and name in SELECTED)


def parse_list(text: str) -> Dict[str, int]:
    """Parse lines of name and number as in /proc/net/snmp6, "Ip6FragFails 3"; return the selected ones."""
    words = text.split()
    numbers = dict(zip(words[0::2], words[1::2]))
    return {full: int(numbers[name]) for name, full in _LISTED.items() if name in numbers}


def _read(name: str, directory: int) -> str:
    """Return the content of a file of a directory; empty where it does not exist."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        return ""
    parts: List[bytes] = []
    try:
        while True:
            part = os.read(descriptor, 16384)
            if not part:
                return b"".join(parts).decode("ascii", "replace")
            parts.append(part)
    finally:
        os.close(descriptor)
