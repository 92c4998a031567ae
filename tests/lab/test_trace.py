# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident traced over SSH on its real hosts: the answer names the overlay of the node that was asked."""

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

ROOT = Path(lab.__file__).resolve().parents[1]
ANSIBLE = Path(sys.executable).parent
HOSTS = ("lb", "n1", "n2", "n3", "n4")


@pytest.fixture(scope="module")
def incident(real: None) -> Iterator[lab.Lab]:
    """The running incident."""
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    name = f"nf-test-trace-{os.getpid()}"
    document = yaml.safe_load((ROOT / "topologies" / "incident.yml").read_text())
    try:
        yield lab.up(name, "incident", document, print)
    finally:
        lab.down(name, print)


def trace(running: lab.Lab, *arguments: str, check: bool = True, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run the playbook as the lab's controller."""
    inventory = str(running.paths.directory / "inventory.yml")
    settings = {"ANSIBLE_INJECT_FACT_VARS": "False", "ANSIBLE_NOCOLOR": "1", "COLUMNS": "100"}
    chosen = json.dumps({f"netfit_trace_{name}": value for name, value in variables.items()})
    command = ["env", *(f"{name}={value}" for name, value in settings.items())]
    command += [str(ANSIBLE / "ansible-playbook"), "-i", inventory, "netfit.cluster.trace", "-e", chosen, *arguments]
    return running.controller.run(command, timeout=120, check=check)


def leftovers(running: lab.Lab) -> dict[str, str]:
    """What a trace could forget on a host."""
    command = "ls /run/netfit 2>/dev/null; ip route show cache; cat /proc/net/packet | wc -l; pgrep -c python3"
    return {name: running.host(name).run(["sh", "-c", command], check=False).stdout for name in HOSTS}


@pytest.mark.parametrize("node", ["n1", "n3"])
def test_the_answer_names_the_overlay_of_the_node_that_was_asked(incident: lab.Lab, node: str) -> None:
    before = leftovers(incident)
    address = incident.host(node).plan.address
    done = trace(incident, **{"from": "lb", "to": address}, protocol="tcp", port=30004)
    said = " ".join(done.stdout.split())
    assert f"Packets of 1500 bytes end between eth0 and flannel.1 of {node}: too big to be forwarded" in said
    assert "pod prod/gateway on n2  eth0" in done.stdout
    assert "Ip.FragFails grew" in done.stdout
    assert leftovers(incident) == before


def test_the_node_with_the_pod_drops_nothing(incident: lab.Lab) -> None:
    address = incident.host("n2").plan.address
    done = trace(incident, **{"from": "lb", "to": address}, protocol="tcp", port=30004)
    said = " ".join(done.stdout.split())
    assert "Packets of 1500 bytes are not dropped: 20 of 20 were seen at eth0 of pod prod/gateway on n2" in said


def test_from_the_pod_itself(incident: lab.Lab) -> None:
    source = {"pod": "prod/gateway"}
    done = trace(incident, **{"from": "n2", "to": "10.42.1.0"}, source=source, size=1500)
    assert "Packets of 1500 bytes end between" in done.stdout and "flannel.1 of n2: too big" in done.stdout


def test_a_sender_that_is_not_there_is_said_before_a_host_is_touched(incident: lab.Lab) -> None:
    done = trace(incident, **{"from": "n9", "to": "10.42.1.0"}, check=False)
    assert done.returncode == 2
    assert "netfit_trace_from: n9 is no host of the inventory" in done.stdout
    assert "Watch" not in done.stdout


def test_a_target_that_does_not_resolve_leaves_no_watcher(incident: lab.Lab) -> None:
    before = leftovers(incident)
    done = trace(incident, **{"from": "n1", "to": "nowhere.invalid"}, check=False)
    assert done.returncode == 2 and "target nowhere.invalid does not resolve" in done.stdout
    assert leftovers(incident) == before
