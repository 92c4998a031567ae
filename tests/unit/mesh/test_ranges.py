# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where routes lead to: the same answer as a look at each of them, without one."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.nodes import describe_node, hand_out, read_node
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.ranges import Ranges
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.targets import CLASSES, Settings
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.view import RouteView
from ansible_collections.netfit.cluster.tests.unit import builders as b

NETWORKS = st.tuples(st.ip_addresses(v=4, network="10.0.0.0/28"), st.integers(0, 32)) | st.tuples(
    st.ip_addresses(v=6, network="fd00::/124"), st.integers(0, 128)
)
ADDRESSES = st.ip_addresses(v=4, network="10.0.0.0/28") | st.ip_addresses(v=6, network="fd00::/124")


def way(destination: str) -> RouteView:
    return RouteView("ipv4", destination, ("flannel.1",), (), None, 0, 254)


@given(st.lists(NETWORKS, max_size=6), ADDRESSES)
def test_an_address_is_held_where_one_of_the_networks_holds_it(networks: List[Any], address: Any) -> None:
    texts = [f"{begin}/{length}" for begin, length in networks]
    ranges = Ranges(map(way, texts))
    assert ranges.hold(str(address)) == any(address in ipaddress.ip_network(text, strict=False) for text in texts)
    assert ranges.known == bool(texts)


def test_a_route_that_leads_nowhere_is_known_all_the_same() -> None:
    ranges = Ranges([way("10.42.0.0/99")])
    assert ranges.known and not ranges.hold("10.42.0.1")
    with pytest.raises(ValueError):
        Ranges([way("10.42.0.0/16")]).hold("n1")


def cluster(size: int) -> Dict[str, Any]:
    """One cluster of that many nodes, each with a pod and a route to each other node's pods."""
    found = {}
    for number in range(1, size + 1):
        end = b.link("cali7", 1450, "veth", 7, peer=b.peer(9002, 3, "eth0", 1450))
        pod = b.pod_network(9002, b.pod(f"gateway-{number}"), 1450, f"10.42.{number}.5/32", 7)
        facts = b.facts([b.node(number, size, extra=[end]), pod])
        found[f"n{number}"] = read_node(f"n{number}", describe_node(facts, f"192.0.2.{number}", None, None, None), True)
    return found


def test_the_looks_at_each_route_stay_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    each = []
    for size in (40, 160):
        known, looks = cluster(size), 0

        def counted(route: Any, name: str) -> Any:
            nonlocal looks
            looks += 1
            return object.__getattribute__(route, name)

        with monkeypatch.context() as patched:
            patched.setattr(RouteView, "__getattribute__", counted)
            assignment = hand_out(known, set(), Settings(CLASSES["all"], 47815))
        paths = sum(len(work.targets) for work in assignment.work.values())
        assert paths > 3 * size
        each.append(looks / size**2)
    assert 0 < each[1] <= 1.25 * each[0]
