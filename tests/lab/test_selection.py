# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers and pods that run on real hosts are chosen by their labels, while their runtimes work on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from netfit_lab import lab

DOCUMENT = {
    "segments": {"lan": {"addresses": "10.44.0.0/24"}},
    "hosts": {"whale": None, "seal": None, "n1": None},
    "docker": {
        "whale": {
            "containers": {
                "web": {"labels": {"app": "gateway"}},
                "side": {"network": "container:web", "labels": {"role": "log"}},
                "alone": {"labels": {"app": "other"}},
                "open": {"network": "host", "labels": {"app": "gateway"}},
            }
        }
    },
    "podman": {"seal": {"containers": {"web": {"labels": {"app": "gateway"}}, "plain": {}}}},
    "kubernetes": {
        "nodes": ["n1"],
        "pods": {
            "gate-1": {"namespace": "prod", "node": "n1", "image": "pause", "labels": {"app": "gateway"}},
            "gate-2": {"namespace": "test", "node": "n1", "image": "pause", "labels": {"app": "gateway"}},
            "batch": {"namespace": "prod", "node": "n1", "image": "pause"},
        },
    },
}
TARGET_SIDE = "ansible_collections/netfit/cluster/plugins/module_utils"
ON_HOST = "run/netfit-test"
PROGRAM = """
import json, sys
from ansible_collections.netfit.cluster.plugins.module_utils._facts import selection, sources, survey
census, wanted = survey.take_census("/"), json.loads(sys.argv[1])
try:
    chosen = [[one.owner.name, one.namespace.inode] for one in selection.select(census, wanted)]
except sources.NoSuchSource as error:
    chosen = str(error)
left = [problem.subject for problem in selection.left_out(census, wanted)]
print(json.dumps({"chosen": chosen, "left": left, "problems": [one.as_fact() for one in census.problems]}))
"""


@pytest.fixture(scope="module")
def labelled(real: None) -> Iterator[lab.Lab]:
    """A host with docker, one with podman, and a node of a cluster."""
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    name = f"nf-test-labels-{os.getpid()}"
    try:
        running = lab.up(name, "labels", DOCUMENT, print)
        source = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
        for host in running.hosts.values():
            shutil.copytree(source, host.root / ON_HOST / TARGET_SIDE, ignore=shutil.ignore_patterns("__pycache__"))
        yield running
    finally:
        lab.down(name, print)


def select(running: lab.Lab, host: str, *wanted: dict[str, str]) -> dict[str, Any]:
    program = ["env", f"PYTHONPATH=/{ON_HOST}", running.host(host).plan.python, "-B", "-c", PROGRAM]
    found: dict[str, Any] = json.loads(running.host(host).run([*program, json.dumps(wanted)]).stdout)
    assert found["problems"] == []
    return found


def names(running: lab.Lab, host: str, *wanted: dict[str, str]) -> list[str]:
    return [name for name, _inode in select(running, host, *wanted)["chosen"]]


@pytest.mark.parametrize(
    ("host", "entry", "expected"),
    [
        ("whale", {"label": "app=gateway"}, ["web"]),
        ("whale", {"label": "app"}, ["alone", "web"]),
        ("whale", {"label": "role=log"}, ["web"]),
        ("seal", {"label": "app=gateway"}, ["web"]),
        ("seal", {"container": "*"}, ["plain", "web"]),
        ("n1", {"label": "app=gateway"}, ["prod/gate-1", "test/gate-2"]),
        ("n1", {"label": "app=gateway", "pod_namespace": "prod"}, ["prod/gate-1"]),
        ("n1", {"pod": "prod/*"}, ["prod/batch", "prod/gate-1"]),
    ],
)
def test_by_label(labelled: lab.Lab, host: str, entry: dict[str, str], expected: list[str]) -> None:
    assert names(labelled, host, entry) == expected


def test_chosen_namespace_is_the_container_s(labelled: lab.Lab) -> None:
    host = labelled.host("whale")
    described = json.loads(host.run(["/usr/bin/docker", "inspect", "web"]).stdout)[0]
    inode = int(host.run(["stat", "--dereference", "--format=%i", f"/proc/{described['State']['Pid']}/ns/net"]).stdout)
    assert select(labelled, "whale", {"label": "app=gateway"})["chosen"] == [["web", inode]]


def test_container_on_the_host_s_network_is_left_out_and_named(labelled: lab.Lab) -> None:
    assert select(labelled, "whale", {"label": "app=gateway"})["left"] == ["container open"]
    refused = select(labelled, "whale", {"container": "open"})["chosen"]
    assert (
        refused
        == "containers[0]: container open: container open shares the host's network, whose settings are the host's"
    )


def test_what_is_not_there_is_said_with_the_labels_that_are(labelled: lab.Lab) -> None:
    refused = select(labelled, "n1", {"label": "app=gatewy"})["chosen"]
    assert refused.startswith("containers[0]: label app=gatewy is not here; there are pod prod/batch, pod prod/gate-1,")
    assert "app=gateway" in refused


def test_container_that_is_gone_is_not_chosen_and_a_new_one_is(labelled: lab.Lab) -> None:
    host = labelled.host("seal")
    host.run(["/usr/bin/podman", "run", "--detach", "--name=late", "--label=app=late", "docker.io/netfit/pause:1"])
    assert names(labelled, "seal", {"label": "app=late"}) == ["late"]
    host.run(["/usr/bin/podman", "rm", "--force", "--time=0", "late"])
    assert isinstance(select(labelled, "seal", {"label": "app=late"})["chosen"], str)
