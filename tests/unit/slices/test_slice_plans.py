# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan is the same in every slice: what slices that know of each other do together is what one run does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.action import mesh_plan
from ansible_collections.netfit.cluster.plugins.action import slice as slice_action
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.peers import parse_peers
from ansible_collections.netfit.cluster.plugins.plugin_utils._slices.exchange import Exchange
from ansible_collections.netfit.cluster.tests.unit.builders import incident

FACTS = incident()
NAMES = [f"h{number:02}" for number in range(36)]
OPTIONS: Dict[str, Any] = {
    **{name: option.get("default") for name, option in mesh_plan.ARGUMENTS.items()},
    "hosts": NAMES,
    "node_ports": [30004],
}
GONE = {"unreachable": True, "msg": "timed out"}


def hostvars(names: Sequence[str], gone: Sequence[str] = ()) -> Dict[str, Dict[str, Any]]:
    """More hosts than a full mesh has, in three zones, on every fourth of them the gateway's pod."""
    found: Dict[str, Dict[str, Any]] = {}
    for name in names:
        number = NAMES.index(name)
        own = {"netfit_address": f"198.18.8.{number + 1}", "netfit_zone": f"z{number % 3}"}
        facts = FACTS["n2" if number % 4 == 0 else "n1"]
        told = {"netfit_gathered": GONE} if name in gone else {"ansible_facts": facts}
        found[name] = {**own, **told}
    return found


def variables(playing: Sequence[str], gone: Sequence[str] = ()) -> Dict[str, Any]:
    """What a run on those hosts knows: of the others of its inventory only what the inventory says."""
    known = hostvars(NAMES, gone)
    for name in set(NAMES) - set(playing):
        known[name] = {option: known[name][option] for option in ("netfit_address", "netfit_zone")}
    groups = {"vantage": ["h35"]}
    return {"hostvars": known, "ansible_play_hosts_all": list(playing), "groups": groups, "ansible_forks": 5}


def work(playing: Sequence[str], gone: Sequence[str], exchange: Optional[Exchange] = None) -> Mapping[str, Any]:
    hosts: Mapping[str, Any] = mesh_plan.assign(variables(playing, gone), OPTIONS, [], True, exchange)["hosts"]
    return hosts


@settings(max_examples=4)
@given(
    st.lists(st.integers(0, 3), min_size=len(NAMES), max_size=len(NAMES)),
    st.lists(st.sampled_from(NAMES[:-1]), max_size=3, unique=True),
)
def test_slices_that_know_of_each_other_do_what_one_run_does(division: List[int], gone: List[str]) -> None:
    whole = work(NAMES, gone)
    assert sum(len(one["targets"]) for one in whole.values()) > 36 * 5
    together: Dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        exchanges = {part: Exchange(Path(folder), f"s{part}") for part in sorted(set(division))}
        parts = {part: [name for name, where in zip(NAMES, division) if where == part] for part in exchanges}
        for part, exchange in exchanges.items():
            slice_action.meet(exchange, variables(parts[part], gone), {**OPTIONS, "wait": 0.0}, [])
        for part, exchange in exchanges.items():
            together.update(work(parts[part], gone, exchange))
    assert together == whole


def test_slices_that_do_not_hear_of_each_other_measure_the_same_pairs_of_hosts(tmp_path: Path) -> None:
    whole, halves = work(NAMES, []), (NAMES[:18], NAMES[18:])
    together: Dict[str, Any] = {}
    for number, half in enumerate(halves):
        exchange = Exchange(tmp_path / str(number), "s")
        planned = mesh_plan.assign(variables(half), OPTIONS, [], True, exchange)
        assert any("no other slice has told of 18 hosts" in one for one in planned["warnings"]) is (number == 1)
        together.update(planned["hosts"])

    def pairs(hosts: Mapping[str, Any]) -> List[str]:
        targets = [target for one in hosts.values() for target in one["targets"]]
        return sorted(target["name"] for target in targets if target["about"]["class"] == "host-host")

    assert pairs(together) == pairs(whole)


def test_peers_that_are_audited_measure_their_own_rows(tmp_path: Path) -> None:
    known = hostvars(NAMES)
    peers = [
        {"name": name, "address": known[name]["netfit_address"], "zone": known[name]["netfit_zone"]} for name in NAMES
    ]
    given_peers = parse_peers([{**one, "audited": True} for one in peers[:-1]])
    whole, together = work(NAMES, []), {}
    for number, half in enumerate((NAMES[:18], NAMES[18:])):
        own = {"hostvars": {name: known[name] for name in half}, "ansible_play_hosts_all": half}
        options = {**OPTIONS, "hosts": half}
        exchange = Exchange(tmp_path / str(number), "s")
        own["groups"] = {"vantage": ["h35"] if number else []}
        together.update(mesh_plan.assign(own, options, given_peers, True, exchange)["hosts"])
    names = {
        name: [t["name"] for t in one["targets"] if t["about"]["class"] == "host-host"] for name, one in whole.items()
    }
    found = {
        name: [t["name"] for t in one["targets"] if t["about"]["class"] == "host-host"]
        for name, one in together.items()
    }
    assert found == names


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_audited_is_true_or_false(value: Any) -> None:
    with pytest.raises(ValueError, match=r"netfit_peers\[0\]\.audited is .*, but must be true or false"):
        parse_peers([{"name": "a", "address": "192.0.2.1", "audited": value}])
