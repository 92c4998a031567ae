# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which links of running containers are lowered, and in which order."""

from __future__ import annotations

from typing import Any, Dict, List

from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.container_links import container_links
from ansible_collections.netfit.cluster.tests.unit.builders import (
    HOST_INODE,
    container,
    host,
    link,
    network,
    peer,
    pod,
)

Facts = Dict[str, Any]


def member(inode: int, owner: Any, mtu: int, host_index: int, home: int = HOST_INODE) -> Facts:
    links = [link("lo", 65536, "loopback", 1), link("eth0", mtu, peer=peer(home, host_index))]
    return network(inode, owner, links, [], [f"/run/docker/netns/{inode}"])


def facts(*networks: Facts, bridge: int = 1500, ends: int = 1500) -> Facts:
    links = [
        link("eth0", 1500, "physical", 2),
        link("docker0", bridge, "bridge", 3),
        link("br-shop", bridge, "bridge", 4),
        link("veth5", ends, index=5, master="docker0", bridge="docker0"),
        link("veth6", ends, index=6, master="br-shop", bridge="br-shop"),
        link("veth7", ends, index=7),
    ]
    return {"netfit_mtu": {"namespaces": [network(HOST_INODE, host(), links, []), *networks], "declared": []}}


def changed(found: List[Facts]) -> List[Any]:
    return [(one["link"], one.get("namespace"), one["mtu"]) for one in found]


WEB = member(91, container("web", 815), 1500, 5)
SIDE = member(92, container("side", 816), 1500, 6)


def test_bridges_come_first_and_then_the_containers() -> None:
    assert changed(container_links(facts(WEB, SIDE), 1450)) == [
        ("br-shop", None, 1450),
        ("docker0", None, 1450),
        ("eth0", "/run/docker/netns/91", 1450),
        ("eth0", "/run/docker/netns/92", 1450),
    ]


def test_a_bridge_without_containers_is_left() -> None:
    assert [one["link"] for one in container_links(facts(WEB), 1450)] == ["docker0", "eth0"]


def test_what_is_as_small_already_is_left() -> None:
    small = member(91, container("web", 815), 1400, 5)
    assert container_links(facts(small, bridge=1450, ends=1400), 1450) == []


def test_a_larger_end_on_the_host_counts() -> None:
    small = member(91, container("web", 815), 1450, 5)
    assert changed(container_links(facts(small, bridge=1450), 1450)) == [("eth0", "/run/docker/netns/91", 1450)]


def test_pods_overlays_and_links_without_a_bridge_are_left() -> None:
    others = [
        member(91, pod(), 1500, 5),
        member(92, container("overlay", 816), 1450, 9, home=12345),
        member(93, container("routed", 817), 1500, 7),
    ]
    assert container_links(facts(*others), 1400) == []


def test_links_on_a_parent_have_no_other_end() -> None:
    lan = network(91, container("lan", 815), [link("eth0", 1500, "macvlan")], [], ["/run/docker/netns/91"])
    assert changed(container_links(facts(lan), 1450)) == [("eth0", "/run/docker/netns/91", 1450)]


def test_facts_without_links_have_nothing_to_change() -> None:
    assert container_links({"netfit_mtu": {}}, 1450) == []
