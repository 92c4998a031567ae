# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP-001 to HTTP-003: what counts of requests and idle connections show, and what chance makes of them."""

from __future__ import annotations

import random
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.http_result import End
from ansible_collections.netfit.cluster.plugins.module_utils._model.idle_defaults import LOAD_BALANCERS, SERVERS
from ansible_collections.netfit.cluster.plugins.module_utils._model.idle_timeouts import Verdict, judge_default
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.failure_statistics import growth, split_nodes
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import PolicyError, load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
SIGNIFICANCE = 0.001
SIZES = (0, 1300, 20000)
INCIDENT = [
    b.http_target(node, {0: (0, 20), 1300: (0, 20), 20000: (0 if node == "n2" else 20, 20)})
    for node in ("n1", "n2", "n3", "n4")
]
rates = st.floats(0, 1)
counts = st.integers(0, 40).flatmap(lambda sent: st.tuples(st.integers(0, sent), st.just(sent)))


def find(*http: Any, idle: Any = (), policy: Any = POLICY) -> Dict[str, List[Any]]:
    """Return the findings about requests by rule."""
    measured = read_measured("v1", http_requests=list(http), keepalive=list(idle))
    found: Dict[str, List[Any]] = {}
    for one in assess_host("v1", {}, policy, measured):
        if one.target.peer is not None:
            found.setdefault(one.id, []).append(one)
    return found


def seen(finding: Any) -> Dict[str, Any]:
    return {entry.what: entry.value for entry in finding.evidence}


def test_the_incident_is_told_by_size_and_by_node() -> None:
    found = find(*INCIDENT)
    (grows,), (depends,) = found["HTTP-001"], found["HTTP-002"]
    assert "bodies of 20000 bytes and more: 60 of 80 failed (75 %, 95 % confidence: 65 to 83 %)" in grows.observed
    assert "with 1300 bytes and less: 0 of 160 failed" in grows.observed
    assert "fail by n1, n3, n4 (3 of 4 nodes), and less or not at all by n2" in depends.observed
    assert "overlay" in seen(depends)["what that means"]
    assert grows.target.peer == depends.target.peer == "port 30004/ of the nodes"
    assert set(found) == {"HTTP-001", "HTTP-002"}


def test_through_the_load_balancer_only_the_size_can_be_told() -> None:
    found = find(b.http_target(sizes={0: (0, 20), 1300: (0, 20), 20000: (15, 20)}))
    assert set(found) == {"HTTP-001"}
    assert found["HTTP-001"][0].target.peer == "http://shop.example.org/"


def test_a_node_that_forwards_nothing_is_no_matter_of_the_overlay() -> None:
    down = {0: (20, 20), 20000: (20, 20)}
    found = find(b.http_target("n1", down), b.http_target("n2", {0: (0, 20), 20000: (0, 20)}))
    assert set(found) == {"HTTP-002"}
    assert "externalTrafficPolicy" in seen(found["HTTP-002"][0])["what that means"]


def test_bodies_that_the_server_refuses_for_their_size_do_not_count() -> None:
    refused = b.http_target(sizes={0: (0, 20), 20000: (20, 20)})
    refused["sizes"][1].update(outcomes={"answered": 20}, statuses={"413": 20})
    assert "HTTP-001" not in find(refused)


def test_failures_besides_a_413_count() -> None:
    mixed = b.http_target(sizes={0: (0, 20), 20000: (19, 20)})
    mixed["sizes"][1].update(outcomes={"answered": 10, "timed out": 10}, statuses={"413": 9, "200": 1})
    (finding,) = find(mixed)["HTTP-001"]
    assert "10 of 11 failed" in finding.observed


@pytest.mark.parametrize(
    "target, says",
    [
        (b.http_target(sent=0, sizes={0: (0, 0)}, planned=20, reason="the name does not resolve"), "does not resolve"),
        (b.http_target(sizes={0: (20, 20), 20000: (20, 20)}), "all 40 requests"),
    ],
)
def test_what_cannot_be_compared_is_said(target: Any, says: str) -> None:
    found = find(target)
    assert set(found) == {"AUDIT-001"} and says in found["AUDIT-001"][0].observed


@given(st.dictionaries(st.sampled_from(SIZES), counts, min_size=2))
def test_only_larger_requests_can_be_the_ones_that_fail(given_counts: Dict[int, Tuple[int, int]]) -> None:
    found = growth(given_counts, SIGNIFICANCE)
    if found is not None:
        assert found.large[0] / found.large[1] > found.small[0] / found.small[1]
        assert found.largest_small < found.smallest_large and found.chance < SIGNIFICANCE


@given(rates, st.integers(0, 2**32))
@settings(max_examples=10)
def test_chance_alone_is_no_finding(rate: float, seed: int) -> None:
    """Of 100 audits in which neither size nor node matters, 0.2 fire by the significance; four would be a fault."""
    dice, fired = random.Random(seed), 0
    for _audit in range(100):
        nodes = {
            node: {size: (sum(dice.random() < rate for _one in range(20)), 20) for size in SIZES}
            for node in ("n1", "n2", "n3")
        }
        one = {size: nodes["n1"][size] for size in SIZES}
        fired += growth(one, SIGNIFICANCE) is not None or split_nodes(nodes, SIGNIFICANCE) is not None
    assert fired < 4


@given(st.lists(st.booleans(), min_size=2, max_size=12))
def test_every_node_that_loses_all_is_named_and_no_other(loses: List[bool]) -> None:
    nodes = {f"n{number}": {3000: (20 if lost else 0, 20)} for number, lost in enumerate(loses)}
    found = split_nodes(nodes, SIGNIFICANCE)
    if len(set(loses)) == 1:
        assert found is None
    else:
        assert found is not None
        assert set(found.failing) == {f"n{number}" for number, lost in enumerate(loses) if lost}
        assert set(found.good) == set(nodes) - set(found.failing)


@pytest.mark.parametrize("failing", [1, 25, 49])
def test_few_requests_to_many_nodes_suffice(failing: int) -> None:
    """1,000 requests are 6 to each of 50 nodes by three sizes: too few to compare one node with one other."""
    found = split_nodes({f"n{one}": {3000: (6 if one < failing else 0, 6)} for one in range(50)}, SIGNIFICANCE, 3)
    assert found is not None and found.chance < 1e-6
    assert set(found.failing) == {f"n{one}" for one in range(failing)} and not found.unclear


def test_a_node_with_few_requests_is_unclear() -> None:
    found = split_nodes({"n1": {0: (20, 20)}, "n2": {0: (0, 20)}, "n3": {0: (1, 2)}}, SIGNIFICANCE)
    assert found is not None
    assert (found.failing, found.good, found.unclear) == (("n1",), ("n2",), ("n3",))


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.floats(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "name",
                        "url",
                        "sizes",
                        "body_bytes",
                        "sent",
                        "failed",
                        "node",
                        "statuses",
                        "outcomes",
                        "413",
                        "ended",
                        "kept_seconds",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_odd_results_raise_nothing_and_prove_nothing(odd: Any) -> None:
    found = find(odd, {"sizes": [odd]}, {"node": "n1", "sizes": odd}, idle=[odd, {"idle_seconds": 3.0, "ended": odd}])
    assert set(found) <= {"AUDIT-001"}


@pytest.mark.parametrize(
    "kept, severity", [(5.0, "high"), (60.0, "high"), (60.1, "low"), (69.9, "low"), (70.0, None), (75.0, None)]
)
def test_a_server_has_to_be_more_patient_by_the_margin(kept: float, severity: Any) -> None:
    found = find(idle=[b.idle_target(kept=kept)]).get("HTTP-003", [])
    assert [one.severity.value for one in found] == ([severity] if severity else [])


def test_the_margin_is_the_policy_s() -> None:
    policy = load_policy({"http": {"idle_margin_seconds": 0}})
    assert find(idle=[b.idle_target(kept=61.0)], policy=policy) == {}
    with pytest.raises(PolicyError, match=r"http\.significance is 0\.5, but must be a number from 1e-12 to 0\.05"):
        load_policy({"http": {"significance": 0.5}})


def test_the_setting_of_the_server_that_names_itself_is_told() -> None:
    (finding,) = find(idle=[b.idle_target(kept=20.0, server="nginx/1.27.1")])["HTTP-003"]
    told = {what: value for what, value in seen(finding).items() if what.startswith("with ")}
    assert told == {"with nginx": "keepalive_timeout 70s;"}
    (unnamed,) = find(idle=[b.idle_target(kept=20.0)])["HTTP-003"]
    assert seen(unnamed)["with gunicorn"] == "--keep-alive 70"


def test_what_was_not_watched_for_long_enough_is_said() -> None:
    found = find(idle=[b.idle_target(kept=None, idle=600.0)])
    assert set(found) == {"AUDIT-001"}
    assert "watched for 130 s" in found["AUDIT-001"][0].observed


def test_an_announced_timeout_stands_in_for_one_that_was_not_waited_for() -> None:
    (finding,) = find(idle=[b.idle_target(kept=None, idle=600.0, announced_timeout=300)])["HTTP-003"]
    assert finding.confidence.value == "derived" and "after 300.0 s" in finding.observed


@pytest.mark.parametrize("ended", [End.NOT_KEPT, End.OPEN])
def test_connections_that_are_not_kept_or_kept_for_long_are_in_order(ended: End) -> None:
    assert find(idle=[b.idle_target(kept=None, ended=ended)]) == {}


def test_a_layer_4_load_balancer_reuses_nothing() -> None:
    target = b.idle_target(kept=5.0, idle=350.0, load_balancer="AWS Network Load Balancer, TCP")
    assert find(idle=[target]) == {}


IMPATIENT = {"gunicorn", "uvicorn", "Node.js", "Apache httpd"}
SHIPPED, BOOT = "Tomcat (server.xml as shipped)", "Tomcat in Spring Boot"
PATIENT_OR_UNKNOWN = {"Envoy", "HAProxy", "Spring Cloud Gateway, reactor-netty"}


@pytest.mark.parametrize(
    "balancer, short, marginal",
    [
        ("aws_alb", IMPATIENT | {SHIPPED, BOOT}, set()),
        ("alibaba_alb", IMPATIENT, {SHIPPED}),
        ("gcp_alb", {server.name for server in SERVERS} - PATIENT_OR_UNKNOWN, set()),
    ],
)
def test_servers_that_nobody_configured(balancer: str, short: set[str], marginal: set[str]) -> None:
    (known,) = (one for one in LOAD_BALANCERS if one.key == balancer)
    verdicts = {server.name: judge_default(server, known) for server in SERVERS}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.SHORT} == short
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.MARGINAL} == marginal
