# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook in real ansible-rulebook, with what Alertmanager posts. Java is missing: these tests fail."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set

import yaml

from ansible_collections.netfit.cluster.tests.pipelines.conftest import COMMANDS, ROOT, write_inventory
from ansible_collections.netfit.cluster.tests.unit.builders import incident

RULES = ROOT / "docs/examples/prometheus/netfit.rules.yml"
RULEBOOK = ROOT / "extensions/eda/rulebooks/alertmanager.yml"
TOKEN = "made-up"
PATIENCE = 240
"""Seconds; Java takes its time to start on a busy machine."""


def alert(name: str, status: str = "firing", **labels: str) -> Dict[str, Any]:
    """Return an alert as Alertmanager's webhook has it (version 4)."""
    return {
        "status": status,
        "labels": {"alertname": name, "severity": "warning", **labels},
        "annotations": {"summary": "made up", "description": "{{ lookup('pipe', 'touch annotated') }}"},
        "startsAt": "2026-11-26T03:04:05.678Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
        "fingerprint": "c4d9a0f1b2e38576",
    }


def payload(*alerts: Dict[str, Any]) -> Dict[str, Any]:
    common = {"alertname": alerts[0]["labels"]["alertname"]}
    return {
        "version": "4",
        "groupKey": '{}:{alertname="made up"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "netfit",
        "groupLabels": common,
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": list(alerts),
    }


class Rulebook:
    """A running ansible-rulebook that listens on the loopback."""

    def __init__(self, directory: Path, port: int, process: subprocess.Popen[str]) -> None:
        self.directory, self.port, self.process = directory, port, process

    def printed(self) -> str:
        return (self.directory / "rulebook.log").read_text(encoding="utf-8")

    def post(self, content: Dict[str, Any], token: Optional[str] = TOKEN) -> int:
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/netfit", json.dumps(content).encode("utf-8"), headers
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def reports(self) -> Set[str]:
        return {path.parent.name for path in (self.directory / "reports").glob("*/report.json")}

    def wait(self, until: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not until():
            assert self.process.poll() is None and time.monotonic() < deadline, self.printed()
            time.sleep(0.2)


@contextmanager
def rulebook(recorded: Path, directory: Path, **variables: Any) -> Iterator[Rulebook]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"netfit_token": TOKEN, "netfit_port": port, "netfit_alert_dir": str(directory / "reports"), **variables}
    (directory / "vars.yml").write_text(json.dumps(settings), encoding="utf-8")
    inventory = write_inventory(directory, incident())
    environment = {
        **os.environ,
        "PATH": f"{COMMANDS}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(recorded),
        "ANSIBLE_NOCOLOR": "1",
        "HOME": str(directory),
        "PYTHONPATH": "",
    }
    command = ["ansible-rulebook", "--rulebook", "netfit.cluster.alertmanager", "--inventory", str(inventory)]
    with open(directory / "rulebook.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*command, "--vars", "vars.yml"],
            cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True,
            start_new_session=True,
        )  # fmt: skip
    running = Rulebook(directory, port, process)
    try:
        running.wait(lambda: answers(port))
        yield running
    finally:
        for pid in [*descendants(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(timeout=30)


def descendants(ancestor: int) -> List[int]:
    """What a process has started, directly or not: playbooks run in sessions of their own."""
    children: Dict[int, List[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = list(children.get(ancestor, []))
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def answers(port: int) -> bool:
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex(("127.0.0.1", port)) == 0


def test_an_alert_audits_its_host_alone_and_what_looks_like_one_nobody(recorded: Path, tmp_path: Path) -> None:
    template = "{{ lookup('pipe', 'touch " + str(tmp_path / "run") + "') }}"
    strange = [template, "n1:n2", "n*", "n1,n2", "@/etc/passwd", "../n2", "", "n1\n", f"n1\n{template}", "~n.", "!n1"]
    with rulebook(recorded, tmp_path) as running:
        assert running.post(payload(alert("NetfitMtuDrift", host="n2")), token=None) in (400, 401)
        assert running.post(payload(alert("NetfitMtuDrift", host="n2")), token="another") in (400, 401)
        assert running.post(payload(*(alert("NetfitMtuDrift", host=host) for host in strange))) == 200
        assert running.post(payload(alert("NetfitMtuDrift"))) == 200
        assert running.post(payload(alert("NetfitMtuDrift", "resolved", host="n2"))) == 200
        assert running.post(payload(alert("Watchdog", host="n2"))) == 200
        assert running.post(payload(*(alert("NetfitMtuDrift", host=host) for host in ("all", "unknown")))) == 200
        running.wait(lambda: running.printed().count("must be the name of one host of the") >= 2)
        again = [alert("NetfitMtuDrift", host="n1"), alert("NetfitMtuDrift", host="n1")]
        assert running.post(payload(*again)) == 200
        running.wait(lambda: "n1" in running.reports())
        assert running.post(payload(alert("NetfitListenOverflows", host="n3"))) == 200
        running.wait(lambda: "n3" in running.reports())
        printed = running.printed()
    assert running.reports() == {"n1", "n3"}
    report = json.loads((tmp_path / "reports/n1/report.json").read_text(encoding="utf-8"))
    assert list(report["hosts"]) == ["n1"]
    assert {path.name for path in tmp_path.glob("asked-*.json")} == {"asked-n1.json", "asked-n3.json"}
    assert not (tmp_path / "run").exists() and not list(tmp_path.rglob("annotated"))
    refused = {name.removesuffix("\\n").split()[0] for name in re.findall(r"netfit_alert_host is ([^,]+)", printed)}
    # A newline at the end passes the rulebook's expression, as "$" stands before it; the playbook refuses it.
    assert refused == {"all", "unknown", "n1"}
    assert printed.count(f"Report: {tmp_path}/reports/n1/report.json") == 1, "a repeated alert is answered once"
    assert "Remediate with the tags that are allowed" in printed and "netfit.cluster.remediate" not in printed


def test_its_alerts_are_those_of_the_example() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    known = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    named = set(re.findall(r'"(Netfit\w+)"', RULEBOOK.read_text(encoding="utf-8")))
    assert named and named <= known
    with_host: List[str] = [
        rule["alert"]
        for group in rules["groups"]
        for rule in group["rules"]
        if re.search(r'"host"|\bhost\b', rule["expr"])
    ]
    first = RULEBOOK.read_text(encoding="utf-8").split("- name: Audit everything")[0]
    assert set(re.findall(r'"(Netfit\w+)"', first)) == set(with_host)
