# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit of real hosts whole, and in slices that ansible-runner runs at once: the merged report is the whole one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from netfit_lab import lab

DOCUMENT = {
    "segments": {
        "west": {"addresses": "10.44.1.0/24"},
        "east": {"addresses": "10.44.2.0/24"},
        "between": {"addresses": "10.44.9.0/24", "mtu": 1400},
    },
    # What is larger than 1400 vanishes between the zones, and nobody says so.
    "routers": {
        "r1": {"segments": ["west", "between"], "icmp": "none"},
        "r2": {"segments": ["east", "between"], "icmp": "none"},
    },
    "hosts": {
        "w[1:4]": {"segments": ["west"], "variables": {"netfit_zone": "west"}},
        "e[1:4]": {"segments": ["east"], "variables": {"netfit_zone": "east"}},
    },
    "kubernetes": {
        "nodes": ["w1", "w2", "w3", "e1"],
        "pod_mtu": 1450,
        "pods": {
            "gateway": {"namespace": "prod", "node": "w2", "image": "web"},
            "shop": {"namespace": "prod", "node": "e1", "image": "web"},
        },
    },
}
SLICES = {"one": "w1,e1", "two": "w2,e2", "three": "w3,e3", "four": "w4,e4"}
COUNTS = {"packets_sent", "packets_received", "bytes_sent", "samples", "tries_above", "lost"}
MEASURED_ANEW = {"round_trip_ms", "seconds", "confidence", *COUNTS}
"""Fields of a path that depend on the moment, also between two audits of the same."""


@pytest.fixture(scope="module")
def hosts(real: None) -> Iterator[lab.Lab]:
    """Two zones of four hosts each, with pods on some."""
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    pytest.importorskip("ansible_runner")
    name = f"nf-test-slices-{os.getpid()}"
    try:
        yield lab.up(name, "slices", DOCUMENT, print)
    finally:
        lab.down(name, print)


def run(running: lab.Lab, folder: Path, ident: str, playbook: str, **variables: Any) -> dict[str, Any]:
    """Run a playbook by ansible-runner as the lab's controller. Returns how it ended and the stats that it told."""
    private = folder / "runner" / ident
    (private / "env").mkdir(parents=True)
    (private / "project").mkdir()
    limit = variables.pop("limit", None)
    settings = {"ANSIBLE_INJECT_FACT_VARS": "False", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(private / "home")}
    settings["ANSIBLE_COLLECTIONS_PATH"] = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")
    (private / "env/envvars").write_text(json.dumps(settings))
    (private / "env/extravars").write_text(json.dumps({"netfit_report_dir": str(folder / "report"), **variables}))
    inventory = str(running.paths.directory / "inventory.yml")
    command = [sys.executable, "-m", "ansible_runner", "run", str(private), "-p", playbook, "--ident", ident]
    command += ["--inventory", inventory, *(["--limit", limit] if limit else [])]
    path = f"PATH={Path(sys.executable).parent}:{os.environ['PATH']}"
    done = running.controller.run(["env", path, *command], timeout=300, check=False)
    events = [
        json.loads(one.read_text()) for one in sorted((private / "artifacts" / ident / "job_events").glob("*.json"))
    ]
    stats = [one["event_data"] for one in events if one["event"] == "playbook_on_stats"]
    return {"status": done.returncode, "said": done.stdout + done.stderr, "stats": stats[-1] if stats else {}}


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report/report.json").read_text())
    return found


def lasting(path: dict[str, Any]) -> dict[str, Any]:
    """A path without what depends on the moment, in either direction."""
    kept = {name: value for name, value in path.items() if name not in MEASURED_ANEW}
    for way in ("forward", "back"):
        if isinstance(kept.get(way), dict):
            kept[way] = {name: value for name, value in kept[way].items() if name not in MEASURED_ANEW}
    return kept


@pytest.fixture(scope="module")
def both(hosts: lab.Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The report of a whole audit, and that of four slices that were run at once and merged."""
    whole, sliced = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("sliced")
    ended = run(hosts, whole, "whole", "netfit.cluster.audit")
    assert ended["status"] == 0, ended["said"]
    told = ended["stats"]["artifact_data"]["netfit"]
    assert (told["verdict"], told["hosts"]["audited"]) == ("passed", 8)
    assert told["files"]["json"] == str(whole / "report/report.json")

    def slice_of(name: str) -> dict[str, Any]:
        return run(hosts, sliced, name, "netfit.cluster.audit", limit=SLICES[name], netfit_slice=name)

    with ThreadPoolExecutor(len(SLICES)) as pool:
        for ended in pool.map(slice_of, SLICES):
            assert ended["status"] == 0, ended["said"]
    ended = run(hosts, sliced, "merge", "netfit.cluster.report", netfit_fail_on="high")
    assert ended["status"] == 2, ended["said"]
    assert ended["stats"]["artifact_data"]["netfit"]["verdict"] == "failed"
    yield report(whole), report(sliced)


def test_the_paths_are_the_same(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    whole, merged = both
    assert {one["class"] for one in whole["paths"]} == {"host-host", "pod-pod", "host-pod"}
    assert [one["name"] for one in merged["paths"]] == [one["name"] for one in whole["paths"]]
    differing = [
        (one["name"], name, value, lasting(one)[name])
        for one, other in zip(merged["paths"], whole["paths"], strict=True)
        for name, value in lasting(other).items()
        if lasting(one)[name] != value
    ]
    assert differing == []


def test_the_findings_are_the_same(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    whole, merged = both
    assert [one for one in whole["findings"] if one["id"] == "PATH-001" and one["status"] == "fail"]
    for document in both:
        for finding in document["findings"]:
            finding.pop("evidence")
    assert merged["findings"] == whole["findings"]
    assert merged["summary"] == whole["summary"] and merged["hosts"] == whole["hosts"]
    assert merged["policy"] == whole["policy"]


def test_slices_that_do_not_hear_of_each_other_measure_the_same_path_mtus(hosts: lab.Lab, tmp_path: Path) -> None:
    """One after the other: nobody answers from the other slice, and its hosts are measured by ICMP."""
    for name, limit in (("west", "w*"), ("east", "e*")):
        variables = {"netfit_slice": name, "netfit_slice_wait": 0, "netfit_probe": "hosts"}
        ended = run(hosts, tmp_path, name, "netfit.cluster.audit", limit=limit, **variables)
        assert ended["status"] == 0, ended["said"]
    ended = run(hosts, tmp_path, "merge", "netfit.cluster.report")
    assert ended["status"] == 0, ended["said"]
    paths = report(tmp_path)["paths"]
    across = [one for one in paths if one["host"][0] != one["peer"]["host"][0]]
    within = [one for one in paths if one not in across]
    assert (len(across), len(within)) == (16, 12)
    assert {(one["method"], one["forward"]["path_mtu"], one["expected_mtu"]) for one in across} == {
        ("icmp", 1400, 1500)
    }
    assert {(one["method"], one["forward"]["path_mtu"], one["expected_mtu"]) for one in within} == {("udp", 1500, 1500)}
    assert {one["verdict"] for one in across} == {"black hole"}
