# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident from outside: a node port, an overlay of 1450, a pod of 1500, and no access to any of them."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from network_lab import Lab
from tcp_lab import NO_ICMP, Server, exceptions, incident, measured, nft

NODE_WITHOUT, NODE_WITH = "198.18.7.11:30004", "198.18.7.12:30004"


def by_node(lab: Lab, **options: Any) -> Dict[str, Dict[str, Any]]:
    return {path["target"]: path for path in measured(lab, NODE_WITHOUT, NODE_WITH, expected_mtu=1450, **options)}


@pytest.mark.parametrize("icmp", [True, False])
def test_the_node_without_the_pod_is_the_bad_one(lab: Lab, icmp: bool) -> None:
    incident(lab, pod_mtu=1500)
    server = Server(lab, "pod").start()
    if not icmp:
        nft(lab, "client", "input", *NO_ICMP)
    paths = by_node(lab)
    bad, good = paths[NODE_WITHOUT], paths[NODE_WITH]
    assert bad["verdict"] == ("reduced, ICMP works" if icmp else "black hole")
    assert (bad["path_mtu"], bad["advertised_mss"]) == (1450, 1460)
    assert (bad["reported_mtu"], bad["router"]) == ((1450, "198.18.7.11") if icmp else (None, None))
    assert (good["verdict"], good["path_mtu"]) == ("ok", 1500)
    assert exceptions(lab) == []
    assert server.received == []


@pytest.mark.parametrize("icmp", [True, False])
def test_with_the_right_mtu_in_the_pod_all_is_well(lab: Lab, icmp: bool) -> None:
    """Larger packets than 1450 still do not pass, but the advertised MSS keeps clients from sending them."""
    incident(lab, pod_mtu=1450)
    Server(lab, "pod").start()
    if not icmp:
        nft(lab, "client", "input", *NO_ICMP)
    for path in by_node(lab).values():
        assert (path["verdict"], path["advertised_mss"], path["at_least"]) == ("ok", 1410, 1450)
        assert path["path_mtu"] in (1450, None)


def test_posts_fail_on_the_node_without_the_pod(lab: Lab) -> None:
    incident(lab, pod_mtu=1500)
    Server(lab, "pod", answer=True).start()
    nft(lab, "client", "input", *NO_ICMP)
    paths = by_node(lab, url="http://gateway.example.org/upload", body_sizes=[100, 3000], timeout=2.0)
    found = {target: {one["body_bytes"]: one["outcome"] for one in path["requests"]} for target, path in paths.items()}
    assert found == {
        NODE_WITHOUT: {100: "answered", 3000: "timed out"},
        NODE_WITH: {100: "answered", 3000: "answered"},
    }
