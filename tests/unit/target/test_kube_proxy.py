# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NodePorts in what kube-proxy leaves: every mode and layout leads to the same pods, in the same shares."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import List, Optional, Tuple

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._kernel.iptables_save import find_save_command
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.kube_proxy_iptables import parse_nat_table
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.kube_proxy_ipvs import (
    PortSets,
    parse_port_sets,
    parse_virtual_servers,
)
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.kube_proxy_nft import parse_proxy_table
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.modules import is_in_kernel
from ansible_collections.netfit.cluster.plugins.module_utils._model.node_port import NodePort

DATA = Path(__file__).resolve().parents[1] / "data" / "kube-proxy"
IPTABLES = ("1.20", "1.23", "1.25", "1.31")

Told = Tuple[str, int, Optional[str], str, List[Tuple[str, int, float]]]
EXPECTED: List[Told] = [
    ("tcp", 30004, "prod/gateway:http", "cluster", [("10.42.2.5", 8081, 1.0)]),
    ("udp", 30053, "kube-system/dns:dns", "cluster", [("10.42.2.8", 53, 1.0)]),
    (
        "tcp",
        30080,
        "shop/web",
        "cluster",
        [("10.42.1.7", 8080, 0.333333), ("10.42.2.7", 8080, 0.333333), ("10.42.3.7", 8080, 0.333333)],
    ),
    ("tcp", 30443, "edge/ingress:https", "local", [("10.42.1.9", 443, 1.0)]),
    ("tcp", 30444, "edge/away:https", "local", []),
]


def text(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def told(ports: List[NodePort]) -> List[Told]:
    return [
        (
            one.protocol,
            one.port,
            one.service,
            one.external_traffic_policy.value,
            [(end.address, end.port, end.share) for end in one.endpoints],
        )
        for one in ports
    ]


@pytest.mark.parametrize("version", IPTABLES)
def test_iptables_of_every_layout_leads_to_the_same_pods(version: str) -> None:
    ports = parse_nat_table(text(f"iptables-{version}.saved"), "ipv4", "iptables-nft-save -t nat")
    assert told(ports) == EXPECTED
    assert {(one.family, one.mode.value, one.source) for one in ports} == {
        ("ipv4", "iptables", "iptables-nft-save -t nat, chain KUBE-NODEPORTS")
    }


@pytest.mark.parametrize("version", IPTABLES)
def test_the_rules_as_kube_proxy_writes_them_are_understood_as_well(version: str) -> None:
    assert told(parse_nat_table(text(f"iptables-{version}.rules"), "ipv4", "a file")) == EXPECTED


def test_ipv6_addresses_lose_their_brackets() -> None:
    (port,) = parse_nat_table(text("iptables-1.31-ipv6.saved"), "ipv6", "ip6tables-nft-save -t nat")
    assert (port.family, port.service) == ("ipv6", "prod/gateway:http")
    assert [(end.address, end.port) for end in port.endpoints] == [("fd42:2::5", 8081)]


def test_nftables_leads_to_the_same_pods() -> None:
    ports = parse_proxy_table(text("nftables-1.31-ipv4.json"), "ipv4", "nft -j list table ip kube-proxy")
    assert sorted(told(ports)) == sorted(EXPECTED)
    assert ports[0].source == "nft -j list table ip kube-proxy, map service-nodeports"
    (port,) = parse_proxy_table(text("nftables-1.31-ipv6.json"), "ipv6", "nft")
    assert [(end.address, end.port, end.share) for end in port.endpoints] == [("fd42:2::5", 8081, 1.0)]


def test_ipvs_leads_to_the_same_pods_without_naming_services() -> None:
    sets = parse_port_sets(text("ipvs-1.28.ipset"))
    ports = parse_virtual_servers(text("ipvs-1.28.ip_vs"), {"192.0.2.11", "10.42.1.0", "fd00::11"}, sets)
    nameless = [(protocol, port, None, policy, ends) for protocol, port, _name, policy, ends in EXPECTED]
    assert told([one for one in ports if one.family == "ipv4"]) == nameless
    (six,) = [one for one in ports if one.family == "ipv6"]
    assert (six.port, six.endpoints[0].address, six.endpoints[0].port) == (30004, "fd42:2::5", 8081)


def test_ipvs_without_its_sets_knows_no_policy_and_of_other_addresses_nothing() -> None:
    ports = parse_virtual_servers(text("ipvs-1.28.ip_vs"), {"192.0.2.11"}, None)
    assert {one.external_traffic_policy.value for one in ports} == {"unknown"}
    assert [one.port for one in ports] == [30004, 30053, 30080, 30443, 30444]
    assert parse_virtual_servers(text("ipvs-1.28.ip_vs"), {"192.0.2.12"}, None) == []
    assert parse_virtual_servers(text("ipvs-1.28.ip_vs"), {"192.0.2.11"}, PortSets(set(), set())) == []


def test_weights_are_shares_and_one_without_weight_gets_nothing() -> None:
    lines = text("ipvs-1.28.ip_vs").splitlines()
    where = next(number for number, line in enumerate(lines) if "C000020B:7580" in line)
    lines[where + 1] = lines[where + 1].replace("Masq    1 ", "Masq    3 ")
    lines[where + 2] = lines[where + 2].replace("Masq    1 ", "Masq    0 ")
    ports = parse_virtual_servers("\n".join(lines), {"192.0.2.11"}, None)
    assert [(end.address, end.share) for one in ports if one.port == 30080 for end in one.endpoints] == [
        ("10.42.1.7", 0.75),
        ("10.42.3.7", 0.25),
    ]


@pytest.mark.parametrize(
    "nonsense", ["", "COMMIT\n", "-A KUBE-NODEPORTS\n", "-A KUBE-NODEPORTS -p tcp -j KUBE-EXT-A\n"]
)
def test_what_makes_no_sense_is_no_port(nonsense: str) -> None:
    assert parse_nat_table(nonsense, "ipv4", "x") == []
    assert parse_virtual_servers(nonsense, {"192.0.2.1"}, None) == []
    assert parse_port_sets(nonsense) == PortSets(set(), set())
    with pytest.raises(ValueError, match="not what nft -j prints"):
        parse_proxy_table(nonsense, "ipv4", "x")


def test_a_port_that_leads_nowhere_has_no_endpoints() -> None:
    line = '-A KUBE-NODEPORTS -p tcp -m comment --comment "a/b" -m tcp --dport 30001 -j KUBE-EXT-A\n'
    (port,) = parse_nat_table(line, "ipv4", "x")
    assert (port.external_traffic_policy.value, port.endpoints) == ("unknown", ())
    element = [[{"concat": ["tcp", 30001]}, {"goto": {"target": "external-A-a/b/tcp/"}}], "odd", [{}, None]]
    table = json.dumps({"nftables": [{"map": {"name": "service-nodeports", "elem": element}}, 7, {"rule": None}]})
    (port,) = parse_proxy_table(table, "ipv4", "x")
    assert (port.service, port.external_traffic_policy.value, port.endpoints) == ("a/b", "unknown", ())


def test_the_program_is_chosen_by_what_it_speaks_with(tmp_path: Path) -> None:
    def program(name: str) -> Path:
        path = tmp_path / name
        path.write_text("#!/bin/sh\n", encoding="ascii")
        path.chmod(0o755)
        return path

    assert find_save_command("nft", "ipv4", str(tmp_path)) is None
    multi = program("xtables-nft-multi")
    (tmp_path / "iptables-save").symlink_to(multi)
    assert find_save_command("nft", "ipv4", str(tmp_path)) == (str(tmp_path / "iptables-save"),)
    assert find_save_command("nft", "ipv6", str(tmp_path)) == (str(multi), "ip6tables-save")
    assert find_save_command("legacy", "ipv4", str(tmp_path)) is None
    old = program("ip6tables-save")
    assert find_save_command("legacy", "ipv6", str(tmp_path)) == (str(old),)
    newer = program("ip6tables-legacy-save")
    assert find_save_command("legacy", "ipv6", str(tmp_path)) == (str(newer),)


def test_a_module_is_there_when_loaded_or_built_in_or_nothing_can_be_loaded(tmp_path: Path) -> None:
    proc, modules = tmp_path / "proc", tmp_path / "modules"
    built_in = modules / os.uname().release / "modules.builtin"
    assert is_in_kernel("nf_tables", str(proc), str(modules))
    proc.mkdir()
    (proc / "modules").write_text("nf_tables_set 1 0 - Live 0x0\n", encoding="ascii")
    assert not is_in_kernel("nf_tables", str(proc), str(modules))
    built_in.parent.mkdir(parents=True)
    built_in.write_text("kernel/net/netfilter/nf_tables.ko\nkernel/net/netfilter/ipset/ip-set.ko\n", encoding="ascii")
    assert is_in_kernel("nf_tables", str(proc), str(modules)) and is_in_kernel("ip_set", str(proc), str(modules))
    assert not is_in_kernel("ip_tables", str(proc), str(modules))
    (proc / "modules").write_text("ip_tables 32768 1 - Live 0x0\n", encoding="ascii")
    assert is_in_kernel("ip_tables", str(proc), str(modules))
