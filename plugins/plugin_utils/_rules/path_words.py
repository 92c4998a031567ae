# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured about a path, in words and as evidence."""

from __future__ import annotations

from typing import List, Optional

from ...module_utils._model.finding import Evidence, Target
from ...module_utils._model.path import Verdict
from .making import Place
from .path_view import DirectionView, PathView, Way

METHODS = {
    "icmp": "ICMP echo",
    "udp": "UDP and our responder",
    "tcp": "single TCP segments",
}
CLASS_WORDS = {
    "host-host": "host to host",
    "pod-pod": "pod to pod",
    "host-pod": "host to pod",
    "outside-nodeport": "outside to node port",
}
VETH_ALLOWANCE = 4
"""Bytes beyond its MTU that a device lets in for a VLAN tag: Linux include/linux/netdevice.h __is_skb_forwardable."""


def path_target(path: PathView) -> Target:
    """Return what a finding about a path is about: the namespace that it was measured from, and its far end."""
    host = path.source.host or path.source.name
    if path.source.owner is None:
        return Target(host=host, scope="unknown", peer=path.peer_identity)
    return Place(host, path.source.owner).target(peer=path.peer_identity)


def way_name(direction: DirectionView) -> str:
    """Return "n1 to n3"."""
    return f"{direction.sender.name} to {direction.receiver.name}"


def outcome(direction: DirectionView) -> str:
    """Return what a direction does with packets, in words."""
    most = direction.path_mtu if direction.path_mtu is not None else None
    carried = f"carries {most} bytes" if most is not None else f"carries {direction.at_least} bytes at least"
    if direction.verdict is Verdict.BLACK_HOLE:
        unseen = "; whether ICMP tells its sender cannot be seen from the other end"
        return f"{carried}, larger packets vanish" + (" without ICMP" if direction.icmp_observable else unseen)
    if direction.verdict is Verdict.REDUCED:
        if direction.router is None and direction.reported_mtu is None and direction.reason is not None:
            return f"{carried}: {direction.reason}"
        return f"{carried}, larger packets are refused by ICMP"
    if direction.verdict is Verdict.UNREACHABLE:
        return "nothing came back, whatever the size" + (f" ({direction.reason})" if direction.reason else "")
    if direction.verdict is Verdict.UNKNOWN:
        known = f"; {direction.at_least} bytes did arrive" if direction.at_least else ""
        return f"not known: {direction.reason}{known}"
    return carried


def told(direction: DirectionView) -> str:
    """Return one direction with its outcome: "n1 to n3 carries 1400 bytes, larger packets ..."."""
    verb = ": " if direction.verdict in (Verdict.UNREACHABLE, Verdict.UNKNOWN) else " "
    return f"{way_name(direction)}{verb}{outcome(direction)}"


def source_of(path: PathView) -> str:
    """Return how and from where it was measured."""
    return f"{METHODS.get(path.method or '', 'measured')}, from {path.source.name}"


def measurement(path: PathView) -> List[Optional[Evidence]]:
    """Return the whole measurement as evidence: sizes, tries, routers, loss, confidence, and what was there before."""
    found: List[Optional[Evidence]] = []
    for _way, direction in path.ways:
        found.extend(_direction(path, direction))
    found.extend(
        [
            _maybe(f"MTU of {path.device or 'the link'}, by which {path.source.name} sends", path.link_mtu, "netlink"),
            _maybe(expected_words(path), path.expected_mtu, None),
            _maybe("advertised MSS in bytes", path.advertised_mss, source_of(path)),
            _maybe(f"path MTU that the kernel of {path.source.name} had learned before", path.hidden_by, "netlink"),
            _maybe("TCP retransmissions meanwhile", path.retransmits or None, "TCP_INFO"),
            loss(path),
            _maybe("packets sent for this", path.packets_sent, None),
        ]
    )
    return found


def _direction(path: PathView, direction: DirectionView) -> List[Optional[Evidence]]:
    way = way_name(direction)
    if direction.verdict in (Verdict.UNKNOWN, Verdict.UNREACHABLE):
        return [Evidence(told(direction), None, source_of(path))]
    router = f"{direction.router or 'a router'} said by ICMP that it takes from {direction.sender.name}"
    sure = "" if direction.confidence is None else f", confidence {direction.confidence:.6g}"
    first = (direction.path_mtu or direction.at_least) + 1
    return [
        Evidence(f"path MTU {way} in bytes{sure}", direction.path_mtu or direction.at_least, source_of(path)),
        _maybe(f"packets of {first} bytes and more, {way}, that did not pass", direction.tries_above or None, None)
        if direction.narrow
        else None,
        _maybe(router, direction.reported_mtu, None),
    ]


def _maybe(what: str, value: Optional[int], source: Optional[str]) -> Optional[Evidence]:
    return None if value is None else Evidence(what, value, source)


def expected_words(path: PathView) -> str:
    """Return what the expectation of a path rests on."""
    because = f" ({path.expected_because})" if path.expected_because else ""
    return f"bytes that it should carry{because}"


def loss(path: PathView) -> Optional[Evidence]:
    """Return the packets lost of those that should have passed; None where there were none to lose."""
    if path.samples <= 0:
        return None
    share = 100 * path.lost / path.samples
    return Evidence(f"packets lost of {path.samples} whose size passes", f"{path.lost} ({share:.3g} %)")


def wanted(path: PathView) -> str:
    """Return what the path should carry, in words."""
    if path.expected_mtu is not None:
        return f"{path.expected_mtu} bytes in both directions" if path.back else f"{path.expected_mtu} bytes"
    if path.link_mtu is not None:
        return f"{path.link_mtu} bytes, the MTU of {path.device or 'the link'} of {path.source.name}"
    return "whatever the sender's link can send"


def veth_signature(path: PathView, way: Way) -> Optional[Evidence]:
    """Tell the two ends of one link that disagree by what they let through.

    A device takes in frames of its MTU and four bytes. Where a direction carries exactly four bytes more than its
    receiver's own link sends, that link is where the packets end.
    """
    directions = dict(path.ways)
    direction = directions[way]
    other = directions.get(Way.BACK if way is Way.FORWARD else Way.FORWARD)
    own = path.link_mtu if way is Way.BACK else other.link_mtu if other is not None else None
    if own is None or direction.path_mtu != own + VETH_ALLOWANCE or not direction.narrow:
        return None
    what = (
        f"{direction.path_mtu} is {own}, the MTU of the link of {direction.receiver.name}, and {VETH_ALLOWANCE} bytes "
        "for a VLAN tag: the other end of that link is larger and sends it more than it takes (MTU-003, MTU-004)"
    )
    return Evidence(what, None, "Linux include/linux/netdevice.h __is_skb_forwardable")
