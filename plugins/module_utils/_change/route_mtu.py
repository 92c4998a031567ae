# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""MTUs of routes: what is asked for, and the changes of those routes that have another one.

Some networks of pods, Cilium's for one, leave the links of a pod at the underlay's MTU and give the pod's routes the
smaller one; there the routes are what has to be changed.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .._facts.link_census import LinkCensus, NoSuchTarget
from .._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from .._kernel.route_setting import KnownRoute, read_known_routes
from .._model.link_limits import LARGEST, SMALLEST
from .journal import Change
from .namespace_target import in_namespace, name_namespace
from .resource import Gone
from .route_mtu_resource import AMBIGUOUS, link_names

KIND = "route_mtu"
DEFAULT = "default"
FAMILIES = ("ipv4", "ipv6")
MAIN = 254
_EVERYWHERE = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}
_BY_THE_KERNEL = {2: "the kernel has made it with an address", 9: "a router has advertised it"}
"""rtm_protocol (include/uapi/linux/rtnetlink.h): of IPv6; replaced, the kernel would no more renew and remove them."""


@dataclass(frozen=True)
class RouteWish:
    """A route as it is asked for. destination: CIDR, or "default". mtu: bytes, None for no MTU of its own.

    family: ipv4 or ipv6, None for both. device: None for any. namespace: path of its network namespace; pid: a process
    in it; none: the host.
    """

    destination: str
    mtu: Optional[int]
    family: Optional[str] = None
    device: Optional[str] = None
    table: int = MAIN
    namespace: Optional[str] = None
    pid: Optional[int] = None

    def __str__(self) -> str:
        family = f" ({self.family})" if self.family and self.destination == DEFAULT else ""
        device = f" dev {self.device}" if self.device else ""
        where = f" in {self.namespace}" if self.namespace else f" of process {self.pid}" if self.pid else ""
        return f"{self.destination}{family}{device}{where}"

    def means(self, known: KnownRoute) -> bool:
        """Tell whether it means a route."""
        key = known.key
        destination = _EVERYWHERE[key.family] if self.destination == DEFAULT else self.destination
        return (
            self.family in (None, key.family)
            and key.destination == destination
            and key.table == self.table
            and self.device in (None, key.device)
            and known.route.type == "unicast"
        )


@dataclass(frozen=True)
class RouteStep:
    """What becomes of one route. change: None where there is nothing to do. reason: why nothing can be done."""

    wish: RouteWish
    owner: str
    route: str
    before: Optional[int]
    after: Optional[int]
    change: Optional[Change] = None
    reason: str = ""

    def as_result(self) -> Dict[str, Any]:
        """Return what a module says about it."""
        return {
            "route": self.route,
            "namespace": self.wish.namespace,
            "pid": self.wish.pid,
            "owner": self.owner,
            "before": self.before,
            "after": self.after,
            "reason": self.reason,
        }


def route_wishes_of(entries: Sequence[Mapping[str, Any]], option: str = "routes") -> List[RouteWish]:
    """Return what an option means. entries: {destination, mtu, family, device, table, namespace, pid}.

    Raises ValueError that names the entry, the value and what is allowed.
    """
    return [_wish(f"{option}[{number}]", entry) for number, entry in enumerate(entries)]


def route_steps(wishes: Sequence[RouteWish], census: LinkCensus, skip_gone: bool = False) -> Tuple[RouteStep, ...]:
    """Look at the routes and return what has to be done, one step for each route that is meant. Changes nothing.

    A route that is no more or cannot be changed by itself, and a namespace that ends meanwhile, give a step with a
    reason; with skip_gone also one that is not there. Raises ValueError for that without skip_gone, ChangeError where
    routes cannot be read.
    """
    steps: List[RouteStep] = []
    for wish in wishes:
        try:
            inode = census.namespace_of(wish.namespace, wish.pid, f"routes: {wish}")
        except NoSuchTarget as error:
            if not skip_gone:
                raise
            steps.append(RouteStep(wish, "", str(wish), None, None, None, str(error)[len("routes: ") :]))
            continue
        owner = census.owner_name(inode)
        try:
            named = name_namespace(census.namespaces[inode])
            meant = [known for known in in_namespace(named, _read) if wish.means(known)]
        except Gone as error:
            steps.append(RouteStep(wish, owner, str(wish), None, None, None, str(error)))
            continue
        steps += [_step(wish, owner, known, named) for known in meant]
        if not meant:
            steps.append(RouteStep(wish, owner, str(wish), None, None, None, "there is no such route"))
    return tuple(steps)


def route_changes(steps: Sequence[RouteStep]) -> List[Change]:
    """Return the changes, of kind KIND, each route once: the last wish for it counts."""
    changes = {str(step.change.target): step.change for step in steps if step.change is not None}
    return list(changes.values())


def _step(wish: RouteWish, owner: str, known: KnownRoute, named: Optional[Mapping[str, Any]]) -> RouteStep:
    before = known.route.mtu
    reason = _refusal(wish, known) if before != wish.mtu else ""
    if reason or before == wish.mtu:
        return RouteStep(wish, owner, str(known.key), before, before, None, reason)
    target = {"route": known.key.as_fact(), "namespace": named, "owner": owner}
    return RouteStep(wish, owner, str(known.key), before, wish.mtu, Change(KIND, target, before, wish.mtu))


def _refusal(wish: RouteWish, known: KnownRoute) -> str:
    """Return why a route cannot be changed by itself, an empty text where it can."""
    family, protocol = known.key.family, known.route.protocol
    if wish.mtu is not None and wish.mtu < SMALLEST[family]:
        return f"{family} needs an MTU of {SMALLEST[family]} at least, and {wish.mtu} is asked for"
    if family == "ipv6" and protocol in _BY_THE_KERNEL:
        return f"{_BY_THE_KERNEL[protocol]}: set the MTU of its device instead"
    return "" if known.alone else AMBIGUOUS


def _read() -> List[KnownRoute]:
    with NetlinkSocket(NETLINK_ROUTE) as netlink:
        return read_known_routes(netlink, link_names())


def _wish(where: str, entry: Mapping[str, Any]) -> RouteWish:
    given = {name: value for name, value in entry.items() if value not in (None, "")}
    if "namespace" in given and "pid" in given:
        raise ValueError(f"{where}: namespace and pid both say where the route is: leave one")
    mtu, family, table = given.get("mtu"), given.get("family"), given.get("table", MAIN)
    if mtu is not None and not SMALLEST["ipv4"] <= mtu <= LARGEST:
        raise ValueError(f"{where}.mtu is {mtu}; an MTU is from {SMALLEST['ipv4']} to {LARGEST} bytes")
    if family not in (None, *FAMILIES):
        raise ValueError(f"{where}.family is {family!r}; it is ipv4 or ipv6")
    if not 1 <= table < 1 << 32:
        raise ValueError(f"{where}.table is {table}; it is the number of a routing table, 254 for the main one")
    destination, of_destination = _destination(where, str(given.get("destination", "")))
    if family is not None and of_destination not in (None, family):
        raise ValueError(f"{where}: {destination} is no destination of {family}")
    place = {"device": given.get("device"), "namespace": given.get("namespace"), "pid": given.get("pid")}
    return RouteWish(destination, mtu, family or of_destination, table=table, **place)


def _destination(where: str, text: str) -> Tuple[str, Optional[str]]:
    """Return a destination as routes have it, and its family; None for "default"."""
    if text == DEFAULT:
        return DEFAULT, None
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(
            f"{where}.destination is {text!r}; it is default, an address, or a network as in 10.42.0.0/16: {error}"
        ) from error
    return network.with_prefixlen, f"ipv{network.version}"
