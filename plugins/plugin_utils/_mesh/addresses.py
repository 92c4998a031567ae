# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of a host as its peers see them, from its facts."""

from __future__ import annotations

import ipaddress
from typing import Any, List, Mapping, Optional

from .._rules import plain

MAIN_TABLE = 254


def is_usable(text: Optional[str]) -> bool:
    """Tell whether somebody else can be expected to reach it. A text that is no address may be a name to resolve."""
    if not text:
        return False
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        is_name = not any(mark in text for mark in ":%/") and not text.replace(".", "").isdigit()
        return is_name and text != "localhost"
    if address.version == 6 and address.ipv4_mapped is not None:
        return False
    return not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified)


def default_sources(facts: Mapping[str, Any]) -> List[str]:
    """Return the source addresses of the host's default routes, that of its best route first, IPv4 before IPv6."""
    mtu = plain.record(facts, "netfit_mtu")
    homes = [
        one for one in plain.records(mtu, "namespaces") if plain.text(plain.record(one, "owner"), "kind") == "host"
    ]
    found: List[str] = []
    for home in homes[:1]:
        routes = [route for route in plain.records(home, "routes") if _is_default(route)]
        for route in sorted(routes, key=_preference):
            source = _source(home, route)
            if source is not None and source not in found:
                found.append(source)
    return found


def _is_default(route: plain.Record) -> bool:
    unicast = (plain.text(route, "type") or "unicast") == "unicast"
    return unicast and plain.text(route, "destination") in ("0.0.0.0/0", "::/0", "default")


def _preference(route: plain.Record) -> Any:
    table = plain.whole(route, "table") or MAIN_TABLE
    return table != MAIN_TABLE, plain.text(route, "family") != "ipv4", plain.whole(route, "priority") or 0


def _source(home: plain.Record, route: plain.Record) -> Optional[str]:
    """What the route prefers, else what the kernel would take: an address of the device, best of the gateway's net."""
    preferred = plain.text(route, "source")
    if preferred is not None:
        return preferred
    legs = [route, *plain.records(route, "next_hops")]
    devices = [device for device in (plain.text(leg, "device") for leg in legs) if device is not None]
    gateways = [gateway for gateway in (plain.text(leg, "gateway") for leg in legs) if gateway is not None]
    links = [link for link in plain.records(home, "links") if plain.text(link, "name") in devices]
    version = 4 if plain.text(route, "family") == "ipv4" else 6
    own = [address for link in links for address in _interfaces(link) if address.version == version]
    beside = [address for address in own if any(_holds(address, gateway) for gateway in gateways)]
    return next((str(address.ip) for address in beside + own if is_usable(str(address.ip))), None)


def _interfaces(link: plain.Record) -> List[Any]:
    found = []
    for entry in plain.records(link, "addresses"):
        try:
            found.append(
                ipaddress.ip_interface(f"{plain.text(entry, 'address')}/{plain.whole(entry, 'prefix_length')}")
            )
        except ValueError:
            continue
    return found


def _holds(interface: Any, gateway: str) -> bool:
    try:
        return ipaddress.ip_address(gateway) in interface.network
    except ValueError:
        return False
