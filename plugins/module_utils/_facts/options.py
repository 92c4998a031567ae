# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What to gather, and the checks that bad input meets before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import FrozenSet, Tuple

MAX_SAMPLE_INTERVAL = 60.0

DEFAULT_SYSCTL_KEYS: Tuple[str, ...] = (
    "net.core.netdev_max_backlog",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.core.wmem_max",
    "net.ipv4.conf.all.forwarding",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_forward_use_pmtu",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_no_pmtu_disc",
    "net.ipv4.neigh.default.gc_thresh3",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_recycle",
    "net.ipv4.tcp_wmem",
    "net.netfilter.nf_conntrack_max",
)
"""Those that decide about listen queues, buffers, keep-alive and path MTU, and all of the default policy."""


class Subset(Enum):
    """The parts that can be gathered. The value names the fact: netfit_<value>."""

    MTU = "mtu"
    SYSCTL = "sysctl"
    LISTEN_QUEUES = "listen_queues"


@dataclass(frozen=True)
class GatherOptions:
    """What to gather.

    sample_interval: seconds, 0 to 60; 0 takes one reading. route_limit: routes per network namespace.
    root: where /proc, /run, /etc and /var are looked for.
    """

    subsets: FrozenSet[Subset] = frozenset(Subset)
    sysctl_keys: Tuple[str, ...] = DEFAULT_SYSCTL_KEYS
    sample_interval: float = 1.0
    route_limit: int = 4096
    root: str = "/"

    def validate(self) -> None:
        """Raise ValueError that names the option, the value and what is allowed."""
        if not self.subsets:
            allowed = ", ".join(subset.value for subset in Subset)
            raise ValueError(f"gather_subset is empty; name at least one of {allowed}")
        if not 0 <= self.sample_interval <= MAX_SAMPLE_INTERVAL:
            allowed = f"0 to {MAX_SAMPLE_INTERVAL:g} seconds"
            raise ValueError(f"sample_interval is {self.sample_interval:g}; it takes {allowed}")
        if self.route_limit < 1:
            raise ValueError(f"route_limit is {self.route_limit}; it takes 1 or more")
        for key in self.sysctl_keys:
            if not is_network_key(key):
                raise ValueError(f"{key!r} is not a network sysctl; it begins with net. and has no empty part")

    def wants(self, *subsets: Subset) -> bool:
        """True when one of the subsets is asked for."""
        return not self.subsets.isdisjoint(subsets)


def is_network_key(key: str) -> bool:
    """True for net.a.b and net/a/b; an empty part, "." or ".." as a part would leave the tree of sysctls."""
    parts = key.split("/") if "/" in key.split(".", 1)[0] else key.replace("/", ".").split(".")
    return len(parts) > 1 and parts[0] == "net" and all(part not in ("", "..", ".") for part in parts)
