# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the measurement of a TCP port means: pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Mapping, Optional, Tuple

from .._model.path import Segment, TcpPath, Verdict
from .tcp_measure import HEADERS, Run
from .tcp_plain import PlainRun
from .tcp_search import End, Report, SizeSearch, outcomes

QUEUE_FULL = (
    "the far end repeats its SYN-ACK although the connection is made: its accept queue is full (see the listener's "
    "backlog), so that nothing which is sent reaches it"
)
ABOVE_MSS = "larger packets than its MSS allows were lost, which a middlebox may do: what the path carries is not known"


def conclude(path: TcpPath, run: Run) -> TcpPath:
    """Fill in what raw segments showed."""
    path = replace(
        path,
        connections=run.target.opened,
        packets_sent=run.target.packets,
        bytes_sent=run.target.octets,
        advertised_mss=run.advertised_mss,
    )
    info = run.connection.info if run.connection is not None else None
    if info is not None:
        path = replace(
            path,
            send_mss=info.send_mss,
            kernel_path_mtu=info.path_mtu,
            retransmits=info.retransmits,
            round_trip_ms=round(min([info.round_trip_ms, *_milliseconds(run.target.round_trips).values()]), 3),
        )
    if run.search is None:
        return replace(path, verdict=Verdict.UNREACHABLE, reason=run.reason)
    path = _measured(path, run.search, run.offered, _milliseconds(run.target.round_trips))
    path = replace(path, seconds=round(max(0.0, run.decided - (run.first_sent or run.decided)), 6))
    if not run.search.best:
        return replace(path, reason=_silence(run))
    if run.search.end is End.UNDECIDED or run.search.end is None:
        return replace(path, reason=_join(path.reason, run.reason))
    return path


def conclude_plain(path: TcpPath, run: PlainRun, why: str, family: int) -> TcpPath:
    """Fill in what the kernel's own sockets showed. why: the reason that nothing better could be had."""
    path = replace(
        path,
        connections=run.connections,
        packets_sent=path.packets_sent + run.packets,
        bytes_sent=path.bytes_sent + run.octets,
        traceless=False,
        retransmits=run.retransmits,
    )
    if run.info is None or run.search is None:
        return replace(path, verdict=Verdict.UNREACHABLE, reason=_join(run.reason, why))
    if path.advertised_mss is None:
        least = run.info.send_mss + run.info.option_bytes
        # The kernel takes the smaller one of what the far end offers and of what its own path MTU leaves.
        exact = least + HEADERS[family] < run.info.path_mtu
        path = replace(path, advertised_mss=least, advertised_mss_exact=exact)
    path = replace(
        path,
        send_mss=run.info.send_mss,
        kernel_path_mtu=run.info.path_mtu,
        round_trip_ms=round(run.info.round_trip_ms, 3),
        seconds=round(run.seconds, 6),
    )
    path = _measured(path, run.search, run.offered, _milliseconds(run.round_trips))
    if run.search.end is End.LINK and path.link_mtu is not None and run.offered < path.link_mtu:
        path = replace(path, path_mtu=None, confidence=0.0)
    if run.cached is not None and run.search.end is End.LINK:
        said = f"the kernel had learned a path MTU of {run.cached}: nothing larger could be sent"
        path = replace(path, verdict=Verdict.UNKNOWN, reason=said)
    return replace(path, reason=_join(path.reason, run.reason, f"measured with the kernel's own sockets, {why}"))


def _measured(path: TcpPath, search: SizeSearch, offered: int, round_trips: Mapping[int, float]) -> TcpPath:
    """Fill in sizes and verdict."""
    named = search.named
    mtu, above_mss = _path_mtu(search, offered)
    path = replace(
        path,
        path_mtu=mtu,
        at_least=search.best,
        reported_mtu=named.mtu if named else None,
        router=named.router if named else None,
        confidence=round(1.0 - search.doubt, 9) if mtu is not None else 0.0,
        segments=tuple(_segment(size, outcome, report, round_trips) for size, outcome, report in outcomes(search)),
        verdict=_verdict(search, mtu, offered),
        reason=ABOVE_MSS if above_mss else None,
    )
    if mtu is None and not above_mss and search.best:
        path = replace(path, reason=f"at least {search.best}; whether more passes was not decided")
    return path


def _path_mtu(search: SizeSearch, offered: int) -> Tuple[Optional[int], bool]:
    """Return the path MTU where it is certain, and whether only the advertised MSS stands in the way of that."""
    if search.end in (End.LINK, End.REPORTED):
        return search.best, False
    if search.end is End.SILENT:
        return (search.best, False) if search.best < offered else (None, True)
    return None, False


def _verdict(search: SizeSearch, mtu: Optional[int], offered: int) -> Verdict:
    """A path that carries whatever the advertised MSS lets a client send is ok, even if it carries no more."""
    if search.best and search.best >= offered:
        return Verdict.OK
    if mtu is None:
        return Verdict.UNKNOWN
    return Verdict.REDUCED if search.named is not None else Verdict.BLACK_HOLE


def _silence(run: Run) -> str:
    if run.repeats:
        return QUEUE_FULL
    if run.rejection:
        return run.rejection
    return "the connection is made, but no single segment was acknowledged"


def _segment(size: int, outcome: str, report: Optional[Report], round_trips: Mapping[int, float]) -> Segment:
    took = round_trips.get(size)
    if report is None:
        return Segment(size, outcome, round_trip_ms=None if took is None else round(took, 3))
    return Segment(size, outcome, reported_mtu=report.mtu or None, router=report.router)


def _milliseconds(seconds: Mapping[int, float]) -> Dict[int, float]:
    return {size: took * 1000 for size, took in seconds.items()}


def _join(*reasons: Optional[str]) -> Optional[str]:
    return "; ".join(reason for reason in reasons if reason) or None
