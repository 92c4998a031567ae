# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident as clients see it: which requests fail, by size and by node, and none of them once the pods fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from netfit_lab import lab
from netfit_lab.features import kubernetes

from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_host
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import load_policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured

ROOT = Path(__file__).resolve().parents[2]
LAB = Path(lab.__file__).resolve().parents[1]
NODES = {f"n{number}": f"198.18.7.1{number}" for number in range(1, 5)}
BALANCER = "http://198.18.7.5/"
PAYLOAD = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import as_plain
from ansible_collections.netfit.cluster.plugins.module_utils._probe.http_options import send_ordered
print(json.dumps(as_plain(send_ordered(json.loads(sys.argv[2]), False))))
"""
OPTIONS = {
    "method": "POST",
    "body_sizes": [0, 1000, 3000],
    "max_requests": 1000,
    "expect": [],
    "timeout": 6.0,
    "total_timeout": 90.0,
    "interval": 0.0,
    "family": "any",
}


@pytest.fixture(scope="module")
def incident(real: None) -> Iterator[lab.Lab]:
    """The running incident."""
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    name = f"nf-test-http-{os.getpid()}"
    document = yaml.safe_load((LAB / "topologies" / "incident.yml").read_text())
    try:
        yield lab.up(name, "incident", document, print)
    finally:
        lab.down(name, print)


def send(enter: list[str], targets: Any, requests: int, parallel: int) -> list[dict[str, Any]]:
    """Send requests as the module would. enter: the command that enters a network namespace of the lab."""
    collections = next(path for path in sys.path if Path(path, "ansible_collections/netfit").is_dir())
    options = {**OPTIONS, "targets": targets, "requests": requests, "parallel": parallel}
    command = [*enter, sys.executable, "-c", PAYLOAD, collections, json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def controller(running: lab.Lab) -> list[str]:
    return running.controller.argv([])


def balancer(running: lab.Lab) -> list[str]:
    """The load balancer's own namespace: whoever sends from there is as deaf to ICMP as it is."""
    return ["nsenter", f"--net=/proc/{running.host('lb').namespace_pid}/ns/net"]


def found(results: Any) -> dict[str, Any]:
    """The rules about requests that the results break."""
    findings = assess_host("client", {}, load_policy(), read_measured("client", http_requests=results))
    return {one.id: one for one in findings if one.id.startswith("HTTP")}


def by_node() -> list[dict[str, Any]]:
    return [{"node": node, "address": address, "port": 30004} for node, address in NODES.items()]


def test_large_requests_fail_through_the_load_balancer_and_by_three_of_the_nodes(incident: lab.Lab) -> None:
    # One at a time: round robin then gives every size to every node twice.
    through = send(controller(incident), [BALANCER], requests=8, parallel=1)
    assert [size["failed"] for size in through[0]["sizes"]] == [0, 0, 6]
    assert through[0]["sizes"][2]["statuses"] == {"200": 2, "504": 6}
    assert set(found(through)) == {"HTTP-001"}
    apart = send(balancer(incident), by_node(), requests=8, parallel=32)
    assert {one["node"]: [size["failed"] for size in one["sizes"]] for one in apart} == {
        node: [0, 0, 0 if node == "n2" else 8] for node in NODES
    }
    assert apart[0]["sizes"][2]["outcomes"] == {"timed out": 8} and apart[0]["sizes"][2]["retransmits"] > 0
    findings = found(apart)
    assert set(findings) == {"HTTP-001", "HTTP-002"}
    assert "fail by n1, n3, n4 (3 of 4 nodes), and less or not at all by n2" in findings["HTTP-002"].observed
    assert any(entry.value is not None and "overlay" in str(entry.value) for entry in findings["HTTP-002"].evidence)


def test_nothing_fails_once_the_pods_fit_the_overlay(incident: lab.Lab) -> None:
    kubernetes.set_pod_mtu(incident, 1450)
    kubernetes.run_pods_anew(incident)
    through = send(controller(incident), [BALANCER], requests=16, parallel=16)
    apart = send(balancer(incident), by_node(), requests=8, parallel=32)
    assert sum(one["failed"] for one in through + apart) == 0
    assert sum(one["sent"] for one in through + apart) == 16 * 3 + 8 * 3 * 4
    assert found(through) == found(apart) == {}
