# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers that are data: nodes that are not in the inventory of this run, and are still part of the plan."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, List, Optional, Tuple

KEYS = ("name", "address", "zone", "pods", "audited")
POD_KEYS = ("name", "address", "network")


class PeerError(ValueError):
    """netfit_peers says something that cannot be used; the message names the place, the value and what is allowed."""


@dataclass(frozen=True)
class Peer:
    """A node known by its addresses alone. pods: with name, address and, where known, network.

    audited: it is a host of another slice of the same audit, which measures from it.
    """

    name: str
    address: Optional[str]
    zone: Optional[str] = None
    pods: Tuple[Mapping[str, Any], ...] = ()
    audited: bool = False


def parse_peers(value: Any) -> List[Peer]:
    """Return the peers of netfit_peers. Raises PeerError."""
    if value is None:
        return []
    peers = []
    for place, entry in _entries("netfit_peers", value, KEYS):
        pods = tuple(pod for _place, pod in _entries(f"{place}.pods", entry.get("pods") or [], POD_KEYS))
        for number, pod in enumerate(pods):
            _address(f"{place}.pods[{number}].address", pod.get("address"))
            _text(f"{place}.pods[{number}].name", pod.get("name"))
        zone = entry.get("zone")
        name = _text(f"{place}.name", entry.get("name"))
        address = _address(f"{place}.address", entry.get("address"))
        audited = _truth(f"{place}.audited", entry.get("audited", False))
        peers.append(Peer(name, address, None if zone is None else str(zone), pods, audited))
    names = [peer.name for peer in peers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PeerError(f"netfit_peers: {', '.join(twice)} is there twice; each peer needs a name of its own")
    return peers


def _entries(place: str, value: Any, keys: Tuple[str, ...]) -> List[Tuple[str, Mapping[str, Any]]]:
    if not isinstance(value, (list, tuple)):
        raise PeerError(f"{place} is {value!r}, but must be a list of mappings with {', '.join(keys)}")
    for number, entry in enumerate(value):
        if not isinstance(entry, Mapping):
            raise PeerError(f"{place}[{number}] is {entry!r}, but must be a mapping with {', '.join(keys)}")
        unknown = sorted(str(key) for key in entry if key not in keys)
        if unknown:
            raise PeerError(f"{place}[{number}] has {', '.join(unknown)}; allowed are {', '.join(keys)}")
    return [(f"{place}[{number}]", entry) for number, entry in enumerate(value)]


def _truth(place: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise PeerError(f"{place} is {value!r}, but must be true or false")
    return value


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PeerError(f"{place} is {value!r}, but must be a text")
    return str(value)


def _address(place: str, value: Any) -> str:
    try:
        return str(ipaddress.ip_address(_text(place, value)))
    except ValueError as error:
        raise PeerError(f"{place} is {value!r}, but must be an IP address") from error
