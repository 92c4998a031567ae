# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Path MTUs of real namespaces in a row, a - r - b, as the module measures them, and what that leaves behind."""

from __future__ import annotations

from typing import Iterator

import pytest
from network_lab import Lab, run

from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Verdict
from ansible_collections.netfit.cluster.plugins.module_utils._probe.measure import MeasureOptions, measure
from ansible_collections.netfit.cluster.plugins.module_utils._probe.targets import Defaults

TARGETS = ("198.18.2.1", "2001:db8:2::1")
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
