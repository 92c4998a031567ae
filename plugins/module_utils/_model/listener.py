# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Listening sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .fact import Fact
from .owner import Owner


@dataclass(frozen=True)
class Process(Fact):
    """A process that holds a socket. name: comm (15 characters); executable: its path, None where hidden."""

    pid: int
    name: str
    executable: Optional[str] = None


@dataclass(frozen=True)
class Listener(Fact):
    """A TCP socket in state LISTEN.

    effective_backlog: connections, min(argument of listen(), somaxconn of the namespace at that moment).
    queue: connections that wait for accept() now; full at effective_backlog + 1. syn_queue: handshakes under way.
    drops: sk_drops of this very socket since it was made (INET_DIAG_SKMEMINFO[8]); None where the kernel gives none.
    drop_rate: drops a second over the sample interval, None when it was not sampled.
    ipv6_only: for ipv6; False means that it serves ipv4 as well. interface: SO_BINDTODEVICE, by name.
    inode, cookie: identity of the socket. cgroup_id: of its control group (cgroup v2), None where not given.
    process, unit (systemd), owner: who listens; None where it could not be found.
    """

    family: str
    address: str
    port: int
    effective_backlog: int
    queue: int
    syn_queue: int
    drops: Optional[int]
    inode: int
    cookie: int
    uid: int
    interface: Optional[str] = None
    ipv6_only: Optional[bool] = None
    cgroup_id: Optional[int] = None
    drop_rate: Optional[float] = None
    process: Optional[Process] = None
    unit: Optional[str] = None
    owner: Optional[Owner] = None
