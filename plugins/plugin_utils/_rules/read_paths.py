# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building the views of measured paths from plain results, without trusting them."""

from __future__ import annotations

from typing import Any, List, Optional

from ...module_utils._model.owner import Owner, OwnerKind
from ...module_utils._model.path import Limit, Verdict
from . import plain
from .http_view import read_http, read_idle
from .path_view import DirectionView, DropView, End, Measured, PathView, end_of
from .plain import Record

VERDICTS = {verdict.value: verdict for verdict in Verdict}
LIMITS = {limit.value: limit for limit in Limit}
LARGEST = 65535
"""Bytes of an IP packet: RFC 791 section 3.1."""


def read_measured(
    host: str,
    paths: Any = None,
    tcp_paths: Any = None,
    traces: Any = None,
    http_requests: Any = None,
    keepalive: Any = None,
) -> Measured:
    """Turn what the measuring modules returned on a host into views. Never raises.

    paths: of path_mtu_info, tcp_paths: of tcp_path_info, traces: of packet_trace_info, http_requests: of
    http_request_info, keepalive: of keepalive_info.
    """
    both = [
        *[read_path(host, entry) for entry in entries(paths)],
        *[read_tcp_path(host, entry) for entry in entries(tcp_paths)],
    ]
    ordered = sorted(both, key=lambda one: (one.source.name, one.kind, one.peer_identity, one.name, one.tcp))
    return Measured(
        tuple(ordered),
        tuple(_drops(entries(traces))),
        tuple(read_http(host, entry) for entry in entries(http_requests)),
        tuple(read_idle(host, entry) for entry in entries(keepalive)),
    )


def entries(given: Any) -> List[Record]:
    """Return the records of a list, without what is none."""
    return plain.records({"entries": given}, "entries")


def read_path(host: str, fact: Record) -> PathView:
    """Return the view of a PathMeasurement that was measured from that host."""
    return _view(host, fact, tcp=False)


def read_tcp_path(host: str, fact: Record) -> PathView:
    """Return the view of a TcpPath that was measured from that host."""
    return _view(host, fact, tcp=True)


def _view(host: str, fact: Record, tcp: bool) -> PathView:
    about = plain.record(fact, "about")
    port = plain.whole(fact, "port") if tcp else None
    method = "tcp" if tcp else plain.text(fact, "method")
    source, peer = _source(host, fact), _peer(fact, about, port)
    forward = _tcp_direction(fact, source, peer) if tcp else _direction(fact, "forward", source, peer)
    return PathView(
        tcp=tcp,
        name=plain.text(fact, "name") or f"{source.name} to {peer.name}",
        kind=plain.text(about, "class") or ("port" if tcp else "path"),
        source=source,
        peer=peer,
        namespace=plain.whole(fact, "namespace"),
        target=plain.text(fact, "target"),
        address=plain.text(fact, "address"),
        family=_family(fact),
        method=method,
        forward=forward,
        # By TCP only the way there is measured: the other one is no failure to measure.
        back=None if method == "tcp" else _direction(fact, "back", peer, source),
        reason=plain.text(fact, "reason"),
        network=plain.text(about, "network"),
        device=plain.text(fact, "device"),
        link_mtu=size(fact, "link_mtu"),
        expected_mtu=size(fact, "expected_mtu"),
        expected_because=plain.text(about, "expected_because"),
        hidden_by=_cached(fact),
        advertised_mss=size(fact, "advertised_mss"),
        mss_exact=fact.get("advertised_mss_exact") is not False,
        retransmits=_count(fact, "retransmits"),
        packets_sent=plain.whole(fact, "packets_sent"),
    )


def size(fact: Record, name: str) -> Optional[int]:
    """Return bytes of a packet, None where there is no number that a packet could have."""
    value = plain.whole(fact, name)
    return value if value is not None and 0 < value <= LARGEST else None


def _count(fact: Record, name: str) -> int:
    value = plain.whole(fact, name)
    return value if value is not None and 0 <= value < 1 << 53 else 0


def _family(fact: Record) -> str:
    stated, address = plain.text(fact, "family"), plain.text(fact, "address") or ""
    return stated if stated in ("ipv4", "ipv6") else "ipv6" if ":" in address else "ipv4"


def _source(host: str, fact: Record) -> End:
    owner = plain.owner({"owner": fact.get("source")})
    if not plain.record(fact, "source"):
        owner = Owner(OwnerKind.HOST, host)
    if owner.kind is OwnerKind.UNKNOWN and owner.name is None:
        inode = plain.whole(fact, "namespace")
        return End(f"namespace {inode or 'without a name'} on {host}", host, owner)
    return end_of(host, owner, host)


def _peer(fact: Record, about: Record, port: Optional[int]) -> End:
    peer = plain.record(about, "peer")
    fallback = plain.text(fact, "target") or plain.text(fact, "address") or plain.text(fact, "name") or "unnamed"
    owner = plain.owner(peer) if plain.record(peer, "owner") else None
    return end_of(plain.text(peer, "host"), owner, fallback, port)


def _cached(fact: Record) -> Optional[int]:
    """The kernel's own answer, or the smallest of the exceptions that it held."""
    held = [size(entry, "mtu") for entry in plain.records(fact, "exceptions")]
    known = [mtu for mtu in [size(fact, "cached_mtu"), *held] if mtu is not None]
    return min(known, default=None)


def _verdict(fact: Record, name: str = "verdict") -> Verdict:
    return VERDICTS.get(plain.text(fact, name) or "", Verdict.UNKNOWN)


def _direction(fact: Record, name: str, sender: End, receiver: End) -> DirectionView:
    """On the way back the far end is the sender: what its own link limits is in order, by the meaning of a verdict."""
    entry = plain.record(fact, name)
    verdict, path_mtu = _verdict(entry), size(entry, "path_mtu")
    limit = LIMITS.get(plain.text(entry, "limited_by") or "")
    if name == "back" and limit is Limit.FAR_LINK:
        limit, verdict = Limit.LINK, Verdict.OK if verdict is Verdict.REDUCED else verdict
    if verdict is Verdict.UNKNOWN and not entry and _verdict(fact) is Verdict.UNREACHABLE:
        verdict = Verdict.UNREACHABLE
    reason = plain.text(entry, "reason") or plain.text(fact, "reason")
    if verdict is Verdict.UNKNOWN and reason is None:
        reason = "the measurement says nothing about this direction"
    return DirectionView(
        sender=sender,
        receiver=receiver,
        verdict=verdict,
        path_mtu=path_mtu,
        at_least=max(_count(entry, "at_least"), path_mtu or 0),
        at_most=size(entry, "at_most"),
        limited_by=limit,
        reported_mtu=size(entry, "reported_mtu"),
        router=plain.text(entry, "router"),
        icmp_observable=entry.get("icmp_observable", True) is not False,
        tries_above=_count(entry, "tries_above"),
        lost=_count(entry, "lost"),
        samples=_count(entry, "samples"),
        confidence=plain.number(entry, "confidence"),
        reason=reason,
    )


def _tcp_direction(fact: Record, sender: End, receiver: End) -> DirectionView:
    segments = plain.records(fact, "segments")
    verdict, path_mtu = _verdict(fact), size(fact, "path_mtu")
    passed = path_mtu or _count(fact, "at_least")
    above = [one for one in segments if _count(one, "size") > passed and plain.text(one, "outcome") == "lost"]
    return DirectionView(
        sender=sender,
        receiver=receiver,
        verdict=verdict,
        path_mtu=path_mtu,
        at_least=max(_count(fact, "at_least"), path_mtu or 0),
        reported_mtu=size(fact, "reported_mtu"),
        router=plain.text(fact, "router"),
        tries_above=len(above),
        confidence=plain.number(fact, "confidence"),
        reason=plain.text(fact, "reason")
        or (None if verdict is not Verdict.UNKNOWN else "the measurement says nothing"),
    )


def _drops(traces: List[Record]) -> List[DropView]:
    """Of each entry: a Drop, or all that packet_trace_info or locate_drop returned, with its drops."""
    found: List[DropView] = []
    for entry in traces:
        target = plain.text(plain.record(entry, "burst"), "target") or plain.text(entry, "target")
        inner = plain.records(entry, "drops") if "drops" in entry else [plain.record(entry, "drop") or entry]
        found.extend(read_drop(one, target) for one in inner)
    return found


def read_drop(inner: Record, target: Optional[str] = None) -> DropView:
    """Return the view of a Drop. target: address that the packets were sent to."""
    icmp = plain.record(inner, "icmp")
    places = [icmp, plain.record(icmp, "last_seen"), plain.record(inner, "last_seen")]
    hosts = [plain.text(place, "host") for place in places]
    return DropView(
        text=plain.text(inner, "text") or "a packet was dropped",
        target=target,
        size=size(inner, "size"),
        kind=plain.text(inner, "kind") or "other",
        icmp_host=next((host for host in hosts if host is not None), None),
        sent_by=plain.text(icmp, "sent_by"),
        filtered_by=plain.text(icmp, "filtered_by"),
        rule=plain.text(inner, "rule"),
        reason=plain.text(inner, "reason"),
    )
