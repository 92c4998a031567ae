# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks have measured, by whom, and what they do when that fails; on recorded facts and results."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from ansible_collections.netfit.cluster.tests.unit.builders import incident

Play = Callable[..., subprocess.CompletedProcess[str]]
NAMES = ("n1", "n2", "n3", "n4")


def done(directory: Path) -> List[Dict[str, Any]]:
    """What the hosts were asked to do, in its order."""
    path = directory / "done.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def measured(directory: Path) -> Dict[str, List[str]]:
    """Names of the paths that each host was asked to measure."""
    return {
        one["host"]: [target["name"] for target in one["targets"]]
        for one in done(directory)
        if one["module"] == "path_mtu_info"
    }


def report(directory: Path) -> Dict[str, Any]:
    document: Dict[str, Any] = json.loads((directory / "netfit-report/report.json").read_text(encoding="utf-8"))
    return document


def test_responders_run_while_paths_are_measured_and_no_longer(play: Play, tmp_path: Path) -> None:
    ended = play("audit", incident())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    order = [one.get("state", "measured") for one in done(tmp_path)]
    assert order == sorted(order, key=["started", "measured", "stopped"].index)
    assert order.count("started") == order.count("stopped") == 4
    assert sum(map(len, measured(tmp_path).values())) == 6 + 3
    started = [one for one in done(tmp_path) if one.get("state") == "started"]
    probed = [one for one in done(tmp_path) if one["module"] == "path_mtu_info"]
    assert {"pod": "prod/gateway"} in next(one["sources"] for one in started if one["host"] == "n2")
    assert len({one["token"] for one in started + probed}) == 1 and len(started[0]["token"]) == 64
    assert len({one["run"] for one in done(tmp_path) if one["module"] == "path_mtu_responder"}) == 1
    assert started[0]["token"] not in ended.stdout + ended.stderr
    assert all(20 < one["lifetime"] < 120 for one in started)


def test_the_token_is_never_shown(play: Play, tmp_path: Path) -> None:
    ended = play("audit", incident(), "-vvv")
    assert ended.returncode == 0, ended.stdout
    token = next(one["token"] for one in done(tmp_path) if one.get("state") == "started")
    assert token not in ended.stdout + ended.stderr


@pytest.mark.parametrize("value", ["none", "hosts", "pods", "all"])
def test_netfit_probe_chooses_what_is_measured(play: Play, tmp_path: Path, value: str) -> None:
    ended = play("audit", incident(), "-e", f"netfit_probe={value}")
    assert ended.returncode == 0, ended.stdout
    paths = sum(map(len, measured(tmp_path).values()))
    assert paths == {"none": 0, "hosts": 6, "pods": 3, "all": 9}[value]
    assert bool(done(tmp_path)) == (value != "none")
    if value == "none":
        assert "Start responders" not in ended.stdout and "Plan who" not in ended.stdout


def test_a_single_host_measures_nothing(play: Play, tmp_path: Path) -> None:
    ended = play("audit", {"n2": incident()["n2"]})
    assert ended.returncode == 0, ended.stdout
    assert done(tmp_path) == [] and "Plan who" not in ended.stdout


def test_peers_that_are_data_are_measured(play: Play, tmp_path: Path) -> None:
    peers = [{"name": "n9", "address": "198.18.7.19", "pods": [{"name": "prod/far", "address": "10.42.3.9"}]}]
    ended = play("audit", {"n2": incident()["n2"]}, "-e", json.dumps({"netfit_peers": peers}))
    assert ended.returncode == 0, ended.stdout
    assert measured(tmp_path) == {
        "n2": ["n2 to n9", "pod prod/gateway on n2 to pod prod/far on n9", "n2 to pod prod/far on n9"]
    }
    assert not [one for one in done(tmp_path) if one["module"] == "path_mtu_responder"]


def test_slices_together_measure_what_one_run_does(play: Play, tmp_path: Path) -> None:
    variables = {name: {"netfit_address": f"198.18.7.1{name[1]}"} for name in NAMES}
    assert play("audit", incident(), "-e", "netfit_probe=hosts", variables=variables).returncode == 0
    whole = {frozenset(name.split(" to ")) for names in measured(tmp_path).values() for name in names}
    (tmp_path / "done.jsonl").unlink()
    for limit in ("n1,n2", "n3", "n4"):
        ended = play("audit", incident(), "-e", "netfit_probe=hosts", "--limit", limit, variables=variables)
        assert ended.returncode == 0, ended.stdout
    lines = [one for one in done(tmp_path) if one["module"] == "path_mtu_info"]
    assert {frozenset(target["name"].split(" to ")) for one in lines for target in one["targets"]} == whole


def test_a_host_without_facts_is_still_probed_by_the_others(play: Play, tmp_path: Path) -> None:
    variables = {"n4": {"ansible_host": "198.18.7.14"}}
    ended = play("audit", {**incident(), "n4": None}, variables=variables)
    assert ended.returncode == 4, ended.stdout
    paths = [name for names in measured(tmp_path).values() for name in names]
    assert {"n1 to n4", "n2 to n4", "n3 to n4"} <= set(paths)
    assert {one["host"] for one in done(tmp_path)} == {"n1", "n2", "n3"}


@pytest.mark.parametrize("outcome", ["failing", "unreachable"])
@pytest.mark.parametrize("module", ["path_mtu_responder", "path_mtu_info"])
def test_what_one_host_cannot_do_spoils_nothing_for_the_others(
    play: Play, tmp_path: Path, module: str, outcome: str
) -> None:
    ended = play("audit", incident(), variables={"n2": {f"outcome_of_{module}": outcome}})
    assert ended.returncode == 0, ended.stdout
    assert {one["host"] for one in done(tmp_path) if one["module"] == "path_mtu_info"} == set(measured(tmp_path))
    assert sum(map(len, measured(tmp_path).values())) == 9
    assert {one["host"] for one in done(tmp_path) if one.get("state") == "stopped"} >= {"n1", "n3"}
    assert report(tmp_path)["summary"]["hosts"]["audited"] == 4


def test_vantage_hosts_measure_node_ports_and_take_no_other_part(play: Play, tmp_path: Path) -> None:
    hosts = {**incident(), "lb": incident()["n1"]}
    ended = play("audit", hosts, "-e", '{"netfit_node_ports": [30004]}', groups={"vantage": ["lb"]})
    assert ended.returncode == 0, ended.stdout
    (asked,) = [one for one in done(tmp_path) if one["module"] == "tcp_path_info"]
    assert asked["host"] == "lb"
    assert [target["name"] for target in asked["targets"]] == [f"lb to {name}:30004" for name in NAMES]
    assert "lb" not in measured(tmp_path)
    assert not [name for names in measured(tmp_path).values() for name in names if "lb" in name]


def test_in_check_mode_nothing_is_started(play: Play, tmp_path: Path) -> None:
    ended = play("audit", incident(), "--check")
    assert ended.returncode == 0, ended.stdout
    assert {one["module"] for one in done(tmp_path)} == {"path_mtu_info"}
    assert not [
        target for one in done(tmp_path) for target in one["targets"] if target.get("responder_port") is not None
    ]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"netfit_probe": "some"}, ["netfit_probe", "none, hosts, pods, all", "some"]),
        ({"netfit_probe_port": 80}, ["netfit_probe_port", "80", "1024 to 65535"]),
        ({"netfit_probe_port": "high"}, ["netfit_probe_port", "high"]),
        ({"netfit_probe_timeout": "long"}, ["netfit_probe_timeout", "long", "1 to 300"]),
        ({"netfit_probe_timeout": 0}, ["netfit_probe_timeout", "0", "1 to 300"]),
        ({"netfit_node_ports": [0]}, ["netfit_node_ports", "0", "1 to 65535"]),
        ({"netfit_node_ports": ["web"]}, ["netfit_node_ports", "web"]),
        ({"netfit_expected_mtu": 12}, ["netfit_expected_mtu", "12", "68 to 65535"]),
        ({"netfit_peers": "n9"}, ["peers", "n9"]),
        ({"netfit_peers": [{"name": "n9"}]}, ["netfit_peers[0].address", "text"]),
        ({"netfit_peers": [{"name": "n9", "address": "n9.example"}]}, ["netfit_peers[0].address", "IP address"]),
        ({"netfit_peers": [{"name": "n9", "adress": "192.0.2.1"}]}, ["netfit_peers[0]", "adress", "address"]),
        (
            {"netfit_peers": [{"name": "a", "address": "192.0.2.1"}, {"name": "a", "address": "192.0.2.2"}]},
            ["netfit_peers", "twice"],
        ),
    ],
)
def test_bad_input_is_refused_before_any_host_is_touched(
    play: Play, tmp_path: Path, variables: Dict[str, Any], words: List[str]
) -> None:
    ended = play("audit", incident(), "-e", json.dumps(variables))
    assert ended.returncode == 2, ended.stdout
    assert all(word in ended.stdout for word in words), ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    assert not list(tmp_path.glob("asked-*")) and done(tmp_path) == []
