# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NodePorts mean for a cluster: who crosses the overlay, and what MTU-001 says about it."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Sequence, Tuple

import jsonschema
import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Finding, Severity
from ansible_collections.netfit.cluster.plugins.module_utils._model.node_port import TrafficPolicy
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.commands import keep_hint
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import SCHEMA_FILE
from ansible_collections.netfit.cluster.plugins.plugin_utils._report.terminal import where
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_cluster, assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.node_port import percent
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_view import view_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.shared_ports import SharedPort, shared_ports
from ansible_collections.netfit.cluster.tests.unit import builders as b

POLICY = load_policy()
CLUSTER, LOCAL = TrafficPolicy.CLUSTER, TrafficPolicy.LOCAL
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def cluster(nodes: int, *ports: Dict[str, Any], audited: Sequence[int] = ()) -> Dict[str, Any]:
    """Return the facts of the audited nodes of a canal cluster of so many, with these NodePorts."""
    numbers = audited or range(1, nodes + 1)
    return {
        f"n{number}": b.facts([b.node(number, nodes)], node_ports=[b.node_port(number, **port) for port in ports])
        for number in numbers
    }


def seen(facts: Dict[str, Any]) -> List[SharedPort]:
    return shared_ports([view_host(name, facts[name]) for name in facts])


def found(facts: Dict[str, Any], rule: str) -> List[Finding]:
    return [one for one in assess_cluster(facts, POLICY) if one.id == rule]


def evidence(finding: Finding) -> List[Tuple[str, Any]]:
    return [(one.what, one.value) for one in finding.evidence]


def test_the_incident_names_port_service_share_and_nodes() -> None:
    (finding,) = found(b.incident(node_ports=True), "NODEPORT-001")
    assert finding.severity is Severity.INFO
    assert finding.observed == "75 % of the requests cross flannel.1: those through n1, n3, n4"
    assert where(finding.as_fact()["target"]) == "all hosts together, NodePort tcp 30004 (prod/gateway:http)"
    assert evidence(finding) == [
        ("externalTrafficPolicy", "Cluster"),
        ("leads to pod prod/gateway on n2 (10.42.2.5:8081)", None),
        ("nodes that hold a pod of it", "n2"),
        ("nodes that hold none", "n1, n3, n4"),
    ]
    hint = keep_hint(finding.as_fact()) or ""
    assert """kubectl -n prod patch service gateway -p '{"spec":{"externalTrafficPolicy":"Local"}}'""" in hint
    assert "port 30004" in hint


def test_mtu_001_names_the_ports_that_lead_to_its_pod() -> None:
    facts = b.incident(node_ports=True)
    (finding,) = found(facts, "MTU-001")
    assert (
        "NodePort tcp 30004 (prod/gateway:http) leads here, externalTrafficPolicy Cluster: "
        "requests that cross flannel.1 and depend on ICMP, those through n1, n3, n4",
        "75 %",
    ) in evidence(finding)
    assert ("Ip.FragFails a second on n1", 3.5) in evidence(finding)
    (own,) = [one for one in assess_host("n2", facts["n2"], POLICY) if one.id == "MTU-001"]
    assert own.fingerprint == finding.fingerprint and "values" not in own.as_fact()


def test_the_values_are_what_the_schema_says() -> None:
    facts = b.incident(node_ports=True)
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/finding", "$defs": SCHEMA["$defs"]})
    told = [one.as_fact() for rule in ("MTU-001", "NODEPORT-001") for one in found(facts, rule)]
    for one in told:
        validator.validate(one)
    assert [one["values"] for one in told] == [told[0]["values"]] * 2
    assert told[0]["values"]["node_ports"] == [
        {
            "family": "ipv4",
            "protocol": "tcp",
            "port": 30004,
            "service": "prod/gateway:http",
            "external_traffic_policy": "cluster",
            "share": 0.75,
            "overlays": ["flannel.1"],
            "ways": [
                {"crossing": 1.0, "count": 3, "nodes": ["n1", "n3", "n4"]},
                {"crossing": 0.0, "count": 1, "nodes": ["n2"]},
            ],
            "pods": [{"address": "10.42.2.5", "port": 8081, "host": "n2", "name": "prod/gateway"}],
        }
    ]


@pytest.mark.parametrize("audited", [(1, 2, 3, 4), (2,), (1, 3), (1, 2, 4)])
def test_nodes_that_were_not_audited_count_as_holding_none(audited: Tuple[int, ...]) -> None:
    (port,) = seen(cluster(4, {}, audited=audited))
    assert port.share == 0.75 and port.unseen == 4 - len(audited)


def test_a_pod_on_every_node_is_still_three_quarters() -> None:
    (port,) = seen(cluster(4, {"addresses": [f"10.42.{one}.5" for one in range(1, 5)]}))
    assert port.share == pytest.approx(0.75)
    assert {node.crossing for node in port.nodes} == {0.75}


def test_local_crosses_nothing_and_the_nodes_that_drop_are_named() -> None:
    facts = b.incident()
    for number in range(1, 5):
        facts[f"n{number}"]["netfit_mtu"]["node_ports"] = [b.node_port(number, policy=LOCAL).as_fact()]
    (port,) = seen(facts)
    assert (port.share, port.unseen, port.dropping) == (0.0, 0, ["n1", "n3", "n4"])
    assert found(facts, "NODEPORT-001") == []
    (finding,) = found(facts, "MTU-001")
    assert (
        "NodePort tcp 30004 (prod/gateway:http) leads here, externalTrafficPolicy Local: "
        "requests that cross an overlay (dropped by n1, n3, n4, without a pod)",
        "none",
    ) in evidence(finding)


def test_without_an_overlay_on_the_way_nothing_crosses() -> None:
    assert found(cluster(4, {"device": "eth0"}), "NODEPORT-001") == []


def test_two_clusters_with_the_same_port_are_kept_apart() -> None:
    first = cluster(3, {})
    second = {f"m{name[1]}": fact for name, fact in cluster(3, {"addresses": ("10.42.3.9",)}).items()}
    ports = seen({**first, **second})
    assert [[node.host for node in port.nodes] for port in ports] == [["m1", "m2", "m3"], ["n1", "n2", "n3"]]
    assert len({one.fingerprint for one in found({**first, **second}, "NODEPORT-001")}) == 2


def test_a_pod_of_another_cluster_with_the_same_address_is_not_taken_for_it() -> None:
    facts = b.incident(node_ports=True)
    strangers = {f"x{number}": b.facts([b.node(number, 4)]) for number in (1, 2)}
    stranger = b.pod_network(9002, b.pod("stranger"), 1500, "10.42.2.5/32", 7)
    strangers["x2"]["netfit_mtu"]["namespaces"].append(stranger)
    (port,) = seen({**facts, **strangers})
    assert [(pod.host, pod.name) for pod in port.pods] == [("n2", "prod/gateway")]


def test_odd_facts_are_no_ports() -> None:
    facts = b.incident()
    facts["n1"]["netfit_mtu"]["node_ports"] = [
        None,
        7,
        {},
        {"port": "x", "protocol": "tcp"},
        {"port": 1, "protocol": "tcp"},
    ]
    (port,) = seen(facts)
    assert (port.port, port.policy, port.share, port.pods) == (1, TrafficPolicy.UNKNOWN, None, ())
    facts["n1"]["netfit_mtu"]["node_ports"] = {"port": 1}
    assert seen(facts) == [] and found(facts, "NODEPORT-001") == []


def test_a_port_without_a_service_s_name_is_named_by_its_number() -> None:
    (finding,) = found(cluster(2, {"service": None}), "NODEPORT-001")
    assert finding.target.listener == "NodePort tcp 30004"
    assert "kubectl -n NAMESPACE patch service NAME" in (keep_hint(finding.as_fact()) or "")


@pytest.mark.parametrize(
    ("share", "words"), [(0.75, "75 %"), (0.001, "<1 %"), (0.9999, ">99 %"), (1.0, "100 %"), (0.0, "0 %")]
)
def test_a_share_is_never_rounded_to_none_or_all(share: float, words: str) -> None:
    assert percent(share) == words


def test_the_ports_are_named_where_no_node_has_refused_a_packet_yet() -> None:
    (finding,) = found(b.incident(refused=0.0, node_ports=True), "MTU-001")
    assert [value for what, value in evidence(finding) if "NodePort tcp 30004" in what] == ["75 %"]


def test_a_pod_of_the_node_is_no_crossing_whatever_its_device() -> None:
    facts = cluster(4, {})
    (end,) = facts["n2"]["netfit_mtu"]["node_ports"][0]["endpoints"]
    end["device"] = "flannel.1"
    assert [node.crossing for node in seen(facts)[0].nodes] == [1.0, 0.0, 1.0, 1.0]
