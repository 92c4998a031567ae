# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audits in slices on recorded facts: the merged report is the whole one, whoever ran what, and whatever is cached."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest

from ansible_collections.netfit.cluster.tests.playbook.test_probing import done, measured, report
from ansible_collections.netfit.cluster.tests.unit.builders import incident

Play = Callable[..., subprocess.CompletedProcess[str]]
VOLATILE = ("generated_at",)
NO_WAIT = ("-e", "netfit_slice_wait=0")


def lasting(document: Dict[str, Any]) -> Dict[str, Any]:
    """A report without what differs between two audits of the same."""
    return {key: value for key, value in document.items() if key not in VOLATILE}


def fault(name: str) -> Dict[str, Dict[str, Any]]:
    """Variables of a host: the path of that name carries less than it should."""
    bad = {"verdict": "black hole", "path_mtu": 1400, "at_least": 1400, "at_most": 1401, "confidence": 1.0}
    return {name.partition(" ")[0]: {"measured": json.dumps({name: {"verdict": "black hole", "forward": bad}})}}


def audit_slices(play: Play, hosts: Dict[str, Any], slices: Dict[str, str], *more: str, **options: Any) -> List[str]:
    """Run slices at once: the name of each, and its limit. Returns what they said."""

    def run(item: Tuple[str, str]) -> str:
        ended = play("audit", hosts, "--limit", item[1], "-e", f"netfit_slice={item[0]}", *more, **options)
        assert ended.returncode in (0, 4), ended.stdout + ended.stderr
        return ended.stdout

    with ThreadPoolExecutor(len(slices)) as pool:
        return list(pool.map(run, slices.items()))


def test_the_merged_report_of_slices_is_that_of_the_whole_audit(play: Play, tmp_path: Path) -> None:
    variables = fault("n2 to n3")
    assert play("audit", incident(), variables=variables).returncode == 0
    whole, asked = report(tmp_path), measured(tmp_path)
    (tmp_path / "done.jsonl").unlink()
    audit_slices(play, incident(), {"a": "n1,n3", "b": "n2", "c": "n4"}, variables=variables)
    assert measured(tmp_path) == asked
    tokens = {one["token"] for one in done(tmp_path) if one.get("state") != "stopped"}
    assert len(tokens) == 1 and len(tokens.pop()) == 64
    order = [one.get("state", "measured") for one in done(tmp_path)]
    assert order == sorted(order, key=["started", "measured", "stopped"].index)
    assert list((tmp_path / "netfit-report/.slices/run").glob("[!l]*")) == []
    ended = play("report", {}, "-e", "netfit_slices=netfit-report")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(whole["paths"]) == 9 and [one for one in whole["findings"] if one["id"] == "PATH-001"]
    assert lasting(report(tmp_path)) == lasting(whole)


def test_slices_of_an_inventory_that_has_their_hosts_alone_know_the_others_as_peers(play: Play, tmp_path: Path) -> None:
    """As AWX slices a job. What is known of pods elsewhere is what the peers say."""
    assert play("audit", incident()).returncode == 0
    whole = report(tmp_path)
    addresses = {one["name"].partition(" to ")[2]: one["target"] for one in whole["paths"]}
    peers: List[Dict[str, Any]] = [
        {"name": name, "address": f"198.18.7.1{name[1]}", "audited": True} for name in incident()
    ]
    gateway = {"name": "prod/gateway", "address": addresses["pod prod/gateway on n2"], "network": "flannel.1"}
    peers[1]["pods"] = [gateway]
    for name, own in (("a", ("n1", "n3")), ("b", ("n2", "n4"))):
        variables = json.dumps({"netfit_slice": name, "netfit_slice_wait": 0, "netfit_peers": peers})
        ended = play("audit", {host: incident()[host] for host in own}, "-e", variables)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    ended = play("report", {})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert lasting(report(tmp_path)) == lasting(whole)


def test_what_a_cache_kept_of_a_host_that_is_gone_is_not_told_as_new(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN", "jsonfile")
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN_CONNECTION", str(tmp_path / "cache"))
    monkeypatch.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "1")
    ended = play("audit", incident(), "-e", "netfit_fail_on=low")
    assert ended.returncode == 2
    stats = json.loads(ended.stdout.partition("CUSTOM STATS:")[2].partition("RUN: ")[2])["netfit"]
    assert (stats["verdict"], stats["hosts"]["audited"], stats["reached"]["critical"]) == ("failed", 4, 1)
    assert stats["files"] == {kind: str(tmp_path / f"netfit-report/report.{kind}") for kind in ("html", "json")}
    assert report(tmp_path)["hosts"]["n2"]["status"] == "audited"
    (kept,) = (tmp_path / "cache").glob("*n2")
    assert "MTU-001" in kept.read_text(encoding="utf-8")
    (tmp_path / "n2.json").unlink()
    (tmp_path / "done.jsonl").unlink()
    ended = play("audit", {**incident(), "n2": None})
    assert ended.returncode == 4, ended.stdout
    found = report(tmp_path)
    assert found["hosts"]["n2"]["status"] == "unreachable"
    assert [one["id"] for one in found["findings"] if one["target"]["host"] == "n2"] == ["AUDIT-002"]
    assert "n2" not in measured(tmp_path) and "n1 to n2" in measured(tmp_path)["n1"]
    assert {path["host"] for path in found["paths"]} == {"n1", "n3", "n4"}


@pytest.mark.parametrize(
    ("playbook", "variables", "words"),
    [
        ("audit", {"netfit_slice": "../up"}, ["netfit_slice", "../up", "letters"]),
        ("audit", {"netfit_slice": "a", "netfit_slice_wait": -1}, ["netfit_slice_wait", "-1", "0 to 3600"]),
        ("report", {"netfit_slices": "nowhere"}, ["netfit_slices", "nowhere", "slice-NAME.json"]),
        ("report", {"netfit_slices": "hosts.yml"}, ["netfit_slices", "hosts.yml"]),
        ("report", {"netfit_fail_on": "hihg"}, ["netfit_fail_on", "hihg", "critical"]),
    ],
)
def test_what_no_slice_can_be_is_refused(
    play: Play, tmp_path: Path, playbook: str, variables: Dict[str, Any], words: List[str]
) -> None:
    ended = play(playbook, {"n1": incident()["n1"]}, "-e", json.dumps(variables))
    assert ended.returncode == 2, ended.stdout
    assert all(word in ended.stdout for word in words), ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr and not list(tmp_path.glob("asked-*"))


def test_the_merged_report_ends_as_the_slices_did(play: Play, tmp_path: Path) -> None:
    ended = play("audit", {"n1": incident()["n1"], "n9": None}, "-e", "netfit_slice=a")
    assert ended.returncode == 4, ended.stdout
    ended = play("report", {})
    assert ended.returncode == 4, ended.stdout
    assert "not audited, unreachable: n9 (no answer from n9)" in ended.stdout
    assert report(tmp_path)["summary"]["hosts"] == {
        "total": 2,
        "healthy": 1,
        "audited": 1,
        "unreachable": 1,
        "failed": 0,
        "not_assessed": 0,
    }
