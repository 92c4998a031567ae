# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted drops on the incident's path: each is named at its right place, and the trace leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

import pytest
from incident_path import BRIDGED, NODE_PORT, OURS, POD, build, nft, node_port, overlay, trace
from network_lab import Lab

from ansible_collections.netfit.cluster.plugins.module_utils._locate.locate import Answer
from ansible_collections.netfit.cluster.plugins.module_utils._model.trace import DropKind, Spot
from ansible_collections.netfit.cluster.plugins.module_utils._trace.sender import BurstOptions
from ansible_collections.netfit.cluster.plugins.module_utils._trace.tracefs import open_tracefs

NAMESPACES = ("client", "n1", "router", "n2", "pod", "bridged")
EDGES = tuple(name for name in NAMESPACES if name != "n1")
"""n1 alone may learn something: that the outer packets of its tunnel do not fit, as from any traffic of that size."""
FULL = BurstOptions(POD, size=1500)
FITS = BurstOptions(POD, size=1450)


@pytest.fixture
def path(lab: Lab) -> Iterator[Lab]:
    """The incident's path; a trace must leave no path-MTU exception, socket, file or trace instance behind."""
    build(lab)
    before = leftovers(lab)
    yield lab
    assert leftovers(lab) == before


def leftovers(lab: Lab) -> Dict[str, Any]:
    """Return what a trace could forget: trace instances, files, open descriptors, sockets and learned path MTUs."""
    tracefs = open_tracefs()
    directory = os.open("instances", os.O_RDONLY, dir_fd=tracefs)
    try:
        instances = os.listdir(directory)
    finally:
        os.close(tracefs)
        os.close(directory)
    own = f"-{os.getpid()}-"
    records = sorted(path.name for path in Path("/run/netfit").glob("trace-*")) if Path("/run/netfit").exists() else []
    return {
        "instances": [name for name in instances if own in name],
        "records": records,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "sockets": {name: lab.inside(name, sockets) for name in NAMESPACES},
        "learned": learned(lab, *EDGES),
    }


def sockets() -> int:
    """Return how many raw and packet sockets there are in the calling thread's namespace."""
    files = ("packet", "raw", "raw6")
    return sum(len(Path("/proc/thread-self/net", name).read_text().splitlines()) - 1 for name in files)


def learned(lab: Lab, *names: str) -> Dict[str, Any]:
    """Return the learned path MTUs in namespaces that have some."""
    found = {
        name: [route for family in ("-4", "-6") for route in lab.ip_json(name, family, "route", "show", "cache")]
        for name in names
    }
    return {name: routes for name, routes in found.items() if routes}


def spot(place: Optional[Spot]) -> Optional[str]:
    """Return a place as "host/owner link direction"."""
    if place is None:
        return None
    return f"{place.host}/{(place.owner.name or '').rpartition('/')[2]} {place.link} {place.direction}"


def between(answer: Answer) -> tuple:
    print(answer.drop.text)
    for step in answer.steps:
        print("   ", spot(step.spot), step.passing, step.failing, step.tunnel)
    print("   ", answer.drop.icmp, answer.drop.evidence)
    return spot(answer.drop.last_seen), spot(answer.drop.next_expected)


def test_01_too_big_for_the_overlay_at_the_node_that_the_request_came_in_at(path: Lab) -> None:
    answer = trace(path, FULL)
    assert between(answer) == ("n1/n1 eth0 in", "n1/n1 flannel.1 out")
    assert answer.drop.kind is DropKind.TOO_BIG and "PKT_TOO_BIG" in str(answer.drop.reason)
    assert answer.drop.icmp.arrived and answer.drop.icmp.sent_by == NODE_PORT
    assert learned(path, *("client", "n1", "n2", "pod")) == {}


def test_01_the_same_over_the_node_port_that_translates_addresses(path: Lab) -> None:
    node_port(path)
    answer = trace(path, BurstOptions(NODE_PORT, protocol="tcp", port=30004, size=1500))
    assert between(answer) == ("n1/n1 eth0 in", "n1/n1 flannel.1 out")
    assert answer.drop.kind is DropKind.TOO_BIG
    assert [spot(step.spot) for step in answer.steps][-1] == "n2/pod eth0 in"


def test_02_too_big_for_the_pod_s_link(path: Lab) -> None:
    path.ip("n2", "link set cali1 mtu 1400")
    path.ip("pod", "link set eth0 mtu 1400")
    answer = trace(path, FITS)
    assert between(answer) == ("n2/n2 flannel.1 in", "n2/n2 cali1 out")
    assert answer.drop.kind is DropKind.TOO_BIG


def narrow_underlay(lab: Lab) -> None:
    lab.ip("router", "link set r1 mtu 1400")
    lab.ip("n2", "link set eth0 mtu 1400")


DIRECT = BurstOptions("10.103.0.1", size=1500)


def test_03_too_big_for_a_router_s_next_link(path: Lab) -> None:
    narrow_underlay(path)
    path.ip("n2", "route add 10.101.0.0/25 via 10.103.0.254")
    answer = trace(path, DIRECT)
    assert between(answer) == ("rt/router r0 in", "rt/router r1 out")
    assert answer.drop.kind is DropKind.TOO_BIG
    assert answer.drop.icmp.arrived and answer.drop.icmp.host == "rt"


def test_04_the_router_s_own_rule_eats_its_icmp(path: Lab) -> None:
    narrow_underlay(path)
    path.ip("n2", "route add 10.101.0.0/25 via 10.103.0.254")
    nft(path, "router", "table ip f {\n chain out { type filter hook output priority 0;\n"
        "  icmp type destination-unreachable icmp code 4 counter drop\n }\n}\n")  # fmt: skip
    answer = trace(path, DIRECT)
    assert between(answer) == ("rt/router r0 in", "rt/router r1 out")
    assert answer.drop.kind is DropKind.TOO_BIG
    assert answer.drop.icmp.sent and not answer.drop.icmp.arrived
    assert "icmp type destination-unreachable" in answer.drop.icmp.filtered_by


@pytest.mark.parametrize("counter", ["counter", ""])
def test_05_the_node_does_not_let_the_icmp_of_another_through(path: Lab, counter: str) -> None:
    narrow_underlay(path)
    path.ip("n2", "route add 10.101.0.0/25 via 10.103.0.254")
    nft(path, "n1", "table ip f {\n chain over { type filter hook forward priority 0;\n"
        f"  icmp type destination-unreachable {counter} drop\n }}\n}}\n")  # fmt: skip
    answer = trace(path, DIRECT)
    assert between(answer) == ("rt/router r0 in", "rt/router r1 out")
    assert answer.drop.icmp.sent and answer.drop.icmp.arrived is False
    assert spot(answer.drop.icmp.last_seen) == "n1/n1 eth1 in"
    assert "icmp type destination-unreachable" in answer.drop.icmp.filtered_by


def test_06_the_tunnel_s_outer_packet_does_not_fit_the_underlay(path: Lab) -> None:
    for name in ("n1", "n2"):
        path.ip(name, "link delete flannel.1")
    overlay(path, "df", "set")
    narrow_underlay(path)
    nft(path, "router", "table ip f {\n chain out { type filter hook output priority 0;\n  icmp code 4 drop\n }\n}\n")
    ours = {host: names for host, names in OURS.items() if host != "rt"}
    answer = trace(path, FITS, ours)
    assert between(answer) == ("n1/n1 eth1 out", "n2/n2 eth0 in")
    assert answer.drop.kind is DropKind.TUNNEL


def test_06_the_tunnel_s_device_learns_that_it_does_not_fit(path: Lab) -> None:
    for name in ("n1", "n2"):
        path.ip(name, "link delete flannel.1")
    overlay(path, "df", "set")
    narrow_underlay(path)
    answer = trace(path, FITS)
    assert between(answer) == ("n1/n1 flannel.1 out", "n1/n1 eth1 out")
    assert answer.drop.kind is DropKind.TUNNEL
    assert list(learned(path, *NAMESPACES)) == ["n1"]


def test_07_the_ends_of_a_segment_disagree(path: Lab) -> None:
    path.ip("pod", "link set eth0 mtu 1400")
    answer = trace(path, FITS)
    assert between(answer) == ("n2/n2 cali1 out", "n2/pod eth0 in")
    assert answer.drop.kind is DropKind.SEGMENT
    assert not answer.drop.icmp.sent


def test_08_a_bridge_drops_without_a_word(path: Lab) -> None:
    path.ip("n2", "link set veth2 mtu 1400", "link set cni0 mtu 1500")
    answer = trace(path, BurstOptions(BRIDGED, size=1450))
    assert between(answer) == ("n2/n2 cni0 out", "n2/n2 veth2 out")
    assert answer.drop.kind is DropKind.BRIDGE


@pytest.mark.parametrize("counter", ["counter", ""])
def test_09_a_rule_in_forward_drops_by_length(path: Lab, counter: str) -> None:
    nft(path, "n2", "table inet f {\n chain over { type filter hook forward priority 0;\n"
        f"  ip length > 1400 {counter} drop comment \"no giants\"\n }}\n}}\n")  # fmt: skip
    answer = trace(path, FITS)
    assert between(answer) == ("n2/n2 flannel.1 in", "n2/n2 cali1 out")
    assert answer.drop.kind is DropKind.FIREWALL
    assert "ip length > 1400" in answer.drop.rule and "no giants" in answer.drop.rule


def test_10_a_rule_at_the_far_end_s_input(path: Lab) -> None:
    nft(path, "pod", "table inet f {\n chain in { type filter hook input priority 0;\n  ip length > 1400 drop\n }\n}\n")
    answer = trace(path, FITS)
    assert between(answer) == ("n2/pod eth0 in", None)
    assert answer.drop.kind is DropKind.FIREWALL
    assert "ip length > 1400" in answer.drop.rule


def test_10_a_rule_at_the_sender_s_output(path: Lab) -> None:
    nft(
        path,
        "client",
        "table inet f {\n chain o { type filter hook output priority 0;\n  ip length > 1400 counter drop\n }\n}\n",
    )
    answer = trace(path, FITS)
    assert between(answer) == (None, "lb/client eth0 out")
    assert answer.drop.kind is DropKind.FIREWALL


def test_11_the_reverse_path_filter(path: Lab) -> None:
    path.ip("n2", "route add 10.101.0.1/32 via 10.103.0.254")
    path.sysctl("n2", "net.ipv4.conf.all.rp_filter", "1")
    answer = trace(path, FITS)
    assert between(answer) == ("n2/n2 flannel.1 in", None)
    assert answer.drop.kind is DropKind.REVERSE_PATH


SLEEPING_LISTENER = """
import socket, sys
server = socket.socket(); server.bind(("0.0.0.0", 8081)); server.listen(1)
clients = []
for _ in range(2):
    client = socket.socket(); client.connect(("127.0.0.1", 8081)); clients.append(client)
print("ready", flush=True); sys.stdin.read()
"""


def test_12_a_full_accept_queue(path: Lab) -> None:
    process = path.start("ip", "netns", "exec", path.name("pod"), "python3", "-c", SLEEPING_LISTENER)
    answer = trace(path, BurstOptions(POD, protocol="tcp", port=8081, size=1400))
    path.stop(process)
    assert between(answer) == ("n2/pod eth0 in", None)
    assert answer.drop.kind is DropKind.LISTEN_OVERFLOW


def test_13_a_host_that_is_not_ours(path: Lab) -> None:
    narrow_underlay(path)
    path.ip("n2", "route add 10.101.0.0/25 via 10.103.0.254")
    ours = {"lb": ("client",), "n1": ("n1",)}
    answer = trace(path, DIRECT, ours)
    assert between(answer) == ("n1/n1 eth1 out", None)
    assert answer.drop.kind is DropKind.BEYOND
    assert answer.drop.icmp.sent_by == "10.102.0.254"


def test_14_nothing_is_dropped(path: Lab) -> None:
    answer = trace(path, FITS)
    assert between(answer) == ("n2/pod eth0 in", None)
    assert answer.drop.kind is DropKind.NONE
    assert answer.gap is None


def test_15_more_than_the_sender_s_own_link_takes(path: Lab) -> None:
    answer = trace(path, BurstOptions(POD, size=1501))
    assert between(answer) == (None, "lb/client eth0 out")
    assert answer.drop.kind is DropKind.TOO_BIG


SIX = (
    ("n1", "eth1", "fd02::2", "router", "r0"),
    ("router", "r0", "fd02::1", "n1", "eth1"),
    ("router", "r1", "fd03::1", "n2", "eth0"),
    ("n2", "eth0", "fd03::2", "router", "r1"),
    ("client", "eth0", "fd01::2", "n1", "eth0"),
    ("n1", "eth0", "fd01::1", "client", "eth0"),
)


@pytest.mark.parametrize(("protocol", "port"), [("udp", None), ("tcp", 81)])
def test_16_ipv6_too_big_for_a_router_teaches_the_sender_nothing(path: Lab, protocol: str, port: Optional[int]) -> None:
    for name in ("n1", "router"):
        path.sysctl(name, "net.ipv6.conf.all.forwarding", "1")
    path.ip("client", "addr add fd01::1/64 dev eth0 nodad", "route add fd00::/8 via fd01::2")
    path.ip("n1", "addr add fd01::2/64 dev eth0 nodad", "addr add fd02::1/64 dev eth1 nodad")
    path.ip("n1", "route add fd03::/64 via fd02::2")
    path.ip("router", "addr add fd02::2/64 dev r0 nodad", "addr add fd03::2/64 dev r1 nodad")
    path.ip("router", "route add fd01::/64 via fd02::1", "link set r1 mtu 1400")
    path.ip("n2", "addr add fd03::1/64 dev eth0 nodad", "route add fd00::/8 via fd03::2", "link set eth0 mtu 1400")
    for name, link, address, other, far in SIX:
        hardware = path.ip_json(other, "link", "show", far)[0]["address"]
        path.ip(name, f"neigh replace {address} lladdr {hardware} dev {link} nud permanent")
    answer = trace(path, BurstOptions("fd03::1", protocol=protocol, port=port, size=1500))
    assert between(answer) == ("rt/router r0 in", "rt/router r1 out")
    assert answer.drop.kind is DropKind.TOO_BIG
    assert answer.drop.icmp is not None and answer.drop.icmp.arrived and answer.drop.icmp.sent_by == "fd02::2"
    assert learned(path, *NAMESPACES) == {}
