# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks measure real paths: what they find in the incident, what they prove after the cure, what they leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from netfit_lab import lab
from netfit_lab.features import kubernetes
from netfit_lab.host import Host

LAB = Path(lab.__file__).resolve().parents[1]
ANSIBLE = Path(sys.executable).parent
PORT = 47815
NODES = ("n1", "n2", "n3", "n4")
OUTSIDE = {"netfit_vantage_group": "load_balancers", "netfit_node_ports": [30004]}
BLACK_HOLE = {
    "segments": {
        "left": {"addresses": "10.44.1.0/24"},
        "middle": {"addresses": "10.44.2.0/24", "mtu": 1400},
        "right": {"addresses": "10.44.3.0/24"},
    },
    "routers": {
        "near": {"segments": ["left", "middle"], "icmp": "none"},
        "far": {"segments": ["middle", "right"], "icmp": "none"},
    },
    "hosts": {"one": {"segments": ["left"]}, "two": {"segments": ["right"]}},
}


@pytest.fixture(scope="module")
def incident(real: None) -> Iterator[lab.Lab]:
    """The running incident."""
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    name = f"nf-test-probe-{os.getpid()}"
    document = yaml.safe_load((LAB / "topologies" / "incident.yml").read_text())
    try:
        yield lab.up(name, "incident", document, print)
    finally:
        lab.down(name, print)


@pytest.fixture(scope="module")
def narrow(real: None) -> Iterator[lab.Lab]:
    """Two hosts with a narrow link between them, whose routers say nothing."""
    name = f"nf-test-narrow-{os.getpid()}"
    try:
        yield lab.up(name, "narrow", BLACK_HOLE, print)
    finally:
        lab.down(name, print)


def command(running: lab.Lab, playbook: str, folder: Path, **variables: Any) -> list[str]:
    """The command line of a playbook."""
    inventory = str(running.paths.directory / "inventory.yml")
    settings = ["ANSIBLE_INJECT_FACT_VARS=False", "ANSIBLE_NOCOLOR=1", "COLUMNS=100"]
    given = json.dumps({"netfit_report_dir": str(folder), "netfit_sample_interval": 0, **variables})
    program = [str(ANSIBLE / "ansible-playbook"), f"netfit.cluster.{playbook}", "-i", inventory, "-e", given]
    return ["env", *settings, *program]


def play(
    running: lab.Lab, playbook: str, folder: Path, **variables: Any
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run a playbook as the lab's controller; return how it ended and report.json."""
    done = running.controller.run(command(running, playbook, folder, **variables), timeout=180, check=False)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return done, report


def sizes(report: dict[str, Any], kind: str) -> dict[str, tuple[Any, Any]]:
    """What the paths of a class carry, there and back, by name."""
    return {
        one["name"]: (one["forward"]["path_mtu"], one["back"]["path_mtu"])
        for one in report["paths"]
        if one["class"] == kind
    }


def namespaces(host: Host) -> list[list[str]]:
    """What to put before a command so that it runs in each network namespace of a host."""
    names = host.run(["sh", "-c", "ls /run/netns 2>/dev/null || true"]).stdout.split()
    return [[], *(["nsenter", f"--net=/run/netns/{name}"] for name in names)]


def traces(running: lab.Lab) -> dict[str, list[str]]:
    """What measuring might leave on the hosts: UDP sockets, processes, learned path MTUs, files."""
    found: dict[str, list[str]] = {}
    for name, host in running.hosts.items():
        seen = host.run(["sh", "-c", "ps -eo args | grep -i -e netfit -e ansiballz -e respond | grep -v grep || true"])
        lines = (
            seen.stdout.splitlines() + host.run(["sh", "-c", "ls -d /run/netfit* 2>/dev/null || true"]).stdout.split()
        )
        for entry in namespaces(host):
            lines += host.run([*entry, "ss", "-Hauwn"]).stdout.splitlines()
            lines += host.run([*entry, "ip", "route", "show", "cache"]).stdout.splitlines()
            lines += host.run([*entry, "ip", "-6", "route", "show", "cache"]).stdout.splitlines()
        found[name] = sorted(lines)
    return found


def answering(running: lab.Lab) -> set[str]:
    """Names of the hosts on which a responder listens, in whatever namespace."""
    return {
        name
        for name, host in running.hosts.items()
        for entry in namespaces(host)
        if f":{PORT} " in host.run([*entry, "ss", "-Hauwn"]).stdout
    }


def test_the_audit_measures_what_the_pod_s_paths_carry(incident: lab.Lab, tmp_path: Path) -> None:
    before = traces(incident)
    done, report = play(incident, "audit", tmp_path, **OUTSIDE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sizes(report, "host-host") == dict.fromkeys(sizes(report, "host-host"), (1500, 1500))
    assert len(sizes(report, "host-host")) == 6
    gateway = "pod prod/gateway on n2"
    assert sizes(report, "host-pod") == {f"{name} to {gateway}": (1450, 1450) for name in ("n1", "n3", "n4")}
    assert " changed=0 " in done.stdout and " changed=1 " not in done.stdout
    assert traces(incident) == before


def test_the_load_balancer_sees_the_black_hole_on_the_nodes_without_the_pod(incident: lab.Lab, tmp_path: Path) -> None:
    _done, report = play(incident, "audit", tmp_path, netfit_probe="all", **OUTSIDE)
    verdicts = {one["name"]: one["verdict"] for one in report["paths"] if one["kind"] == "tcp"}
    assert verdicts == {f"lb to {name}:30004": "ok" if name == "n2" else "black hole" for name in NODES}


@pytest.mark.parametrize("variables", [{}, OUTSIDE], ids=["from-within", "from-outside-too"])
def test_verification_fails_until_the_pod_fits_the_overlay(
    incident: lab.Lab, tmp_path: Path, variables: dict[str, Any]
) -> None:
    sick, _report = play(incident, "verify", tmp_path, **variables)
    assert sick.returncode == 2, sick.stdout
    text = " ".join(sick.stdout.split())
    assert "FAIL n1 to pod prod/gateway on n2: expected 1500, measured 1450 / 1450" in text
    try:
        kubernetes.set_pod_mtu(incident, 1450)
        kubernetes.run_pods_anew(incident)
        healed, report = play(incident, "verify", tmp_path, **variables)
    finally:
        kubernetes.set_pod_mtu(incident, None)
        kubernetes.run_pods_anew(incident)
    assert healed.returncode == 0, healed.stdout
    assert {one["verdict"] for one in report["paths"]} == {"ok"}


def test_a_controller_that_dies_leaves_responders_that_end_by_themselves(incident: lab.Lab, tmp_path: Path) -> None:
    before = traces(incident)
    with incident.controller.start(command(incident, "audit", tmp_path, netfit_probe_timeout=1)) as process:
        try:
            deadline = time.monotonic() + 300
            while len(answering(incident)) < 3:
                assert process.poll() is None and time.monotonic() < deadline, "no responders were seen"
                time.sleep(0.1)
        finally:
            process.kill()
    deadline = time.monotonic() + 90
    while answering(incident) or traces(incident) != before:
        assert time.monotonic() < deadline, (answering(incident), traces(incident), before)
        time.sleep(1)


def test_a_silent_narrow_link_is_found_in_both_directions(narrow: lab.Lab, tmp_path: Path) -> None:
    done, report = play(narrow, "audit", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(sizes(report, "host-host").values()) == [(1400, 1400)]
    assert ("PATH-001", "critical") in {(one["id"], one["severity"]) for one in report["findings"]}
    failed, _report = play(narrow, "verify", tmp_path)
    assert failed.returncode == 2 and "black hole" in failed.stdout


def test_without_responders_the_same_is_found_by_icmp(narrow: lab.Lab, tmp_path: Path) -> None:
    done = narrow.controller.run([*command(narrow, "audit", tmp_path), "--check"], timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PATH-001" in done.stdout and "1400" in done.stdout
