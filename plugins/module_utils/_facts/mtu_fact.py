# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The fact netfit_mtu."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Sequence

from .._config.declared import read_declared_mtus
from .._config.guard_record import read_guard
from .._kernel.namespace_ids import namespace_id
from .._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from .._kernel.visiting import open_namespace
from .._model.fact import as_plain
from .._model.link import Link
from .._model.owner import Namespace
from .neighbours import connect
from .node_port_fact import node_ports_of
from .survey import Survey
from .underlay import NamespaceView, with_underlays


def mtu_fact(survey: Survey, root: str) -> Dict[str, Any]:
    """Links with their other ends and underlays, routes, learned path MTUs, what files declare, and NodePorts."""
    completed = completed_links(survey)
    declared = survey.noted(read_declared_mtus(root))
    guard = survey.noted(read_guard(root))
    namespaces = survey.per_namespace(
        lambda namespace, reading: {
            "links": as_plain(completed[namespace.inode]),
            "routes": as_plain(reading.routes),
            "path_mtu_exceptions": as_plain(reading.path_mtu_exceptions),
        }
    )
    return {
        "kernel": os.uname().release,
        "namespaces": namespaces,
        "declared": as_plain(declared),
        "node_ports": as_plain(node_ports_of(survey, completed)),
        "guard": guard,
    }


def completed_links(survey: Survey) -> Mapping[int, List[Link]]:
    """Return the links by inode of their namespace, with their other ends and underlays."""
    links = {inode: reading.links for inode, reading in survey.readings.items()}
    by_inode = {namespace.inode: namespace for namespace in survey.namespaces}

    def ask(viewer: int, candidates: Sequence[int]) -> Mapping[int, int]:
        others = [by_inode[inode] for inode in candidates]
        return survey.visit([by_inode[viewer]], lambda _viewer: namespace_ids(others)).get(viewer, {})

    connected = connect(links, survey.host_inodes, ask)
    views = {inode: NamespaceView(connected[inode], reading.routes) for inode, reading in survey.readings.items()}
    return with_underlays(views)


def namespace_ids(others: Sequence[Namespace]) -> Dict[int, int]:
    """Ids that the calling thread's network namespace has for others, by inode; one without an id is left out."""
    ids: Dict[int, int] = {}
    with NetlinkSocket(NETLINK_ROUTE) as netlink:
        for namespace in others:
            try:
                descriptor = open_namespace(namespace)
            except OSError:
                continue  # It vanished, and with it the links that led there.
            try:
                identifier = namespace_id(netlink, descriptor)
            finally:
                os.close(descriptor)
            if identifier is not None:
                ids[namespace.inode] = identifier
    return ids
