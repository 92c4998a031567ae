# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One target of a run, from what is wanted to what was found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Dict, List, Mapping, Optional, Tuple

from .._facts.sources import Source
from .._model.owner import Owner, OwnerKind
from .._model.path import Direction, Method, PathMeasurement, Verdict
from .._model.route import PathMtuException
from .conclude import conclude_direction, within_offer, worse
from .loop import Track
from .search import ONE_WAY
from .targets import Wanted
from .tcp_transport import TcpTransport
from .transport import Transport
from .vantage import Vantage, Way, learned

IP_AND_TCP = {"ipv4": 20 + 20, "ipv6": 40 + 20}
"""Bytes of headers that the MSS does not count: RFC 9293 section 3.7.1, RFC 8200."""


@dataclass
class Job:
    """One target on its way to a result."""

    wanted: Wanted
    source: Optional[Source] = None
    address: Optional[str] = None
    way: Optional[Way] = None
    vantage: Optional[Vantage] = None
    transports: Dict[Method, Transport] = field(default_factory=dict)
    unavailable: Dict[Method, str] = field(default_factory=dict)
    method: Optional[Method] = None
    track: Optional[Track] = None
    refusal: Optional[str] = None

    @property
    def family(self) -> Optional[str]:
        """Of the address, where there is one."""
        return None if self.address is None else "ipv6" if ":" in self.address else "ipv4"


def result_of(job: Job, after: Mapping[int, List[PathMtuException]]) -> PathMeasurement:
    """Return what was found for a target. after: learned path MTUs, by inode of the network namespace."""
    track = job.track
    inode = job.source.namespace.inode if job.source is not None else None
    forward, back = _directions(job)
    before = [] if job.vantage is None else [one for one in job.vantage.before if one.destination == job.address]
    now = [one for one in after.get(inode or 0, ()) if one.destination == job.address]
    worst = forward if job.method is Method.TCP else worse(forward, back)
    reasons = [job.way.caution if job.way is not None else None, worst.reason]
    if track is not None and not track.search.answered:
        reasons += job.unavailable.values()
    measured = PathMeasurement(
        name=job.wanted.name,
        target=job.wanted.address,
        address=job.address,
        family=job.family,
        source=job.source.owner if job.source is not None else Owner(OwnerKind.UNKNOWN),
        namespace=inode,
        method=job.method,
        verdict=worst.verdict,
        forward=forward,
        back=back,
        device=job.way.device if job.way is not None else None,
        link_mtu=job.way.link_mtu if job.way is not None else None,
        expected_mtu=job.wanted.expected_mtu,
        reason="; ".join(reason for reason in reasons if reason) or None,
        cached_mtu=min((one.mtu for one in before), default=None),
        exceptions=tuple(before),
        learned=tuple(learned(before, now)),
        about=job.wanted.about,
    )
    return measured if track is None else _with_counts(measured, track)


def _directions(job: Job) -> Tuple[Direction, Direction]:
    if job.track is None:
        unknown = Direction(Verdict.UNKNOWN, reason=job.refusal or "; ".join(job.unavailable.values()))
        return unknown, unknown
    search, transport = job.track.search, job.track.transport
    forward = conclude_direction(search, search.forward)
    if not isinstance(transport, TcpTransport):
        return forward, conclude_direction(search, search.back)
    first = transport.targets[search.task.path].first
    mss = first.handshake.mss if first is not None and first.handshake is not None else None
    offered = None if mss is None else mss + IP_AND_TCP[job.family or "ipv4"]
    return within_offer(forward, offered), Direction(Verdict.UNKNOWN, icmp_observable=False, reason=ONE_WAY)


def _with_counts(measured: PathMeasurement, track: Track) -> PathMeasurement:
    shortest = None if track.shortest is None else round(track.shortest * 1000, 3)
    return replace(
        measured,
        round_trip_ms=shortest,
        packets_sent=track.packets,
        packets_received=track.received,
        bytes_sent=track.octets,
        seconds=round(track.ended - track.started, 6),
    )
