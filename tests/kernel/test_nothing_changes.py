# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading everything leaves links, addresses, routes, learned paths, namespace ids and parameters as they were."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any, Dict, List

from network_lab import Lab

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.counters import read_counters
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.links import read_links
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.namespace_ids import namespace_id
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.namespaces import discover
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import (
    NETLINK_ROUTE,
    NETLINK_SOCK_DIAG,
    NetlinkSocket,
)
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.processes import read_processes, read_socket_owners
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.routes import read_path_mtu_exceptions, read_routes
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.sock_diag import read_listeners
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.sysctls import read_sysctls
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.visiting import open_namespace, visit
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Problem
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Namespace

NAMESPACES = ("host", "pod", "far")
RTM_GETNSID = 90


def parameters() -> Dict[str, str]:
    """Return what is below /proc/sys/net in the calling thread's namespace, but what runs by itself."""
    found = {}
    for path in Path("/proc/sys/net").rglob("*"):
        if path.is_file() and path.name not in ("nf_conntrack_count", "tcp_fastopen_key", "flush"):
            try:
                found[str(path)] = path.read_text(errors="replace")
            except OSError as error:
                found[str(path)] = str(error.errno)
    return found


def ids() -> List[bytes]:
    """Return the ids that the calling thread's namespace has given to others."""
    with NetlinkSocket(NETLINK_ROUTE) as netlink:
        return sorted(message.payload for message in netlink.dump(RTM_GETNSID, struct.pack("=B3x", 0)))


def settled(value: Any) -> Any:
    """Return what ip(8) lists without the time that is left of something."""
    if isinstance(value, dict):
        return {key: settled(item) for key, item in value.items() if key != "expires" and not key.endswith("_timer")}
    return [settled(item) for item in value] if isinstance(value, list) else value


def state(lab: Lab, name: str) -> Dict[str, Any]:
    """Ids first: to list links makes the kernel give ids."""
    found: Dict[str, Any] = {"ids": lab.inside(name, ids), **lab.inside(name, parameters)}
    for what in (("-d", "link"), ("addr",), ("route", "show", "table", "all"), ("route", "show", "cache")):
        for family in ("-4", "-6"):
            for entry in lab.ip_json(name, family, *what):
                text = json.dumps(settled(entry), sort_keys=True)
                found[" ".join((family, *what, text))] = True
    return found


def wait_until_addresses_are_settled(lab: Lab) -> None:
    """IPv6 looks for duplicates of its own addresses for a second (RFC 4862 section 5.4)."""
    deadline = time.monotonic() + 10
    while any("tentative" in json.dumps(lab.ip_json(name, "addr")) for name in NAMESPACES):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def difference(before: Dict[str, Any], after: Dict[str, Any]) -> List[str]:
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def read_everything(namespaces: List[Namespace]) -> None:
    def read(_namespace: Namespace) -> int:
        with NetlinkSocket(NETLINK_ROUTE) as route, NetlinkSocket(NETLINK_SOCK_DIAG) as diagnostics:
            names = {link.index: link.name for link in read_links(route)}
            read_routes(route, names)
            read_path_mtu_exceptions(route, names)
            read_listeners(diagnostics, names)
            for other in namespaces:
                with open(open_namespace(other), "rb") as file:
                    namespace_id(route, file.fileno())
        read_counters()
        return len(read_sysctls(("net.core.somaxconn", "net.ipv4.tcp_rmem")))

    assert [result for _namespace, result in visit(namespaces, read) if isinstance(result, Problem)] == []


def test_nothing_changes(zoo: Lab) -> None:
    zoo.add("stranger")
    names = (*NAMESPACES, "stranger")
    wait_until_addresses_are_settled(zoo)
    ids_before = {name: zoo.inside(name, ids) for name in names}
    before = {name: state(zoo, name) for name in names}
    processes, _problems = read_processes()
    found, _problems = discover(processes)
    read_socket_owners([process.pid for process in processes])
    read_everything([namespace for namespace in found if namespace.inode in {zoo.inode(name) for name in names}])
    assert {name: zoo.inside(name, ids) for name in names} == ids_before
    assert {name: difference(before[name], state(zoo, name)) for name in names} == {name: [] for name in names}
    assert (len(ids_before["host"]), ids_before["stranger"]) == (2, [])
    assert len(before["host"]) > 500
