# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP requests and idle connections as the rules see them, read from plain results without trusting them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ...module_utils._model.http_result import End
from ...module_utils._model.url import BadUrl, read_url
from . import plain
from .plain import Record

MOST = 1 << 53
TOO_LARGE = "413"
"""Status: the server refuses bodies of that size, which is its right (RFC 9110 section 15.5.14)."""


@dataclass(frozen=True)
class SizeView:
    """See SizeOutcome in the model. sent, failed: without the requests that the server refused for their size."""

    body_bytes: int
    sent: int
    failed: int
    too_large: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)
    retransmits: int = 0
    kernel_path_mtu: Optional[int] = None


@dataclass(frozen=True)
class HttpView:
    """See HttpResult in the model. source: inventory name of the host that sent."""

    source: str
    name: str
    url: str
    node: Optional[str]
    service: str
    planned: int
    sent: int
    reason: Optional[str]
    sizes: Tuple[SizeView, ...]


@dataclass(frozen=True)
class IdleView:
    """See KeepaliveResult in the model. source: inventory name of the host that measured."""

    source: str
    name: str
    url: str
    node: Optional[str]
    service: str
    ended: End
    kept_seconds: Optional[float]
    at_least_seconds: Optional[float]
    resolution_seconds: Optional[float]
    announced_timeout: Optional[int]
    announced_requests: Optional[int]
    server: Optional[str]
    load_balancer: Optional[str]
    idle_seconds: Optional[float]
    reason: Optional[str]


def read_http(source: str, entry: Record) -> HttpView:
    """Return the view of an HttpResult that was sent from that host."""
    sizes = [_size(one) for one in plain.records(entry, "sizes") if _count(one, "body_bytes") is not None]
    return HttpView(
        source=source,
        **_where(entry),
        planned=_count(entry, "planned") or 0,
        sent=_count(entry, "sent") or 0,
        reason=plain.text(entry, "reason"),
        sizes=tuple(sorted(sizes, key=lambda one: one.body_bytes)),
    )


def read_idle(source: str, entry: Record) -> IdleView:
    """Return the view of a KeepaliveResult that was measured from that host."""
    ends = {end.value: end for end in End}
    return IdleView(
        source=source,
        **_where(entry),
        ended=ends.get(plain.text(entry, "ended") or "", End.FAILED),
        kept_seconds=_seconds(entry, "kept_seconds"),
        at_least_seconds=_seconds(entry, "at_least_seconds"),
        resolution_seconds=_seconds(entry, "resolution_seconds"),
        announced_timeout=_count(entry, "announced_timeout"),
        announced_requests=_count(entry, "announced_requests"),
        server=plain.text(entry, "server"),
        load_balancer=plain.text(entry, "load_balancer"),
        idle_seconds=_seconds(entry, "idle_seconds"),
        reason=plain.text(entry, "reason"),
    )


def _where(entry: Record) -> Dict[str, Any]:
    url, node = plain.text(entry, "url") or "", plain.text(entry, "node")
    name = plain.text(entry, "name") or url or "a target without a name"
    return {"name": name, "url": url, "node": node, "service": _service(entry, name, url, node)}


def _service(entry: Record, name: str, url: str, node: Optional[str]) -> str:
    """Name what is compared between nodes: the same port, path and Host header. A target without a node is its own."""
    if node is None:
        return name
    try:
        parts = read_url(url)
    except BadUrl:
        return name
    host, port = plain.text(entry, "host"), plain.whole(entry, "port") or parts.port
    header = f" as {host}" if host not in (None, parts.authority) else ""
    return f"{'https ' if parts.secure else ''}port {port}{parts.path} of the nodes{header}"


def _size(entry: Record) -> SizeView:
    statuses, outcomes = _counts(entry, "statuses"), _counts(entry, "outcomes")
    sent, failed = _count(entry, "sent") or 0, _count(entry, "failed") or 0
    too_large = min(statuses.get(TOO_LARGE, 0), sent)
    # A 413 has counted as a failure only where more did than those without an answer and those from 500 upwards.
    sure = sent - min(sent, outcomes.get("answered", 0)) + sum(statuses[one] for one in statuses if one >= "500")
    counted = too_large if failed > sure else 0
    return SizeView(
        body_bytes=_count(entry, "body_bytes") or 0,
        sent=sent - too_large,
        failed=max(0, min(failed - counted, sent - too_large)),
        too_large=too_large,
        outcomes=outcomes,
        statuses=statuses,
        retransmits=_count(entry, "retransmits") or 0,
        kernel_path_mtu=_count(entry, "kernel_path_mtu"),
    )


def _counts(entry: Record, name: str) -> Dict[str, int]:
    nested = plain.record(entry, name)
    found = {str(key): _count(nested, key) for key in sorted(nested, key=str)}
    return {key: value for key, value in found.items() if value}


def _count(entry: Record, name: str) -> Optional[int]:
    value = plain.whole(entry, name)
    return value if value is not None and 0 <= value < MOST else None


def _seconds(entry: Record, name: str) -> Optional[float]:
    value = plain.number(entry, name)
    return value if value is not None and 0 <= value < MOST else None


def by_service(views: Sequence[Any]) -> List[Tuple[str, List[Any]]]:
    """Return the views of each service, by its name; those of one service are of different nodes."""
    groups: Dict[str, List[Any]] = {}
    for view in views:
        groups.setdefault(view.service, []).append(view)
    return sorted(groups.items())
