# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for any facts: rules never raise, and identities do not depend on order or process ids."""

from __future__ import annotations

import json
import random
from typing import Any, Dict, List, Set, Tuple

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import MtuMeaning
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import as_plain
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_cluster, assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
ODD: List[Any] = [None, "", "x", -1, 0, True, 1.5, [], {}, ["x"], {"x": 1}, [[]], "10.42.0.0/99", 1 << 70]


def rich() -> Dict[str, Any]:
    """Facts in which every rule of one host has something to look at."""
    facts = b.incident()["n2"]
    mtu, queues, sysctl = (facts[name] for name in ("netfit_mtu", "netfit_listen_queues", "netfit_sysctl"))
    mtu["namespaces"][0]["links"].extend(
        as_plain(
            [
                b.link("docker0", 1500, "bridge", 20),
                b.link("veth9", 1400, "veth", 21, master="docker0", bridge="docker0", peer=b.peer(77, 8, "eth0", 1500)),
                b.link("br-1", 1500, "bridge", 23),
                b.link("veth8", 1500, "veth", 24, master="br-1", bridge="br-1", peer=b.peer(78, 8, "eth0", 1400)),
                b.link("veth7", 1400, "veth", 25, master="br-1", bridge="br-1"),
                b.link("vxlan9", 1500, "vxlan", 22, encapsulation=b.tunnel(dont_fragment="set")),
            ]
        )
    )
    mtu["namespaces"].append(
        b.network(
            77,
            b.container(),
            [b.link("eth0", 9000, "veth", 8, "172.17.0.2/16", peer=b.peer(b.HOST_INODE, 21, "veth9", 1400))],
            [b.route("0.0.0.0/0", "eth0", "172.17.0.1", next_hops=(b.leg("eth0", "172.17.0.1"),))],
            exceptions=[b.learned("192.0.2.9", 1400)],
        )
    )
    mtu["namespaces"].append(
        b.network(
            78,
            b.container("db"),
            [b.link("eth0", 1400, "veth", 8, "172.18.0.2/16", peer=b.peer(b.HOST_INODE, 24, "veth8", 1500))],
            [],
        )
    )
    mtu["declared"].extend(
        as_plain(
            [
                b.declared("docker", 1450, MtuMeaning.INTERFACE, "/etc/docker/daemon.json", link="docker0"),
                b.declared("flannel", 1400, MtuMeaning.UNDERLAY, "/etc/net-conf.json", link="flannel.1"),
                b.declared("docker", 1450, MtuMeaning.UNDERLAY, "/etc/docker/daemon.json", "overlay"),
                b.declared("netplan", 9000, MtuMeaning.INTERFACE, "/etc/netplan/1.yaml", link="eth0"),
            ]
        )
    )
    mtu["guard"] = {"rolled_back": [{"run": "1", "moment": "now", "reason": "lost", "changes": ["eth0"]}]}
    mtu["problems"] = as_plain([b.problem("daemon.json", "broken", "/etc/docker/daemon.json")])
    queues["namespaces"].append(
        b.queue(
            77,
            b.container(),
            [b.listener(80, 128, "nginx", queue=200, drops=3, drop_rate=1.0, syn_queue=300)],
            rates={"TcpExt.TCPReqQFullDrop": 1.0, "TcpExt.ListenOverflows": 1.0},
        )
    )
    at = {"value": "128", "source": {"file": "/etc/sysctl.d/90-netfit.conf", "line": 3, "key": "net.core.somaxconn"}}
    other = {"value": "0", "source": {"file": "/etc/sysctl.conf", "line": 1, "key": "x"}}
    line = {**at, "value": "512", "program": "next_boot", "reason": "later_line", "by": "/etc/sysctl.d/a.conf:1"}
    normal, removed = {"kind": "normal", "reason": None}, {"kind": "removed", "reason": "removed in Linux 4.12"}
    writer = {"program": "tuned", "value": "1", "reason": "it starts", "source": "/etc/tuned/x:1"}
    each = {"shadowed": [], "writers": [], "effect": normal}
    sysctl["files"] = {
        "programs": {"next_boot": "systemd-sysctl", "system": "procps 4"},
        "conf_at_boot": False,
        "parameters": {
            "net.core.somaxconn": {**each, "live": "8192", "next_boot": at, "system": other, "shadowed": [line]},
            "net.ipv4.tcp_tw_recycle": {**each, "live": None, "next_boot": at, "system": at, "effect": removed},
            "net.ipv4.tcp_timestamps": {**each, "live": "1", "next_boot": other, "system": other, "writers": [writer]},
        },
    }
    sysctl["scopes"] = {"net.core.somaxconn": "namespace"}
    sysctl["namespaces"] = [
        b.sysctl(b.HOST_INODE, b.host(), {"net.core.somaxconn": "8192"}),
        b.sysctl(77, b.container(), {"net.core.somaxconn": "128", "net.ipv4.tcp_syncookies": "0"}),
    ]
    return facts


def _paths(value: Any, path: Tuple[Any, ...] = ()) -> List[Tuple[Any, ...]]:
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found.extend(_paths(child, (*path, key)))
    return found


RICH = rich()
PATHS = _paths(RICH)


def _changed(facts: Any, path: Tuple[Any, ...], value: Any, remove: bool) -> Any:
    """Return the facts with another value at a path, or without it; unchanged where the path is gone."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(facts, dict) and key in facts:
        others = {name: entry for name, entry in facts.items() if name != key}
        return others if remove and not rest else {**others, key: _changed(facts[key], rest, value, remove)}
    if isinstance(facts, list) and isinstance(key, int) and key < len(facts):
        return [
            _changed(entry, rest, value, remove) if position == key else entry for position, entry in enumerate(facts)
        ]
    return facts


def test_rich_facts_show_most_rules() -> None:
    shown: Set[str] = {one.id for one in assess_host("n2", RICH, POLICY)}
    assert shown >= {
        "MTU-001",
        "MTU-002",
        "MTU-003",
        "MTU-004",
        "MTU-005",
        "MTU-007",
        "MTU-008",
        "MTU-009",
        "MTU-010",
        "QUEUE-002",
        "QUEUE-003",
        "QUEUE-004",
        "SYSCTL-002",
        "SYSCTL-003",
        "SYSCTL-004",
        "SYSCTL-005",
        "SYSCTL-006",
        "AUDIT-001",
    }


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(ODD), st.booleans()), min_size=1, max_size=12))
def test_rules_never_raise_and_stay_plain(changes: Any) -> None:
    facts = RICH
    for path, value, remove in changes:
        facts = _changed(facts, path, value, remove)
    alone = [one.as_fact() for one in assess_host("n2", facts, POLICY)]
    together = [one.as_fact() for one in assess_cluster({"n1": b.incident()["n1"], "n2": facts}, POLICY)]
    assert json.loads(json.dumps([alone, together])) == [alone, together]


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _shuffled(value[key], chance) for key in keys}
    if isinstance(value, list):
        entries = [_shuffled(entry, chance) for entry in value]
        chance.shuffle(entries)
        return entries
    return value


def _renumbered(value: Any, by: int) -> Any:
    """Other processes, containers and namespaces, as after a restart."""
    if isinstance(value, dict):
        changed = {key: _renumbered(entry, by) for key, entry in value.items()}
        for key in ("pid", "inode", "namespace", "cookie", "underlay_namespace"):
            if isinstance(changed.get(key), int):
                changed[key] += by
        if isinstance(changed.get("container_id"), str):
            changed["container_id"] = f"{by:064x}"
        return changed
    return [_renumbered(entry, by) for entry in value] if isinstance(value, list) else value


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10**6))
def test_fingerprints_do_not_depend_on_order_or_numbers(seed: int) -> None:
    def prints(facts: Any) -> Set[str]:
        return {one.fingerprint for one in assess_host("n2", facts, POLICY)}

    assert prints(_renumbered(_shuffled(RICH, random.Random(seed)), seed)) == prints(RICH)
    assert len(prints(RICH)) == len(assess_host("n2", RICH, POLICY))
