# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about measured paths: each fires on what it is about and not on its healthy neighbour, and once."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import as_plain
from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Finding
from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Limit, Segment, Verdict
from ansible_collections.netfit.cluster.plugins.module_utils._model.trace import Drop, DropKind, IcmpFate
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.commands import fix_commands
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
EMPTY = b.facts([b.network(b.HOST_INODE, b.host("n1"), [b.link("eth0", 1500, "physical")], [])])
POD_FACTS = b.facts([b.node(1), b.pod_network(9002, b.pod(), 1500, "10.42.1.5/32", 7)], [b.subnet_env(1450)])


def found(
    paths: Any = (), tcp_paths: Any = (), traces: Any = (), facts: Optional[b.Facts] = None, policy: Any = POLICY
) -> List[Finding]:
    measured = read_measured("n1", list(paths), list(tcp_paths), list(traces))
    both = assess_host("n1", EMPTY if facts is None else facts, policy, measured)
    alone = {one.fingerprint for one in assess_host("n1", EMPTY if facts is None else facts, policy)}
    return [one for one in both if one.fingerprint not in alone]


def ids(*arguments: Any, **named: Any) -> List[str]:
    return sorted(one.id for one in found(*arguments, **named))


def said(finding: Finding) -> Dict[str, Any]:
    return {entry.what: entry.value for entry in finding.evidence}


POD_PATH = dict(source=b.pod(), peer=b.pod("web"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b.path("n3"), []),
        (b.path("n3", link_mtu=9000), []),
        (b.path("n3", b.black(1400)), ["PATH-001"]),
        (b.path("n3", back=b.black(1400)), ["PATH-001"]),
        (b.path("n3", b.black(1400), b.black(1300)), ["PATH-001"]),
        (b.path("n3", b.black(1400), b.reduced(1400)), ["PATH-001", "PATH-002"]),
        (b.path("n3", b.black(1400), expected_mtu=1500), ["PATH-001"]),
        (b.path("n3", b.reduced(1400), b.reduced(1400)), ["PATH-002"]),
        (b.path("n3", b.reduced(1450), b.reduced(1450), expected_mtu=1450), ["PATH-002"]),
        (b.path("n3", b.reduced(1400)), ["PATH-003"]),
        (b.path("n3", b.reduced(1400), b.reduced(1300)), ["PATH-003"]),
        (b.path("n3", back=b.direction(1450)), ["PATH-003"]),
        (b.path("n3", b.reduced(1400), b.direction(1500), expected_mtu=1500), ["PATH-007"]),
        (b.path("n3", b.direction(1450), b.direction(1450), expected_mtu=1500), ["PATH-007"]),
        (b.path("n3", b.direction(1450), b.direction(1450), expected_mtu=1450), []),
        (b.path("n3", b.unreachable(), b.unreachable()), ["PATH-004"]),
        (b.path("n3", b.unreachable(), b.unknown()), ["PATH-004"]),
        (b.path("n3", b.unknown(), b.unknown()), ["AUDIT-001"]),
        (b.path("n3", b.black(1400), b.unknown()), ["AUDIT-001", "PATH-001"]),
        (b.path("n3", b.reduced(1400), b.reduced(1400), cached_mtu=1400), ["PATH-005"]),
        (b.path("n3", b.reduced(1400), cached_mtu=1400), ["PATH-005"]),
        (b.path("n3", b.reduced(1400), b.reduced(1400), cached_mtu=1450), ["PATH-002"]),
        (b.path("n3", b.black(1400), cached_mtu=1400), ["PATH-001"]),
        (b.path("n3", cached_mtu=1400), ["PATH-008"]),
        (b.path("n3", cached_mtu=1500), []),
        (b.path("n3", exceptions=(b.learned("192.0.2.7", 1400),)), ["PATH-008"]),
        (b.path("n3", b.reduced(1400), b.reduced(1400), cached_mtu=1300), ["PATH-005", "PATH-008"]),
        (b.path("n3", b.direction(1500, lost=5, samples=40)), ["PATH-004"]),
        (b.path("n3", b.direction(1500, lost=2, samples=4)), []),
        (b.path("n3", b.direction(1500, lost=3, samples=400)), []),
        (b.path("n3", b.black(1400, lost=9, samples=40)), ["PATH-001", "PATH-004"]),
    ],
)
def test_each_fault_of_a_path_is_told_once(path: Any, expected: List[str]) -> None:
    assert ids([path]) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b.tcp_path("n3"), []),
        (b.tcp_path("n3", 1500, mss=8960), []),
        (b.tcp_path("n3", 1450, mss=1410), []),
        (b.tcp_path("n3", 1450, Verdict.REDUCED), ["MSS-001", "PATH-005"]),
        (b.tcp_path("n3", 1450, Verdict.BLACK_HOLE), ["MSS-001", "PATH-001"]),
        (b.tcp_path("n3", 1450, Verdict.REDUCED, mss=None), ["PATH-005"]),
        (b.tcp_path("n3", 1440, Verdict.REDUCED, mss=1380, family="ipv6"), ["PATH-005"]),
        (b.tcp_path("n3", 1439, Verdict.REDUCED, mss=1380, family="ipv6"), ["MSS-001", "PATH-005"]),
        (b.tcp_path("n3", None, Verdict.UNKNOWN), ["AUDIT-001"]),
        (b.tcp_path("n3", None, Verdict.UNREACHABLE), ["PATH-004"]),
    ],
)
def test_a_port_is_judged_by_what_its_clients_get(path: Any, expected: List[str]) -> None:
    assert ids(tcp_paths=[path]) == expected


def test_a_black_hole_quotes_its_measurement() -> None:
    path = b.path("n3", b.black(1400, tries_above=7, lost=1, samples=20), expected_mtu=1500)
    path["about"]["expected_because"] = "eth0 of n1 1500"
    (finding,) = found([path])
    assert (finding.severity.value, finding.status.value, finding.confidence.value) == ("critical", "fail", "measured")
    assert finding.observed == "n1 to n3 carries 1400 bytes, larger packets vanish without ICMP"
    assert finding.expected == "1500 bytes in both directions"
    evidence = said(finding)
    assert evidence["path MTU n1 to n3 in bytes, confidence 0.9999"] == 1400
    assert evidence["path MTU n3 to n1 in bytes, confidence 0.9999"] == 1500
    assert evidence["packets of 1401 bytes and more, n1 to n3, that did not pass"] == 7
    assert evidence["MTU of eth0, by which n1 sends"] == 1500
    assert evidence["bytes that it should carry (eth0 of n1 1500)"] == 1500
    assert evidence["packets lost of 26 whose size passes"] == "1 (3.85 %)"
    assert evidence["packets sent for this"] == 7


def test_the_router_that_answered_is_named() -> None:
    (finding,) = found([b.path("n3", b.reduced(1400, "198.51.100.1"), b.reduced(1400))])
    assert said(finding)["198.51.100.1 said by ICMP that it takes from n1"] == 1400


def test_the_far_ends_own_smaller_link_is_in_order_on_the_way_back() -> None:
    back = b.reduced(1450, limited_by=Limit.FAR_LINK, reported_mtu=None, router=None)
    assert ids([b.path("n3", b.direction(1450, limited_by=Limit.LINK), back, link_mtu=1450)]) == []
    assert ids([b.path("n3", b.black(1454), back)]) == ["PATH-001"]
    (hole,) = found([b.path("n3", b.black(1454), back)])
    assert any("for a VLAN tag" in what for what in said(hole))


def test_only_icmp_that_was_seen_is_claimed() -> None:
    guessed = b.reduced(1400, reported_mtu=None, router=None, reason="answers are fragmented on the way")
    (finding,) = found([b.path("n3", guessed, guessed)])
    assert finding.observed.startswith("n1 to n3 carries 1400 bytes: answers are fragmented on the way;")
    (hole,) = found([b.path("n3", back=b.black(1400, icmp_observable=False))])
    assert hole.observed.endswith(
        "larger packets vanish; whether ICMP tells its sender cannot be seen from the other end"
    )


def test_what_is_not_known_is_an_error_with_its_reason() -> None:
    (finding,) = found([b.path("n3", b.unknown("18 % of the packets are lost"), b.unknown("no answer"))])
    assert (finding.status.value, finding.severity.value) == ("error", "low")
    assert finding.observed == ("path MTU between n1 and n3 is not known: 18 % of the packets are lost; no answer")


def test_the_way_back_that_tcp_cannot_measure_is_no_failure() -> None:
    unmeasured = b.unknown("TCP measures the way there only")
    assert ids([b.path("n3", back=unmeasured, method="tcp")]) == []
    assert ids([b.path("n3", back=unmeasured, method="icmp")]) == ["AUDIT-001"]


def test_a_cached_exception_that_hides_a_black_hole_is_said() -> None:
    (finding,) = found([b.path("n3", b.black(1400), cached_mtu=1400)])
    assert "it works from n1 at the moment, until what its kernel has learned expires" in said(finding)


def test_the_signature_of_a_segment_whose_ends_disagree() -> None:
    (finding,) = found([b.path("n3", b.black(1454), b.direction(1450), link_mtu=1500)])
    assert any(what.startswith("1454 is 1450, the MTU of the link of n3, and 4 bytes") for what in said(finding))
    (other,) = found([b.path("n3", b.black(1400), b.direction(1450), link_mtu=1500)])
    assert not any("VLAN tag" in what for what in said(other))


def test_the_identity_of_a_path_outlives_restarts_and_tells_paths_apart() -> None:
    def one(**more: Any) -> str:
        values = {**POD_PATH, **more}
        (finding,) = found([b.path("n3", b.black(1400), b.black(1400), **values)])
        return finding.fingerprint

    same = one()
    assert one(source=b.pod(pid=99), namespace=7, address="192.0.2.9", target="192.0.2.9") == same
    others = [one(peer=b.pod("db")), one(source=b.pod("api")), one(family="ipv6")]
    other_host = found([b.path("n4", b.black(1400), b.black(1400), **POD_PATH)])[0].fingerprint
    assert len({same, other_host, *others}) == 5


def test_the_target_names_both_ends() -> None:
    (finding,) = found([b.path("n3", b.black(1400), b.black(1400), **POD_PATH)])
    target = finding.target
    assert (target.host, target.scope, target.peer) == ("n1", "pod", "pod prod/web on n3")
    assert (target.path, target.link) == (None, None)


def test_what_is_declared_is_expected_of_pods_where_nobody_says_more() -> None:
    narrow = b.path("n3", b.direction(1400), b.direction(1400), link_mtu=1400, **POD_PATH)
    (finding,) = found([narrow], facts=POD_FACTS)
    assert finding.id == "PATH-007"
    assert (
        said(finding)["bytes that it should carry (flannel declares it: /run/flannel/subnet.env:3 FLANNEL_MTU)"] == 1450
    )
    assert ids([b.path("n3", b.direction(1400), b.direction(1400), link_mtu=1400)], facts=POD_FACTS) == []
    assert ids([narrow]) == []


def commands(*arguments: Any, **named: Any) -> List[str]:
    return [line for one in found(*arguments, **named) for line in fix_commands(one.as_fact())]


def test_a_pods_link_is_narrowed_where_it_can_be_entered() -> None:
    path = b.path("n3", b.black(1400), b.reduced(1380), **POD_PATH)
    assert commands([path], facts=POD_FACTS)[0] == (
        "nsenter --net=/var/run/netns/cni-9002 ip link set dev eth0 mtu 1380"
    )
    assert commands([b.path("n3", b.black(1400))]) == ["ip link set dev eth0 mtu 1400"]
    assert commands([b.path("n3", b.reduced(1400), b.reduced(1400))]) == []
    assert commands([b.path("n3", b.black(1400), b.unknown())]) == []


def test_what_was_learned_can_be_forgotten() -> None:
    assert commands([b.path("n3", cached_mtu=1400)]) == ["ip -4 route flush cache"]
    assert commands([b.path("n3", cached_mtu=1400, family="ipv6")]) == ["ip -6 route flush cache"]


def test_the_mss_is_clamped_for_that_port_on_its_node() -> None:
    (clamp,) = [one for one in found(tcp_paths=[b.tcp_path("n3", 1450, Verdict.REDUCED)]) if one.id == "MSS-001"]
    assert clamp.remedy is not None and clamp.remedy.variables["hosts"] == ["n3"]
    assert fix_commands(clamp.as_fact())[-1] == (
        "nft add rule ip netfit_mss_30004 forward tcp flags syn / syn,rst ct original proto-dst 30004 "
        "tcp option maxseg size set 1410"
    )
    assert clamp.observed == "MSS 1460, so packets of 1500 bytes, where 1450 pass"


def drop(**icmp: Any) -> b.Facts:
    fate = IcmpFate(**{"sent": True, "sent_by": "192.0.2.1", "host": "n2", **icmp})
    found: b.Facts = as_plain(Drop(DropKind.TOO_BIG, "dropped between eth0 and eth1 of node n2", 1500, icmp=fate))
    return found


RULE = "nft inet filter output: icmp type destination-unreachable drop"


def test_a_trace_that_saw_icmp_eaten_names_host_and_rule() -> None:
    (finding,) = found(traces=[drop(filtered_by=RULE)])
    assert (finding.id, finding.target.host, finding.confidence.value) == ("PATH-006", "n2", "measured")
    assert finding.observed == f"dropped by {RULE}"
    assert ids(traces=[drop()]) == []
    assert ids(traces=[{"name": "x", "drop": drop(filtered_by=RULE)}]) == ["PATH-006"]


def test_a_trace_of_a_path_is_evidence_of_its_finding() -> None:
    trace = {"burst": {"target": "192.0.2.7"}, "drops": [drop()]}
    (finding,) = found([b.path("n3", b.black(1400))], traces=[trace])
    assert finding.evidence[0].what == "dropped between eth0 and eth1 of node n2"
    (other,) = found([b.path("n3", b.black(1400), address="192.0.2.8", target="n3")], traces=[trace])
    assert "dropped between" not in str(other.evidence)


def test_an_mss_that_was_not_seen_is_at_least_so_much() -> None:
    path = {**b.tcp_path("n3", 1450, Verdict.REDUCED, mss=1448), "advertised_mss_exact": False}
    (finding,) = [one for one in found(tcp_paths=[path]) if one.id == "MSS-001"]
    assert finding.observed == "MSS at least 1448, so packets of 1488 bytes, where 1450 pass"


def _counting(**rates: float) -> b.Facts:
    queue = b.queue(
        b.HOST_INODE, b.host("n1"), [], rates={name.replace("_", "."): rate for name, rate in rates.items()}
    )
    return b.facts([b.network(b.HOST_INODE, b.host("n1"), [b.link("eth0", 1500, "physical")], [])], queues=[queue])


@pytest.mark.parametrize(
    ("rates", "path", "expected"),
    [
        ({"Icmp_OutDestUnreachs": 3.0, "Ip_OutDiscards": 3.0}, b.path("n3", b.black(1400)), ["PATH-001", "PATH-006"]),
        ({"Icmp6_OutPktTooBigs": 3.0, "Ip6_OutDiscards": 3.0}, b.path("n3", b.black(1400)), ["PATH-001", "PATH-006"]),
        ({"Icmp_OutDestUnreachs": 3.0}, b.path("n3", b.black(1400)), ["PATH-001"]),
        ({"Ip_OutDiscards": 3.0}, b.path("n3", b.black(1400)), ["PATH-001"]),
        ({"Icmp_OutDestUnreachs": 3.0, "Ip_OutDiscards": 3.0}, b.path("n3"), []),
    ],
)
def test_counters_and_a_black_hole_together_show_a_host_that_eats_its_icmp(
    rates: Dict[str, float], path: Any, expected: List[str]
) -> None:
    assert ids([path], facts=_counting(**rates)) == expected


def test_the_policy_says_when_a_path_is_lossy_and_which_rules_hold() -> None:
    path = b.path("n3", b.direction(1500, lost=5, samples=40))
    assert ids([path], policy=load_policy({"paths": {"loss_percent": 20}})) == []
    assert ids([path], policy=load_policy({"paths": {"lost_packets": 6}})) == []
    assert ids([path], policy=load_policy({"rules": {"PATH-004": {"enabled": False}}})) == []
    (finding,) = found([path], policy=load_policy({"rules": {"PATH-004": {"severity": "low"}}}))
    assert finding.severity.value == "low" and finding.observed.startswith("5 of 46 packets lost (10.9 %)")


ODD: List[Any] = [None, "", "x", -1, 0, True, 1.5, [], {}, ["x"], {"x": 1}, [[]], 1 << 70, float("1e300"), "black hole"]
RICH: List[b.Facts] = [
    b.path("n3", b.black(1400), b.reduced(1300), expected_mtu=1500, exceptions=(b.learned("192.0.2.7", 1200),)),
    b.path("n4", b.unknown(), b.unreachable(), **POD_PATH),
]
RICH_TCP = [b.tcp_path("n3", 1450, Verdict.REDUCED)]
RICH_DROPS = [drop(filtered_by=RULE)]


def _places(value: Any, place: Any = ()) -> List[Any]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place] * bool(place) + [one for key, child in children for one in _places(child, (*place, key))]


def _put(value: Any, place: Any, odd: Any, remove: bool) -> Any:
    if not place:
        return odd
    if isinstance(value, dict) and place[0] in value:
        rest = {key: entry for key, entry in value.items() if key != place[0]}
        return rest if remove and len(place) == 1 else {**rest, place[0]: _put(value[place[0]], place[1:], odd, remove)}
    if isinstance(value, list) and isinstance(place[0], int) and place[0] < len(value):
        return [_put(one, place[1:], odd, remove) if at == place[0] else one for at, one in enumerate(value)]
    return value


ALL = {"paths": RICH, "tcp_paths": RICH_TCP, "traces": RICH_DROPS}


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(_places(ALL)), st.sampled_from(ODD), st.booleans()), min_size=1, max_size=8))
def test_odd_measurements_are_not_known_and_never_raise(changes: Any) -> None:
    results: Any = ALL
    for place, odd, remove in changes:
        results = _put(results, place, odd, remove)
    measured = read_measured("n1", results.get("paths"), results.get("tcp_paths"), results.get("traces"))
    plain = [one.as_fact() for one in assess_host("n1", EMPTY, POLICY, measured)]
    assert json.loads(json.dumps(plain)) == plain


def test_segments_that_were_refused_by_icmp_are_no_lost_tries() -> None:
    silent = b.tcp_path("n3", 1450, Verdict.BLACK_HOLE, segments=(Segment(1500, "lost"), Segment(1460, "too big")))
    finding = next(one for one in found(tcp_paths=[silent]) if one.id == "PATH-001")
    assert said(finding)["packets of 1451 bytes and more, n1 to port 30004 of n3, that did not pass"] == 1
