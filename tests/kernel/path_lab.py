# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path A - R1 - R2 - B of network namespaces, both directions with MTUs of their own, and what ends on it."""

from __future__ import annotations

import select
import time
from typing import Any, Dict, List, Sequence

from network_lab import Lab, run

from ansible_collections.netfit.cluster.plugins.module_utils._probe.transport import (
    Arrived,
    Event,
    Probe,
    Transport,
    Way,
)

ADDRESS = {4: {"a": "10.9.1.1", "b": "10.9.3.2"}, 6: {"a": "fd09:1::1", "b": "fd09:3::2"}}


def build_path(lab: Lab, forward: int = 1500, back: int = 1500, near: int = 1500, far: int = 1500) -> None:
    """Make the path. forward, back: MTU of the middle for each direction; near, far: of A's and B's own links.

    The ends in the middle take 9000 bytes: what narrows a direction is the MTU of the sending router's route, so that
    it answers with ICMP.
    """
    lab.add("a", "r1", "r2", "b")
    for name in ("a", "r1", "r2", "b"):
        # Addresses are usable at once.
        for scope in ("all", "default"):
            lab.sysctl(name, f"net.ipv6.conf.{scope}.accept_dad", "0")
            lab.sysctl(name, f"net.ipv6.conf.{scope}.dad_transmits", "0")
    lab.ip(
        "r1",
        "link add toa mtu 9000 type veth peer name eth0 netns {a}",
        "link add mid1 mtu 9000 type veth peer name mid2 mtu 9000 netns {r2}",
    )
    lab.ip("r2", "link add tob mtu 9000 type veth peer name eth0 netns {b}")
    lab.ip("a", f"link set eth0 mtu {near}")
    lab.ip("b", f"link set eth0 mtu {far}")
    for name, link, network, host in (
        ("a", "eth0", 1, 1),
        ("r1", "toa", 1, 2),
        ("r1", "mid1", 2, 1),
        ("r2", "mid2", 2, 2),
        ("r2", "tob", 3, 1),
        ("b", "eth0", 3, 2),
    ):
        lab.ip(
            name,
            f"link set {link} up",
            f"addr add 10.9.{network}.{host}/24 dev {link}",
            f"addr add fd09:{network}::{host}/64 dev {link} nodad",
        )
    for name in ("r1", "r2"):
        lab.sysctl(name, "net.ipv4.ip_forward", "1")
        lab.sysctl(name, "net.ipv6.conf.all.forwarding", "1")
    lab.ip("a", "route add default via 10.9.1.2", "route add default via fd09:1::2")
    lab.ip("b", "route add default via 10.9.3.1", "route add default via fd09:3::1")
    for name, network, way, mtu in (("r1", 3, "2::2", forward), ("r2", 1, "2::1", back)):
        gateway = f"10.9.2.{way[-1]}"
        lab.ip(
            name,
            f"route add 10.9.{network}.0/24 via {gateway} mtu {mtu}",
            f"route add fd09:{network}::/64 via fd09:{way} mtu {mtu}",
        )


def silence(lab: Lab, *names: str) -> None:
    """Let routers say nothing: drop the ICMP errors that they make."""
    rules = (
        "table inet nf-silence { chain out { type filter hook output priority 0;"
        " icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }; }"
    )
    for name in names:
        run("ip", "netns", "exec", lab.name(name), "nft", "-f", "-", given=rules)


def exceptions(lab: Lab, name: str) -> List[str]:
    """Return what the kernel has learned about path MTUs in a namespace, IPv4 and IPv6."""
    found = []
    for family in ("-4", "-6"):
        text = run("ip", "-n", lab.name(name), family, "route", "show", "cache")
        found += [line for line in text.splitlines() if line.strip()]
    return found


def exchange(transport: Transport, probes: Sequence[Probe], wait: float = 0.3) -> List[Event]:
    """Send probes and return what comes of it within ``wait`` seconds."""
    transport.send(probes)
    poll = select.poll()
    for descriptor in transport.descriptors:
        poll.register(descriptor, select.POLLIN)
    events = list(transport.receive(time.monotonic()))
    end = time.monotonic() + wait
    while time.monotonic() < end:
        poll.poll(max(0.0, (end - time.monotonic()) * 1000))
        events += transport.receive(time.monotonic())
    return events


class Driver:
    """Finds the largest size of each way by sending all sizes of a list at once."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._number = 0
        self.events: List[Event] = []

    def largest(self, way: Way, sizes: Sequence[int], path: int = 0) -> int:
        """Return the largest size that arrived, 0 for none."""
        first = self._number + 1
        self._number += len(sizes)
        events = exchange(self._transport, [Probe(path, way, size, first + i) for i, size in enumerate(sizes)])
        self.events += events
        return max((one.probe.size for one in events if isinstance(one, Arrived) and one.probe.way is way), default=0)

    def fields(self, kind: type) -> List[Dict[str, Any]]:
        """Return the fields of the events of one kind."""
        return [event._asdict() for event in self.events if isinstance(event, kind)]
