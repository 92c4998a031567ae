# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of report.html as values: verdict, path picture, heat maps, queues."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netfit.cluster.plugins.module_utils._model.node_port import TrafficPolicy
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import build_document, describe_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.drawing import Box, Cross, Text
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.heat_map import HeatMap, heat_maps
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.hints import large_pods
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.mesh_groups import group_ends, group_members
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.path_picture import (
    draw_narrow,
    draw_wide,
    share_words,
)
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.path_story import tell
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.port_facts import facts_of
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.queues import BAR_WIDTH, queue_bars
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.story import Story
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.verdict import judge
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.html.words import listed, percent
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_cluster, assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.tests.unit import builders as b
from ansible_collections.netfit.cluster.tests.unit.report.pages import large_report, recorded

POLICY = load_policy()


def by_facts(facts: Dict[str, Any]) -> Dict[str, Any]:
    """Return the report of hosts from which nothing was measured."""
    assessments = {
        name: {
            "status": "audited",
            "reason": None,
            "kernel": b.KERNEL,
            "namespaces": 1,
            "findings": [one.as_fact() for one in assess_host(name, facts[name], POLICY)],
        }
        for name in facts
    }
    return build_document(
        assessments, [one.as_fact() for one in assess_cluster(facts, POLICY)], describe_policy(POLICY)
    )


def sentence(report: Dict[str, Any]) -> str:
    return judge(report, tell(report)).sentence


def ports(report: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [path for path in report["paths"] if path["kind"] == "tcp"]


def test_the_incident_in_one_sentence() -> None:
    assert sentence(recorded("incident")) == (
        "3 of 4 requests (75 %) to port 30004 fail when they are large: overlay flannel.1 (vxlan) carries 1450 bytes, "
        "and pod prod/gateway on n2 invites packets of 1500."
    )


def test_the_incident_as_a_story() -> None:
    (story,) = tell(recorded("incident"))
    worst, sound = story.lanes
    assert (story.total, story.hit, story.full) == (4, 3, 1500)
    assert [(hop.role, hop.name, hop.mtu) for hop in (*story.senders, *worst.hops)] == [
        ("client", "any client", None),
        ("load balancer", "lb", 1500),
        ("node", "n1, n3 and n4", 1500),
        ("overlay", "flannel.1 (vxlan)", 1450),
        ("pod", "prod/gateway", 1500),
    ]
    assert (worst.nodes, worst.dies_at, worst.carries) == (("n1", "n3", "n4"), 1, 1450)
    assert (sound.nodes, sound.dies_at, [hop.role for hop in sound.hops]) == (("n2",), None, ["node", "pod"])


def test_after_the_remedy_all_requests_go_one_way_and_pass() -> None:
    (story,) = tell(recorded("remediation-after"))
    (lane,) = story.lanes
    assert (lane.count, lane.dies_at, lane.hops[-1].mtu, lane.hops[-1].name) == (4, None, 1450, "behind the port")


def test_the_words_of_the_rule_are_understood() -> None:
    """The picture reads MTU-001's own words; this fails where the rule comes to say it otherwise."""
    (pod,) = large_pods(by_facts(b.incident())["findings"])
    assert (pod.scope, pod.name, pod.host, pod.mtu, pod.nodes) == ("pod", "prod/gateway", "n2", 1500, 4)
    overlay = pod.overlay
    assert (overlay.label, overlay.mtu, overlay.underlay, overlay.underlay_mtu) == (
        "flannel.1 (vxlan)",
        1450,
        "eth0",
        1500,
    )


def test_without_a_measurement_the_picture_follows_from_what_was_read_and_says_so() -> None:
    report = by_facts(b.incident())
    (story,) = tell(report)
    assert (story.measured, story.hit, story.total) == (False, 3, 4)
    assert "unless ICMP reaches the sender" in sentence(report)
    assert tell(by_facts(b.incident(pod_mtu=1450))) == []


def with_ports(*addresses: str, policy: TrafficPolicy = TrafficPolicy.CLUSTER) -> Dict[str, Any]:
    """Return the incident's report with kube-proxy's rules: its port leads to pods with these addresses."""
    hosts = b.incident()
    for number in range(1, 5):
        port = b.node_port(number, addresses, policy=policy)
        hosts[f"n{number}"]["netfit_mtu"]["node_ports"] = [port.as_fact()]
    return by_facts(hosts)


def test_with_kube_proxy_s_rules_the_picture_names_port_pod_and_nodes() -> None:
    (story,) = tell(with_ports("10.42.2.5"))
    assert (story.title, story.measured, story.hit, story.total) == ("requests to NodePort 30004", False, 3, 4)
    assert story.leads == (
        "NodePort 30004 (prod/gateway:http) \N{RIGHTWARDS ARROW} prod/gateway on n2, externalTrafficPolicy Cluster: "
        "75 % of the requests cross flannel.1; n1, n3 and n4 hold no pod of it",
    )
    far, near = story.lanes
    assert (far.nodes, near.nodes, far.dies_at, near.dies_at) == (("n1", "n3", "n4"), ("n2",), 1, None)
    assert [share_words(story, lane) for lane in story.lanes] == [
        ("3 of 4", "requests (75 %)"),
        ("1 of 4", "requests (25 %)"),
    ]
    assert sentence(with_ports("10.42.2.5")).startswith(
        "3 of 4 requests (75 %) to NodePort 30004 fail when they are large"
    )


def test_pods_on_several_nodes_share_what_crosses() -> None:
    """Two pods, of which one fits: of three quarters of the requests that cross, half go to the other one."""
    (story,) = tell(with_ports("10.42.2.5", "10.42.3.9"))
    far, near = story.lanes
    assert (far.share, near.share, story.total) == (0.375, 0.625, 4)
    assert share_words(story, far) == ("38 %", "of the requests")
    assert "or a pod that fits it" in near.outcome
    assert sentence(with_ports("10.42.2.5", "10.42.3.9")).startswith("38 % of the requests to NodePort 30004 fail")


def test_with_local_nothing_crosses_and_nodes_without_a_pod_refuse() -> None:
    (story,) = tell(with_ports("10.42.2.5", policy=TrafficPolicy.LOCAL))
    near, refusing = story.lanes
    assert (story.hit, near.nodes, near.share, refusing.nodes, refusing.share) == (
        0,
        ("n2",),
        0.25,
        ("n1", "n3", "n4"),
        0.75,
    )
    assert "externalTrafficPolicy Local: no request crosses an overlay" in story.leads[0]
    assert refusing.outcome.startswith("refused") and refusing.dies_at is None


def test_nodes_that_were_not_audited_are_in_the_picture_without_names() -> None:
    hosts = {"n2": b.incident()["n2"]}
    hosts["n2"]["netfit_mtu"]["node_ports"] = [b.node_port(2).as_fact()]
    (story,) = tell(by_facts(hosts))
    assert [(lane.hops[0].name, lane.hops[0].detail, lane.count) for lane in story.lanes] == [
        ("3 other nodes", "not audited", 3),
        ("n2", "", 1),
    ]


def test_a_measured_port_is_told_whose_it_is() -> None:
    """The rules name the pod, also where two could be behind the port by all that was measured."""
    report = recorded("incident")
    values = with_ports("10.42.2.5")["findings"]
    report["findings"] += [one for one in values if one["id"] == "NODEPORT-001"]
    other = {**report["findings"][0], "target": {**report["findings"][0]["target"], "owner": {"name": "prod/other"}}}
    report["findings"].append(other)
    (story,) = tell(report)
    assert story.measured and story.leads[0].startswith("NodePort 30004 (prod/gateway:http)")
    assert {lane.hops[-1].name for lane in story.lanes} == {"prod/gateway"}


def test_values_that_make_no_sense_are_no_facts() -> None:
    odd = [
        {},
        {"port": 1},
        {"port": 1, "protocol": "tcp", "ways": [{}]},
        7,
        {"port": "1", "protocol": "tcp", "ways": []},
    ]
    assert facts_of({"values": {"node_ports": odd}}) == facts_of({"values": 7}) == facts_of({}) == ()


def test_of_two_pods_that_could_be_behind_the_port_none_is_named() -> None:
    report = recorded("incident")
    report["findings"].append({**report["findings"][0], "target": {**report["findings"][0]["target"]}})
    report["findings"][-1]["target"]["owner"] = {"kind": "pod", "name": "prod/other"}
    (story,) = tell(report)
    assert {lane.hops[-1].name for lane in story.lanes} == {"behind the port"}
    assert story.lanes[0].hops[1].mtu == 1450


def test_an_overlay_is_blamed_for_what_it_carries_and_for_nothing_else() -> None:
    report = recorded("incident")
    ports(report)[0]["path_mtu"] = 1300
    hops = {lane.nodes: (lane.hops[1].role, lane.hops[1].mtu) for lane in tell(report)[0].broken}
    assert hops == {("n3", "n4"): ("overlay", 1450), ("n1",): ("on the way", 1300)}


def test_ports_that_answer_alike_share_a_picture() -> None:
    report = recorded("incident")
    report["paths"] += [{**path, "port": 30005} for path in ports(report)]
    assert [story.title for story in tell(report)] == ["ports 30004 and 30005 of 4 nodes, asked from lb"]
    assert "to ports 30004 and 30005 fail" in sentence(report)
    ports(report)[-1]["path_mtu"] = 1400
    assert len(tell(report)) == 2


@pytest.mark.parametrize(
    ("verdict", "size", "dies_at", "said"),
    [
        ("unreachable", None, 0, "no answer, whatever the size"),
        ("unknown", None, None, "not known: too many packets are lost"),
        ("reduced, ICMP works", 1450, None, "packets over 1450 bytes are refused by ICMP"),
    ],
)
def test_other_outcomes_have_lanes_of_their_own(
    verdict: str, size: Optional[int], dies_at: Optional[int], said: str
) -> None:
    report = recorded("incident")
    ports(report)[0].update(verdict=verdict, path_mtu=size, at_least=0, reason="too many packets are lost")
    lane = next(lane for lane in tell(report)[0].lanes if lane.nodes == ("n1",))
    assert (lane.dies_at, lane.outcome) == (dies_at, said)


def test_the_sentence_tells_of_other_faults_beside_the_worst() -> None:
    report = recorded("incident")
    ports(report)[0].update(verdict="unreachable", path_mtu=None, at_least=0)
    assert sentence(report).startswith("2 of 4 requests (50 %) to port 30004 fail when they are large")
    assert sentence(report).endswith("Another 1 of 4 fail otherwise.")
    ports(report)[2].update(verdict="unreachable", path_mtu=None, at_least=0)
    assert sentence(report).startswith(
        "2 of 4 requests (50 %) to port 30004 get no answer: nothing comes back by n1 and n3."
    )


def test_what_could_not_be_audited_is_no_good_news() -> None:
    report = by_facts(b.incident(pod_mtu=1450))
    report["findings"], report["summary"]["severity"] = [], dict.fromkeys(report["summary"]["severity"], 0)
    assert sentence(report) == "Nothing that hurts was found on 4 hosts; no path was measured."
    report["summary"]["hosts"].update(audited=3)
    assert sentence(report).startswith("Not known: 1 host could not be audited") and judge(report, []).tone == "error"


def pictures(story: Story) -> List[Any]:
    return [draw_wide(story), draw_narrow(story)]


def many_outcomes() -> Dict[str, Any]:
    """Return the incident on 40 nodes, of which 20 carry a size of their own each, and one answers nothing."""
    report = large_report(40)
    for number, path in enumerate(ports(report)[10:30]):
        path["path_mtu"] = 1300 + number
    ports(report)[35].update(verdict="unreachable", path_mtu=None, at_least=0)
    return report


def test_the_rarest_outcomes_are_put_together() -> None:
    (story,) = tell(many_outcomes())
    assert (story.total, story.hit, len(story.lanes)) == (40, 39, 5)
    assert sorted(name for lane in story.lanes for name in lane.nodes) == [f"node-{one:04d}" for one in range(1, 41)]
    assert story.broken[-1].outcome == "fail in 19 other ways: see the measured paths"


@pytest.mark.parametrize(
    "report", [recorded("incident"), recorded("remediation-after"), large_report(40), many_outcomes()]
)
def test_pictures_mark_the_place_once_and_keep_their_texts_inside(report: Dict[str, Any]) -> None:
    (story,) = tell(report)
    for drawing in pictures(story):
        crosses = [shape for shape in drawing.shapes if isinstance(shape, Cross)]
        dying = [shape for shape in drawing.shapes if isinstance(shape, Box) and "dies" in shape.style]
        assert len(crosses) == len(dying) == len(story.broken)
        for shape in drawing.shapes:
            if isinstance(shape, Box):
                assert shape.x >= 0 and shape.x + shape.width <= drawing.width
                assert shape.y >= 0 and shape.y + shape.height <= drawing.height
            if isinstance(shape, Text):
                size = 9.2 if shape.style.startswith(("outcome", "share", "mtu", "name")) else 7.0
                wide = len(shape.words) * size
                assert shape.y <= drawing.height and (shape.anchor == "end" or shape.x + wide <= drawing.width + 24), (
                    shape
                )
        said = drawing.description
        assert all(hop.name in said for lane in story.lanes for hop in lane.hops)


def test_a_heat_map_keeps_directions_apart() -> None:
    report = recorded("incident")
    path = next(path for path in report["paths"] if path["name"] == "n1 to n2")
    path["back"].update(verdict="black hole", path_mtu=1400, tries_above=4)
    heat = heat_maps(report["paths"])[0]
    assert heat.title == "Host to host, IPv4"
    assert field(heat, "n1", "n2") == ("1500", "ok") and field(heat, "n2", "n1") == ("1400!", "hole")
    assert field(heat, "n1", "n1") is None
    (odd,) = heat.deviations
    assert odd.words.startswith("n2 to n1: carries 1400 bytes, black hole") and "4 larger packets" in odd.words


def field(heat: HeatMap, sender: str, receiver: str) -> Any:
    """Return text and style of a cell; None where it is empty."""
    row = next(row for row in heat.rows if row.name == sender)
    found = row.fields[heat.columns.index(receiver)]
    return None if found is None else (found.text, found.style)


def test_a_large_mesh_tells_who_explains_what_deviates() -> None:
    heat = next(one for one in heat_maps(large_report(100)["paths"]) if one.title.startswith("Host to host"))
    assert heat.grouped and heat.columns == ("node-0017 and node-0040 (2)", "the others (98)")
    assert field(heat, "node-0017 and node-0040 (2)", "the others (98)")[1] == "hole"
    assert field(heat, "the others (98)", "the others (98)")[1] == "ok"
    holes = [path for path in large_report(100)["paths"] if path["kind"] == "path" and path["verdict"] == "black hole"]
    assert len(heat.deviations) + heat.more == 2 * len(holes)


def test_many_ports_asked_from_one_place_are_grouped_by_their_answer() -> None:
    heat = next(one for one in heat_maps(large_report(100)["paths"]) if one.title.startswith("Outside"))
    (row,) = heat.rows
    assert row.name == "lb" and [one.text if one else None for one in row.fields] == ["1500 \xd7 1", "1450! \xd7 99"]


ENDS = st.dictionaries(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")).filter(lambda ends: ends[0] != ends[1]),
    st.sampled_from(["", "", "", "1400!", "x"]),
    min_size=1,
)


@given(ENDS)
def test_everybody_is_in_one_group_and_the_rest_explains_nothing(outcomes: Dict[Any, str]) -> None:
    groups = group_members(outcomes)
    members = [name for group in groups for name in group.members]
    assert sorted(members) == sorted({name for ends in outcomes for name in ends})
    rest = {name for group in groups if group.rest for name in group.members}
    assert not [ends for ends, text in outcomes.items() if text and set(ends) <= rest]


@given(ENDS)
def test_senders_and_receivers_are_all_there(outcomes: Dict[Any, str]) -> None:
    for end, groups in enumerate(group_ends(outcomes)):
        assert sorted(name for group in groups for name in group.members) == sorted({ends[end] for ends in outcomes})


def test_queues_are_bars_against_the_backlog_that_is_wanted() -> None:
    bars, more = queue_bars(recorded("incident")["findings"])
    assert more == 0 and bars[0].label == "nginx, tcp 0.0.0.0:8081 in prod/gateway"
    assert bars[0].words == "backlog 128, should be at least 511, 803 dropped since it listens"
    assert (bars[0].backlog_width, bars[0].mark) == (round(BAR_WIDTH * 128 / 511), BAR_WIDTH)
    assert [one.hosts for one in bars if one.label.startswith("sshd")] == ["lb, n1, n2, n3 and n4"] * 2


def test_waiting_connections_are_a_bar_of_their_own() -> None:
    one = recorded("incident")["findings"][5]
    one["evidence"].append({"what": "connections that wait for accept() now", "value": 256, "source": "sock_diag"})
    (queue,), _more = queue_bars([one])
    assert (queue.waiting_width, queue.backlog_width) == (BAR_WIDTH, BAR_WIDTH // 2)
    assert "256 wait now, overfull" in queue.words


def test_words() -> None:
    assert [listed(list("abcdef")[:count]) for count in (0, 1, 2, 4)] == ["", "a", "a and b", "a, b, c and d"]
    assert listed(list("abcdef")) == "a, b, c and 3 more"
    assert [percent(*pair) for pair in ((3, 4), (999, 1000), (1, 1000), (4, 4), (0, 0))] == [
        "75 %",
        ">99 %",
        "<1 %",
        "100 %",
        "0 %",
    ]
