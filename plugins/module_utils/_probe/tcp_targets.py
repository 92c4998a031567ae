# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The targets and bounds of tcp_path_info: what is meant, and what is refused before anything is sent."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .._model.url import BadUrl, Url, read_url

FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
FAMILY_NAMES = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}
TARGET_KEYS = ("host", "port", "name", "expected_mtu", "source", "about")
TARGETS_AT_MOST = 500
MTU_RANGE = (68, 65535)
BODY_SIZES_AT_MOST = 20
BODY_AT_MOST = 64 << 20
RANGES: Dict[str, Tuple[float, float]] = {"connections": (1, 4), "max_packets": (50, 5000), "timeout": (1, 120)}


class BadInput(ValueError):
    """An option makes no sense; the message names it, its value and what is allowed."""


@dataclass(frozen=True)
class Target:
    """A port to measure the path to. source: suboptions as of the module's O(source), None for that."""

    host: str
    port: int
    name: str
    expected_mtu: Optional[int] = None
    source: Optional[Mapping[str, Any]] = None
    about: Dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """host:port, in brackets for IPv6."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_targets(given: Sequence[Union[str, Mapping[str, Any]]], expected_mtu: Optional[int] = None) -> List[Target]:
    """Return what a module's targets mean: "host:port", "[address]:port", or mappings. Raises BadInput."""
    if not given:
        raise BadInput("targets is empty; name at least one host:port")
    if len(given) > TARGETS_AT_MOST:
        raise BadInput(f"targets has {len(given)} entries; it takes {TARGETS_AT_MOST} at most")
    _check_mtu("expected_mtu", expected_mtu)
    targets = [_target(one, expected_mtu) for one in given]
    seen: Dict[Tuple[str, int, str], str] = {}
    for target in targets:
        key = (target.host.lower(), target.port, repr(sorted((target.source or {}).items())))
        if key in seen:
            raise BadInput(f"targets: {target.text} is named twice")
        seen[key] = target.text
    return targets


def _target(given: Union[str, Mapping[str, Any]], expected_mtu: Optional[int]) -> Target:
    if isinstance(given, str):
        host, port = split_address(given)
        return Target(host, port, given, expected_mtu)
    if not isinstance(given, Mapping):
        raise BadInput(f"targets: {given!r} is neither host:port nor a dictionary of {', '.join(TARGET_KEYS)}")
    unknown = sorted(set(given) - set(TARGET_KEYS))
    if unknown:
        raise BadInput(f"targets: {', '.join(unknown)} is not known; there are {', '.join(TARGET_KEYS)}")
    if not given.get("host") or given.get("port") is None:
        raise BadInput(f"targets: {dict(given)!r} needs host and port")
    host = _host(str(given["host"]))
    port = _port(str(given["port"]), str(given["host"]))
    mtu = given.get("expected_mtu")
    if mtu is not None:
        mtu = _number(f"targets: expected_mtu of {host}", mtu)
        _check_mtu(f"targets: expected_mtu of {host}", mtu)
    for key in ("source", "about"):
        if given.get(key) is not None and not isinstance(given[key], Mapping):
            raise BadInput(f"targets: {key} of {host} is {given[key]!r}; it takes a dictionary")
    target = Target(host, port, "", mtu or expected_mtu, given.get("source"), dict(given.get("about") or {}))
    return Target(host, port, str(given.get("name") or target.text), target.expected_mtu, target.source, target.about)


def split_address(text: str) -> Tuple[str, int]:
    """Return host and port of "host:port" or "[address]:port". Raises BadInput."""
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed):
        raise BadInput(f"targets: {text!r} is not host:port (an IPv6 address goes in brackets: [address]:port)")
    return _host(host[1:-1] if bracketed else host), _port(port, text)


def _host(host: str) -> str:
    """Refuse what can be seen to be nobody's address; names are looked at when they are resolved."""
    if not host or any(character.isspace() for character in host) or len(host) > 253:
        raise BadInput(f"targets: {host!r} is not a host")
    try:
        address = ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return host
    refuse_address(host, address)
    return host


def refuse_address(host: str, address: Union[ipaddress.IPv4Address, ipaddress.IPv6Address]) -> None:
    """Raise BadInput for an address that a TCP connection to another host cannot have."""
    if address.is_multicast:
        raise BadInput(f"targets: {host} is a multicast address; TCP has one host at its far end")
    if address.is_unspecified or address == ipaddress.IPv4Address("255.255.255.255"):
        raise BadInput(f"targets: {host} is no host's address")
    if address.is_loopback:
        raise BadInput(f"targets: {host} is this host itself, which says nothing about a path")


def _port(text: str, whole: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise BadInput(f"targets: the port of {whole!r} is {text!r}; it takes 1 to 65535")
    return int(text)


def _number(what: str, value: Any) -> int:
    try:
        return int(str(value))
    except ValueError as error:
        raise BadInput(f"{what} is {value!r}; it takes a number of bytes") from error


def _check_mtu(what: str, mtu: Optional[int]) -> None:
    if mtu is not None and not MTU_RANGE[0] <= mtu <= MTU_RANGE[1]:
        raise BadInput(f"{what} is {mtu}; it takes {MTU_RANGE[0]} to {MTU_RANGE[1]} bytes")


def check_bounds(options: Mapping[str, Any]) -> None:
    """Refuse bounds that are out of range: connections, max_packets, timeout. Raises BadInput."""
    for name, (least, most) in RANGES.items():
        if not least <= options[name] <= most:
            raise BadInput(f"{name} is {options[name]}; it takes {least:g} to {most:g}")


def parse_url(text: Optional[str], body_sizes: Sequence[int]) -> Optional[Url]:
    """Return the parts of a URL, None without one. Raises BadInput, also for body sizes that make no sense."""
    if text is None:
        return None
    _check_body_sizes(body_sizes)
    try:
        return read_url(text)
    except BadUrl as error:
        raise BadInput(str(error)) from error


def _check_body_sizes(sizes: Sequence[int]) -> None:
    if not 1 <= len(sizes) <= BODY_SIZES_AT_MOST:
        raise BadInput(f"body_sizes has {len(sizes)} entries; it takes 1 to {BODY_SIZES_AT_MOST}")
    for size in sizes:
        if not 0 <= size <= BODY_AT_MOST:
            raise BadInput(f"body_sizes has {size}; it takes 0 to {BODY_AT_MOST} bytes")
