# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every plan: it fits what was measured, it is empty once carried out, and its order loses nothing."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Tuple

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.tests.unit import builders as b
from ansible_collections.netfit.cluster.tests.unit.plan import clusters as c

Facts = Dict[str, Any]
SIZES = st.sampled_from([1380, 1400, 1420, 1450, 1460, 1500, 4000, 8500, 9001])
KINDS = st.sampled_from(
    [
        ("vxlan", 50, "ipv4"),
        ("vxlan", 70, "ipv6"),
        ("ipip", 20, "ipv4"),
        ("wireguard", 60, "ipv4"),
        ("wireguard", 80, "ipv6"),
        (None, 0, "ipv4"),
    ]
)


@st.composite
def worlds(draw: Any) -> Dict[str, Facts]:
    """Two to four nodes whose pods, devices and links have odd sizes, and some measured paths between them."""
    nodes = draw(st.integers(2, 4))
    kind, overhead, family = draw(KINDS)
    link_mtu = draw(SIZES)
    facts = {}
    for number in range(1, nodes + 1):
        declared = draw(st.none() | SIZES)
        facts[f"n{number}"] = c.node(
            number,
            nodes,
            link_mtu=link_mtu,
            pod_mtu=draw(SIZES),
            kind=kind,
            overhead=overhead,
            family=family,
            device_mtu=min(draw(SIZES), link_mtu),
            declarations=[b.conflist(declared)] if declared is not None else [],
        )
        end = draw(st.none() | SIZES)
        if end is not None:
            facts[f"n{number}"]["netfit_mtu"]["namespaces"][0]["links"][2]["mtu"] = end
    everywhere = draw(st.booleans())
    paths: Dict[str, List[Facts]] = {name: [] for name in facts}
    for one in range(1, nodes + 1):
        for other in range(one + 1, nodes + 1):
            size, back = (draw(SIZES if everywhere else st.none() | SIZES) for _each in range(2))
            if size is not None:
                there, home = min(size, link_mtu), min(back or size, link_mtu)
                paths[f"n{one}"].append(c.measured(f"n{other}", there, link_mtu, family, home))
    return c.with_paths(facts, **paths)


def least_measured(facts: Dict[str, Facts]) -> Optional[int]:
    found = [
        direction["path_mtu"]
        for own in facts.values()
        for path in own["netfit_assessment"]["paths"]
        for direction in (path["forward"], path["back"])
    ]
    return min(found, default=None)


OPTIONS = st.fixed_dictionaries({"raise": st.booleans(), "uplinks": st.sampled_from(["keep", "lower"])})


@settings(max_examples=150, deadline=None)
@given(worlds(), OPTIONS)
def test_pods_with_their_overhead_fit_every_measured_path(facts: Dict[str, Facts], options: Facts) -> None:
    least = least_measured(facts)
    for host in c.plan_of(facts, **options)["hosts"].values():
        assert host["pod_mtu"] + host["overhead"] <= host["underlay_mtu"]
        assert least is None or host["underlay_mtu"] <= least
        assert all(one["mtu"] <= host["pod_mtu"] for one in host["live"])
        assert all(one["mtu"] + host["overhead"] <= host["underlay_mtu"] for one in host["tunnels"])


@settings(max_examples=150, deadline=None)
@given(worlds(), OPTIONS)
def test_nothing_is_left_to_do_once_a_plan_is_carried_out(facts: Dict[str, Facts], options: Facts) -> None:
    done = c.applied(facts, c.plan_of(facts, **options))
    again = c.plan_of(done, **options)
    assert [(name, host["steps"], host["knobs"]) for name, host in again["hosts"].items() if host["changes"]] == []
    assert again["cluster"]["changes"] == 0


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_nothing_gets_larger_unasked(facts: Dict[str, Facts]) -> None:
    for host in c.plan_of(facts, uplinks="lower")["hosts"].values():
        assert all(step["mtu"] < step["now"] for step in host["steps"])
        assert all(one["value"] <= one["now"] for one in host["knobs"] if one["now"] is not None)


def stack(facts: Facts, overhead: int) -> List[Tuple[Tuple[int, str], Tuple[int, str], int]]:
    """Each device with the one below it, and the bytes between them."""
    mtu = facts["netfit_mtu"]
    home, pod = mtu["namespaces"][0], mtu["namespaces"][1]
    names = [link["name"] for link in home["links"]]
    below = names[-1] if names[-1] in c.DEVICES.values() else "eth0"
    end, own = (home["inode"], "cali1"), (home["inode"], below)
    pairs = [((pod["inode"], "eth0"), end, 0), (end, own, 0)]
    return pairs + ([(own, (home["inode"], "eth0"), overhead)] if below != "eth0" else [])


@settings(max_examples=150, deadline=None)
@given(worlds(), OPTIONS)
def test_no_step_makes_a_device_larger_than_the_one_below_it_carries(facts: Dict[str, Facts], options: Facts) -> None:
    plan = c.plan_of(facts, **options)
    for name, host in plan["hosts"].items():
        mtu = facts[name]["netfit_mtu"]
        sizes = {(space["inode"], link["name"]): link["mtu"] for space in mtu["namespaces"] for link in space["links"]}
        order = stack(facts[name], host["overhead"] if host["encapsulation"] != "wireguard" else 60)
        # The ends of a pair are changed at once by module link_mtu: what counts is the state after both.
        steps, too_large = host["steps"], {}
        for position, step in enumerate(steps):
            before = {key: sizes[key[0]] > sizes[key[1]] - key[2] for key in order}
            sizes[c.home_of(mtu, step), step["link"]] = step["mtu"]
            following = steps[position + 1] if position + 1 < len(steps) else {"level": None}
            too_large = too_large or before
            if step["level"] == following["level"] == "pair":
                continue
            for key in order:
                assert too_large[key] or sizes[key[0]] <= sizes[key[1]] - key[2], (name, key, step)
            too_large = {}


ODD = st.one_of(
    st.none(), st.integers(-5, 70000), st.text(max_size=4), st.lists(st.integers(), max_size=2), st.just({})
)
WORLD = c.pair(1400, link_mtu=1500, declarations=[b.conflist(1500), b.subnet_env()])


def places(value: Any, path: Tuple[Any, ...] = ()) -> List[Tuple[Any, ...]]:
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found.extend(places(child, (*path, key)))
    return found


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(places(WORLD)), ODD)
def test_damaged_facts_give_a_plan_or_a_reason(place: Tuple[Any, ...], odd: Any) -> None:
    facts = json.loads(json.dumps(WORLD))
    parent = facts
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = odd
    plan = c.plan_of(facts)
    assert sorted([*plan["hosts"], *[one["host"] for one in plan["not_planned"]]]) == ["n1", "n2"]
    assert json.loads(json.dumps(plan)) == plan
