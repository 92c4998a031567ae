# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who is connected to this host to run us, and where its packets go first."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Dict, List, Optional

from .._kernel.attributes import NetlinkError
from .._kernel.link_setting import read_mtu
from .._kernel.links import read_links
from .._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from .._kernel.routes import read_routes
from .._model.route import Route
from .underlay import default_route, route_device

SSH = "SSH_CONNECTION"
"""sshd(8): address and port of the client, address and port of the server."""
GENERATIONS = 16
ROUTES = 4096


def client_address(pid: Optional[int] = None, proc: str = "/proc") -> Optional[str]:
    """Return the address from which the SSH connection comes that a process belongs to; None where there is none.

    pid: of the process, by default ours. sudo keeps the variable from us, but not from its own parents.
    """
    current = os.getpid() if pid is None else pid
    for _generation in range(GENERATIONS):
        if current <= 1:
            return None
        address = environment(current, proc).get(SSH, "").partition(" ")[0]
        if address:
            return address.partition("%")[0]
        current = parent(current, proc)
    return None


def environment(pid: int, proc: str = "/proc") -> Dict[str, str]:
    """Return a process's environment as it was at its start; empty where it cannot be read."""
    try:
        with open(f"{proc}/{pid}/environ", "rb") as file:
            entries = file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return {}
    return {name: value for name, _equals, value in (entry.partition("=") for entry in entries) if name}


def parent(pid: int, proc: str = "/proc") -> int:
    """Return the pid of a process's parent; 0 where it is no more. Source: proc_pid_stat(5), field 4."""
    try:
        with open(f"{proc}/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def default_gateways() -> List[str]:
    """Return the addresses of the gateways of the host's default routes; those of one link only are left out."""
    gateways = [route.gateway for route in _default_routes()]
    return [gateway for gateway in gateways if gateway is not None and not gateway.startswith("fe80:")]


def default_link_mtu() -> Optional[int]:
    """Return the MTU in bytes of the link of the default route, of IPv4 where there are two; None without one."""
    for route in _default_routes():
        device = route_device(route)
        if device is not None:
            with suppress(OSError):
                return read_mtu(device)
    return None


def _default_routes() -> List[Route]:
    """Return the default route of each family that has one."""
    with suppress(OSError, NetlinkError), NetlinkSocket(NETLINK_ROUTE) as netlink:
        names = {link.index: link.name for link in read_links(netlink)}
        routes, _cut = read_routes(netlink, names, ROUTES)
        found = [default_route(routes, family) for family in ("ipv4", "ipv6")]
        return [route for route in found if route is not None]
    return []
