# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sysctls and listen queues made right on real hosts over SSH: once, twice, after a restart and a reboot, undone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from netfit_lab import lab

ANSIBLE = Path(sys.executable).parent
DOCUMENT = {
    "segments": {"lan": {"addresses": "10.44.0.0/24"}},
    "hosts": {"whale": None, "node": None},
    "docker": {"whale": {"containers": {"web": {"image": "web", "sysctls": {"net.core.somaxconn": "256"}}}}},
}
HOSTS = ("whale", "node")
KEYS = ("net.core.somaxconn", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_slow_start_after_idle")
TUNED = {"net.core.somaxconn": "16384", "net.ipv4.tcp_keepalive_time": "300", "net.ipv4.tcp_slow_start_after_idle": "0"}
VARIABLES = {"netfit_profiles": ["gateway", "policy"], "netfit_backlog": 2000}
FILE = "/etc/sysctl.d/90-netfit-tuning.conf"


@pytest.fixture(scope="module")
def hosts(real: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Lab]:
    """A host with docker and one without."""
    name = f"nf-test-tuning-{os.getpid()}"
    try:
        yield lab.up(name, "tuning", DOCUMENT, print)
    finally:
        lab.down(name, print)


def play(hosts: lab.Lab, playbook: str, *arguments: str, check: bool = True, **variables: Any) -> str:
    """Run a playbook as the lab's controller and return what it prints."""
    settings = {"ANSIBLE_INJECT_FACT_VARS": "False", "ANSIBLE_NOCOLOR": "1", "COLUMNS": "100"}
    report = f"/tmp/{hosts.paths.directory.name}-report"
    command = ["env", *(f"{name}={value}" for name, value in settings.items())]
    command += [str(ANSIBLE / "ansible-playbook"), "-i", str(hosts.paths.directory / "inventory.yml")]
    extra = json.dumps({**VARIABLES, "netfit_report_dir": report, **variables})
    command += [f"netfit.cluster.{playbook}", "-e", extra, *arguments]
    done: subprocess.CompletedProcess[str] = hosts.controller.run(command, timeout=180, check=False)
    hosts.controller.run(["rm", "-rf", report])
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def changed(printed: str) -> dict[str, int]:
    """Return how many tasks changed something, by host of the lab."""
    counts = re.findall(r"^(\w+) +: ok=\d+ +changed=(\d+)", printed, re.MULTILINE)
    return {name: int(count) for name, count in counts if name in HOSTS}


def values(hosts: lab.Lab, name: str) -> dict[str, str]:
    """What a host's own parameters are."""
    lines = hosts.host(name).run(["sysctl", *KEYS]).stdout.splitlines()
    return dict(line.split(" = ") for line in lines)


def in_container(hosts: lab.Lab, *command: str) -> str:
    """Run a command in the container's network namespace."""
    host = hosts.host("whale")
    described = json.loads(host.run(["/usr/bin/docker", "inspect", "web"]).stdout)[0]
    entering = ["nsenter", f"--target={described['State']['Pid']}", "--net"]
    return host.run([*entering, *command]).stdout


def container(hosts: lab.Lab) -> tuple[str, str]:
    """The container's somaxconn, and the backlog of its listener."""
    line = in_container(hosts, "ss", "-Hltn", "sport = :8081")
    return in_container(hosts, "sysctl", "-n", KEYS[0]).strip(), line.split()[2]


def state(hosts: lab.Lab) -> Any:
    """Everything that is changed here."""
    files = {
        name: hosts.host(name).run(["sh", "-c", "cat /etc/sysctl.d/*netfit* 2>/dev/null"], check=False).stdout
        for name in HOSTS
    }
    return [values(hosts, name) for name in HOSTS], files, container(hosts)


@pytest.fixture(scope="module")
def untouched(hosts: lab.Lab) -> Any:
    """How it all began; the host's own values are made worse than the kernel's, so that there is something to do."""
    for name in HOSTS:
        hosts.host(name).run(["sysctl", "-w", "net.core.somaxconn=128"])
    return state(hosts)


@pytest.fixture(scope="module")
def tuned(hosts: lab.Lab, untouched: Any) -> str:
    """The playbook, once; what it printed."""
    return play(hosts, "remediate", netfit_run="first")


def test_check_mode_shows_the_plan_and_changes_nothing(hosts: lab.Lab, untouched: Any) -> None:
    printed = play(hosts, "remediate", "--check", "--diff")
    assert state(hosts) == untouched
    assert "+++ after: /etc/sysctl.d/90-netfit-tuning.conf" in printed
    assert "-net.core.somaxconn = 128" in printed and "+net.core.somaxconn = 16384" in printed


def test_all_of_it_is_true_afterwards(hosts: lab.Lab, tuned: str) -> None:
    assert [values(hosts, name) for name in HOSTS] == [TUNED, TUNED]
    assert container(hosts) == ("16384", "2000")
    assert in_container(hosts, "sysctl", "-n", KEYS[1]) == "300\n"
    assert "the program has to" in tuned or "asks for" in tuned
    before, left = tuned.split("Show and write what is left")
    assert "SYSCTL-001" in before and "SYSCTL-001" not in left and "QUEUE-001" not in left


def test_a_second_time_nothing_changes(hosts: lab.Lab, tuned: str) -> None:
    assert changed(play(hosts, "remediate")) == {"whale": 0, "node": 0}


def test_the_tags_choose(hosts: lab.Lab, tuned: str) -> None:
    printed = play(hosts, "remediate", "--tags", "queues", "--check")
    assert "Raise the backlog of running listeners" in printed and "Set kernel parameters" not in printed


def test_a_container_that_is_restarted_loses_it_and_gets_it_again(hosts: lab.Lab, tuned: str) -> None:
    hosts.host("whale").run(["/usr/bin/docker", "restart", "-t", "1", "web"])
    assert container(hosts)[0] == "256"
    assert changed(play(hosts, "remediate", netfit_run="second"))["whale"] > 0
    assert container(hosts) == ("16384", "2000")


def test_a_reboot_gives_the_same(hosts: lab.Lab, tuned: str) -> None:
    for name in HOSTS:
        hosts.reboot(name)
    assert [values(hosts, name) for name in HOSTS] == [TUNED, TUNED]
    printed = play(hosts, "audit", netfit_probe="none")
    assert "SYSCTL-003" not in printed and "SYSCTL-004" not in printed


def test_it_is_all_undone(hosts: lab.Lab, tuned: str, untouched: Any) -> None:
    play(hosts, "rollback", "--limit", "whale", netfit_run="second")
    printed = play(hosts, "rollback", netfit_run="first")
    assert "would be" not in printed
    assert [values(hosts, name) for name in HOSTS] == untouched[0]
    assert state(hosts)[1] == untouched[1]
    assert changed(play(hosts, "rollback", netfit_run="first")) == {"whale": 0, "node": 0}


def test_a_line_in_the_way_stops_that_host_and_no_other(hosts: lab.Lab, untouched: Any) -> None:
    hosts.host("node").run(["sh", "-c", "echo net.core.somaxconn=128 > /etc/sysctl.d/99-hardening.conf"])
    printed = " ".join(play(hosts, "remediate", "--tags", "sysctl", check=False, netfit_run="third").split())
    assert "net.core.somaxconn is set to 128 by /etc/sysctl.d/99-hardening.conf:1 (next boot)" in printed
    assert values(hosts, "node") == untouched[0][1] and values(hosts, "whale") == TUNED
    play(hosts, "remediate", "--tags", "sysctl", netfit_precedence="ensure", netfit_run="fourth")
    hosts.reboot("node")
    assert values(hosts, "node") == TUNED
