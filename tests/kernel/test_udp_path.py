# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The UDP transport and its responder on real paths: exact in each direction, and nothing left behind."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List

import pytest
from network_lab import Lab, run
from path_lab import ADDRESS, Driver, build_path, exceptions, silence

from ansible_collections.netfit.cluster.plugins.module_utils._probe.arguments import options_of
from ansible_collections.netfit.cluster.plugins.module_utils._probe.datagram import Seal
from ansible_collections.netfit.cluster.plugins.module_utils._probe.measure import measure
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder import Responder, open_stations
from ansible_collections.netfit.cluster.plugins.module_utils._probe.responder_core import ResponderCore
from ansible_collections.netfit.cluster.plugins.module_utils._probe.targets import BadOption
from ansible_collections.netfit.cluster.plugins.module_utils._probe.transport import (
    Asked,
    LocalLimit,
    Rejected,
    Target,
    TooBig,
    Way,
)
from ansible_collections.netfit.cluster.plugins.module_utils._probe.udp import UdpTransport, open_udp

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
    targets = {0: Target(ADDRESS[family]["b"], 1500, port)}
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


def learn(lab: Lab, name: str, family: int, mtu: int) -> None:
    """Let a namespace learn a path MTU to the other end, as tools do that trust the kernel."""
    to = ADDRESS[family]["b" if name == "a" else "a"]

    def send() -> None:
        with socket.socket(FAMILY[family], socket.SOCK_DGRAM) as one:
            level, option = (socket.IPPROTO_IP, 10) if family == 4 else (socket.IPPROTO_IPV6, 23)
            one.setsockopt(level, option, 2)
            one.connect((to, 9))
            one.send(bytes(1400))

    lab.inside(name, send)
    assert any(f"mtu {mtu}" in line for line in exceptions(lab, name))


@pytest.mark.parametrize("family", [4, 6])
def test_what_the_kernel_had_learned_has_no_influence_and_stays(lab: Lab, family: int) -> None:
    build_path(lab, 1300, 1300)
    for name in "ab":
        learn(lab, name, family, 1300)
    for name, network, gateway in (("r1", 3, 2), ("r2", 1, 1)):
        lab.ip(name, f"route change 10.9.{network}.0/24 via 10.9.2.{gateway}")
        lab.ip(name, f"route change fd09:{network}::/64 via fd09:2::{gateway}")
    before = {name: stripped(exceptions(lab, name)) for name in "ab"}
    with responder(lab) as far, transport(lab, family, far.stations[0].port) as near:
        driver = Driver(near)
        assert (driver.largest(Way.FORWARD, SIZES), driver.largest(Way.BACK, SIZES)) == (1500, 1500)
    assert {name: stripped(exceptions(lab, name)) for name in "ab"} == before


def stripped(lines: List[str]) -> List[str]:
    """Return lines without the seconds that are left."""
    return [re.sub(r"expires \d+sec", "", line) for line in lines]


@pytest.mark.parametrize("family", [4, 6])
def test_the_links_at_both_ends_are_named_as_such(lab: Lab, family: int) -> None:
    build_path(lab, near=1400, far=1350)
    with responder(lab) as far, transport(lab, family, far.stations[0].port) as near:
        driver = Driver(near)
        assert driver.largest(Way.BACK, SIZES) == 1350
        driver.largest(Way.FORWARD, SIZES)
        limits = {(event["way"], event["mtu"]) for event in driver.fields(LocalLimit)}
    assert limits == {(Way.FORWARD, 1400), (Way.BACK, 1350)}
    assert {name: exceptions(lab, name) for name in "ab"} == {"a": [], "b": []}


@pytest.mark.parametrize("family", [4, 6])
def test_a_segment_that_drops_without_a_word(lab: Lab, family: int) -> None:
    build_path(lab)
    lab.ip("r2", "link set mid2 mtu 1346")
    with responder(lab) as far, transport(lab, family, far.stations[0].port) as near:
        driver = Driver(near)
        # A veth takes four bytes more than its MTU, room for a VLAN tag.
        assert driver.largest(Way.FORWARD, SIZES) == 1350
        assert driver.fields(TooBig) == []


def test_samples_are_granted_although_the_way_forward_is_narrow(lab: Lab) -> None:
    build_path(lab, forward=600)
    silence(lab, "r1")
    with responder(lab) as far, transport(lab, 4, far.stations[0].port) as near:
        driver = Driver(near)
        assert driver.largest(Way.FORWARD, [1500, 1500]) == 0
        assert driver.largest(Way.BACK, [1500, 1499]) == 1500


@pytest.mark.parametrize("family", [4, 6])
def test_no_more_bytes_leave_the_responder_than_reached_it(lab: Lab, family: int) -> None:
    build_path(lab, 700 if family == 4 else 1300, 1300)
    rules = (
        "table inet nf-count { counter came {}; counter left {};"
        " chain in { type filter hook input priority 0; meta l4proto udp counter name came; };"
        " chain out { type filter hook output priority 0; meta l4proto udp counter name left; }; }"
    )
    run("ip", "netns", "exec", lab.name("b"), "nft", "-f", "-", given=rules)
    with responder(lab) as far, transport(lab, family, far.stations[0].port) as near:
        driver = Driver(near)
        for sizes in ([600, 1280] if family == 4 else [1280], SIZES, [1300] * 60):
            driver.largest(Way.FORWARD, sizes)
            driver.largest(Way.BACK, sizes)
        assert len(driver.fields(Asked)) > 2
    listed = json.loads(run("ip", "netns", "exec", lab.name("b"), "nft", "-j", "list", "counters"))
    octets = {one["counter"]["name"]: one["counter"]["bytes"] for one in listed["nftables"] if "counter" in one}
    assert 0 < octets["left"] <= octets["came"]


@pytest.mark.parametrize("family", [4, 6])
def test_who_does_not_know_the_token_gets_nothing(lab: Lab, family: int) -> None:
    build_path(lab)
    with responder(lab) as far, transport(lab, family, far.stations[0].port, b"some other token") as near:
        driver = Driver(near)
        driver.largest(Way.FORWARD, SIZES)
        driver.largest(Way.BACK, SIZES)
        assert driver.events == []
        assert far.core.heard is None


@pytest.mark.parametrize("family", [4, 6])
def test_a_port_with_nobody_behind_it_is_told(lab: Lab, family: int) -> None:
    build_path(lab)
    with transport(lab, family, 47998) as near:
        driver = Driver(near)
        driver.largest(Way.FORWARD, [1300])
        assert [event["reason"] for event in driver.fields(Rejected)] == ["Connection refused"]


@pytest.mark.parametrize("family", [4, 6])
def test_a_target_without_a_route_is_told(lab: Lab, family: int) -> None:
    build_path(lab)
    lab.ip("a", "route del default via 10.9.1.2", "route del default via fd09:1::2")
    with transport(lab, family, 47998) as near:
        driver = Driver(near)
        driver.largest(Way.FORWARD, [1300])
        assert [event["reason"] for event in driver.fields(Rejected)] == ["Network is unreachable"]


def test_the_prober_needs_no_rights_for_ipv4(lab: Lab) -> None:
    """In a process of user nobody; over IPv6 it says that it hears nothing of "packet too big"."""
    build_path(lab, 1350, 1400)
    with responder(lab) as far:
        script = (
            "import os, sys; sys.path[:0] = {path!r}\n"
            "import socket\n"
            "from path_lab import Driver\n"
            "from ansible_collections.netfit.cluster.plugins.module_utils._probe.transport import Target, TooBig, Way\n"
            "from ansible_collections.netfit.cluster.plugins.module_utils._probe.udp import open_udp\n"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            "for family, address in ((socket.AF_INET, '10.9.3.2'), (socket.AF_INET6, 'fd09:3::2')):\n"
            "    near = open_udp(family, {{0: Target(address, 1500, {port})}}, {token!r})\n"
            "    driver = Driver(near)\n"
            "    print(driver.largest(Way.FORWARD, {sizes!r}), driver.largest(Way.BACK, {sizes!r}),\n"
            "          near.hears_too_big, bool(driver.fields(TooBig)))\n"
        ).format(path=[one for one in sys.path if one], port=far.stations[0].port, token=TOKEN, sizes=list(SIZES))
        printed = run("ip", "netns", "exec", lab.name("a"), sys.executable, "-c", script).splitlines()
    assert printed[0] == "1350 1400 True True"
    assert printed[1].startswith("1350 1400 False")
    assert {name: exceptions(lab, name) for name in "ab"} == {"a": [], "b": []}


def measured(lab: Lab, **more: Any) -> Dict[str, Any]:
    """Return what the module path_mtu_info finds from a to b."""
    given = {"targets": [ADDRESS[more.pop("ip", 4)]["b"]], "source": {"namespace": lab.path("a")}, **more}
    given = {"max_packets": 10000, "max_bytes": 1 << 26, "max_packets_per_target": 2000, "timeout": 20.0, **given}
    (path,) = measure(options_of(given)).as_fact()["paths"]
    assert isinstance(path, dict)
    return path


@pytest.mark.parametrize("ip", [4, 6])
@pytest.mark.parametrize("method", ["udp", "auto"])
@pytest.mark.parametrize(
    ("forward", "back", "talking"),
    [(1500, 1500, True), (1400, 1350, True), (1350, 1400, False), (1500, 1300, False), (1300, 1500, False)],
)
def test_the_module_measures_both_directions(
    lab: Lab, ip: int, method: str, forward: int, back: int, talking: bool
) -> None:
    build_path(lab, forward, back)
    if not talking:
        silence(lab, "r1", "r2")
    with responder(lab) as far:
        path = measured(lab, ip=ip, method=method, responder_port=far.stations[0].port, token=TOKEN.decode())
    assert path["method"] == "udp"
    assert (path["forward"]["path_mtu"], path["back"]["path_mtu"]) == (forward, back)
    narrow = "reduced, ICMP works" if talking else "black hole"
    expected = [narrow if mtu < 1500 else "ok" for mtu in (forward, back)]
    assert [path["forward"]["verdict"], path["back"]["verdict"]] == expected
    assert {name: exceptions(lab, name) for name in "ab"} == {"a": [], "b": []}
    if forward == back == 1500:
        assert path["packets_sent"] <= 7


def test_udp_without_what_it_takes_is_refused(lab: Lab) -> None:
    build_path(lab)
    for given in ({"responder_port": 1234}, {"token": "12345678"}, {}):
        with pytest.raises(BadOption, match=r"method is udp, and (token|responder_port) is missing"):
            measured(lab, method="udp", **given)
