# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters: the columns differ from kernel to kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.counters import (
    SELECTED,
    parse_list,
    parse_table,
    read_counters,
)

OLD_NETSTAT = """\
TcpExt: SyncookiesSent SyncookiesRecv EmbryonicRsts ListenOverflows ListenDrops TCPTimeouts
TcpExt: 1 2 3 40 50 6
IpExt: InNoRoutes InTruncatedPkts
IpExt: 0 0
"""
NEW_NETSTAT = """\
TcpExt: SyncookiesSent EmbryonicRsts TCPTimeouts ListenDrops NeverHeardOf ListenOverflows TCPWqueueTooBig
TcpExt: 1 3 6 50 99 40 7
IpExt: InNoRoutes InTruncatedPkts
IpExt: 0 0
MPTcpExt: MPCapableSYNRX
MPTcpExt: 0
"""
SNMP = """\
Ip: Forwarding DefaultTTL InReceives InHdrErrors FragOKs FragFails FragCreates
Ip: 1 64 184467 2 3 4 5
Icmp: InMsgs OutDestUnreachs OutRateLimitGlobal
Icmp: 9 8 7
IcmpMsg: InType3 OutType3 OutType8
IcmpMsg: 5 4 1
Tcp: RtoAlgorithm MaxConn InSegs RetransSegs
Tcp: 1 -1 10 11
Udp: InDatagrams
Udp: 3
"""
SNMP6 = """\
Ip6InReceives                   \t100
Ip6InTooBigErrors               \t1
Ip6FragFails                    \t2
Icmp6OutPktTooBigs              \t3
Icmp6InPktTooBigs               \t18446744073709551615
Udp6InDatagrams                 \t5
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            OLD_NETSTAT,
            {
                "TcpExt.SyncookiesSent": 1,
                "TcpExt.SyncookiesRecv": 2,
                "TcpExt.EmbryonicRsts": 3,
                "TcpExt.ListenOverflows": 40,
                "TcpExt.ListenDrops": 50,
                "TcpExt.TCPTimeouts": 6,
            },
        ),
        (
            NEW_NETSTAT,
            {
                "TcpExt.SyncookiesSent": 1,
                "TcpExt.EmbryonicRsts": 3,
                "TcpExt.TCPTimeouts": 6,
                "TcpExt.ListenDrops": 50,
                "TcpExt.ListenOverflows": 40,
                "TcpExt.TCPWqueueTooBig": 7,
            },
        ),
        (
            SNMP,
            {
                "Ip.InHdrErrors": 2,
                "Ip.FragOKs": 3,
                "Ip.FragFails": 4,
                "Ip.FragCreates": 5,
                "Icmp.OutDestUnreachs": 8,
                "Icmp.OutRateLimitGlobal": 7,
                "IcmpMsg.InType3": 5,
                "IcmpMsg.OutType3": 4,
                "Tcp.InSegs": 10,
                "Tcp.RetransSegs": 11,
            },
        ),
        ("", {}),
        ("TcpExt: ListenDrops ListenOverflows\nTcpExt: 1\n", {}),
        ("TcpExt: ListenDrops\nIpExt: 1\n", {}),
        ("TcpExt: ListenDrops\n", {}),
    ],
)
def test_tables(text: str, expected: Dict[str, int]) -> None:
    assert parse_table(text) == expected


def test_list() -> None:
    assert parse_list(SNMP6) == {
        "Ip6.InTooBigErrors": 1,
        "Ip6.FragFails": 2,
        "Icmp6.OutPktTooBigs": 3,
        "Icmp6.InPktTooBigs": 18446744073709551615,
    }


@given(some.permutations(sorted(name.split(".")[1] for name in SELECTED if name.startswith("TcpExt."))), some.data())
def test_order_and_number_of_columns_do_not_matter(names: list, draw: some.DataObject) -> None:
    present = names[: draw.draw(some.integers(1, len(names)))]
    values = {f"TcpExt.{name}": position for position, name in enumerate(present)}
    header = "TcpExt: " + " ".join(present)
    numbers = "TcpExt: " + " ".join(str(position) for position in range(len(present)))
    assert parse_table(f"{header}\n{numbers}\n") == values


def test_a_kernel_without_ipv6(tmp_path: Path) -> None:
    (tmp_path / "netstat").write_text(NEW_NETSTAT)
    (tmp_path / "snmp").write_text(SNMP)
    found = read_counters(str(tmp_path))
    assert (found["TcpExt.ListenDrops"], found["Ip.FragFails"]) == (50, 4)
    assert [name for name in found if "6." in name] == []


def test_long_files_are_read_to_the_end(tmp_path: Path) -> None:
    filler = "".join(f"Other{number}: A B\nOther{number}: 1 2\n" for number in range(3000))
    (tmp_path / "netstat").write_text(filler + NEW_NETSTAT)
    assert read_counters(str(tmp_path))["TcpExt.ListenOverflows"] == 40
