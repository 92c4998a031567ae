# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The UDP transport and its responder on real paths: exact in each direction, and nothing left behind."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import Iterator

import pytest
from network_lab import Lab
from path_lab import ADDRESS, Driver, build_path, exceptions, silence

from ansible_collections.netfit.cluster.plugins.module_utils._probe.datagram import Seal
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder import Responder, open_stations
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder_core import ResponderCore
from ansible_collections.netfit.cluster.plugins.module_utils._probe.transport import Asked, TooBig, Way
from ansible_collections.netfit.cluster.plugins.module_utils._probe.udp import UdpTarget, UdpTransport, open_udp

TOKEN = b"a token of this test run"
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
SIZES = (1280, 1299, 1300, 1301, 1349, 1350, 1351, 1399, 1400, 1401, 1499, 1500)


@contextmanager
def responder(lab: Lab, name: str = "b", lifetime: float = 20.0) -> Iterator[Responder]:
    """Serve in a thread; the sockets are closed at the end."""
    stop = threading.Event()
    serving = Responder(
        lab.inside(name, lambda: open_stations(lab.inode(name), 0)),
        ResponderCore(Seal(TOKEN)),
        is_alive=lambda _inode: not stop.is_set(),
    )
    thread = threading.Thread(target=serving.serve, args=(lifetime,))
    thread.start()
    try:
        yield serving
    finally:
        stop.set()
        thread.join()


@contextmanager
def transport(lab: Lab, family: int, port: int, token: bytes = TOKEN) -> Iterator[UdpTransport]:
    """Open a transport in namespace a to b."""
    targets = {0: UdpTarget(ADDRESS[family]["b"], port)}
    one = lab.inside("a", lambda: open_udp(FAMILY[family], targets, token))
    try:
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("talking", [True, False], ids=["icmp", "silent"])
@pytest.mark.parametrize(("forward", "back"), [(1350, 1400), (1400, 1300), (1500, 1350), (1500, 1500)])
def test_each_direction_is_exact(lab: Lab, family: int, talking: bool, forward: int, back: int) -> None:
    build_path(lab, forward, back)
    if not talking:
        silence(lab, "r1", "r2")
    with responder(lab) as far, transport(lab, family, far.stations[0].port) as near:
        driver = Driver(near)
        assert driver.largest(Way.FORWARD, SIZES) == forward
        assert driver.largest(Way.BACK, SIZES) == back
        reported = {(event["way"], event["mtu"], event["router"]) for event in driver.fields(TooBig)}
        asked = {number for event in driver.fields(Asked) for number in event["numbers"]}
    routers = {4: ("10.9.1.2", "10.9.3.1"), 6: ("fd09:1::2", "fd09:3::1")}[family]
    expected = {(Way.FORWARD, forward, routers[0])} if forward < 1500 else set()
    expected |= {(Way.BACK, back, routers[1])} if back < 1500 else set()
    assert reported == (expected if talking else set())
    assert asked == set(range(len(SIZES) + 1, 2 * len(SIZES) + 1))
    assert {name: exceptions(lab, name) for name in "ab"} == {"a": [], "b": []}
