# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which sysctls a pod may ask for: those that kubelet calls safe, and those that it is told to allow.

Source: kubernetes pkg/kubelet/sysctl (safe_sysctls.go, allowlist.go), "Using sysctls in a Kubernetes Cluster".
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Tuple

Version = Tuple[int, int]

SAFE_SINCE: Dict[str, Version] = {
    "kernel.shm_rmid_forced": (1, 4),
    "net.ipv4.ip_local_port_range": (1, 4),
    "net.ipv4.tcp_syncookies": (1, 4),
    "net.ipv4.ping_group_range": (1, 18),
    "net.ipv4.ip_unprivileged_port_start": (1, 22),
    "net.ipv4.ip_local_reserved_ports": (1, 27),
    "net.ipv4.tcp_keepalive_time": (1, 29),
    "net.ipv4.tcp_keepalive_intvl": (1, 29),
    "net.ipv4.tcp_keepalive_probes": (1, 29),
    "net.ipv4.tcp_fin_timeout": (1, 29),
    "net.ipv4.tcp_rmem": (1, 32),
    "net.ipv4.tcp_wmem": (1, 32),
}
OLDEST: Version = (1, 22)
"""Taken for the version of a kubelet that isn't known: to allow what is safe anyway does no harm."""

ALLOWED = "allowed"


def needs_allowing(key: str, kubernetes: Optional[Version]) -> bool:
    """Tell whether kubelet of that version (None: not known) has to be told to allow the key."""
    return key not in SAFE_SINCE or SAFE_SINCE[key] > (kubernetes or OLDEST)


def covers(entry: str, key: str) -> bool:
    """Tell whether an entry of kubelet's list, which may end in an asterisk, allows the key."""
    return key.startswith(entry[:-1]) if entry.endswith("*") else key == entry


def with_allowed(entries: Iterable[str], keys: Iterable[str]) -> List[str]:
    """Return the entries, each once, and after them the keys that none of them allows."""
    result = list(dict.fromkeys(entries))
    for key in keys:
        if not any(covers(entry, key) for entry in result):
            result.append(key)
    return result


def without_allowed(entries: Iterable[str], keys: Iterable[str]) -> List[str]:
    """Return the entries but those that are one of the keys; entries with an asterisk stay."""
    unwanted = set(keys)
    return [entry for entry in dict.fromkeys(entries) if entry not in unwanted]


def split_list(value: str) -> List[str]:
    """Return the entries of a list as a flag of kubelet has it."""
    return [entry.strip() for entry in value.split(",") if entry.strip()]


def as_allowed(entries: Iterable[str]) -> Dict[str, str]:
    """Return the entries as before and after of a plan show them."""
    return {entry: ALLOWED for entry in entries}
