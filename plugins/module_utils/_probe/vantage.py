# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A network namespace to measure from: what its kernel knows, and the transports that were opened in it."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

from .._facts.sources import Source
from .._kernel.attributes import NetlinkError
from .._kernel.links import read_links
from .._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from .._kernel.route_lookup import RouteLookup, look_up_route
from .._kernel.routes import read_path_mtu_exceptions
from .._model.link import Link
from .._model.route import PathMtuException
from .transport import Transport

NOT_A_TARGET = {
    "local": "is an address of this host",
    "broadcast": "is a broadcast address here",
    "multicast": "is a multicast address",
    "anycast": "is an anycast address of this host",
    "blackhole": "is routed to a black hole by this host's own routes",
    "unreachable": "is declared unreachable by this host's own routes",
    "prohibit": "is prohibited by this host's own routes",
}

ROUNDED = 0.02
"""Seconds: two ticks of the unit in which the kernel tells the time that is left (USER_HZ)."""


@dataclass(frozen=True)
class Way:
    """How packets leave for one address: the link's name and MTU in bytes. caution: what a reader should know."""

    device: str
    link_mtu: int
    caution: Optional[str] = None


class NoWay(Exception):
    """Nothing can be sent to an address; the message says why."""


@dataclass
class Vantage:
    """The open namespace. Its sockets stay in it, whatever becomes of its processes; close() ends them."""

    source: Source
    netlink: NetlinkSocket
    links: Dict[int, Link]
    before: List[PathMtuException]
    transports: List[Transport] = field(default_factory=list)

    def way_to(self, address: str) -> Way:
        """Return how packets leave for an address. Raises NoWay."""
        try:
            found = look_up_route(self.netlink, address)
        except (OSError, NetlinkError) as error:
            raise NoWay(_why(error)) from error
        if found.type in NOT_A_TARGET:
            raise NoWay(f"{address} {NOT_A_TARGET[found.type]}")
        link = self.links.get(found.device_index or 0)
        if link is None:
            raise NoWay(f"the route to {address} names no device that is here")
        return Way(link.name, link.mtu, _caution(found, link))

    def exceptions(self) -> List[PathMtuException]:
        """Return the path MTUs that the kernel has learned and still holds. Raises OSError, NetlinkError."""
        return read_path_mtu_exceptions(self.netlink, {index: link.name for index, link in self.links.items()})

    def close(self) -> None:
        """Close every socket."""
        for transport in self.transports:
            transport.close()
        self.netlink.close()


def open_vantage(source: Source) -> Vantage:
    """Open the calling thread's namespace. Raises OSError, NetlinkError."""
    netlink = NetlinkSocket(NETLINK_ROUTE)
    try:
        links = {link.index: link for link in read_links(netlink)}
        names = {index: link.name for index, link in links.items()}
        return Vantage(source, netlink, links, read_path_mtu_exceptions(netlink, names))
    except BaseException:
        netlink.close()
        raise


def learned(before: List[PathMtuException], after: List[PathMtuException]) -> List[PathMtuException]:
    """Return what is there afterwards and was not before, or was renewed: it says something else, or ends later.

    What ends when it would have ended is no difference. Both are of one moment each, so that less time is left.
    """
    known = {_key(exception): exception.expires_seconds for exception in before}
    return [one for one in after if _key(one) not in known or _renewed(known[_key(one)], one.expires_seconds)]


def _key(exception: PathMtuException) -> Tuple[str, str, int, bool, Optional[str]]:
    return exception.family, exception.destination, exception.mtu, exception.locked, exception.device


def _renewed(before: Optional[float], after: Optional[float]) -> bool:
    """Tell whether more seconds are left than before; those of the kernel are rounded."""
    return before is not None and (after is None or after > before + ROUNDED)


def _caution(found: RouteLookup, link: Link) -> Optional[str]:
    mtu = found.metrics.mtu
    if found.metrics.mtu_locked and mtu is not None and mtu < link.mtu:
        return f"the own route to it is locked at {mtu} bytes (mtu lock), whatever the path carries"
    return None


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENETUNREACH:
        return "this host has no route to it"
    return f"this host's routing says: {error}"
