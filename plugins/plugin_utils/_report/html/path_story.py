# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the path picture tells: who sends to which port, through which nodes, and where a full-size packet ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ..._rules import plain
from ..._rules.path_view import IP_AND_TCP
from .hints import LargePod, host_links, large_pods, path_overlays
from .port_facts import PortFact, port_facts
from .port_story import derived, overlay_hop
from .story import Hop, Lane, Story
from .words import in_order, listed, plural

Record = Mapping[str, Any]
MOST_STORIES = 4
MOST_LANES = 6
NODE_PORT = "outside-nodeport"


@dataclass(frozen=True)
class Known:
    """What the rest of the report says about the way. overlays, links: MTU in bytes by overlay, and by host.

    ports: what kube-proxy's rules say, by address family and port.
    """

    pods: Tuple[LargePod, ...]
    ports: Mapping[Tuple[str, int], PortFact]
    overlays: Mapping[str, int]
    links: Mapping[str, int]


def tell(document: Record) -> List[Story]:
    """Return a story for each node port that was measured from outside, worst first.

    Where none was measured, one for each overlay that is too small for a pod on it.
    """
    findings = plain.records(document, "findings")
    pods = large_pods(findings)
    paths = plain.records(document, "paths")
    ports = _ports(paths)
    if ports:
        known = Known(tuple(pods), port_facts(findings), path_overlays(paths), host_links(paths))
        told = [_measured(entries, known) for entries in ports.values()]
    else:
        told = derived(pods)
    return sorted(_joined(told), key=lambda one: (-one.hit, one.title))


def _joined(stories: Sequence[Story]) -> List[Story]:
    """Tell once what several ports have in common."""
    groups: Dict[Tuple[object, ...], List[Story]] = {}
    for one in stories:
        groups.setdefault((one.senders, one.lanes, one.full, one.sender), []).append(one)
    return [
        replace(
            same[0],
            targets=tuple(in_order([one.targets[0] for one in same])),
            leads=tuple(line for one in same for line in one.leads),
        )
        for same in groups.values()
    ]


def _ports(paths: Sequence[Record]) -> Dict[Tuple[str, int, str], List[Record]]:
    found: Dict[Tuple[str, int, str], List[Record]] = {}
    for entry in paths:
        port = plain.whole(entry, "port")
        if entry.get("kind") == "tcp" and entry.get("class") == NODE_PORT and port is not None:
            source = plain.text(plain.record(entry, "source"), "name") or "?"
            found.setdefault((source, port, plain.text(entry, "family") or "ipv4"), []).append(entry)
    return found


def _measured(entries: Sequence[Record], known: Known) -> Story:
    first = entries[0]
    source, family = plain.record(first, "source"), plain.text(first, "family") or "ipv4"
    sender, full = plain.text(source, "name") or "?", _full_size(entries, family)
    groups: Dict[Tuple[str, Optional[int]], List[Record]] = {}
    for entry in entries:
        groups.setdefault((str(entry.get("verdict")), plain.whole(entry, "path_mtu")), []).append(entry)
    fact = known.ports.get((family, plain.whole(first, "port") or 0))
    home = _home(entries, known.pods, fact)
    lanes = [_lane(group, home, known, family) for group in groups.values()]
    device = plain.text(first, "device")
    return Story(
        targets=(str(plain.whole(first, "port")),),
        sender=sender + (" by IPv6" if family == "ipv6" else ""),
        senders=(
            Hop("client", "any client", None, "its packets end at the load balancer"),
            Hop("load balancer", sender, plain.whole(first, "link_mtu"), f"sends by {device}" if device else ""),
        ),
        lanes=tuple(_fewer(sorted(lanes, key=lambda lane: (lane.dies_at is None, -lane.count)))),
        full=full,
        measured=True,
        leads=() if fact is None else (fact.sentence,),
    )


def _fewer(lanes: List[Lane]) -> List[Lane]:
    """Put the rarest outcomes together where there are more than a picture can show."""
    if len(lanes) <= MOST_LANES:
        return lanes
    broken = [lane for lane in lanes if lane.dies_at is not None]
    sound = [lane for lane in lanes if lane.dies_at is None]
    return [*_first(broken, MOST_LANES - 2), *_first(sound, MOST_LANES // 2 - 1)]


def _first(lanes: List[Lane], most: int) -> List[Lane]:
    if len(lanes) <= most:
        return lanes
    rest = lanes[most - 1 :]
    nodes = tuple(in_order([name for lane in rest for name in lane.nodes]))
    sizes = [lane.carries for lane in rest if lane.carries is not None]
    dies_at = None if rest[0].dies_at is None else 1
    hops = (
        Hop("node", plural(len(nodes), "node"), None, listed(nodes, 3)),
        Hop("on the way", "several places", min(sizes, default=None)),
        Hop("pod", "behind the port"),
    )
    words = "fail" if dies_at is not None else "not known in short"
    outcome = f"{words} in {len(rest)} other ways: see the measured paths"
    return [*lanes[: most - 1], Lane(nodes, len(nodes), hops, dies_at, min(sizes, default=None), outcome)]


def _full_size(entries: Sequence[Record], family: str) -> Optional[int]:
    """The largest packet that the sender makes: its own link's, or what the port's MSS invites to, if that is less."""
    sizes = []
    for entry in entries:
        link, mss = plain.whole(entry, "link_mtu"), plain.whole(entry, "advertised_mss")
        limits = [link, None if mss is None else mss + IP_AND_TCP.get(family, 40)]
        sizes.extend([min(size for size in limits if size is not None)] if any(limits) else [])
    return max(sizes, default=None)


def _home(entries: Sequence[Record], pods: Sequence[LargePod], fact: Optional[PortFact] = None) -> Optional[LargePod]:
    """The pod behind the port: as kube-proxy's rules name it, else where node, MTU and the sizes leave no doubt."""
    if fact is not None:
        named = [one for one in pods if (one.host, one.name) in fact.pods]
        return named[0] if len(named) == len(fact.pods) == 1 else None
    sound = {plain.text(plain.record(one, "peer"), "host") for one in entries if one.get("verdict") == "ok"}
    narrow = {
        plain.whole(one, "path_mtu") for one in entries if one.get("verdict") in ("black hole", "reduced, ICMP works")
    }
    fitting = [one for one in pods if one.host in sound and one.overlay.mtu in narrow]
    return fitting[0] if len(fitting) == 1 and len(sound) == 1 else None


def _lane(group: Sequence[Record], home: Optional[LargePod], known: Known, family: str) -> Lane:
    first = group[0]
    nodes = in_order([_node(entry) for entry in group])
    verdict, carries = str(first.get("verdict")), plain.whole(first, "path_mtu") or plain.whole(first, "at_least")
    mss = plain.whole(first, "advertised_mss")
    announced = mss + IP_AND_TCP.get(family, 40) if mss is not None else None
    links = {known.links.get(name, home.overlay.underlay_mtu if home else None) for name in nodes}
    node = Hop(
        "node",
        listed(nodes, 3) if len(nodes) <= 3 else plural(len(nodes), "node"),
        links.pop() if len(links) == 1 else None,
        listed(nodes, 3) if len(nodes) > 3 else plural(len(nodes), "node") if nodes[1:] else "",
    )
    overlay = _overlay(verdict, carries, home, known.overlays)
    pod = Hop(
        "pod",
        home.name if home else "behind the port",
        home.mtu if home else announced,
        f"on {home.host}" if home else "by the MSS that it offers" if announced else "",
    )
    if verdict == "unreachable":
        return Lane(tuple(nodes), len(nodes), (node, pod), 0, None, "no answer, whatever the size")
    if verdict == "unknown":
        reason = plain.text(first, "reason") or "no reason given"
        return Lane(tuple(nodes), len(nodes), (node, pod), None, carries, f"not known: {reason}")
    if verdict == "ok":
        direct = (node, pod) if home else (node, *([overlay] if overlay else []), pod)
        return Lane(tuple(nodes), len(nodes), direct, None, carries, f"full-size packets pass: {carries} bytes")
    narrow = overlay or Hop("on the way", "somewhere", carries, "a trace finds the place")
    words = "vanish without a word" if verdict == "black hole" else "are refused by ICMP"
    return Lane(
        tuple(nodes),
        len(nodes),
        (node, narrow, pod),
        1 if verdict == "black hole" else None,
        carries,
        f"packets over {carries} bytes {words}",
    )


def _overlay(
    verdict: str, carries: Optional[int], home: Optional[LargePod], overlays: Mapping[str, int]
) -> Optional[Hop]:
    """The overlay that explains what passes: the one of the pod, else the only one with that MTU."""
    if home is not None and home.overlay.mtu == carries:
        return overlay_hop(home.overlay)
    fitting = [name for name, mtu in overlays.items() if mtu == carries]
    if len(fitting) != 1:
        return None
    return Hop("overlay", fitting[0], overlays[fitting[0]], "but on the pod's own node" if verdict == "ok" else "")


def _node(entry: Record) -> str:
    peer = plain.record(entry, "peer")
    return plain.text(peer, "host") or plain.text(peer, "name") or "?"
