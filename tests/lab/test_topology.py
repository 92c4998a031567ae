# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Topologies: what they mean, and what is said about those that cannot be built."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from netfit_lab import lab, network, routing, topology
from netfit_lab.errors import BadTopology

TOPOLOGIES = Path(lab.__file__).resolve().parents[1] / "topologies"
CHAIN = {
    "segments": {
        "a": {"addresses": "10.1.0.0/24"},
        "b": {"addresses": "10.2.0.0/24", "mtu": 1400},
        "c": {"addresses": "10.3.0.0/24"},
    },
    "routers": {"first": {"segments": ["a", "b"]}, "second": {"segments": ["b", "c"], "icmp": "none"}},
    "hosts": {
        "near": {"segments": ["a"], "groups": ["nodes"], "services": ["docker"]},
        "middle": {"segments": {"b": {"mtu": 1350}}},
        "far": {"segments": {"c": {"address": "10.3.0.200"}}, "python": "python3.8"},
    },
}


def chain(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CHAIN), **changes}


def written(routes: list[routing.StaticRoute]) -> list[tuple[str, str]]:
    return [(str(route.destination), str(route.next_hop)) for route in routes]


def test_a_topology_is_read_with_addresses_given_out_and_mtus_inherited() -> None:
    read = topology.parse("chain", chain())
    near, middle, far = read.hosts.values()
    assert (near.address, near.attachments[0].link, near.attachments[0].mtu) == ("10.1.0.11", "eth0", 1500)
    assert (near.groups, near.services, near.python) == (("nodes",), ("docker",), "/usr/bin/python3")
    assert (middle.address, middle.attachments[0].mtu, read.segments["b"].mtu) == ("10.2.0.11", 1350, 1400)
    assert (far.address, far.python) == ("10.3.0.200", "python3.8")
    first, second = read.routers.values()
    assert [str(item.address) for item in first.attachments] == ["10.1.0.1/24", "10.2.0.1/24"]
    assert [str(item.address) for item in second.attachments] == ["10.2.0.2/24", "10.3.0.1/24"]
    assert [item.mtu for item in second.attachments] == [1400, 1500]
    assert (first.icmp, second.icmp) == (True, False)
    assert str(read.segments["a"].controller_address) == "10.1.0.254/24"


def test_a_bare_link_keeps_its_address_for_the_host_itself() -> None:
    read = topology.parse("own", chain(hosts={"x": {"segments": {"a": {"bare": True}}, "files": {"/etc/x": "y"}}}))
    (link,) = read.hosts["x"].attachments
    assert link.bare and str(link.address) == "10.1.0.11/24" and read.hosts["x"].files == {"/etc/x": "y"}
    assert not any(item.bare for router in read.routers.values() for item in router.attachments)


def test_a_range_of_hosts_is_written_out_with_its_zeros() -> None:
    document = {"segments": {"lan": {"addresses": "10.1.0.0/24"}}, "hosts": {"node[08:11]": None}}
    hosts = topology.parse("range", document).hosts
    assert list(hosts) == ["node08", "node09", "node10", "node11"]
    assert [host.address for host in hosts.values()] == ["10.1.0.11", "10.1.0.12", "10.1.0.13", "10.1.0.14"]


def test_a_given_address_is_not_given_out_again() -> None:
    document = {
        "segments": {"lan": {"addresses": "10.1.0.0/24"}},
        "hosts": {"one": {"segments": {"lan": {"address": "10.1.0.11"}}}, "two": None},
    }
    assert topology.parse("given", document).hosts["two"].address == "10.1.0.12"


def test_routes_go_over_the_fewest_routers() -> None:
    read = topology.parse("chain", chain())
    routes = {name: written(routing.routes_of_host(read, host.attachments)) for name, host in read.hosts.items()}
    assert routes == {
        "near": [("None", "10.1.0.1")],
        "middle": [("None", "10.2.0.1"), ("10.3.0.0/24", "10.2.0.2")],
        "far": [("None", "10.3.0.1")],
    }
    first = routing.routes_of_router(read, read.routers["first"].attachments)
    assert written(first) == [("10.3.0.0/24", "10.2.0.2")]


def test_without_a_router_the_default_route_leads_to_nobody() -> None:
    document = {"segments": {"lan": {"addresses": "10.1.0.0/24"}}, "hosts": {"one": None}}
    read = topology.parse("alone", document)
    assert written(routing.routes_of_host(read, read.hosts["one"].attachments)) == [("None", "10.1.0.1")]


def test_ports_and_hardware_addresses_differ_between_all_members() -> None:
    read = topology.parse("many", {"segments": {"lan": {"addresses": "10.0.0.0/16"}}, "hosts": {"n[001:300]": None}})
    members = [*read.hosts, topology.CONTROLLER]
    assert len({network.port_name(read, member, 0) for member in members}) == 301
    assert len({network.hardware_address(read, member, 0) for member in members}) == 301
    assert max(len(network.port_name(read, member, 0)) for member in members) <= 15


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (chain(host={}), "topology: unknown key 'host'; did you mean 'hosts'?"),
        (chain(hosts={"x": {"service": []}}), "hosts.x: unknown key 'service'; did you mean 'services'?"),
        (chain(hosts={"x": {"segments": ["aa"]}}), "hosts.x.segments: unknown key 'aa'; did you mean 'a'?"),
        (chain(hosts={"x": None}), "hosts.x.segments: there are several segments, say which"),
        (chain(hosts={"X": {"segments": ["a"]}}), "hosts: 'X' is no name"),
        (chain(hosts={"first": {"segments": ["a"]}}), "the name 'first' is taken"),
        (chain(hosts={"controller": {"segments": ["a"]}}), "'controller' is taken by the lab itself"),
        (chain(hosts={}), "hosts: at least one is needed"),
        (chain(hosts={"x[3:1]": {"segments": ["a"]}}), "hosts: 'x[3:1]' ends before it begins"),
        (chain(hosts=["x"]), "hosts: a mapping with text keys is needed, not ['x']"),
        (chain(hosts={"x": {"segments": ["a"], "services": "docker"}}), "hosts.x.services: a list of texts is needed"),
        (chain(hosts={"x": {"segments": ["a"], "groups": ["my-nodes"]}}), "'my-nodes' is no name of a group"),
        (chain(hosts={"x": {"segments": {"a": {"mtu": 67}}}}), "hosts.x.segments.a.mtu: an MTU from 68 to 65535"),
        (chain(hosts={"x": {"segments": {"a": {"mtu": True}}}}), "hosts.x.segments.a.mtu: an MTU from 68 to 65535"),
        (chain(hosts={"x": {"segments": {"a": {"address": "10.9.0.1"}}}}), "10.9.0.1 is outside of 10.1.0.0/24"),
        (chain(hosts={"x": {"segments": {"a": {"address": "10.1.0.1"}}}}), "10.1.0.1 already belongs to first"),
        (chain(hosts={"x": {"segments": {"a": {"address": "10.1.0.254"}}}}), "already belongs to controller"),
        (chain(segments={"a": {"addresses": "10.1.0.0/99"}}), "segments.a.addresses: an IPv4 range such as"),
        (chain(segments={"a": {"addresses": "10.1.0.0/28"}}), "10.1.0.0/28 is too small"),
        (chain(routers={"r": {"segments": ["a"], "icmp": False}}), "routers.r.icmp: 'all' or 'none' is needed"),
        (chain(hosts={"x": {"segments": {"a": {"bare": "yes"}}}}), "hosts.x.segments.a.bare: true or false is needed"),
        (chain(routers={"r": {"segments": {"a": {"bare": True}}}}), "routers.r.segments: the links of a router cannot"),
        (chain(hosts={"x": {"segments": ["a"], "files": {"etc/x": ""}}}), "hosts.x.files: 'etc/x' is no absolute path"),
        (chain(hosts={"x": {"segments": ["a"], "files": {"/../x": ""}}}), "hosts.x.files: '/../x' is no absolute path"),
        (chain(hosts={"x": {"segments": ["a"], "files": {"/etc/x": 1}}}), "hosts.x.files./etc/x: a text is needed"),
        ([], "topology: a mapping with text keys is needed"),
        (None, "segments: at least one is needed"),
    ],
)
def test_what_cannot_be_built_is_named_with_place_and_value(document: Any, message: str) -> None:
    with pytest.raises(BadTopology) as raised:
        topology.parse("bad", document)
    assert message in str(raised.value)


def test_a_segment_that_is_full_is_said_so() -> None:
    document = {"segments": {"lan": {"addresses": "10.1.0.0/27"}}, "hosts": {"n[01:30]": None}}
    with pytest.raises(BadTopology, match=r"hosts\.n20\.segments\.lan: no address is left in 10\.1\.0\.0/27"):
        topology.parse("full", document)


def test_extension_keys_are_handed_on_as_they_are() -> None:
    assert topology.parse("more", chain(pods=[1]), ("pods",)).extensions == {"pods": [1]}
    with pytest.raises(BadTopology, match="unknown key 'pods'"):
        topology.parse("more", chain(pods=[1]))


@pytest.mark.parametrize("path", sorted(TOPOLOGIES.glob("*.yml")), ids=lambda path: path.stem)
def test_every_topology_that_is_delivered_can_be_read(path: Path) -> None:
    read = lab.read_topology(path.stem, yaml.safe_load(path.read_text()))
    assert read.hosts and read.description
