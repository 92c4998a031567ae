# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MSS clamp in the incident, over SSH: what fails, what heals it, and what it survives on a real host."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from netfit_lab import lab

ANSIBLE = Path(sys.executable).parent
LAB = Path(lab.__file__).resolve().parents[1]
NODES = ("n1", "n2", "n3", "n4")
URL = "http://198.18.7.5/"
SMALL, LARGE = 1300, 20_000
UNIT = "netfit-mss-clamp.service"
RESULT = re.compile(r"^(\w+) \| ([A-Z!]+) => ", re.MULTILINE)
FIREWALL = "flush ruleset\ntable inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter;\n\t}\n}\n"


@pytest.fixture(scope="module")
def hosts(real: None) -> Iterator[lab.Lab]:
    """The incident, and a host beside it whose firewall can be played with."""
    pytest.importorskip("grpc", reason="the Python package grpcio makes the pods")
    name = f"nf-test-clamp-{os.getpid()}"
    document = yaml.safe_load((LAB / "topologies" / "incident.yml").read_text())
    document["hosts"]["other"] = None
    try:
        running = lab.up(name, "clamp", document, print)
        other = running.host("other")
        (other.root / "etc/nftables.conf").write_text(FIREWALL)
        other.run(["systemctl", "enable", "nftables"])
        other.run(["systemctl", "start", "nftables"])
        yield running
    finally:
        lab.down(name, print)


def task(hosts: lab.Lab, pattern: str, module: str, **arguments: Any) -> dict[str, dict[str, Any]]:
    """Run a module over SSH; return its results by host."""
    command = ["env", "ANSIBLE_NOCOLOR=1", str(ANSIBLE / "ansible"), pattern]
    command += ["-i", str(hosts.paths.directory / "inventory.yml"), "-m", f"netfit.cluster.{module}"]
    done = hosts.controller.run([*command, "-a", json.dumps({"run": "", **arguments})], timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    decoder = json.JSONDecoder()
    return {found[1]: decoder.raw_decode(done.stdout[found.end() :])[0] for found in RESULT.finditer(done.stdout)}


def upload(hosts: lab.Lab, *sizes: int) -> dict[int, dict[str, int]]:
    """Send uploads through the load balancer, each on a new connection: size to answers to how often."""
    command = ["env", f"PYTHONPATH={LAB}", sys.executable, "-m", "netfit_lab.uploads", URL, "--json"]
    options = ["--per-size", "8", "--sizes", *map(str, sizes)]
    results = json.loads(hosts.controller.run([*command, *options], timeout=60).stdout)
    return {result["body_bytes"]: result["outcomes"] for result in results}


def table(hosts: lab.Lab, name: str) -> str:
    """The clamp's table on a host, empty where there is none."""
    command = ["nft", "-s", "list", "table", "inet", "netfit_mss"]
    return hosts.host(name).run(command, check=False).stdout


def left(hosts: lab.Lab, name: str) -> str:
    """What is on the disk of a host, and what its systemd knows of the unit."""
    find = "find /etc/netfit /etc/systemd/system -name '*netfit*' -o -name 'mss_clamp*' -o -path '*nftables.service.d'"
    shown = f"systemctl show --property=LoadState --property=ActiveState {UNIT}"
    return hosts.host(name).run(["sh", "-c", f"{find} 2>/dev/null; {shown}"]).stdout


def test_three_of_four_large_uploads_fail_and_with_the_clamp_none(hosts: lab.Lab) -> None:
    assert upload(hosts, SMALL, LARGE) == {SMALL: {"200": 8}, LARGE: {"200": 2, "504": 6}}
    results = task(hosts, "nodes", "mss_clamp", run="incident")
    assert {name: result["changed"] for name, result in results.items()} == dict.fromkeys(NODES, True)
    assert upload(hosts, SMALL, LARGE) == {SMALL: {"200": 8}, LARGE: {"200": 8}}
    again = task(hosts, "nodes", "mss_clamp")
    assert {name: result["changed"] for name, result in again.items()} == dict.fromkeys(NODES, False)


@pytest.mark.parametrize("name", ["n1", "n2"])
def test_it_is_there_after_a_reboot(hosts: lab.Lab, name: str) -> None:
    before = table(hosts, name)
    assert "maxseg size set rt mtu" in before
    hosts.reboot(name)
    assert table(hosts, name) == before
    assert upload(hosts, LARGE) == {LARGE: {"200": 8}}


def test_undone_it_is_gone_and_uploads_fail_again(hosts: lab.Lab) -> None:
    results = task(hosts, "nodes", "change_guard", state="undone", run="incident")
    assert {name: result["changed"] for name, result in results.items()} == dict.fromkeys(NODES, True)
    for name in NODES:
        assert table(hosts, name) == ""
        assert left(hosts, name) == "LoadState=not-found\nActiveState=inactive\n"
    assert upload(hosts, LARGE) == {LARGE: {"200": 2, "504": 6}}


@pytest.fixture
def clamped(hosts: lab.Lab) -> str:
    """The table on the host with the firewall that flushes."""
    task(hosts, "other", "mss_clamp")
    shown = table(hosts, "other")
    assert "maxseg size set rt mtu" in shown
    return shown


@pytest.mark.parametrize(
    "verbs", [("restart",), ("reload",), ("stop",), ("stop", "start"), ("reload", "restart", "reload") * 4]
)
def test_it_survives_a_firewall_that_flushes_all_tables(hosts: lab.Lab, clamped: str, verbs: tuple[str, ...]) -> None:
    other = hosts.host("other")
    other.run(["nft", "add", "table", "inet", "flushed"])
    other.run(["systemctl", "reset-failed"])
    for verb in verbs:
        other.run(["systemctl", verb, "nftables"])
    assert "flushed" not in other.run(["nft", "list", "tables"]).stdout
    assert table(hosts, "other") == clamped
    assert other.run(["systemctl", "is-failed", UNIT], check=False).stdout == "active\n"


def test_with_a_firewall_it_is_there_after_a_reboot(hosts: lab.Lab, clamped: str) -> None:
    hosts.reboot("other")
    assert table(hosts, "other") == clamped
    assert "table inet filter" in hosts.host("other").run(["nft", "list", "tables"]).stdout


def test_what_somebody_flushes_by_hand_is_put_back_by_the_next_run(hosts: lab.Lab, clamped: str) -> None:
    hosts.host("other").run(["nft", "flush", "ruleset"])
    result = task(hosts, "other", "mss_clamp")["other"]
    assert (result["changed"], result["written"], result["before"]) == (True, [], "")
    assert table(hosts, "other") == clamped == result["after"]


def test_removed_it_stays_away(hosts: lab.Lab, clamped: str) -> None:
    other = hosts.host("other")
    assert task(hosts, "other", "mss_clamp", state="absent")["other"]["changed"]
    assert left(hosts, "other") == "LoadState=not-found\nActiveState=inactive\n"
    other.run(["systemctl", "restart", "nftables"])
    assert table(hosts, "other") == ""
    hosts.reboot("other")
    assert table(hosts, "other") == ""
    assert "failed" not in other.run(["systemctl", "list-units", "--no-legend", "*netfit*", "nftables*"]).stdout


def test_live_only_ends_with_the_boot(hosts: lab.Lab) -> None:
    result = task(hosts, "other", "mss_clamp", persist=False)["other"]
    assert (result["persisted"], result["written"]) == (False, [])
    assert table(hosts, "other") == result["after"] != ""
    hosts.reboot("other")
    assert table(hosts, "other") == ""
