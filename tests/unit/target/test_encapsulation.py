# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that tunnels add, each number from its standard."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.netfit.cluster.plugins.module_utils._model.encapsulation import (
    FAMILIES,
    TunnelOptions,
    overhead,
)

PLAIN = TunnelOptions()


@pytest.mark.parametrize(
    ("kind", "over_ipv4", "over_ipv6"),
    [
        ("vxlan", 50, 70),
        ("vxlan-gpe", 36, 56),
        ("geneve", 50, 70),
        ("wireguard", 60, 80),
        ("gre", 24, None),
        ("gretap", 38, None),
        ("erspan", 50, None),
        ("ipip", 20, None),
        ("sit", 20, None),
        ("ip6gre", None, 44),
        ("ip6gretap", None, 58),
        ("ip6erspan", None, 70),
        ("ip6tnl", None, 40),
    ],
)
def test_plain_tunnels(kind: str, over_ipv4: Optional[int], over_ipv6: Optional[int]) -> None:
    for family, expected in (("ipv4", over_ipv4), ("ipv6", over_ipv6)):
        if expected is None:
            with pytest.raises(ValueError, match=f"family: {kind} is carried by"):
                overhead(kind, family)
        else:
            assert overhead(kind, family) == expected


@pytest.mark.parametrize(
    ("kind", "family", "options", "expected"),
    [
        ("gre", "ipv4", TunnelOptions(key=True), 28),
        ("gre", "ipv4", TunnelOptions(key=True, checksum=True, sequence=True), 36),
        ("gretap", "ipv4", TunnelOptions(key=True), 42),
        ("ip6gre", "ipv6", TunnelOptions(encapsulation_limit=True), 52),
        ("ip6gretap", "ipv6", TunnelOptions(encapsulation_limit=True, key=True), 70),
        ("ip6tnl", "ipv6", TunnelOptions(encapsulation_limit=True), 48),
        ("ipip", "ipv4", TunnelOptions(udp_encapsulation="fou"), 28),
        ("ipip", "ipv4", TunnelOptions(udp_encapsulation="gue"), 32),
        ("sit", "ipv4", TunnelOptions(udp_encapsulation="gue", remote_checksum=True), 40),
        ("ip6tnl", "ipv6", TunnelOptions(udp_encapsulation="fou"), 48),
        ("gre", "ipv4", TunnelOptions(udp_encapsulation="gue", key=True), 40),
        ("geneve", "ipv4", TunnelOptions(inner_ethernet=False), 36),
        ("erspan", "ipv4", TunnelOptions(erspan_version=0), 38),
        ("erspan", "ipv4", TunnelOptions(erspan_version=2), 54),
        ("ip6erspan", "ipv6", TunnelOptions(encapsulation_limit=True), 78),
    ],
)
def test_options(kind: str, family: str, options: TunnelOptions, expected: int) -> None:
    assert overhead(kind, family, options) == expected


@pytest.mark.parametrize(
    ("kind", "family", "options", "message"),
    [
        ("veth", "ipv4", PLAIN, "kind: 'veth' is no tunnel"),
        ("vxlan", "ipx", PLAIN, "family: vxlan is carried by ipv4 or ipv6, not by 'ipx'"),
        ("ipip", "ipv4", TunnelOptions(udp_encapsulation="tcp"), "udp_encapsulation: 'tcp'"),
        ("erspan", "ipv4", TunnelOptions(erspan_version=3), "erspan_version: 3"),
    ],
)
def test_bad_input(kind: str, family: str, options: TunnelOptions, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        overhead(kind, family, options)


OPTIONS = some.builds(
    TunnelOptions,
    key=some.booleans(),
    checksum=some.booleans(),
    sequence=some.booleans(),
    encapsulation_limit=some.booleans(),
    udp_encapsulation=some.sampled_from([None, "fou", "gue"]),
    remote_checksum=some.booleans(),
    erspan_version=some.integers(0, 2),
)


@given(some.sampled_from(sorted(FAMILIES)), OPTIONS)
def test_options_never_make_a_tunnel_shorter_and_ipv6_costs_twenty_more(kind: str, options: TunnelOptions) -> None:
    sizes = {family: overhead(kind, family, options) for family in FAMILIES[kind]}
    assert all(size >= overhead(kind, family, TunnelOptions(erspan_version=0)) for family, size in sizes.items())
    if len(sizes) == 2:
        assert sizes["ipv6"] == sizes["ipv4"] + 20
