# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many broken paths with one cause are one finding at the cause, with the paths as its evidence."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Tuple

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Owner
from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Direction, Limit, Verdict
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host, finish
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess_mesh import MeshAssessment, assess_mesh
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.path_view import Measured
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
Judge = Callable[[int, int], Optional[Direction]]


def name(number: int) -> str:
    return f"n{number}"


def pod(number: int) -> Owner:
    return b.pod(f"web-{number}", pid=1000 + number)


def hosts_of(size: int, judge: Judge) -> Dict[str, List[b.Facts]]:
    """Return the paths of a full mesh of hosts. judge: what a direction between two of them does, None for in order."""
    return {
        name(one): [b.path(name(other), judge(one, other), judge(other, one)) for other in range(one + 1, size + 1)]
        for one in range(1, size + 1)
    }


def pods_of(size: int, judge: Judge, link_mtu: int = 1450) -> Dict[str, List[b.Facts]]:
    """The same of pods, one on each host, and in order at that MTU."""
    good = b.direction(link_mtu)
    return {
        name(one): [
            b.path(
                name(other),
                judge(one, other) or good,
                judge(other, one) or good,
                source=pod(one),
                peer=pod(other),
                link_mtu=_link(judge(one, other), link_mtu),
            )
            for other in range(one + 1, size + 1)
        ]
        for one in range(1, size + 1)
    }


def _link(forward: Optional[Direction], otherwise: int) -> int:
    own = forward is not None and forward.limited_by is Limit.LINK
    return forward.path_mtu or otherwise if own and forward is not None else otherwise


def joined(*meshes: Dict[str, List[b.Facts]]) -> Dict[str, Measured]:
    return {host: read_measured(host, [one for mesh in meshes for one in mesh[host]]) for host in meshes[0]}


def read(measured: Dict[str, Measured], facts: Any = None) -> MeshAssessment:
    return assess_mesh(measured, facts or {}, POLICY)


def left(measured: Dict[str, Measured]) -> List[Tuple[str, str, Optional[str]]]:
    """Return what the report tells about paths: rule, host and far end."""
    mesh = read(measured)
    own = [one for host in measured for one in assess_host(host, {}, POLICY, measured[host]) if one.id != "AUDIT-001"]
    kept = [one for one in own if one.fingerprint not in mesh.explained]
    return [(one.id, one.target.host, one.target.peer) for one in finish(POLICY, [*kept, *mesh.findings])]


def only(from_or_to: int, fault: Direction, leaving: bool = True, arriving: bool = True) -> Judge:
    def judge(sender: int, receiver: int) -> Optional[Direction]:
        return fault if (leaving and sender == from_or_to) or (arriving and receiver == from_or_to) else None

    return judge


def test_a_bad_link_of_one_host_is_one_finding_there() -> None:
    measured = joined(hosts_of(6, only(3, b.black(1400), arriving=False)))
    assert left(measured) == [("PATH-001", "n3", None)]
    (finding,) = read(measured).findings
    assert finding.observed == "5 of 5 directions from n3 carry 1400 bytes, and larger packets vanish without ICMP"
    assert finding.expected == "1500 bytes, the MTU of eth0 of n3"
    whats = [entry.what for entry in finding.evidence]
    assert "n3 to n1 carries 1400 bytes, larger packets vanish without ICMP" in whats
    assert {entry.what: entry.value for entry in finding.evidence}["of these in order"] == 25
    assert finding.remedy is not None and finding.remedy.variables["links"] == [{"link": "eth0", "mtu": 1400}]


def test_a_bad_pod_among_thirty_is_one_finding_at_the_pod() -> None:
    measured = joined(pods_of(30, only(17, b.black(1380))))
    assert left(measured) == [("PATH-001", "n17", None)]
    (finding,) = read(measured).findings
    assert finding.target.owner is not None and finding.target.owner.name == "prod/web-17"
    assert finding.observed.startswith("29 of 29 directions from pod prod/web-17 on n17 carry 1380 bytes")
    assert "29 of 29 directions to pod prod/web-17 on n17" in finding.observed


def test_a_pod_that_is_smaller_shows_the_four_bytes_of_its_segment() -> None:
    def judge(sender: int, receiver: int) -> Optional[Direction]:
        return b.black(1454) if receiver == 4 else b.direction(1450) if sender == 4 else None

    measured = joined(pods_of(6, judge, link_mtu=1500))
    assert [(rule, host) for rule, host, _peer in left(measured)] == [("PATH-001", "n4")]
    (finding,) = read(measured).findings
    assert any("for a VLAN tag" in entry.what for entry in finding.evidence)


def test_an_overlay_that_is_its_underlay_less_the_overhead_is_the_underlays_fault() -> None:
    def below(sender: int, receiver: int) -> Optional[Direction]:
        return b.black(1400) if (sender, receiver) == (1, 2) else None

    def above(sender: int, receiver: int) -> Optional[Direction]:
        return b.black(1350) if (sender, receiver) == (1, 2) else None

    measured = joined(hosts_of(5, below), pods_of(5, above))
    assert left(measured) == [("PATH-001", "n1", "n2")]
    (finding,) = read(measured).findings
    assert finding.evidence[0].what == (
        "the same fault pod to pod, 1 direction (black hole), 1350 bytes pass: 1400 less the 50 bytes of the overlay"
    )


def test_an_overlay_with_a_fault_of_its_own_keeps_it() -> None:
    def above(sender: int, receiver: int) -> Optional[Direction]:
        return b.black(1340) if (sender, receiver) == (1, 2) else None

    def below(sender: int, receiver: int) -> Optional[Direction]:
        return b.black(1400) if (sender, receiver) == (1, 2) else None

    measured = joined(hosts_of(5, below), pods_of(5, above))
    assert left(measured) == [("PATH-001", "n1", "n2"), ("PATH-001", "n1", "pod prod/web-2 on n2")]


def test_an_underlay_where_icmp_works_is_as_bad_as_the_black_hole_above_it() -> None:
    measured = joined(hosts_of(5, only(2, b.reduced(1400))), pods_of(5, only(2, b.black(1350))))
    assert left(measured) == [("PATH-001", "n2", None)]
    (finding,) = read(measured).findings
    assert finding.severity.value == "critical" and finding.target.scope == "host"
    assert finding.expected == "1500 bytes, the MTU of eth0 of n2"
    assert any("1400 less the 50 bytes of the overlay" in entry.what for entry in finding.evidence)


def test_the_overhead_is_that_of_the_overlays_there_are() -> None:
    facts = {"n1": b.facts([b.node(1)])}
    measured = joined(hosts_of(4, only(2, b.black(1400))), pods_of(4, only(2, b.black(1330))))
    assert len(read(measured).findings) == 1
    assert len(read(measured, facts).findings) == 2


def test_a_border_between_two_segments_is_one_finding_of_the_cluster() -> None:
    def judge(sender: int, receiver: int) -> Optional[Direction]:
        return b.black(1400) if (sender <= 2) != (receiver <= 2) else None

    measured = joined(hosts_of(6, judge))
    assert left(measured) == [("PATH-001", "n1", "host to host: n1, n2 and n3, n4, n5, n6")]
    (finding,) = read(measured).findings
    assert finding.target.scope == "cluster" and finding.remedy is None


def test_what_is_the_same_everywhere_is_one_finding_of_the_cluster() -> None:
    measured = joined(pods_of(6, lambda sender, receiver: b.reduced(1450), link_mtu=1500))
    assert left(measured) == [("PATH-002", "n1", "pod to pod, everywhere")]
    (finding,) = read(measured).findings
    assert finding.observed == ("30 of 30 directions pod to pod carry 1450 bytes, less than their senders' links")


def test_a_host_that_is_gone_is_one_finding() -> None:
    assert left(joined(hosts_of(5, only(5, b.unreachable())))) == [("PATH-004", "n5", None)]


def test_a_host_that_loses_packets_is_one_finding() -> None:
    lossy = replace(b.direction(1500), lost=6, samples=40)
    assert left(joined(hosts_of(5, only(2, lossy)))) == [("PATH-004", "n2", None)]


def test_what_is_not_known_blames_nobody_and_stays_said() -> None:
    measured = joined(hosts_of(5, only(5, b.unknown())))
    mesh = read(measured)
    assert (mesh.findings, mesh.explained) == ((), ())


def test_a_host_that_could_measure_nothing_says_so_once() -> None:
    measured = joined(hosts_of(6, only(1, b.unknown("sudo: a password is required"))))
    (finding,) = read(measured).findings
    assert (finding.id, finding.status.value, finding.target.host) == ("AUDIT-001", "error", "n1")
    assert finding.observed == (
        "5 paths from n1, the first: path MTU between n1 and n2 is not known: sudo: a password is required"
    )
    assert len(read(measured).explained) == 5


def test_what_a_host_learned_long_ago_about_many_is_told_once() -> None:
    paths = {"n1": [b.path(f"n{number}", cached_mtu=1400) for number in range(2, 7)]}
    assert left(joined(paths)) == [("PATH-008", "n1", "several ends")]
    (finding,) = read(joined(paths)).findings
    assert finding.remedy is not None and finding.remedy.tag == "path_mtu_cache"


def test_a_path_that_was_measured_from_both_ends_is_told_once() -> None:
    one = {"n1": [b.path("n2", b.black(1400))], "n2": [b.path("n1", None, b.black(1400))]}
    assert left(joined(one)) == [("PATH-001", "n1", "n2")]


def test_of_two_measurements_the_one_that_knows_counts_then_the_worse_one() -> None:
    for first in (b.unknown(), b.direction(1500)):
        both = {"n1": [b.path("n2", first)], "n2": [b.path("n1", None, b.black(1400))]}
        assert left(joined(both)) == [("PATH-001", "n2", "n1")]


def test_a_finding_of_which_a_cause_tells_half_stays() -> None:
    def judge(sender: int, receiver: int) -> Optional[Direction]:
        return b.black(1400) if sender == 2 else b.black(1300) if (sender, receiver) == (5, 2) else None

    assert left(joined(hosts_of(6, judge))) == [("PATH-001", "n2", None), ("PATH-001", "n2", "n5")]


def test_one_broken_path_stays_with_its_ends() -> None:
    measured = joined(hosts_of(6, lambda *ends: b.black(1400) if ends == (2, 5) else None))
    assert left(measured) == [("PATH-001", "n2", "n5")]
    assert read(measured).findings == ()


def test_three_of_four_node_ports_are_one_finding_for_each_rule() -> None:
    ports = [b.tcp_path("n2"), *[b.tcp_path(node, 1450, Verdict.BLACK_HOLE) for node in ("n1", "n3", "n4")]]
    measured = {"client": read_measured("client", [], ports)}
    assert left(measured) == [("PATH-001", "client", "port 30004"), ("MSS-001", "client", "port 30004")]
    mss, hole = sorted(read(measured).findings, key=lambda one: one.id)
    assert hole.observed == "3 of 4 nodes: carries 1450 bytes, larger packets vanish without ICMP"
    assert {entry.what: entry.value for entry in hole.evidence}["nodes of 4 that answer so"] == "n1, n3, n4"
    assert mss.remedy is not None and mss.remedy.variables["hosts"] == ["n1", "n3", "n4"]


def test_counters_of_a_host_and_a_black_hole_seen_from_another_are_one_story() -> None:
    queue = b.queue(b.HOST_INODE, b.host("n2"), [], rates={"Icmp.OutDestUnreachs": 2.0, "Ip.OutDiscards": 2.0})
    facts = {"n2": b.facts(queues=[queue])}
    measured = {"n1": read_measured("n1", [b.path("n3", b.black(1400))]), "n2": Measured()}
    (finding,) = read(measured, facts).findings
    assert (finding.id, finding.target.host, finding.confidence.value) == ("PATH-006", "n2", "derived")


def test_rules_that_are_switched_off_stay_off() -> None:
    measured = joined(hosts_of(6, only(3, b.black(1400))))
    policy = load_policy({"rules": {"PATH-001": {"enabled": False}}})
    assert assess_mesh(measured, {}, policy) == MeshAssessment((), ())


@settings(max_examples=40)
@given(st.integers(4, 14), st.randoms(use_true_random=False), st.sampled_from([50, 70]))
def test_a_planted_cause_is_found_below_its_overlay_whatever_the_order(
    size: int, chance: random.Random, overhead: int
) -> None:
    culprit = chance.randint(1, size)
    meshes = [
        hosts_of(size, only(culprit, b.black(1400))),
        pods_of(size, only(culprit, b.black(1400 - overhead))),
    ]
    for mesh in meshes:
        for paths in mesh.values():
            chance.shuffle(paths)
    measured = joined(*meshes)
    assert left(measured) == [("PATH-001", name(culprit), None)]
    shuffled = list(measured)
    chance.shuffle(shuffled)
    again = read({host: measured[host] for host in shuffled})
    assert json.dumps([one.as_fact() for one in again.findings]) == json.dumps(
        [one.as_fact() for one in read(measured).findings]
    )
