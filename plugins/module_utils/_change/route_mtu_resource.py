# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""MTUs of routes as things that can be changed and undone.

Target: {"route": as_fact() of a RouteKey, "namespace": {...} or None, "owner": ...}.
namespace: as name_namespace() names it, None for the host. owner: for people.
"""

from __future__ import annotations

import errno
import socket
from typing import Callable, Dict, Hashable, Optional, TypeVar

from .._kernel.attributes import NetlinkError
from .._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from .._kernel.route_setting import KnownRoute, NoSuchRoute, RouteKey, find_route, set_route_mtu
from .namespace_target import identity, in_namespace
from .resource import ChangeError, Gone, Target

REFUSED = {
    errno.EPERM: "the kernel does not permit it: run as root (become: true)",
    errno.EINVAL: "the kernel refuses it",
    errno.ENETUNREACH: "its gateway is not reached any more",
}

Result = TypeVar("Result")


class RouteMtuResource:
    """See Resource. Values are bytes, None for a route without an MTU of its own."""

    def read(self, target: Target) -> Optional[int]:
        """Return the MTU that the route has."""
        return self._within(target, lambda netlink: _find(netlink, target).route.mtu, "be read")

    def write(self, target: Target, value: Optional[int]) -> None:
        """Set and read back."""
        now = self._within(target, lambda netlink: self._write(netlink, target, value), f"be set to {self.show(value)}")
        if now != value:
            raise ChangeError(
                f"{self.describe(target)} was set to {self.show(value)}, and is {self.show(now)}: something else sets "
                "it, or the kernel keeps it within limits of its own"
            )

    def _write(self, netlink: NetlinkSocket, target: Target, value: Optional[int]) -> Optional[int]:
        known = _find(netlink, target)
        if not known.alone:
            raise ChangeError(f"{self.describe(target)} cannot be set: {AMBIGUOUS}")
        set_route_mtu(netlink, known, value)
        return _find(netlink, target).route.mtu

    def _within(self, target: Target, function: Callable[[NetlinkSocket], Result], what: str) -> Result:
        """Call a function with a socket of the target's namespace."""

        def guarded() -> Result:
            try:
                with NetlinkSocket(NETLINK_ROUTE) as netlink:
                    return function(netlink)
            except NoSuchRoute as error:
                raise Gone("the route is no more") from error
            except (OSError, NetlinkError) as error:
                number = error.errno if isinstance(error, OSError) else None
                raise ChangeError(
                    f"{self.describe(target)} cannot {what}: {REFUSED.get(number or 0, error)}"
                ) from error

        return in_namespace(target["namespace"], guarded)

    def settle(self, target: Target) -> None:
        """Nothing is ever left."""

    def identity(self, target: Target) -> Hashable:
        """The route, and the namespace."""
        return key_of(target), identity(target["namespace"])

    def describe(self, target: Target) -> str:
        """The route, and whose it is."""
        owner = f" of {target['owner']}" if target.get("owner") else ""
        return f"MTU of the route {key_of(target)}{owner}"

    def show(self, value: Optional[int]) -> str:
        """The bytes."""
        return "the device's" if value is None else str(value)


AMBIGUOUS = (
    "another route has the same destination and metric, and the kernel would replace the first of them; give them "
    "different metrics"
)


def key_of(target: Target) -> RouteKey:
    """Return the route of a target."""
    return RouteKey(**target["route"])


def link_names() -> Dict[int, str]:
    """Return the names of the links of the calling thread's namespace by index. Raises OSError."""
    return dict(socket.if_nameindex())


def _find(netlink: NetlinkSocket, target: Target) -> KnownRoute:
    return find_route(netlink, link_names(), key_of(target))
