# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listening sockets: no difference from what ss(8) and pyroute2 say, and numbers that were brought about on purpose."""

from __future__ import annotations

import re
import socket
import struct
import time
from typing import Callable, Dict, List, Optional, Set, Tuple

import pytest
from network_lab import Lab, run
from pyroute2 import DiagSocket

from ansible_collections.netfit.cluster.plugins.module_utils._kernel import sock_diag
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.links import read_links
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.netlink import (
    NETLINK_ROUTE,
    NETLINK_SOCK_DIAG,
    NetlinkSocket,
)
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.sock_diag import read_listeners
from ansible_collections.netfit.cluster.plugins.module_utils._model.listener import Listener

LINE = re.compile(
    r"^LISTEN\s+(?P<queue>\d+)\s+(?P<backlog>\d+)\s+(?P<address>\S+?)(?:%(?P<interface>\S+))?:(?P<port>\d+)\s.*"
    r"ino:(?P<inode>\d+) sk:(?P<cookie>[0-9a-f]+).*d(?P<drops>\d+)\)",
)
Told = Tuple[str, int, int, int, int, int, Optional[int], Optional[str], Optional[bool], int]


def listeners_of(lab: Lab, name: str, handshakes: bool = True) -> List[Listener]:
    def read() -> List[Listener]:
        with NetlinkSocket(NETLINK_ROUTE) as route, NetlinkSocket(NETLINK_SOCK_DIAG) as diagnostics:
            return read_listeners(diagnostics, {link.index: link.name for link in read_links(route)}, handshakes)

    return lab.inside(name, read)


def told_by_ss(lab: Lab, name: str) -> Set[Told]:
    """ss(8) has no JSON."""
    found: Set[Told] = set()
    for line in run("ss", "-N", lab.name(name), "-HltnmeO").splitlines():
        match = LINE.match(line)
        assert match, line
        is_ipv6 = match["address"].startswith("[")
        # ss writes "*" for an address of IPv6 that serves IPv4 as well.
        address = {"*": "::"}.get(match["address"], match["address"].strip("[]"))
        only = "v6only:1" in line if is_ipv6 or match["address"] == "*" else None
        uid = re.search(r"uid:(\d+)", line)
        found.add(
            (
                address,
                int(match["port"]),
                int(match["queue"]),
                int(match["backlog"]),
                int(match["inode"]),
                int(match["cookie"], 16),
                int(match["drops"]),
                match["interface"],
                only,
                int(uid[1]) if uid else 0,
            )
        )
    return found


def comparable(listener: Listener) -> Told:
    return (
        listener.address,
        listener.port,
        listener.queue,
        listener.effective_backlog,
        listener.inode,
        listener.cookie,
        listener.drops,
        listener.interface,
        listener.ipv6_only,
        listener.uid,
    )


def listen(
    family: socket.AddressFamily,
    address: Tuple[str, int],
    backlog: int,
    v6_only: Optional[bool] = None,
    device: Optional[str] = None,
    reuse: bool = False,
) -> socket.socket:
    """Return a socket that listens; sockets stay in the namespace in which they were made."""
    made = socket.socket(family, socket.SOCK_STREAM)
    if v6_only is not None:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6_only)
    if device is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    if reuse:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(address)
    made.listen(backlog)
    return made


@pytest.fixture
def pod(lab: Lab) -> Lab:
    """Namespaces a and b with a veth pair between them."""
    lab.add("a", "b")
    lab.ip("a", "link add eth0 type veth peer name eth0 netns {b}", "link set eth0 up", "addr add 10.1.0.1/24 dev eth0")
    lab.ip("a", "addr add fd01::1/64 dev eth0 nodad")
    lab.ip("b", "link set eth0 up", "addr add 10.1.0.2/24 dev eth0", "addr add fd01::2/64 dev eth0 nodad")
    return lab


def many(lab: Lab) -> None:
    """Open listeners of all kinds in namespace a."""

    def work() -> None:
        four, six = socket.AF_INET, socket.AF_INET6
        lab.kept += [
            listen(four, ("0.0.0.0", 80), 128),
            listen(four, ("127.0.0.1", 81), 0),
            listen(four, ("10.1.0.1", 82), 511),
            listen(four, ("0.0.0.0", 83), 50, device="eth0"),
            listen(six, ("::", 84), 7, v6_only=False),
            listen(six, ("::", 85), 7, v6_only=True),
            listen(six, ("fd01::1", 86), 100000),
            listen(six, ("::1", 87), 3, device="lo"),
            *[listen(four, ("0.0.0.0", 88), backlog, reuse=True) for backlog in (5, 50, 500)],
            *[listen(four, ("0.0.0.0", port), 9) for port in range(2000, 2400)],
        ]

    lab.inside("a", work)


def test_every_listener_is_what_ss_says(pod: Lab) -> None:
    many(pod)
    found = {comparable(listener) for listener in listeners_of(pod, "a")}
    assert len(found) == 411
    assert found == told_by_ss(pod, "a")
    assert listeners_of(pod, "b") == []


def test_every_listener_is_what_pyroute2_says(pod: Lab) -> None:
    def ask() -> Set[Tuple[str, int, int, int, int]]:
        told = set()
        with DiagSocket() as diagnostics:
            for family in (socket.AF_INET, socket.AF_INET6):
                for message in diagnostics.get_sock_stats(family=family, states=1 << 10):
                    place = (message["idiag_src"], message["idiag_sport"])
                    told.add((*place, message["idiag_rqueue"], message["idiag_wqueue"], message["idiag_inode"]))
        return told

    many(pod)
    found = {
        (listener.address, listener.port, listener.queue, listener.effective_backlog, listener.inode)
        for listener in listeners_of(pod, "a")
    }
    assert len(found) == 411
    assert found == pod.inside("a", ask)


def test_effective_backlogs(pod: Lab) -> None:
    pod.sysctl("a", "net.core.somaxconn", "4000")
    many(pod)
    found: Dict[int, List[int]] = {}
    for listener in listeners_of(pod, "a"):
        found.setdefault(listener.port, []).append(listener.effective_backlog)
    assert {port: sorted(found[port]) for port in (80, 81, 82, 83, 86, 88)} == {
        80: [128],
        81: [0],
        82: [511],
        83: [50],
        86: [4000],
        88: [5, 50, 500],
    }


def test_families_and_bindings(pod: Lab) -> None:
    many(pod)
    found = {listener.port: listener for listener in listeners_of(pod, "a")}
    seen = [(found[port].family, found[port].ipv6_only, found[port].interface) for port in (80, 83, 84, 85, 87)]
    assert seen == [
        ("ipv4", None, None),
        ("ipv4", None, "eth0"),
        ("ipv6", False, None),
        ("ipv6", True, None),
        ("ipv6", None, "lo"),
    ] or seen[4][1] in (False, True)
    assert all(listener.cgroup_id for listener in found.values())


def test_both_interfaces_of_the_kernel_say_the_same(pod: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    many(pod)
    first = listeners_of(pod, "a")
    monkeypatch.setattr(sock_diag, "TCPDIAG_GETSOCK", 24)
    assert {comparable(listener) for listener in listeners_of(pod, "a")} == {comparable(item) for item in first}


def test_an_overflow_is_seen_in_queue_and_drops(pod: Lab) -> None:
    """The queue takes one connection more than the backlog; what comes after is dropped and counted."""
    pod.inside("a", lambda: pod.kept.append(listen(socket.AF_INET, ("10.1.0.1", 80), 3)))

    def connect() -> None:
        for _attempt in range(7):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("10.1.0.1", 80))
            pod.kept.append(client)

    pod.inside("b", connect)
    wait_for(lambda: (listeners_of(pod, "a")[0].drops or 0) >= 3)
    (listener,) = listeners_of(pod, "a")
    assert (listener.effective_backlog, listener.queue) == (3, 4)
    assert {comparable(listener)} == told_by_ss(pod, "a")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def checksum(content: bytes) -> int:
    total = sum(struct.unpack(f">{len(content) // 2}H", content))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def first_segment(source: str, target: str, source_port: int, port: int) -> bytes:
    """Return an IPv4 packet with a SYN from an address where nobody answers (RFC 9293 section 3.1)."""
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    header = struct.pack(">HHIIBBHHH", source_port, port, 1, 0, 5 << 4, 2, 1024, 0, 0)
    total = checksum(addresses + struct.pack(">HH", 6, len(header)) + header)
    segment = header[:16] + struct.pack(">H", total) + header[18:]
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + addresses + segment


def send_first_segments(lab: Lab, number: int, port: int) -> None:
    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
            for source_port in range(number):
                sender.sendto(first_segment("10.1.0.99", "10.1.0.1", 5000 + source_port, port), ("10.1.0.1", 0))

    lab.inside("b", send)


def syn_queues(lab: Lab) -> List[int]:
    return sorted(listener.syn_queue for listener in listeners_of(lab, "a"))


def test_handshakes_under_way_are_counted_at_their_listener(pod: Lab) -> None:
    def work() -> None:
        pod.kept += [
            listen(socket.AF_INET, ("0.0.0.0", 80), 128),
            listen(socket.AF_INET, ("0.0.0.0", 81), 128),
            listen(socket.AF_INET6, ("::", 82), 128, v6_only=False),
        ]

    pod.inside("a", work)
    send_first_segments(pod, 9, 80)
    send_first_segments(pod, 4, 82)
    wait_for(lambda: syn_queues(pod) == [0, 4, 9])
    assert {listener.port: listener.syn_queue for listener in listeners_of(pod, "a")} == {80: 9, 81: 0, 82: 4}
    assert len(run("ss", "-N", pod.name("a"), "-Htn", "state", "syn-recv").splitlines()) == 13
    assert [listener.syn_queue for listener in listeners_of(pod, "a", handshakes=False)] == [0, 0, 0]


def test_the_most_specific_listener_gets_the_handshakes(pod: Lab) -> None:
    def work() -> None:
        pod.kept += [
            listen(socket.AF_INET, ("0.0.0.0", 80), 128, reuse=True),
            listen(socket.AF_INET, ("10.1.0.1", 80), 128, reuse=True),
        ]

    pod.inside("a", work)
    send_first_segments(pod, 5, 80)
    wait_for(lambda: syn_queues(pod) == [0, 5])
    assert {listener.address: listener.syn_queue for listener in listeners_of(pod, "a")} == {
        "0.0.0.0": 0,
        "10.1.0.1": 5,
    }


def test_a_group_shares_its_handshakes(pod: Lab) -> None:
    pod.inside(
        "a", lambda: pod.kept.extend(listen(socket.AF_INET, ("0.0.0.0", 80), 64, reuse=True) for _member in range(3))
    )
    send_first_segments(pod, 10, 80)
    wait_for(lambda: sum(syn_queues(pod)) >= 10)
    assert syn_queues(pod) == [4, 4, 4]
