# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client of an open port gets, over real paths; the kernel learns nothing, the application sees nothing."""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import Any, Callable, Dict, List

import pytest
from network_lab import Lab, run
from tcp_lab import DEFAULTS, NO_ICMP, PORT, Server, address_of, chain, counter, exceptions, measured, nft

from ansible_collections.netfit.cluster.plugins.module_utils._probe import tcp_path

FAMILIES = ("ipv4", "ipv6")
HEADERS = {"ipv4": 40, "ipv6": 60}


@pytest.fixture
def routed(lab: Lab) -> Lab:
    """Client, two routers with 1450 between them, server that listens and accepts."""
    chain(lab)
    lab.server = Server(lab, "server").start()  # type: ignore[attr-defined]
    return lab


def outcomes(path: Dict[str, Any]) -> Dict[int, str]:
    return {one["size"]: one["outcome"] for one in path["segments"]}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_path_that_works_only_because_icmp_arrives(routed: Lab, family: str) -> None:
    (path,) = measured(routed, address_of(family), expected_mtu=1450)
    assert (path["verdict"], path["path_mtu"], path["reported_mtu"]) == ("reduced, ICMP works", 1450, 1450)
    assert path["router"] == {"ipv4": "10.9.1.1", "ipv6": "fd09:1::1"}[family]
    assert path["advertised_mss"] == 1500 - HEADERS[family]
    assert path["send_mss"] == path["advertised_mss"] - 12
    assert outcomes(path)[1450] == "arrived"
    assert (outcomes(path)[1451], outcomes(path)[1500]) == ("too big", "too big")
    assert path["connections"] == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_a_black_hole(routed: Lab, family: str) -> None:
    nft(routed, "client", "input", *NO_ICMP)
    (path,) = measured(routed, address_of(family), expected_mtu=1450)
    assert (path["verdict"], path["path_mtu"], path["reported_mtu"]) == ("black hole", 1450, None)
    assert path["confidence"] > 0.99999
    assert path["traceless"] is True


@pytest.mark.parametrize("icmp", [True, False])
def test_the_path_mtu_is_found_without_a_hint(lab: Lab, icmp: bool) -> None:
    chain(lab, 1337)
    Server(lab, "server").start()
    if not icmp:
        nft(lab, "client", "input", *NO_ICMP)
    for path in measured(lab, *[address_of(family) for family in FAMILIES]):
        assert path["path_mtu"] == 1337
        assert path["verdict"] == ("reduced, ICMP works" if icmp else "black hole")


def test_a_clear_path_takes_few_packets(lab: Lab) -> None:
    chain(lab, 1500)
    Server(lab, "server").start()
    (path,) = measured(lab, address_of("ipv4"))
    assert (path["verdict"], path["path_mtu"], path["confidence"]) == ("ok", 1500, 1.0)
    assert path["packets_sent"] <= 8


@pytest.mark.parametrize("filtered", [True, False])
def test_nothing_is_learned_and_nothing_is_delivered(routed: Lab, filtered: bool) -> None:
    if filtered:
        nft(routed, "client", "input", *NO_ICMP)
    paths = measured(routed, *[address_of(family) for family in FAMILIES])
    assert [path["path_mtu"] for path in paths] == [1450, 1450]
    assert [path["learned"] for path in paths] == [[], []]
    assert exceptions(routed) == []
    assert exceptions(routed, "server") == []
    server = routed.server  # type: ignore[attr-defined]
    assert server.accepted >= 2
    assert server.received == []
    assert counter(routed, "client", "TcpRetransSegs") == 0
    assert run("ip", "netns", "exec", routed.name("client"), "ss", "-Htan") == ""


def test_our_kernel_takes_the_messages_for_none_of_its_own(routed: Lab) -> None:
    measured(routed, address_of("ipv4"))
    assert counter(routed, "client", "TcpExtOutOfWindowIcmps") >= 1


@pytest.mark.parametrize("family", FAMILIES)
def test_what_was_learned_before_is_reported_and_does_not_lie(lab: Lab, family: str) -> None:
    """The path has been repaired, and the kernel still remembers how narrow it was."""
    chain(lab, 1400)
    Server(lab, "server").start()

    def teach() -> None:
        sender = socket.socket(socket.AF_INET if family == "ipv4" else socket.AF_INET6, socket.SOCK_DGRAM)
        with sender:
            sender.setsockopt(*((0, 10, 2) if family == "ipv4" else (41, 23, 2)))
            sender.connect((address_of(family).rsplit(":", 1)[0].strip("[]"), 9))
            sender.send(bytes(1450))
            time.sleep(0.1)

    lab.inside("client", teach)
    before = exceptions(lab)
    assert len(before) == 1
    lab.ip("near", "link set eth1 mtu 1500")
    lab.ip("far", "link set eth1 mtu 1500")
    (path,) = measured(lab, address_of(family))
    assert (path["cached_mtu"], path["kernel_path_mtu"]) == (1400, 1400)
    assert (path["path_mtu"], path["verdict"], path["learned"]) == (1500, "ok", [])
    assert len(exceptions(lab)) == 1


@pytest.mark.parametrize(
    "sysctl, value", [("net.ipv4.tcp_sack", "0"), ("net.ipv4.tcp_timestamps", "0"), ("net.ipv4.tcp_dsack", "0")]
)
@pytest.mark.parametrize("icmp", [True, False])
def test_a_far_end_with_fewer_options(routed: Lab, sysctl: str, value: str, icmp: bool) -> None:
    routed.sysctl("server", sysctl, value)
    if not icmp:
        nft(routed, "client", "input", *NO_ICMP)
    for path in measured(routed, *[address_of(family) for family in FAMILIES]):
        assert path["path_mtu"] == 1450
        assert path["verdict"] == ("reduced, ICMP works" if icmp else "black hole")
    assert routed.server.received == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("percent", [5, 15])
@pytest.mark.parametrize("icmp", [True, False])
def test_loss_makes_no_wrong_answer(routed: Lab, percent: int, icmp: bool) -> None:
    nft(routed, "far", "forward", f"numgen random mod 100 < {percent} drop")
    if not icmp:
        nft(routed, "client", "input", *NO_ICMP)
    for path in measured(routed, *[address_of(family) for family in FAMILIES], timeout=8.0):
        assert path["path_mtu"] in (1450, None)
        assert path["verdict"] in ("unknown", "unreachable", "reduced, ICMP works" if icmp else "black hole")


def test_a_closed_port(routed: Lab) -> None:
    (path,) = measured(routed, "10.9.3.2:81")
    assert path["verdict"] == "unreachable"
    assert path["reason"] == "connection refused: nobody listens on this port"


def test_a_filtered_port(routed: Lab) -> None:
    nft(routed, "server", "input", "tcp dport 81 drop")
    (path,) = measured(routed, "10.9.3.2:81", timeout=1.0)
    assert path["verdict"] == "unreachable"
    assert "no answer to the SYN" in path["reason"]
    assert "filtered" in path["reason"]


def test_a_full_accept_queue_is_told(routed: Lab) -> None:
    """Nobody accepts: two connections fill the queue, the third is complete for its client only."""
    Server(routed, "server", port=82, backlog=1)
    waiting: List[socket.socket] = []

    def fill(count: int) -> Callable[[], None]:
        return lambda: waiting.extend(socket.create_connection(("10.9.3.2", 82), 2) for _number in range(count))

    routed.inside("client", fill(2))
    (path,) = measured(routed, "10.9.3.2:82", timeout=2.0)
    for connection in waiting:
        connection.close()
    assert path["verdict"] in ("unknown", "unreachable")
    assert "accept queue" in path["reason"]


def test_own_addresses_are_refused(routed: Lab) -> None:
    own, broadcast, nowhere = measured(routed, "10.9.1.1:80", "10.9.1.255:80", "10.77.1.1:80", source="near")
    assert {path["verdict"] for path in (own, broadcast, nowhere)} == {"unreachable"}
    assert "address of this host" in own["reason"]
    assert "broadcast" in broadcast["reason"]
    assert "no route" in nowhere["reason"]
    assert {path["packets_sent"] for path in (own, broadcast, nowhere)} == {0}


def test_posts_show_what_a_client_gets(lab: Lab) -> None:
    """Bodies below the limit are answered, larger ones hang where nobody says why."""
    chain(lab)
    Server(lab, "server", answer=True).start()
    nft(lab, "client", "input", *NO_ICMP)
    (path,) = measured(lab, url=f"http://10.9.3.2:{PORT}/upload", body_sizes=[100, 1200, 1440, 20000], timeout=2.0)
    found = {request["body_bytes"]: (request["outcome"], request["status"]) for request in path["requests"]}
    assert found[100] == ("answered", 204)
    assert found[20000] == ("timed out", None)
    assert {request["body_bytes"]: request["retransmits"] for request in path["requests"]}[100] == 0
    assert {request["body_bytes"]: request["retransmits"] for request in path["requests"]}[20000] > 0
    assert path["traceless"] is False


def test_posts_over_a_path_whose_icmp_arrives(lab: Lab) -> None:
    chain(lab)
    Server(lab, "server", answer=True).start()
    (path,) = measured(lab, url=f"http://10.9.3.2:{PORT}/upload", body_sizes=[20000])
    assert path["requests"][0]["outcome"] == "answered"
    assert path["requests"][0]["path_mtu"] == 1450
    assert [one["mtu"] for one in path["learned"]] == [1450]


@pytest.mark.parametrize("icmp", [True, False])
def test_without_the_right_to_raw_sockets(routed: Lab, icmp: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(tcp_path, "measure", refuse)
    if not icmp:
        nft(routed, "client", "input", *NO_ICMP)
    for path in measured(routed, *[address_of(family) for family in FAMILIES], expected_mtu=1450):
        assert path["path_mtu"] == 1450
        assert path["verdict"] == ("reduced, ICMP works" if icmp else "black hole")
        assert path["traceless"] is False
        assert "become: true" in path["reason"]
        assert [one["mtu"] for one in path["learned"]] == ([1450] if icmp else [])


CHILD = """
import encodings.idna, json, os, sys
sys.path[:0] = {path!r}
from ansible_collections.netfit.cluster.plugins.module_utils._probe.tcp_options import run_tcp_path_info
os.setgroups([]); os.setgid(65534); os.setuid(65534)
class Module:
    check_mode = False
    params = {params!r}
    def exit_json(self, **result): print(json.dumps(result["paths"][0]))
    def fail_json(self, msg, **result): print(json.dumps({{"failed": msg}}))
run_tcp_path_info(Module())
"""


def test_a_user_without_rights_gets_what_can_be_had(routed: Lab) -> None:
    params = {**DEFAULTS, "targets": [address_of("ipv4")]}
    script = CHILD.format(path=[path for path in sys.path if path], params=params)
    path = json.loads(run("ip", "netns", "exec", routed.name("client"), sys.executable, "-c", script))
    assert (path["path_mtu"], path["verdict"], path["traceless"]) == (1450, "reduced, ICMP works", False)
    assert "CAP_NET_RAW" in path["reason"]
    assert [one["mtu"] for one in path["learned"]] == [1450]
