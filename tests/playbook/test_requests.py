# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit with HTTP requests: who sends them, and what is said of them; facts are made up, requests are not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Dict, List

import jsonschema
import pytest

from ansible_collections.netfit.cluster.plugins.plugin_utils._report.document import SCHEMA_FILE
from ansible_collections.netfit.cluster.tests.playbook.conftest import Play
from ansible_collections.netfit.cluster.tests.unit import builders as b
from ansible_collections.netfit.cluster.tests.unit.target import http_servers as servers

NO_PROBES = ["-e", "netfit_probe=none", "-e", "netfit_become=false"]
HOSTS = {"n1": b.facts([b.node(1)]), "n2": b.facts([b.node(2)]), "v1": b.facts([b.node(3)])}
PYTHON = {name: {"ansible_python_interpreter": sys.executable} for name in HOSTS}


def options(**variables: Any) -> List[str]:
    return [*NO_PROBES, "-e", json.dumps({f"netfit_{name}": value for name, value in variables.items()})]


def report(folder: Path) -> Dict[str, Any]:
    document: Dict[str, Any] = json.loads((folder / "netfit-report/report.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    return document


def findings(document: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    return {one["id"]: one for one in document["findings"] if one["target"]["peer"] is not None}


def test_requests_through_nodes_are_counted_from_the_vantage_group(play: Play, tmp_path: Path) -> None:
    good, bad = servers.answering(servers.OK), servers.by_size(1300, servers.reset)
    with servers.serve(bad) as port, servers.serve(good, address="127.0.0.2", port=port):
        targets = [
            {"url": "http://shop.example.org/echo", "address": address, "port": port, "node": node}
            for node, address in (("n1", "127.0.0.1"), ("n2", "127.0.0.2"))
        ]
        wanted = options(http_targets=targets, http_requests=12)
        done = play("audit", HOSTS, *wanted, variables=PYTHON, groups={"vantage": ["v1"]})
    assert done.returncode == 0, done.stdout + done.stderr
    document = report(tmp_path)
    assert [(one["host"], one["node"], one["sent"]) for one in document["http"]] == [("v1", "n1", 36), ("v1", "n2", 36)]
    assert [size["failed"] for size in document["http"][0]["sizes"]] == [0, 0, 12]
    found = findings(document)
    assert set(found) == {"HTTP-001", "HTTP-002"}
    assert "fail by n1 (1 of 2 nodes), and less or not at all by n2" in found["HTTP-002"]["observed"]
    assert found["HTTP-002"]["target"]["host"] == "v1"
    assert "HTTP-002" in done.stdout


def test_without_a_vantage_group_the_first_host_watches(play: Play, tmp_path: Path) -> None:
    with servers.serve(servers.keeping(0.5)) as port:
        target = f"http://127.0.0.1:{port}/"
        wanted = options(keepalive_targets=[target], load_balancer="aws_alb", keepalive_longest=3)
        done = play("audit", HOSTS, *wanted, variables=PYTHON)
    assert done.returncode == 0, done.stdout + done.stderr
    document = report(tmp_path)
    (idle,) = document["keepalive"]
    assert (idle["host"], idle["ended"], idle["idle_seconds"]) == ("n1", "fin", 60.0)
    assert set(findings(document)) == {"HTTP-003"} and "http" not in document


@pytest.mark.parametrize(
    ("variables", "groups", "sender"),
    [
        ({}, {"vantage": ["v1"]}, "v1"),
        ({"http_from": ["n2"]}, {}, "n2"),
        ({"http_from": ["n1"]}, {"vantage": ["v1"]}, "n1"),
    ],
)
def test_of_all_slices_one_sends(play: Play, tmp_path: Path, variables: Any, groups: Any, sender: str) -> None:
    """Else as many times what was asked for would be sent as there are slices."""
    senders = []
    with servers.serve(servers.answering(servers.OK)) as port:
        wanted = {"http_targets": [f"http://127.0.0.1:{port}/"], "http_requests": 2, "slice_wait": 0, **variables}
        for name in HOSTS:
            more = options(**wanted, slice=name)
            done = play("audit", HOSTS, *more, "--limit", name, variables=PYTHON, groups=groups)
            assert done.returncode == 0, done.stdout + done.stderr
            written = json.loads((tmp_path / f"netfit-report/slice-{name}/report.json").read_text(encoding="utf-8"))
            senders += [one["host"] for one in written.get("http", [])]
    assert senders == [sender]


def test_nothing_is_sent_where_nothing_is_named(play: Play, tmp_path: Path) -> None:
    done = play("audit", HOSTS, *NO_PROBES, variables=PYTHON)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not {"http", "keepalive"} & set(report(tmp_path))


def test_what_could_not_be_sent_is_an_error_and_not_silence(play: Play, tmp_path: Path) -> None:
    broken = {**PYTHON, "n1": {"ansible_python_interpreter": "/nowhere/python"}}
    wanted = options(http_targets=["http://127.0.0.1:9/"], keepalive_targets=["http://127.0.0.1:9/"])
    done = play("audit", HOSTS, *wanted, variables=broken)
    assert done.returncode == 0, done.stdout + done.stderr
    document = report(tmp_path)
    assert document["http"][0]["sent"] == 0 and document["http"][0]["reason"]
    assert document["keepalive"][0]["ended"] == "failed" and document["keepalive"][0]["reason"]
    assert set(findings(document)) == {"AUDIT-001"}


@pytest.mark.parametrize(
    "variables, says",
    [
        ({"http_targets": ["http://a/"], "http_requests": "many"}, "netfit_http_targets: requests is 'many'"),
        ({"keepalive_targets": ["http://a/"], "load_balancer": "aws"}, "load_balancer is 'aws'"),
        ({"keepalive_longest": "long"}, "netfit_keepalive_longest is long"),
        ({"http_targets": ["http://a/"], "slice": "a"}, "netfit_http_from: which host sends in a slice is not known"),
        (
            {"keepalive_targets": ["http://a/"], "slice": "a"},
            "netfit_http_from: which host sends in a slice is not known",
        ),
        ({"http_targets": ["http://a/"], "http_from": ["n7"]}, "netfit_http_from is ['n7']"),
        ({"http_targets": ["http://a/"], "http_from": ["localhost"]}, "netfit_http_from is ['localhost']"),
        ({"http_targets": ["http://a/"], "http_from": "n1"}, "netfit_http_from is n1"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_host_is_touched(play: Play, variables: Any, says: str) -> None:
    done = play("audit", HOSTS, *options(**variables), variables=PYTHON)
    assert done.returncode == 2
    assert says in done.stdout + done.stderr
    assert "Gather facts" not in done.stdout
