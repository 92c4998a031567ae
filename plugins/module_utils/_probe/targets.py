# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Targets as users name them: checked before anything is sent, and resolved."""

from __future__ import annotations

import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .._facts.sources import SOURCE_OPTIONS
from .._model.path import Method

FAMILIES = ("auto", "ipv4", "ipv6")
KEYS = ("address", "name", "source", "method", "port", "expected_mtu", "responder_port", "about")
MTU_RANGE = (68, 65535)
PORT_RANGE = (1, 65535)
RESOLVERS = 16
_SOCKET_FAMILIES = {"auto": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}

RawTarget = Union[str, Mapping[str, Any]]


class BadOption(ValueError):
    """An option cannot be meant so; the message names it, its value, and what is allowed."""


@dataclass(frozen=True)
class Defaults:
    """What holds for targets that do not say otherwise."""

    source: Mapping[str, Any] = field(default_factory=dict)
    method: Method = Method.AUTO
    expected_mtu: Optional[int] = None
    responder_port: Optional[int] = None


@dataclass(frozen=True)
class Wanted:
    """One target. address: as given, a name or a literal. Sizes in bytes."""

    name: str
    address: str
    literal: bool
    source: Tuple[Tuple[str, str], ...]
    method: Method
    port: Optional[int]
    expected_mtu: Optional[int]
    responder_port: Optional[int]
    about: Dict[str, Any]


def parse_targets(raw: Sequence[RawTarget], defaults: Defaults) -> List[Wanted]:
    """Return the targets in their order. Raises BadOption for the first one that cannot be meant."""
    wanted = [_parse(f"targets[{index}]", one, defaults) for index, one in enumerate(raw)]
    seen: Dict[Tuple[Any, ...], int] = {}
    for index, one in enumerate(wanted):
        key = (one.address, one.source, one.method, one.port, one.responder_port)
        if key in seen:
            raise BadOption(f"targets[{index}]: {one.address} is there already, as targets[{seen[key]}]")
        seen[key] = index
    return wanted


def _parse(place: str, raw: RawTarget, defaults: Defaults) -> Wanted:
    entry: Mapping[str, Any] = {"address": raw} if isinstance(raw, str) else raw
    if not isinstance(entry, Mapping):
        raise BadOption(f"{place}: {raw!r} is neither an address nor a dictionary")
    unknown = sorted(set(map(str, entry)) - set(KEYS))
    if unknown:
        raise BadOption(f"{place}: {unknown[0]!r} is none of {', '.join(KEYS)}")
    address = str(entry.get("address") or "").strip()
    if not address:
        raise BadOption(f"{place}: address is missing")
    canonical = check_address(f"{place}.address", address)
    about = entry.get("about") or {}
    if not isinstance(about, Mapping):
        raise BadOption(f"{place}.about: {about!r} is not a dictionary")
    return Wanted(
        name=str(entry.get("name") or address),
        address=canonical or address,
        literal=canonical is not None,
        source=_source(f"{place}.source", entry.get("source"), defaults.source),
        method=_method(f"{place}.method", entry.get("method"), defaults.method),
        port=check_number(f"{place}.port", entry.get("port"), PORT_RANGE),
        expected_mtu=check_number(f"{place}.expected_mtu", entry.get("expected_mtu"), MTU_RANGE)
        or defaults.expected_mtu,
        responder_port=check_number(f"{place}.responder_port", entry.get("responder_port"), PORT_RANGE)
        or defaults.responder_port,
        about=dict(about),
    )


def check_address(place: str, text: str) -> Optional[str]:
    """Return a literal address in its usual form; None for a name. Raises BadOption for what cannot be a target."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        if ":" in text or "%" in text or "/" in text or text.replace(".", "").isdigit():
            raise BadOption(f"{place}: {text!r} is neither an address nor a name") from None
        return None
    kinds = {
        "a multicast address": address.is_multicast,
        "the unspecified address": address.is_unspecified,
        "a loopback address, which is this host": address.is_loopback,
        "the broadcast address": address == ipaddress.IPv4Address("255.255.255.255"),
        "a link-local address of IPv6, which has no path": address.version == 6 and address.is_link_local,
        "an IPv4 address in IPv6's form": address.version == 6 and address.ipv4_mapped is not None,
    }
    for kind, is_so in kinds.items():
        if is_so:
            raise BadOption(f"{place}: {text} is {kind}; an address of one other host is needed")
    return str(address)


def check_number(place: str, value: Any, allowed: Tuple[int, int]) -> Optional[int]:
    """Return a whole number, None for none. Raises BadOption outside the allowed range."""
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if isinstance(value, (bool, float)) or not allowed[0] <= number <= allowed[1]:
        raise BadOption(f"{place}: {value!r} is not a whole number from {allowed[0]} to {allowed[1]}")
    return number


def _method(place: str, value: Any, default: Method) -> Method:
    if value is None:
        return default
    try:
        return Method(value)
    except ValueError:
        allowed = ", ".join(method.value for method in Method)
        raise BadOption(f"{place}: {value!r} is none of {allowed}") from None


def _source(place: str, value: Any, default: Mapping[str, Any]) -> Tuple[Tuple[str, str], ...]:
    chosen = default if value is None else value
    if not isinstance(chosen, Mapping):
        raise BadOption(f"{place}: {value!r} is not a dictionary")
    unknown = sorted(set(map(str, chosen)) - set(SOURCE_OPTIONS))
    if unknown:
        raise BadOption(f"{place}: {unknown[0]!r} is none of {', '.join(SOURCE_OPTIONS)}")
    return tuple(sorted((str(kind), str(name)) for kind, name in chosen.items() if name is not None))


def resolve(names: Sequence[str], family: str) -> Dict[str, Union[str, OSError]]:
    """Return the first address of each name, or why there is none; many names at a time.

    family: auto, ipv4 or ipv6. As this process resolves names: pods may know others.
    """
    if not names:
        return {}
    with ThreadPoolExecutor(max_workers=min(RESOLVERS, len(names))) as pool:
        return dict(zip(names, pool.map(lambda name: _resolve_one(name, family), names)))


def _resolve_one(name: str, family: str) -> Union[str, OSError]:
    try:
        found = socket.getaddrinfo(name, None, _SOCKET_FAMILIES[family], socket.SOCK_DGRAM)
        return str(found[0][4][0])
    except UnicodeError:
        return OSError("it is not a name")
    except OSError as error:
        return error
