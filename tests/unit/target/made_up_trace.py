# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations of a trace, made up: a way over several hosts, each with a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Owner, OwnerKind
from ansible_collections.netfit.cluster.plugins.module_utils._model.sighting import (
    Burst,
    FirewallRule,
    HostTrace,
    IcmpMessage,
    KernelDrop,
    Sighting,
    SightingKind,
    WatchedLink,
    WatchedNamespace,
)

COUNT = 20
SPACING = 0.008
"""Between two packets of one size; one of the other size is sent half way."""
BURST = Burst("netfit-unit", "icmp", "ipv4", "10.0.0.1", "10.9.9.9", 100, 1500, 576, COUNT, (COUNT, COUNT))


@dataclass(frozen=True)
class Stop:
    """An interface on a made-up way; time to live and tunnel as they are there."""

    host: str
    namespace: int
    link: str
    direction: str
    hops: int = 64
    tunnel: Optional[str] = None
    outer: Optional[int] = None


def observe(
    way: Sequence[Stop],
    reached: int,
    answered: Tuple[int, int] = (COUNT, COUNT),
    clocks: Optional[Dict[str, float]] = None,
    small: Optional[int] = None,
) -> Dict[str, HostTrace]:
    """Return what the hosts of a way saw: small packets everywhere, or at the first ``small`` stops, large ones at the
    first ``reached``. answered: how many of each size were. clocks: what each host's clock says at the beginning."""
    clocks = clocks or {}
    found: Dict[str, List[Sighting]] = {stop.host: [] for stop in way}
    for position, stop in enumerate(way):
        begin = clocks.get(stop.host, 0.0) + position * 1e-5
        if position < (len(way) if small is None else small):
            found[stop.host].append(_seen(stop, 576, range(COUNT), begin))
        if position < reached:
            found[stop.host].append(_seen(stop, 1500, range(COUNT, 2 * COUNT), begin + SPACING / 2))
    last = way[-1]
    numbers = (*range(answered[0]), *range(COUNT, COUNT + answered[1]))
    if numbers:
        reply = replace(_seen(last, 576, range(1), 9.0), kind=SightingKind.REPLY, direction="out")
        found[last.host].append(replace(reply, numbers=numbers, moments=(9.0,) * len(numbers)))
    return {host: _host(host, sightings) for host, sightings in found.items()}


def _seen(stop: Stop, size: int, numbers: Sequence[int], begin: float) -> Sighting:
    return Sighting(
        SightingKind.FORWARD,
        stop.namespace,
        stop.link,
        stop.direction,
        size,
        size if stop.tunnel is None else size + 50,
        tuple(numbers),
        tuple(begin + SPACING * number for number in range(len(numbers))),
        stop.hops,
        stop.tunnel,
        stop.outer,
    )


def _host(name: str, sightings: List[Sighting]) -> HostTrace:
    links: Dict[int, Dict[str, WatchedLink]] = {}
    for one in sightings:
        links.setdefault(one.namespace, {})[one.link] = WatchedLink(1, one.link, "veth", 1500)
    namespaces = tuple(
        WatchedNamespace(inode, Owner(OwnerKind.HOST, name), tuple(known.values())) for inode, known in links.items()
    )
    return HostTrace("netfit-unit", name, tuple(sightings), namespaces)


def having(traces: Dict[str, HostTrace], host: str, **changes: Any) -> Dict[str, HostTrace]:
    """Return the observations with something of a host changed. counters, rx_dropped, tx_dropped: of all it has."""
    trace = traces[host]
    namespaces = list(trace.namespaces)
    for name in ("rx_dropped", "tx_dropped"):
        if name in changes:
            value = changes.pop(name)
            namespaces = [
                replace(one, links=tuple(replace(link, **{name: value}) for link in one.links)) for one in namespaces
            ]
    if "counters" in changes:
        counters = changes.pop("counters")
        namespaces = [replace(one, counters=counters) for one in namespaces]
    return {**traces, host: replace(trace, namespaces=tuple(namespaces), **changes)}


def rule(namespace: int, text: str, hook: str, packets: Optional[int]) -> FirewallRule:
    """Return a rule that drops."""
    return FirewallRule(namespace, text, "drop", (hook,), packets)


def freed(
    trace: HostTrace, link: str, location: str, reason: Optional[str], delay: float = 1e-5
) -> Tuple[KernelDrop, ...]:
    """Return the kernel's drops of the large packets soon after they were seen at a link."""
    moments = [moment for one in trace.sightings if one.link == link and one.size == 1500 for moment in one.moments]
    return tuple(KernelDrop(moment + 1e-5, location, reason) for moment in moments)


def too_big_message(stop: Stop, source: str, hops: int = 64, count: int = COUNT) -> Sighting:
    """Return an ICMP message about the large packets, as seen at a stop."""
    message = IcmpMessage(source, BURST.source, 3, 4, "ipv4", 1450)
    seen = _seen(stop, 1500, range(COUNT, COUNT + count), 5.0)
    return replace(seen, kind=SightingKind.ERROR, error=message, time_to_live=hops, length=576)
