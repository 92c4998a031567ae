# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and idle connections as the report holds them: every known field, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, Optional

from ...module_utils._model.failure_rates import wilson_interval
from .._rules import plain
from .._rules.http_view import SizeView, read_http, read_idle
from .._rules.plain import Record
from .._rules.read_paths import entries


def describe_http(assessments: Mapping[str, Optional[Mapping[str, Any]]]) -> List[Dict[str, Any]]:
    """Return what became of the requests that each host sent (assessments by inventory name), sorted."""
    found = [
        _requests(host, record)
        for host in sorted(assessments)
        for record in entries((assessments[host] or {}).get("http_requests"))
    ]
    return sorted(found, key=_order)


def describe_idle(assessments: Mapping[str, Optional[Mapping[str, Any]]]) -> List[Dict[str, Any]]:
    """Return for how long the servers that each host asked keep idle connections, sorted."""
    found = [
        _idle(host, record)
        for host in sorted(assessments)
        for record in entries((assessments[host] or {}).get("keepalive"))
    ]
    return sorted(found, key=_order)


def _order(entry: Mapping[str, Any]) -> Any:
    return [str(entry[name] or "") for name in ("host", "service", "node", "name", "url")]


def _where(host: str, record: Record, view: Any) -> Dict[str, Any]:
    return {
        "host": host,
        "name": view.name,
        "service": view.service,
        "node": view.node,
        "url": view.url,
        "method": plain.text(record, "method"),
        "address": plain.text(record, "address"),
        "reason": view.reason,
    }


def _requests(host: str, record: Record) -> Dict[str, Any]:
    view = read_http(host, record)
    latencies = {plain.whole(one, "body_bytes"): plain.record(one, "latency") for one in plain.records(record, "sizes")}
    return {
        **_where(host, record, view),
        "planned": view.planned,
        "sent": view.sent,
        "sizes": [_size(size, latencies.get(size.body_bytes, {})) for size in view.sizes],
    }


def _size(size: SizeView, latency: Record) -> Dict[str, Any]:
    interval = wilson_interval(size.failed, size.sent)
    return {
        "body_bytes": size.body_bytes,
        "sent": size.sent,
        "failed": size.failed,
        "too_large": size.too_large,
        "failure_rate": round(size.failed / size.sent, 6) if size.sent else None,
        "interval": None if interval is None else [round(interval[0], 6), round(interval[1], 6)],
        "outcomes": dict(size.outcomes),
        "statuses": dict(size.statuses),
        "median_ms": plain.number(latency, "median_ms"),
        "p99_ms": plain.number(latency, "p99_ms"),
        "retransmits": size.retransmits,
        "kernel_path_mtu": size.kernel_path_mtu,
    }


def _idle(host: str, record: Record) -> Dict[str, Any]:
    view = read_idle(host, record)
    return {
        **_where(host, record, view),
        "ended": view.ended.value,
        "kept_seconds": view.kept_seconds,
        "at_least_seconds": view.at_least_seconds,
        "resolution_seconds": view.resolution_seconds,
        "announced_timeout": view.announced_timeout,
        "announced_requests": view.announced_requests,
        "server": view.server,
        "load_balancer": view.load_balancer,
        "idle_seconds": view.idle_seconds,
    }
