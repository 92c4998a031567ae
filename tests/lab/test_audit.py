# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real audit over SSH on hosts with docker and podman: what it finds, what it bears, that it changes nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from netfit_lab import lab

ROOT = Path(__file__).resolve().parents[2]
ANSIBLE = Path(sys.executable).parent
DOCUMENT = {
    "segments": {"lan": {"addresses": "10.44.0.0/24"}},
    "hosts": {"whale": None, "seal": None},
    "docker": {
        "whale": {
            "mtu": 1400,
            "networks": {"shop": {"mtu": 1450}},
            "containers": {
                "web": {"image": "web", "network": "shop", "sysctls": {"net.core.somaxconn": "256"}},
                "side": {"network": "container:web"},
                "alone": {},
            },
        }
    },
    "podman": {"seal": {"containers": {"web": {"image": "web"}}}},
}
NEVER_ACCEPTS = """
import socket, time
server = socket.create_server(("0.0.0.0", 7777), backlog=1)
clients, end = [], time.monotonic() + 120
while time.monotonic() < end:
    clients = clients[-100:] + [socket.socket()]
    clients[-1].setblocking(False)
    clients[-1].connect_ex(("127.0.0.1", 7777))
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def hosts(real: None) -> Iterator[lab.Lab]:
    """A host with docker and one with podman."""
    name = f"nf-test-audit-{os.getpid()}"
    try:
        yield lab.up(name, "audit", DOCUMENT, print)
    finally:
        lab.down(name, print)


@pytest.fixture(scope="module", autouse=True)
def untouched(hosts: lab.Lab) -> dict[str, str]:
    """What the docker host looked like before any module ran on it, once its new addresses had settled."""
    deadline = time.monotonic() + 20
    before, now = state(hosts), state(hosts)
    while "tentative" in now["host"] + now["containers"] or now != before:
        assert time.monotonic() < deadline, "the host does not come to rest"
        time.sleep(0.5)
        before, now = now, state(hosts)
    return now


@pytest.fixture(scope="module")
def facts(hosts: lab.Lab) -> dict[str, dict[str, Any]]:
    """network_facts of both, by host."""
    done = ansible(
        hosts, "ansible", "all", "-m", "netfit.cluster.network_facts", "-a", "sample_interval=0", "--one-line"
    )
    found = {}
    for line in done.stdout.splitlines():
        host, _status, result = line.split(" | ", 1)[0], *line.split(" => ", 1)
        found[host] = json.loads(result)["ansible_facts"]
    return found


def ansible(running: lab.Lab, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program of Ansible as the lab's controller."""
    inventory = str(running.paths.directory / "inventory.yml")
    variables = {"ANSIBLE_INJECT_FACT_VARS": "False", "ANSIBLE_NOCOLOR": "1", "COLUMNS": "100"}
    settings = [f"{name}={value}" for name, value in variables.items()]
    command = ["env", *settings, str(ANSIBLE / program), "-i", inventory, *arguments]
    return running.controller.run(command, timeout=120, check=check)


def audit(
    running: lab.Lab, folder: Path, *arguments: str, check: bool = True
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the audit; return how it ended and report.json."""
    variables = json.dumps({"netfit_report_dir": str(folder), "netfit_sample_interval": 0.2})
    done = ansible(running, "ansible-playbook", "netfit.cluster.audit", "-e", variables, *arguments, check=check)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return done, report


def namespaces(found: dict[str, Any], fact: str, name: str) -> list[dict[str, Any]]:
    return [entry for entry in found[fact]["namespaces"] if entry["owner"]["name"] == name]


def state(running: lab.Lab) -> dict[str, str]:
    """What can be seen of the docker host and its containers, ids of other namespaces and times of files included."""
    whale = running.host("whale")
    inside = "for n in /run/docker/netns/*; do nsenter --net=$n sh -c '%s'; done"
    shown = ("-d link", "address", "route show table all", "route show cache", "netns list-id", "rule")
    seen = "; ".join([*(f"ip {words}" for words in shown), "sysctl -a --pattern ^net"])
    commands = {
        "host": f"({seen}) 2>/dev/null",
        "containers": f"({inside % seen}) 2>/dev/null",
        "files": "find /etc /var/lib/docker /run/docker /usr/local -printf '%p %m %T@\\n' | sort",
        "processes": "ls /run/docker/netns; docker ps --format '{{.ID}} {{.Status}}' | cut -d' ' -f1,2",
    }
    found = {name: whale.run(["sh", "-c", command], timeout=60).stdout for name, command in commands.items()}
    # A bridge's timers, how many connections are tracked, and the lifetimes of addresses move by themselves.
    moving = r"\w+_timer +[\d.]+|_count = \d+|\d+sec"
    return {name: re.sub(moving, "", text) for name, text in found.items()}


def test_nothing_on_the_host_changes(hosts: lab.Lab, untouched: dict[str, str], tmp_path: Path) -> None:
    """The first in this file: no module has run on these hosts before."""
    audit(hosts, tmp_path)
    after = state(hosts)
    changed = {name: set(untouched[name].splitlines()) ^ set(after[name].splitlines()) for name in untouched}
    assert changed == {name: set() for name in untouched}
    assert len(untouched["files"].splitlines()) > 100 and "somaxconn = 256" in untouched["containers"]


def test_each_container_owns_its_namespace_and_a_guest_owns_none(facts: dict[str, dict[str, Any]]) -> None:
    owners = {
        host: sorted(
            (entry["owner"]["kind"], entry["owner"]["name"], entry["owner"]["runtime"])
            for entry in found["netfit_mtu"]["namespaces"]
        )
        for host, found in facts.items()
    }
    assert owners == {
        "whale": [("container", "alone", "docker"), ("container", "web", "docker"), ("host", "whale", None)],
        "seal": [("container", "web", "podman"), ("host", "seal", None)],
    }


def test_a_containers_link_is_paired_with_its_port_of_the_right_bridge(facts: dict[str, dict[str, Any]]) -> None:
    (web,) = namespaces(facts["whale"], "netfit_mtu", "web")
    (host,) = namespaces(facts["whale"], "netfit_mtu", "whale")
    peer = next(link["peer"] for link in web["links"] if link["name"] == "eth0")
    port = next(link for link in host["links"] if link["name"] == peer["name"])
    shop = next(one for one in facts["whale"]["netfit_mtu"]["declared"] if one["name"] == "shop")
    assert (peer["namespace"], port["bridge"], port["mtu"]) == (host["inode"], shop["link"], 1450)


def test_what_docker_declares_is_found_with_its_file(facts: dict[str, dict[str, Any]]) -> None:
    declared = {
        (one["name"], one["link"], one["value"], one["source"]["file"])
        for one in facts["whale"]["netfit_mtu"]["declared"]
    }
    shop = next(link for name, link, _value, _file in declared if name == "shop")
    assert ("shop", shop, 1450, "/var/lib/docker/network/files/local-kv.db") in declared
    assert [(link, value) for _name, link, value, file in declared if file == "/etc/docker/daemon.json"] == [
        ("docker0", 1400)
    ]


def test_a_listener_in_a_container_has_its_process_backlog_and_owner(facts: dict[str, dict[str, Any]]) -> None:
    (web,) = namespaces(facts["whale"], "netfit_listen_queues", "web")
    (listener,) = [one for one in web["listeners"] if one["port"] == 8081]
    assert (listener["effective_backlog"], web["somaxconn"], listener["process"]["name"]) == (256, 256, "nginx")
    assert (listener["owner"]["kind"], listener["owner"]["name"], listener["unit"]) == ("container", "web", None)


def test_a_service_of_the_host_has_its_unit(facts: dict[str, dict[str, Any]]) -> None:
    (host,) = namespaces(facts["seal"], "netfit_listen_queues", "seal")
    sshd = next(one for one in host["listeners"] if one["port"] == 22)
    assert (sshd["unit"], sshd["owner"]["kind"], sshd["process"]["name"]) == ("ssh.service", "host", "sshd")


def test_nothing_could_not_be_read(facts: dict[str, dict[str, Any]]) -> None:
    assert {host: found["netfit_mtu"]["problems"] for host, found in facts.items()} == {"whale": [], "seal": []}


def test_the_audit_names_the_untuned_container_and_its_short_queue(hosts: lab.Lab, tmp_path: Path) -> None:
    _done, report = audit(hosts, tmp_path)
    found = {(one["id"], one["target"]["host"], one["target"]["owner"]["name"]) for one in report["findings"]}
    assert ("SYSCTL-002", "whale", "web") in found and ("QUEUE-001", "whale", "web") in found
    assert not [one for one in found if one[0].startswith("MTU-")]


def test_a_queue_that_kept_its_length_when_somaxconn_was_raised_is_stale(hosts: lab.Lab, tmp_path: Path) -> None:
    whale = hosts.host("whale")
    pid = whale.run(["docker", "inspect", "--format", "{{.State.Pid}}", "web"]).stdout.strip()
    inside = ["nsenter", "--target", pid, "--net", "sysctl", "-qw"]
    try:
        whale.run([*inside, "net.core.somaxconn=4096"])
        _done, report = audit(hosts, tmp_path)
    finally:
        whale.run([*inside, "net.core.somaxconn=256"])
    stale = {one["target"]["listener"]: one for one in report["findings"] if one["id"] == "QUEUE-002"}
    finding = stale["tcp 0.0.0.0:8081"]
    assert (finding["target"]["owner"]["name"], finding["observed"]) == ("web", "backlog 256")
    assert finding["expected"].startswith("511")


def test_a_queue_that_overflows_during_the_audit_is_found_with_its_drops(hosts: lab.Lab, tmp_path: Path) -> None:
    with hosts.host("whale").start(["python3", "-c", NEVER_ACCEPTS]) as server:
        try:
            _done, report = audit(hosts, tmp_path)
        finally:
            server.kill()
    (finding,) = [one for one in report["findings"] if one["id"] == "QUEUE-003"]
    assert (finding["target"]["listener"], finding["severity"], finding["confidence"]) == (
        "tcp 0.0.0.0:7777",
        "high",
        "measured",
    )
    assert "drops a second" in finding["observed"]


def test_a_veth_with_unequal_ends_and_a_container_wider_than_the_uplink_are_found(
    hosts: lab.Lab, tmp_path: Path
) -> None:
    whale = hosts.host("whale")
    pid = whale.run(["docker", "inspect", "--format", "{{.State.Pid}}", "web"]).stdout.strip()
    inside = ["nsenter", "--target", pid, "--net", "ip", "link", "set", "eth0", "mtu"]
    try:
        whale.run([*inside, "1440"])
        _done, unequal = audit(hosts, tmp_path)
        whale.run([*inside, "1450"])
        whale.run(["ip", "link", "set", "eth0", "mtu", "1430"])
        _done, wide = audit(hosts, tmp_path)
    finally:
        whale.run([*inside, "1450"])
        whale.run(["ip", "link", "set", "eth0", "mtu", "1500"])
    (ends,) = [one for one in unequal["findings"] if one["id"].startswith("MTU-")]
    assert (ends["id"], ends["target"]["host"]) == ("MTU-004", "whale")
    assert "1440" in ends["observed"] and "1450" in ends["observed"]
    found = {(one["id"], one["target"]["owner"]["name"]) for one in wide["findings"] if one["id"].startswith("MTU-")}
    assert found == {("MTU-007", "web")}


def test_corrupt_files_are_errors_with_their_path_and_the_audit_goes_on(hosts: lab.Lab, tmp_path: Path) -> None:
    whale = hosts.host("whale")
    files = {
        "/etc/docker/daemon.json": b'{"mtu": 14',
        "/run/flannel/subnet.env": b"FLANNEL_MTU=many\n\x00\xff",
        "/etc/cni/net.d/00-broken.conflist": b"\x7fELF",
    }
    good = whale.run(["cat", "/etc/docker/daemon.json"]).stdout
    try:
        for path, content in files.items():
            whale.run(["mkdir", "-p", str(Path(path).parent)])
            (whale.root / path.lstrip("/")).write_bytes(content)
        done, report = audit(hosts, tmp_path)
    finally:
        for path in files:
            whale.run(["rm", "-f", path])
        (whale.root / "etc/docker/daemon.json").write_text(good)
    errors = {one["target"]["path"]: one for one in report["findings"] if one["status"] == "error"}
    assert set(errors) >= set(files)
    assert all(errors[path]["observed"] for path in files)
    assert "Traceback" not in done.stdout + done.stderr
    assert [one["target"]["owner"]["name"] for one in report["findings"] if one["id"] == "SYSCTL-002"]


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_targets_may_run_old_and_new_pythons(hosts: lab.Lab, tmp_path: Path, version: str) -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    from interpreters import find_interpreter

    interpreter = find_interpreter(version)
    if interpreter is None:
        pytest.skip(f"this machine has no Python {version}")
    _done, report = audit(hosts, tmp_path, "-e", f"ansible_python_interpreter={interpreter}")
    assert {name: host["status"] for name, host in report["hosts"].items()} == {"whale": "audited", "seal": "audited"}
    assert not [one for one in report["findings"] if one["status"] == "error"]


def test_findings_from_the_chosen_severity_on_end_with_status_2_after_the_report(
    hosts: lab.Lab, tmp_path: Path
) -> None:
    done, report = audit(hosts, tmp_path, "-e", "netfit_fail_on=medium", check=False)
    assert done.returncode == 2
    assert [one for one in report["findings"] if one["severity"] == "medium"]
    assert "medium" in done.stdout


def test_an_unreachable_host_is_in_the_report_and_ends_with_status_4(hosts: lab.Lab, tmp_path: Path) -> None:
    seal = hosts.host("seal")
    seal.run(["systemctl", "stop", "ssh"])
    fresh = json.dumps({"ansible_ssh_args": "-o ControlMaster=no -o ControlPath=none"})
    try:
        done, report = audit(hosts, tmp_path, "-e", fresh, check=False)
    finally:
        seal.run(["systemctl", "start", "ssh"])
    assert done.returncode == 4
    assert {name: host["status"] for name, host in report["hosts"].items()} == {
        "whale": "audited",
        "seal": "unreachable",
    }
