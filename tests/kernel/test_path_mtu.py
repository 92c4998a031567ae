# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Path MTUs of real namespaces in a row, a - r - b, as the module measures them, and what that leaves behind."""

from __future__ import annotations

import socket
import time
from typing import Iterator

import pytest
from network_lab import Lab, run

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Verdict
from ansible_collections.netfit.cluster.plugins.module_utils._probe.measure import MeasureOptions, measure
from ansible_collections.netfit.cluster.plugins.module_utils._probe.targets import Defaults

TARGETS = ("198.18.2.1", "2001:db8:2::1")
SOURCES = ("198.18.1.1", "2001:db8:1::1")
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, DO_DISCOVER = 10, 23, 2
SILENCE = (
    "add table inet quiet; add chain inet quiet o { type filter hook output priority 0; };"
    "add rule inet quiet o icmp type destination-unreachable drop;"
    "add rule inet quiet o icmpv6 type packet-too-big drop"
)


@pytest.fixture(name="row")
def _row() -> Iterator[Lab]:
    with Lab() as lab:
        lab.add("a", "r", "b")
        lab.ip("a", "link add a0 type veth peer name ra netns {r}")
        lab.ip("b", "link add b0 type veth peer name rb netns {r}")
        for name, device, four, six in (
            ("a", "a0", "198.18.1.1/24", "2001:db8:1::1/64"),
            ("r", "ra", "198.18.1.2/24", "2001:db8:1::2/64"),
            ("r", "rb", "198.18.2.2/24", "2001:db8:2::2/64"),
            ("b", "b0", "198.18.2.1/24", "2001:db8:2::1/64"),
        ):
            lab.ip(name, f"addr add {four} dev {device}", f"addr add {six} dev {device} nodad", f"link set {device} up")
        lab.sysctl("r", "net.ipv4.ip_forward", "1")
        lab.sysctl("r", "net.ipv6.conf.all.forwarding", "1")
        for name, number in (("a", 1), ("b", 2)):
            lab.ip(name, f"route add default via 198.18.{number}.2", f"route add default via 2001:db8:{number}::2")
        yield lab


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_a_link_whose_ends_disagree(row: Lab, target: str, silent: bool) -> None:
    row.ip("r", "link set rb mtu 1400")
    if silent:
        run("ip", "netns", "exec", row.name("r"), "nft", SILENCE)
    found = measure(MeasureOptions([target], Defaults(source={"namespace": row.path("a")}))).paths[0]
    assert found.forward.path_mtu == 1400
    assert found.forward.verdict is (Verdict.BLACK_HOLE if silent else Verdict.REDUCED)
    assert (found.back.path_mtu, found.back.verdict) == (1404, Verdict.BLACK_HOLE), "a veth takes four bytes more"
    assert found.learned == ()
    assert not row.ip_json("a", "route", "show", "cache")
    assert not row.ip_json("a", "-6", "route", "show", "cache")


def learn(row: Lab, sender: str, target: str) -> None:
    """Make a kernel learn a path MTU by itself, as any of its connections would."""
    family, kind = (socket.AF_INET6, "-6") if ":" in target else (socket.AF_INET, "-4")

    def send() -> None:
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, DO_DISCOVER)
            else:
                one.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, DO_DISCOVER)
            one.sendto(bytes(1440), (target, 9))

    for _turn in range(50):
        row.inside(sender, send)
        if row.ip_json(sender, kind, "route", "get", target)[0].get("metrics"):
            return
        time.sleep(0.02)
    raise AssertionError(f"{sender} has learned nothing about {target}")


def narrow(row: Lab, mtu: int) -> None:
    """Let the router take no larger packets in either direction, and say so; 1500 is everything."""
    for number in (1, 2):
        device = "ra" if number == 1 else "rb"
        row.ip(
            "r",
            f"route replace 198.18.{number}.0/24 dev {device} mtu lock {mtu}",
            f"route replace 2001:db8:{number}::/64 dev {device} mtu {mtu} metric 256",
        )


@pytest.mark.parametrize("target", TARGETS)
def test_what_the_own_kernel_remembers_is_not_the_path(row: Lab, target: str) -> None:
    narrow(row, 1400)
    learn(row, "a", target)
    narrow(row, 1500)
    found = measure(MeasureOptions([target], Defaults(source={"namespace": row.path("a")}))).paths[0]
    assert (found.forward.path_mtu, found.back.path_mtu, found.verdict) == (1500, 1500, Verdict.OK)
    assert found.cached_mtu == 1400
    assert found.learned == ()


@pytest.mark.parametrize(("target", "answers_to"), list(zip(TARGETS, SOURCES)))
def test_what_the_far_kernel_remembers_is_not_the_path(row: Lab, target: str, answers_to: str) -> None:
    narrow(row, 1400)
    learn(row, "b", answers_to)
    narrow(row, 1500)
    found = measure(MeasureOptions([target], Defaults(source={"namespace": row.path("a")}))).paths[0]
    assert (found.forward.path_mtu, found.back.path_mtu) == (1500, None)
    assert (found.back.verdict, found.back.at_most) == (Verdict.UNKNOWN, 1500)
    assert "the target itself" in str(found.back.reason)


def test_answers_that_a_router_fragments_show_the_way_back(row: Lab) -> None:
    row.ip("r", "route replace 198.18.1.0/24 dev ra mtu lock 1400")
    found = measure(MeasureOptions(TARGETS[:1], Defaults(source={"namespace": row.path("a")}))).paths[0]
    assert (found.forward.path_mtu, found.back.path_mtu) == (1500, 1400)


@pytest.mark.parametrize("target", TARGETS)
def test_loss_is_no_narrow_path(row: Lab, target: str) -> None:
    lossy = "add table inet lossy; add chain inet lossy f { type filter hook forward priority 0; };"
    run("ip", "netns", "exec", row.name("r"), "nft", lossy + "add rule inet lossy f numgen random mod 10 == 0 drop")
    found = measure(MeasureOptions([target], Defaults(source={"namespace": row.path("a")}))).paths[0]
    assert (found.forward.path_mtu, found.back.path_mtu, found.verdict) == (1500, 1500, Verdict.OK)


def test_two_hundred_targets_from_two_namespaces(row: Lab) -> None:
    for host in range(3, 103):
        row.ip("b", f"addr add 198.18.2.{host}/24 dev b0")
        row.ip("a", f"addr add 198.18.1.{host}/24 dev a0")
    targets = [
        {"address": f"198.18.{number}.{host}", "source": {"namespace": row.path(source)}}
        for source, number in (("a", 2), ("b", 1))
        for host in range(3, 103)
    ]
    found = measure(MeasureOptions(targets))
    assert found.summary["ok"] == 200
    assert {path.namespace for path in found.paths} == {row.inode("a"), row.inode("b")}
    assert found.packets_sent <= 1400
