# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where requests are sent, and how many: what is meant, and what is refused before anything is sent. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .url import BadUrl, Url, read_url

TARGET_KEYS = ("url", "address", "port", "path", "tls", "name", "node", "host", "method", "verify")
METHODS = ("POST", "GET", "HEAD")
TARGETS_AT_MOST = 500
BODY_SIZES_AT_MOST = 20
BODY_AT_MOST = 64 << 20
BYTES_AT_MOST = 1 << 30
REQUESTS_RANGE = (1, 1000)
TOTAL_RANGE = (1, 100000)
TOTAL_BY_DEFAULT = 1000
BODY_SIZES_BY_DEFAULT = (0, 1000, 20000)
"""Bytes: nothing; what fits into one packet of any overlay, with the head and what a load balancer adds to it; what
takes several full ones."""
REQUESTS_BY_DEFAULT = 20
Given = Union[str, Mapping[str, Any]]


class BadRequest(ValueError):
    """An option makes no sense; the message names it, its value and what is allowed."""


@dataclass(frozen=True)
class HttpTarget:
    """What requests go to. address: to connect to, a name or an IP address. node: name of the host that this is.

    host: for the Host header, and without its port the server name of TLS.
    """

    url: str
    parts: Url
    address: str
    port: int
    name: str
    node: Optional[str]
    host: str
    method: str
    verify: bool

    @property
    def server_name(self) -> str:
        """What a certificate has to be for."""
        return read_url(f"https://{self.host}/").host


def read_targets(given: Any, method: str) -> List[HttpTarget]:
    """Return what a module's targets mean: URLs, or mappings. method: where a target names none. Raises BadRequest."""
    if not isinstance(given, (list, tuple)) or not given:
        raise BadRequest("targets is empty or no list; name at least one URL")
    if len(given) > TARGETS_AT_MOST:
        raise BadRequest(f"targets has {len(given)} entries; it takes {TARGETS_AT_MOST} at most")
    targets = [_target(one, method) for one in given]
    seen: Dict[Tuple[object, ...], str] = {}
    for target in targets:
        key = (target.address.lower(), target.port, target.host, target.parts.path, target.method)
        if key in seen:
            raise BadRequest(f"targets: {target.name} and {seen[key]} are the same")
        seen[key] = target.name
    names = [target.name for target in targets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadRequest(f"targets: two are named {twice!r}; results could not be told apart")
    return targets


def _target(given: Any, method: str) -> HttpTarget:
    if isinstance(given, str):
        given = {"url": given}
    if not isinstance(given, Mapping):
        raise BadRequest(f"targets: {given!r} is neither a URL nor a dictionary of {', '.join(TARGET_KEYS)}")
    known = {str(key): value for key, value in given.items() if value is not None}
    unknown = sorted(set(known) - set(TARGET_KEYS))
    if unknown:
        raise BadRequest(f"targets: {', '.join(unknown)} is not known; there are {', '.join(TARGET_KEYS)}")
    url = str(known["url"]) if "url" in known else _url_of(known)
    try:
        parts = read_url(url)
    except BadUrl as error:
        raise BadRequest(f"targets: {error}") from error
    host = _host(str(known.get("host", parts.authority)))
    address, port = _address(str(known.get("address", parts.host))), _port(known.get("port", parts.port))
    target = HttpTarget(
        url=url,
        parts=parts,
        address=address,
        port=port,
        name="",
        node=_text("node", known.get("node")),
        host=host,
        method=_method(known.get("method", method)),
        verify=_boolean("verify", known.get("verify", False)),
    )
    elsewhere = (address, port) != (parts.host, parts.port) and "url" in known
    name = _text("name", known.get("name")) or (f"{url} at {_joined(address, port)}" if elsewhere else url)
    return replace(target, name=name)


def _host(text: str) -> str:
    try:
        if any(character in text for character in "/?#"):
            raise BadUrl("more than a name and a port")
        read_url(f"http://{text}/")
    except BadUrl as error:
        raise BadRequest(f"targets: host is {text!r}; it takes a name, or a name and a port") from error
    return text


def _url_of(known: Mapping[str, Any]) -> str:
    """Return the URL of a target that is given by address, port, path and tls."""
    if "address" not in known:
        raise BadRequest(f"targets: {dict(known)!r} needs url, or address")
    scheme = "https" if _boolean("tls", known.get("tls", False)) else "http"
    port = _port(known.get("port", 443 if scheme == "https" else 80))
    path = str(known.get("path", "/"))
    if not path.startswith("/"):
        raise BadRequest(f"targets: path is {path!r}; it begins with /")
    return f"{scheme}://{_joined(_address(str(known['address'])), port)}{path}"


def _joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _address(text: str) -> str:
    """Refuse what can be seen to be nobody's address; names are looked at when they are resolved."""
    if not text or len(text) > 253 or any(not 32 < ord(character) < 127 for character in text):
        raise BadRequest(f"targets: address is {text!r}; it takes a name or an IP address")
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return text
    if address.is_multicast or address.is_unspecified or address == ipaddress.IPv4Address("255.255.255.255"):
        raise BadRequest(f"targets: {text} is no host's address")
    return text


def _port(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise BadRequest(f"targets: port is {value!r}; it takes 1 to 65535")
    return int(text)


def _method(value: Any) -> str:
    if value not in METHODS:
        raise BadRequest(f"targets: method is {value!r}; it takes {', '.join(METHODS)}")
    return str(value)


def _text(what: str, value: Any) -> Optional[str]:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > 253:
        raise BadRequest(f"targets: {what} is {value!r}; it takes a text")
    return str(value)


def _boolean(what: str, value: Any) -> bool:
    known = {True: True, False: False, "true": True, "false": False, "yes": True, "no": False}
    found = known.get(value.lower() if isinstance(value, str) else value) if isinstance(value, (bool, str)) else None
    if found is None:
        raise BadRequest(f"targets: {what} is {value!r}; it takes true or false")
    return found


def check_range(name: str, value: float, allowed: Tuple[float, float], unit: str = "") -> None:
    """Raise BadRequest where a number is out of its range."""
    if not allowed[0] <= value <= allowed[1]:
        raise BadRequest(f"{name} is {value:g}; it takes {allowed[0]:g} to {allowed[1]:g}{unit}")


def check_body_sizes(sizes: Sequence[int]) -> None:
    """Raise BadRequest for sizes (bytes) that make no sense."""
    if not 1 <= len(sizes) <= BODY_SIZES_AT_MOST or len(set(sizes)) != len(sizes):
        raise BadRequest(f"body_sizes has {len(sizes)} entries; it takes 1 to {BODY_SIZES_AT_MOST} different ones")
    for size in sizes:
        if not 0 <= size <= BODY_AT_MOST:
            raise BadRequest(f"body_sizes has {size}; it takes 0 to {BODY_AT_MOST} bytes")


def sizes_for(target: HttpTarget, sizes: Sequence[int]) -> Tuple[int, ...]:
    """Return the bodies that a target gets: only POST has one."""
    return tuple(sorted(sizes)) if target.method == "POST" else (0,)


def check_total(targets: Sequence[HttpTarget], sizes: Sequence[int], requests: int, allowed: int) -> int:
    """Return how many requests that makes together. Raises BadRequest where they, or their bytes, are too many."""
    check_range("requests", requests, REQUESTS_RANGE)
    check_range("max_requests", allowed, TOTAL_RANGE)
    total = sum(len(sizes_for(target, sizes)) for target in targets) * requests
    if total > allowed:
        raise BadRequest(
            f"requests is {requests}, which makes {total} requests to {len(targets)} targets by the sizes of "
            f"body_sizes; max_requests allows {allowed} (it takes up to {TOTAL_RANGE[1]}): ask for fewer, or raise it"
        )
    octets = sum(sum(sizes_for(target, sizes)) for target in targets) * requests
    if octets > BYTES_AT_MOST:
        raise BadRequest(f"the bodies of all requests are {octets} bytes together; {BYTES_AT_MOST} are allowed")
    return total
