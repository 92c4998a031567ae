# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What heals a measured path."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ...module_utils._model.finding import Remedy
from ...module_utils._model.owner import OwnerKind
from .making import OPEN_CONNECTIONS, Place, link_change
from .path_view import IP_AND_TCP, PathView
from .view import HostView

HOST_LINK = (
    "every connection of the host gets smaller packets; overlays on this link must leave room for it (MTU-002). "
    "A stopgap until the network carries more"
)


def place_of(host: Optional[HostView], path: PathView) -> Optional[Place]:
    """Return where a path was measured from, with the names by which its namespace is entered."""
    if path.source.owner is None or path.source.host is None:
        return None
    network = host.network(path.namespace) if host is not None else None
    return Place(path.source.host, path.source.owner, network.paths if network is not None else ())


def narrower_link(host: Optional[HostView], path: PathView, hosts_too: bool) -> Optional[Remedy]:
    """Return the cure of sending no more than both directions carry: its own MSS then limits the far end, too.

    hosts_too: also where it is the host's own link, which carries more than this path. None where nothing is certain.
    """
    where = place_of(host, path)
    sizes = [direction.path_mtu for _way, direction in path.ways]
    known = [size for size in sizes if size is not None]
    if where is None or path.device is None or path.tcp or len(known) != len(sizes):
        return None
    most, on_host = min(known), where.owner.kind is OwnerKind.HOST
    if path.link_mtu is None or most >= path.link_mtu or (on_host and not hosts_too):
        return None
    variables: Dict[str, Any] = {"links": [link_change(where, path.device, most)]}
    if where.owner.kind is OwnerKind.POD:
        variables.update(pod_mtu=most, overlay=path.network or "", files=[])
    return Remedy("link_mtu", variables, HOST_LINK if on_host else OPEN_CONNECTIONS, survives_restart=False)


def flush(host: Optional[HostView], path: PathView) -> Optional[Remedy]:
    """Return the cure of forgetting what the kernel has learned. Who needs a smaller size learns it again."""
    where = place_of(host, path)
    if where is None:
        return None
    disruption = "none; the first full-size packets of paths that are narrow are lost once more"
    return Remedy("path_mtu_cache", {**where.entry, "family": path.family}, disruption, survives_restart=False)


def clamp(path: PathView, most: int) -> Optional[Remedy]:
    """Return the cure of lowering the MSS that the port offers, on the node that the port is on. most: bytes."""
    if path.peer.host is None or path.peer.port is None:
        return None
    variables = {
        "hosts": [path.peer.host],
        "family": path.family,
        "port": path.peer.port,
        "mss": most - IP_AND_TCP[path.family],
        "pod_mtu": most,
    }
    return Remedy("mss_clamp", variables, OPEN_CONNECTIONS, survives_restart=False)
