# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured paths as the report holds them: every known field, null where a measurement lacks it, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Callable, Dict, List, Optional

from ...module_utils._model.owner import Owner
from ...module_utils._model.path import HttpRequest, Limit, Segment
from ...module_utils._model.route import PathMtuException
from .._rules import plain
from .._rules.path_view import DirectionView, End, PathView
from .._rules.plain import Record
from .._rules.read_paths import entries, read_path, read_tcp_path

Reader = Callable[[Record, str], Any]

OUTCOMES = ("arrived", "lost", "too big", "refused", "unknown")
REQUEST_OUTCOMES = ("answered", "timed out", "closed", "refused")
PARTS: Dict[type, Dict[str, Reader]] = {
    PathMtuException: {
        "family": plain.text,
        "destination": plain.text,
        "mtu": plain.whole,
        "locked": lambda record, name: record.get(name) is True,
        "gateway": plain.text,
        "device": plain.text,
        "expires_seconds": plain.number,
    },
    Segment: {
        "size": plain.whole,
        "outcome": lambda record, name: _one_of(OUTCOMES, record, name, "unknown"),
        "reported_mtu": plain.whole,
        "router": plain.text,
        "round_trip_ms": plain.number,
    },
    HttpRequest: {
        "body_bytes": plain.whole,
        "outcome": lambda record, name: _one_of(REQUEST_OUTCOMES, record, name, None),
        "status": plain.whole,
        "seconds": plain.number,
        "retransmits": plain.whole,
        "path_mtu": plain.whole,
    },
}
"""How each field of a part of a measurement is read."""


def _one_of(known: Any, record: Record, name: str, otherwise: Optional[str]) -> Optional[str]:
    value = plain.text(record, name)
    return value if value in known else otherwise


def describe_paths(assessments: Mapping[str, Optional[Mapping[str, Any]]]) -> List[Dict[str, Any]]:
    """Return the paths of all hosts (their assessments by inventory name), sorted by where they begin and end."""
    found: List[Dict[str, Any]] = []
    for host in sorted(assessments):
        assessment = assessments[host] or {}
        found.extend(_path(host, record) for record in entries(assessment.get("paths")))
        found.extend(_tcp_path(host, record) for record in entries(assessment.get("tcp_paths")))
    return sorted(found, key=_order)


def _order(entry: Mapping[str, Any]) -> Any:
    names = [str(entry[name] or "") for name in ("class", "host", "name", "target", "family", "kind", "address")]
    return [*names, entry.get("port") or 0]


def _path(host: str, record: Record) -> Dict[str, Any]:
    view = read_path(host, record)
    return {
        **_common("path", host, record, view),
        "method": view.method,
        "forward": _direction(view.forward),
        "back": None if view.back is None else _direction(view.back),
        "exceptions": _parts(record, "exceptions", PathMtuException),
        "packets_received": plain.whole(record, "packets_received"),
    }


def _tcp_path(host: str, record: Record) -> Dict[str, Any]:
    view = read_tcp_path(host, record)
    numbers = ("send_mss", "kernel_path_mtu", "retransmits", "connections")
    return {
        **_common("tcp", host, record, view),
        "port": plain.whole(record, "port"),
        "advertised_mss": view.advertised_mss,
        "advertised_mss_exact": view.mss_exact,
        **{name: plain.whole(record, name) for name in numbers},
        "path_mtu": view.forward.path_mtu,
        "at_least": view.forward.at_least,
        "reported_mtu": view.forward.reported_mtu,
        "router": view.forward.router,
        "confidence": view.forward.confidence,
        "traceless": record.get("traceless") is not False,
        "segments": _parts(record, "segments", Segment),
        "requests": _parts(record, "requests", HttpRequest),
    }


def _common(kind: str, host: str, record: Record, view: PathView) -> Dict[str, Any]:
    return {
        "kind": kind,
        "host": host,
        "name": view.name,
        "class": view.kind,
        "source": _end(view.source),
        "peer": _end(view.peer),
        "network": view.network,
        "target": view.target,
        "address": view.address,
        "family": view.family,
        "namespace": view.namespace,
        "device": view.device,
        "link_mtu": view.link_mtu,
        "expected_mtu": view.expected_mtu,
        "expected_because": view.expected_because,
        "verdict": max((direction.verdict for _way, direction in view.ways), key=lambda one: one.rank).value,
        "reason": view.reason,
        "cached_mtu": plain.whole(record, "cached_mtu"),
        "learned": _parts(record, "learned", PathMtuException),
        "round_trip_ms": plain.number(record, "round_trip_ms"),
        "packets_sent": view.packets_sent,
        "bytes_sent": plain.whole(record, "bytes_sent"),
        "seconds": plain.number(record, "seconds"),
    }


def _end(end: End) -> Dict[str, Any]:
    owner: Optional[Owner] = end.owner
    return {"name": end.name, "host": end.host, "owner": None if owner is None else owner.as_fact()}


def _direction(direction: DirectionView) -> Dict[str, Any]:
    limit: Optional[Limit] = direction.limited_by
    values = {
        field.name: getattr(direction, field.name)
        for field in fields(direction)
        if field.name not in ("sender", "receiver")
    }
    return {**values, "verdict": direction.verdict.value, "limited_by": None if limit is None else limit.value}


def _parts(record: Record, name: str, part: type) -> List[Dict[str, Any]]:
    readers = PARTS[part]
    return [{field: read(entry, field) for field, read in readers.items()} for entry in plain.records(record, name)]
