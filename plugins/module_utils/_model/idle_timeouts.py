# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether a server keeps idle connections for longer than the load balancer in front of it: pure.

Where it does not, the load balancer sends a request on a connection at the moment when the server closes it, and
answers its client with a 502. So it has to be the load balancer that closes first, by some seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Optional, Tuple

from .http_result import End
from .idle_defaults import LOAD_BALANCERS, SERVERS, LoadBalancer, Server

MARGIN_BY_DEFAULT = 10.0
"""Seconds by which a server should keep connections for longer: what Oracle asks for, and Google's client side has."""
BALANCERS = {one.key: one for one in LOAD_BALANCERS}


class NoSuchBalancer(ValueError):
    """No such load balancer is known, or not for how long it keeps connections; the message says what to do."""


class Verdict(Enum):
    """What a server's patience is, held against the load balancer's. MARGINAL: longer, but by less than the margin."""

    SHORT = "too short"
    MARGINAL = "marginal"
    OK = "long enough"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Comparison:
    """What to compare with. idle_seconds: None for nothing. margin: seconds."""

    name: Optional[str] = None
    idle_seconds: Optional[float] = None
    layer: int = 7
    margin: float = MARGIN_BY_DEFAULT


@dataclass(frozen=True)
class Seen:
    """What was seen of a server. kept: seconds after which it closed; at_least: for which connections were there."""

    ended: End
    kept: Optional[float] = None
    at_least: Optional[float] = None
    announced: Optional[float] = None


def compared_with(key: Optional[str], idle_seconds: Optional[float], margin: float = MARGIN_BY_DEFAULT) -> Comparison:
    """Return what a load balancer's key and its idle timeout (seconds; it wins) mean. Raises NoSuchBalancer."""
    if idle_seconds is not None and not 1 <= idle_seconds <= 86400:
        raise NoSuchBalancer(f"lb_idle_timeout is {idle_seconds:g}; it takes 1 to 86400 seconds")
    if key is None:
        return Comparison("the load balancer" if idle_seconds is not None else None, idle_seconds, margin=margin)
    balancer = BALANCERS.get(key)
    if balancer is None:
        raise NoSuchBalancer(
            f"load_balancer is {key!r}; known are {', '.join(sorted(BALANCERS))}; or set lb_idle_timeout"
        )
    seconds = idle_seconds if idle_seconds is not None else balancer.idle_seconds
    if seconds is None:
        raise NoSuchBalancer(f"load_balancer is {key!r} ({balancer.name}): {balancer.note}; set lb_idle_timeout")
    return Comparison(balancer.name, float(seconds), balancer.layer, margin)


def compare(seen: Seen, comparison: Comparison) -> Tuple[Optional[Verdict], Optional[str]]:
    """Return the verdict, None without anything to compare with, and why where it does not follow from the numbers."""
    idle = comparison.idle_seconds
    if idle is None:
        return None, None
    if comparison.layer == 4:
        return Verdict.UNKNOWN, f"{comparison.name} passes its clients' connections on and has none of its own to reuse"
    if seen.ended is End.FAILED:
        return Verdict.UNKNOWN, None
    if seen.ended is End.NOT_KEPT:
        return Verdict.OK, "every answer ends its connection, so that none is reused"
    if seen.ended is End.SILENT:
        return _silent(seen, idle)
    if seen.kept is not None:
        return _judge(seen.kept, idle, comparison.margin), None
    if (seen.at_least or 0.0) >= idle + comparison.margin:
        return Verdict.OK, None
    if seen.announced is not None:
        return _judge(seen.announced, idle, comparison.margin), "as the Keep-Alive header of its answer announces"
    return Verdict.UNKNOWN, (
        f"it was watched for {seen.at_least or 0.0:.0f} s, which does not tell; "
        f"{idle + comparison.margin:.0f} s would (longest)"
    )


def _silent(seen: Seen, idle: float) -> Tuple[Verdict, str]:
    if (seen.at_least or 0.0) <= idle:
        return Verdict.SHORT, "something on the way forgot the connection and told neither end"
    return (
        Verdict.UNKNOWN,
        f"something on the way forgot the connection within {seen.at_least or 0.0:.0f} s, in silence",
    )


def _judge(kept: float, idle: float, margin: float) -> Verdict:
    if kept <= idle:
        return Verdict.SHORT
    return Verdict.MARGINAL if kept < idle + margin else Verdict.OK


def judge_default(server: Server, balancer: LoadBalancer, margin: float = MARGIN_BY_DEFAULT) -> Verdict:
    """Return the verdict on a server behind a load balancer where nobody has configured either."""
    if balancer.idle_seconds is None or balancer.layer == 4 or server.keep_seconds is None:
        return Verdict.UNKNOWN
    return _judge(server.keep_seconds, balancer.idle_seconds, margin)


def named_by(header: Optional[str]) -> Optional[Server]:
    """Return the server that a Server header names, None where it names none that is known."""
    known = [server for server in SERVERS if server.header and re.search(server.header, header or "", re.IGNORECASE)]
    return known[0] if known else None
