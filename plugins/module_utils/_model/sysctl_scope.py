# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which sysctls belong to a container and which to the host, as far as names tell.

Names are the fallback: the kernel is asked first, see _facts/key_scopes.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Optional

from .sysctl_value import SysctlValue

# Keys that a network namespace may show as writable although there is one value for the whole host: nf_conntrack_max
# before Linux 5.13 (commit 2671fa4dc010), nf_hooks_lwtunnel always.
DECEPTIVE_KEYS = (
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_buckets",
    "net.netfilter.nf_conntrack_expect_max",
    "net.netfilter.nf_hooks_lwtunnel",
    "net.nf_conntrack_max",
)

# Absent or read-only in a network namespace of Linux 5.10 to 6.18 (net/core/sysctl_net_core.c,
# net/ipv4/sysctl_net_ipv4.c, and what was seen in a new namespace of 6.18).
HOST_KEYS = (
    *DECEPTIVE_KEYS,
    "net.core.bpf_jit_*",
    "net.core.busy_*",
    "net.core.default_qdisc",
    "net.core.dev_weight*",
    "net.core.devconf_inherit_init_net",
    "net.core.fb_tunnels_only_for_init_net",
    "net.core.flow_limit_*",
    "net.core.gro_normal_batch",
    "net.core.high_order_alloc_disable",
    "net.core.max_skb_frags",
    "net.core.mem_pcpu_rsv",
    "net.core.message_*",
    "net.core.netdev_*",
    "net.core.rps_sock_flow_entries",
    "net.core.[rw]mem_default",
    "net.core.[rw]mem_max",
    "net.core.skb_defer_max",
    "net.core.warnings",
    "net.ipv4.cipso_*",
    "net.ipv4.conf.*.mc_forwarding",
    "net.ipv4.fib_sync_mem",
    "net.ipv4.inet_peer_*",
    "net.ipv4.ipfrag_secret_interval",
    "net.ipv4.neigh.default.*",
    "net.ipv4.route.error_*",
    "net.ipv4.route.gc_*",
    "net.ipv4.route.max_size",
    "net.ipv4.route.redirect_*",
    "net.ipv4.tcp_a*_congestion_control",
    "net.ipv4.tcp_available_ulp",
    "net.ipv4.tcp_ehash_entries",
    "net.ipv4.tcp_low_latency",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_mem",
    "net.ipv4.udp_hash_entries",
    "net.ipv4.udp_mem",
    "net.ipv6.calipso_*",
    "net.ipv6.conf.*.mc_forwarding",
    "net.ipv6.ip6frag_secret_interval",
    "net.ipv6.mld_*",
    "net.ipv6.neigh.default.*",
    "net.mptcp.available_*",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_log_all_netns",
)

# Those of the IPC namespace, which every container has unless it is told to share the host's.
IPC_KEYS = ("kernel.sem", "kernel.shm*", "kernel.msg*", "fs.mqueue.*")

_INTERFACE_KEY = re.compile(r"net\.(?:ipv4|ipv6|mpls)\.(?:conf|neigh)\.(?P<interface>.+)\.[^.]+\Z")


@dataclass(frozen=True)
class KeyScope:
    """Whether a key can be set for containers alone. reason: why not, for a person; None where it can be.

    example: its value in a new network namespace, None where that was not seen.
    """

    reason: Optional[str] = None
    example: Optional[SysctlValue] = None


def is_ipc(key: str) -> bool:
    """Tell whether a key belongs to the IPC namespace."""
    return any(fnmatchcase(key, pattern) for pattern in IPC_KEYS)


def never_of_a_container(key: str) -> Optional[str]:
    """Return why a key can't be a container's, whatever the kernel shows; None where nothing speaks against it."""
    if is_ipc(key):
        return None
    if not key.startswith("net."):
        return "it belongs to the host, not to a network or IPC namespace: set it on the host"
    if key in DECEPTIVE_KEYS:
        return "there is one value for the whole host, whatever a namespace shows: set it on the host"
    match = _INTERFACE_KEY.match(key)
    if match and match["interface"] not in ("all", "default"):
        return (
            f"it is of one interface ({match['interface']}), which is not there yet when a runtime sets it, so that no "
            "container would start: use 'default' in place of the interface's name"
        )
    return None


def scope_by_name(key: str) -> KeyScope:
    """Return the scope of a key that could not be looked for in a namespace."""
    reason = never_of_a_container(key)
    if reason is None and any(fnmatchcase(key, pattern) for pattern in HOST_KEYS):
        reason = "it belongs to the host and no container has one of its own: set it on the host"
    return KeyScope(reason)
