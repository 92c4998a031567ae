# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every path of the plan has a result, also where nothing was measured."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.peers import Peer, PeerError, parse_peers
from ansible_collections.netfit.cluster.plugins.plugin_utils._mesh.results import paths, tcp_paths

POD_TARGET = {
    "name": "pod prod/api on n1 to n2",
    "address": "192.0.2.2",
    "source": {"pod": "prod/api"},
    "expected_mtu": 1450,
    "about": {"class": "pod-pod"},
}
HOST_TARGET = {"name": "n1 to n2", "address": "192.0.2.2", "about": {"class": "host-host"}}
TCP_TARGET = {"name": "lb to n2:443", "host": "192.0.2.2", "port": 443, "about": {"class": "outside-nodeport"}}


def test_what_was_measured_is_handed_on_in_the_order_of_the_plan() -> None:
    result = {"paths": [{"name": "n1 to n2", "verdict": "ok"}, {"name": POD_TARGET["name"], "verdict": "black hole"}]}
    assert [path["verdict"] for path in paths("n1", [POD_TARGET, HOST_TARGET], result)] == ["black hole", "ok"]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"failed": True, "msg": "Task failed: no right to do so"}, "measuring failed: no right to do so"),
        ({"failed": True, "msg": "MODULE FAILURE", "module_stderr": "Killed\nmore"}, "MODULE FAILURE Killed"),
        ({"unreachable": True, "msg": "no answer"}, "could not be reached when it was to measure: no answer"),
        ({"failed": True, "paths": [{"name": "n1 to n2", "verdict": "ok"}], "msg": "half"}, "measuring failed: half"),
        ({}, "no result"),
        ({"paths": None}, "no result"),
    ],
)
def test_what_was_not_measured_is_unknown_with_the_reason(result: Dict[str, Any], words: str) -> None:
    (path,) = paths("n1", [POD_TARGET], result)
    assert path["verdict"] == path["forward"]["verdict"] == path["back"]["verdict"] == "unknown"
    assert words in path["reason"]
    assert (path["source"]["kind"], path["source"]["pod_namespace"], path["source"]["pod"]) == ("pod", "prod", "api")
    assert (path["expected_mtu"], path["about"]) == (1450, {"class": "pod-pod"})


def test_what_a_failing_task_measured_before_is_kept() -> None:
    result = {"failed": True, "msg": "half", "paths": [{"name": "n1 to n2", "verdict": "ok"}]}
    assert [path["verdict"] for path in paths("n1", [HOST_TARGET, POD_TARGET], result)] == ["ok", "unknown"]


def test_a_tcp_port_that_was_not_measured_is_unknown_too() -> None:
    (path,) = tcp_paths("lb", [TCP_TARGET], {"failed": True, "msg": "x"})
    assert (path["verdict"], path["port"], path["source"]["name"]) == ("unknown", 443, "lb")


def test_peers_are_read_with_their_pods() -> None:
    pods = [{"name": "prod/api", "address": "fd00::7", "network": "flannel.1"}]
    (peer,) = parse_peers([{"name": "n9", "address": "192.0.2.9", "zone": "west", "pods": pods}])
    assert peer == Peer("n9", "192.0.2.9", "west", tuple(pods))
    assert parse_peers(None) == parse_peers([]) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"name": "n9"}, "netfit_peers is"),
        ([7], "netfit_peers[0] is 7"),
        ([{"address": "192.0.2.1"}], "netfit_peers[0].name"),
        ([{"name": "a", "address": "192.0.2.1", "pods": [{"name": "x", "address": "y"}]}], "pods[0].address is 'y'"),
        ([{"name": "a", "address": "192.0.2.1", "pods": "x"}], "netfit_peers[0].pods is 'x'"),
        ([{"name": "a", "address": "192.0.2.1", "responder": True}], "has responder; allowed are name"),
    ],
)
def test_a_peer_that_cannot_be_used_is_refused_by_its_place(value: Any, words: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_peers(value)
    assert words in str(caught.value)
