# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts behind a network of 1450 bytes that sends no ICMP, whose uplinks are made 1500: lost, and back by themselves.

Between the controller and the hosts are two routers with a segment of 1450 between them. What is larger vanishes there.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from netfit_lab import lab

ROOT = Path(__file__).resolve().parents[3]
ANSIBLE = Path(sys.executable).parent
MANY = [f"h{number:02d}" for number in range(1, 26)]
ROUNDS = 2
SECONDS = 75
"""Of the guard, with 25 hosts at once on two cores."""
ALONE = 30
NETWORK = "/etc/systemd/network/20-lan.network"
DROP_INS = f"{NETWORK}.d"
DOCUMENT = {
    "segments": {
        "left": {"addresses": "10.63.1.0/24"},
        "middle": {"addresses": "10.63.2.0/24", "mtu": 1450},
        "right": {"addresses": "10.63.3.0/24"},
    },
    "routers": {
        "near": {"segments": ["left", "middle"], "icmp": "none"},
        "far": {"segments": ["middle", "right"], "icmp": "none"},
    },
    "controller": {"segments": ["left"]},
    "hosts": {
        "net": {
            "segments": {"right": {"address": "10.63.3.200", "bare": True}},
            "services": ["dbus", "systemd-networkd"],
            "files": {
                NETWORK: "[Match]\nName=eth0\n[Link]\nMTUBytes=1450\n[Network]\nAddress=10.63.3.200/24\n"
                "Gateway=10.63.3.1\n"
            },
        },
        "h[01:25]": {"groups": ["many"], "segments": {"right": {"mtu": 1450}}},
    },
}
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - netfit.cluster.link_mtu:
        links: [{link: eth0, mtu: "{{ mtu }}"}]
        timeout: "{{ seconds }}"
        run: "{{ run }}"
"""


@pytest.fixture(scope="module")
def hosts(real: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Lab]:
    name = f"nf-test-guard-{os.getpid()}"
    try:
        running = lab.up(name, "guard", DOCUMENT, print)
        (running.paths.directory / "play.yml").write_text(PLAY)
        yield running
    finally:
        lab.down(name, print)


def command(hosts: lab.Lab, limit: str, mtu: int, run: str, seconds: int) -> list[str]:
    settings = {"ANSIBLE_INJECT_FACT_VARS": "False", "ANSIBLE_NOCOLOR": "1", "COLUMNS": "100", "ANSIBLE_FORKS": "25"}
    asked = json.dumps({"mtu": mtu, "run": run, "seconds": seconds})
    return [
        "env", *(f"{name}={value}" for name, value in settings.items()),
        str(ANSIBLE / "ansible-playbook"), "-i", str(hosts.paths.directory / "inventory.yml"),
        str(hosts.paths.directory / "play.yml"), "--limit", limit, "-e", asked,
    ]  # fmt: skip


def play(hosts: lab.Lab, limit: str, mtu: int, run: str, seconds: int = ALONE) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = hosts.controller.run(
        command(hosts, limit, mtu, run, seconds), timeout=seconds * 4 + 60, check=False
    )
    return done


def words(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


def mtu(hosts: lab.Lab, name: str) -> int:
    """Not asked over the network."""
    return int(hosts.host(name).run(["cat", "/sys/class/net/eth0/mtu"]).stdout)


def wait_for_mtu(hosts: lab.Lab, name: str, wanted: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while mtu(hosts, name) != wanted:
        assert time.monotonic() < deadline, f"MTU {mtu(hosts, name)}"
        time.sleep(0.1)


def guard_files(hosts: lab.Lab, name: str) -> list[str]:
    return hosts.host(name).run(["sh", "-c", "ls /run/netfit/guard 2>/dev/null"], check=False).stdout.split()


def written(hosts: lab.Lab, name: str) -> str:
    return hosts.host(name).run(["sh", "-c", f"cat {DROP_INS}/* 2>/dev/null"], check=False).stdout


@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
def test_twenty_five_hosts_at_once_come_back_each_time(hosts: lab.Lab, number: int) -> None:
    began = time.monotonic()
    done = play(hosts, "many", 1500, f"round-{number}", SECONDS)
    assert done.returncode == 2, done.stdout
    failed = dict(re.findall(r"^(h\d\d) .*failed=(\d)", done.stdout, re.MULTILINE))
    assert failed == {name: "1" for name in MANY}, done.stdout
    assert words(done).count("Everything was rolled back (MTU of eth0 of h") >= len(MANY)
    assert {mtu(hosts, name) for name in MANY} == {1450}
    for name in MANY:
        last = json.loads((hosts.host(name).root / "run/netfit/guard/last.json").read_text())
        assert (last["run"], last["state"], last["errors"]) == (f"round-{number}", "rolled back", [])
        assert last["reason"] == f"it was not confirmed within {SECONDS} seconds"
        assert guard_files(hosts, name) == ["last.json"]
        seen = hosts.host(name).run(["journalctl", "--no-pager", "-o", "cat", "-u", "netfit-guard-*.service"]).stdout
        assert seen.count("Deactivated successfully") >= number
    assert time.monotonic() - began < SECONDS * 4


def test_the_next_audit_says_so(hosts: lab.Lab) -> None:
    settings = ["env", "ANSIBLE_INJECT_FACT_VARS=False", "ANSIBLE_NOCOLOR=1", "COLUMNS=100"]
    report = hosts.paths.directory / "report"
    asked = {"netfit_hosts": "h01", "netfit_probe": "none", "netfit_report_dir": str(report)}
    audit = [str(ANSIBLE / "ansible-playbook"), "-i", str(hosts.paths.directory / "inventory.yml")]
    hosts.controller.run([*settings, *audit, "netfit.cluster.audit", "-e", json.dumps(asked)], timeout=120)
    found = json.loads((report / "report.json").read_text())["findings"]
    told = [one for one in found if one["id"] == "MTU-008"]
    assert {one["target"]["host"] for one in told} == {"h01"}
    assert all(f"round-{number}" in json.dumps(told) for number in range(1, ROUNDS + 1))


def test_no_further_host_is_changed_after_one_was_lost(hosts: lab.Lab) -> None:
    """By the tasks of netfit.cluster.remediate, one host at a time, with a plan that is wrong for all of them."""
    path = hosts.paths.directory / "batches.yml"
    wrong = {"tunnels": [], "uplinks": [{"link": "eth0", "mtu": 1500, "now": 1450, "raises": True, "why": "wrong"}]}
    batches = [
        {
            "hosts": "net,h01,h02", "gather_facts": False, "serial": 1,
            "vars": {"netfit_plan": {"hosts": {name: wrong for name in ("net", "h01", "h02")}}},
            "tasks": [{"ansible.builtin.import_tasks": str(ROOT / "playbooks/tasks/host_links.yml")}],
        },
        {
            "hosts": "net,h01,h02", "gather_facts": False,
            "tasks": [{"ansible.builtin.debug": {"msg": "{{ netfit_undone_because | default('untouched') }}"}}],
        },
    ]  # fmt: skip
    path.write_text(json.dumps(batches))
    asked = json.dumps({"netfit_guard_timeout": ALONE, "netfit_run": "batches"})
    ansible = [str(ANSIBLE / "ansible-playbook"), "-i", str(hosts.paths.directory / "inventory.yml"), str(path)]
    done = hosts.controller.run(["env", "ANSIBLE_NOCOLOR=1", *ansible, "-e", asked], timeout=200)
    said = dict(re.findall(r'^ok: \[(\w+)\] => \{\n +"msg": "(.*)"$', done.stdout, re.MULTILINE))
    assert "Everything was rolled back" in said["net"], done.stdout
    assert (said["h01"], said["h02"]) == ("untouched", "untouched")
    assert {mtu(hosts, name) for name in ("net", "h01", "h02")} == {1450}
    runs = hosts.host("h01").run(["sh", "-c", "ls /var/lib/netfit/journal"], check=False).stdout
    assert "batches" not in runs


def test_what_can_be_reached_is_confirmed_and_kept_and_can_be_undone(hosts: lab.Lab) -> None:
    done = play(hosts, "net", 1400, "lower", 60)
    assert done.returncode == 0, done.stdout
    assert mtu(hosts, "net") == 1400 and "MTUBytes=1400" in written(hosts, "net")
    assert play(hosts, "net", 1400, "again", 60).stdout.count("changed=0") == 1
    hosts.reboot("net")
    wait_for_mtu(hosts, "net", 1400, 10)
    undo = ["netfit.cluster.rollback", "-e", json.dumps({"netfit_hosts": "net", "netfit_run": "lower"})]
    environment = ["env", "ANSIBLE_INJECT_FACT_VARS=False"]
    ansible = [str(ANSIBLE / "ansible-playbook"), "-i", str(hosts.paths.directory / "inventory.yml")]
    hosts.controller.run([*environment, *ansible, *undo], timeout=60)
    assert mtu(hosts, "net") == 1450 and written(hosts, "net") == ""


def test_a_lost_host_has_nothing_in_its_files(hosts: lab.Lab) -> None:
    done = play(hosts, "net", 1500, "lost")
    assert done.returncode == 2 and "nothing was made to last" in words(done)
    assert mtu(hosts, "net") == 1450 and written(hosts, "net") == ""


def test_the_controller_killed_in_the_middle(hosts: lab.Lab) -> None:
    process = hosts.controller.start(command(hosts, "net", 1500, "killed", ALONE), start_new_session=True)
    wait_for_mtu(hosts, "net", 1500, 60)
    changed = time.monotonic()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    wait_for_mtu(hosts, "net", 1450, ALONE + 10)
    assert time.monotonic() - changed < ALONE + 10
    assert written(hosts, "net") == "" and guard_files(hosts, "net") == ["last.json"]
    assert play(hosts, "net", 1450, "after").returncode == 0


def test_the_host_rebooted_in_the_middle(hosts: lab.Lab) -> None:
    process = hosts.controller.start(
        command(hosts, "net", 1500, "rebooted", ALONE),
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    wait_for_mtu(hosts, "net", 1500, 60)
    hosts.reboot("net")
    wait_for_mtu(hosts, "net", 1450, 10)
    printed, _nothing = process.communicate(timeout=ALONE * 4 + 60)
    assert process.returncode == 2
    assert "the host was restarted meanwhile" in " ".join(printed.decode().split())
    assert written(hosts, "net") == "" and guard_files(hosts, "net") == []


def test_a_full_disk_when_it_is_to_last_takes_back_everything(hosts: lab.Lab) -> None:
    full = (
        f"cp {NETWORK} /tmp/lan && mount -t tmpfs -o size=8k none /etc/systemd/network && cp /tmp/lan {NETWORK}"
        " && dd if=/dev/zero of=/etc/systemd/network/full bs=4k; df /etc/systemd/network"
    )
    hosts.host("net").run(["sh", "-c", full])
    done = play(hosts, "net", 1400, "full", 60)
    assert done.returncode == 2 and "No space left on device" in words(done), done.stdout
    assert mtu(hosts, "net") == 1450
    hosts.reboot("net")
    wait_for_mtu(hosts, "net", 1450, 10)


def test_two_runs_at_once(hosts: lab.Lab) -> None:
    running = [
        hosts.controller.start(
            command(hosts, "net", size, run, 60), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for size, run in ((1410, "one"), (1420, "two"))
    ]  # fmt: skip
    printed = [" ".join(process.communicate(timeout=200)[0].decode().split()) for process in running]
    codes = [process.returncode for process in running]
    assert sorted(codes) in ([0, 0], [0, 2]), printed
    for code, text in zip(codes, printed):
        assert code == 0 or "nothing was changed: run " in text, text
    assert mtu(hosts, "net") in (1410, 1420)


def test_tcp_that_is_made_to_fit_does_not_hide_a_black_hole(hosts: lab.Lab) -> None:
    """Where somebody clamps the MSS, SSH works; all else of full size vanishes, and only the probe sees it."""
    rules = """
        table ip nf-clamp {
          chain out {
            type filter hook output priority 0
            tcp flags & syn == syn tcp option maxseg size set 1300
          }
          chain in {
            type filter hook input priority 0
            tcp flags & syn == syn tcp option maxseg size set 1300
          }
        }
    """
    hosts.host("net").run(["ip", "link", "set", "eth0", "mtu", "1450"])
    hosts.controller.run(["nft", rules])
    try:
        done = play(hosts, "net", 1500, "hidden", 60)
    finally:
        hosts.controller.run(["nft", "delete table ip nf-clamp"])
    assert done.returncode == 2, done.stdout
    assert "packets of more than 1450 bytes to 10.63.1.254 vanish without a word now" in words(done)
    assert mtu(hosts, "net") == 1450
