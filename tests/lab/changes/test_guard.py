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
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from netfit_lab import lab

ROOT = Path(__file__).resolve().parents[3]
ANSIBLE = Path(sys.executable).parent
MANY = [f"h{number:02d}" for number in range(1, 11)]
"""Lost and back again and again, while the other tests change the other hosts."""
OTHERS = ("net", "o1", "o2")
ROUNDS = 5
SECONDS = 60
"""Of the guards of many hosts at once, on two cores that have more to do."""
SLACK = 60
"""Seconds beyond a guard's time after which such a host has to be back all the same."""
ALONE = 30
NETWORK = "/etc/systemd/network/20-lan.network"
DROP_INS = f"{NETWORK}.d"
INTERFACES = "/etc/network/interfaces"
STANZA = "iface eth0 inet manual\n    mtu 1450\n"
BROUGHT_UP = "mkdir -p /run/network && echo eth0=eth0 > /run/network/ifstate"
"""What ifup notes. With that the MTU of eth0 would be made to last in INTERFACES."""
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
        "h[01:10]": {
            "groups": ["many"],
            "segments": {"right": {"mtu": 1450}},
            "files": {INTERFACES: STANZA},
        },
        "o[1:2]": {"segments": {"right": {"mtu": 1450}}},
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
AGAIN_AND_AGAIN = f"""
- hosts: many
  gather_facts: false
  strategy: free
  tasks:
    - netfit.cluster.link_mtu:
        links: [{{link: eth0, mtu: 1500}}]
        timeout: {SECONDS}
        run: "round-{{{{ item }}}}"
      loop: {list(range(1, ROUNDS + 1))}
      ignore_errors: true
"""


@pytest.fixture(scope="module")
def hosts(real: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Lab]:
    name = f"nf-test-guard-{os.getpid()}"
    try:
        running = lab.up(name, "guard", DOCUMENT, print)
        (running.paths.directory / "play.yml").write_text(PLAY)
        (running.paths.directory / "again_and_again.yml").write_text(AGAIN_AND_AGAIN)
        for many in MANY:
            running.host(many).run(["sh", "-c", BROUGHT_UP])
        yield running
    finally:
        lab.down(name, print)


class AgainAndAgain:
    """Hosts that are lost and come back, while something else is tested, and what each guard left on its host."""

    def __init__(self, hosts: lab.Lab) -> None:
        self._hosts = hosts
        self._printed = (hosts.paths.directory / "again_and_again.txt").open("w+b")
        self._process = hosts.controller.start(
            ansible(hosts, str(hosts.paths.directory / "again_and_again.yml")),
            stdout=self._printed, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.last: dict[tuple[str, str], dict[str, Any]] = {}
        """(host, run) -> what its guard wrote when it had ended; read from beside, not over the network."""
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()

    def _watch(self) -> None:
        roots = {name: self._hosts.host(name).root for name in MANY}
        while self._process.poll() is None:
            self._look(roots)
            time.sleep(1)
        self._look(roots)

    def _look(self, roots: dict[str, Path]) -> None:
        for name, root in roots.items():
            with suppress(FileNotFoundError):
                last = json.loads((root / "run/netfit/guard/last.json").read_text())
                self.last[name, last["run"]] = last

    def end(self, seconds: float) -> tuple[int, str]:
        """Wait until it is over; return the exit status and what was printed."""
        status = self._process.wait(seconds)
        self._watcher.join()
        self._printed.seek(0)
        return status, self._printed.read().decode()

    def stop(self) -> None:
        """End it wherever it is."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._watcher.join()
        self._printed.close()


@pytest.fixture(scope="module", autouse=True)
def again_and_again(hosts: lab.Lab) -> Iterator[AgainAndAgain]:
    """Begun before the first test here; the last ones look at what came of it."""
    running = AgainAndAgain(hosts)
    try:
        yield running
    finally:
        running.stop()


def ansible(hosts: lab.Lab, *arguments: str) -> list[str]:
    settings = {"ANSIBLE_INJECT_FACT_VARS": "False", "ANSIBLE_NOCOLOR": "1", "COLUMNS": "100", "ANSIBLE_FORKS": "10"}
    return [
        "env", *(f"{name}={value}" for name, value in settings.items()),
        str(ANSIBLE / "ansible-playbook"), "-i", str(hosts.paths.directory / "inventory.yml"), *arguments,
    ]  # fmt: skip


def command(hosts: lab.Lab, limit: str, mtu: int, run: str, seconds: int) -> list[str]:
    asked = json.dumps({"mtu": mtu, "run": run, "seconds": seconds})
    return ansible(hosts, str(hosts.paths.directory / "play.yml"), "--limit", limit, "-e", asked)


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


def seconds_lost(hosts: lab.Lab, name: str, run: str, ended: str) -> float:
    """How long a host had the MTU that cut it off, by its own clock: from the journal's entry to the guard's end."""
    journal = (hosts.host(name).root / f"var/lib/netfit/journal/{run}.jsonl").read_text().splitlines()
    changed = next(entry["moment"] for entry in map(json.loads, journal) if "number" in entry)
    began, end = (datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ") for moment in (changed, ended))
    return (end - began).total_seconds()


def written(hosts: lab.Lab, name: str) -> str:
    return hosts.host(name).run(["sh", "-c", f"cat {DROP_INS}/* 2>/dev/null"], check=False).stdout


def test_no_further_host_is_changed_after_one_was_lost(hosts: lab.Lab) -> None:
    """By the tasks of netfit.cluster.remediate, one host at a time, with a plan that is wrong for all of them."""
    path = hosts.paths.directory / "batches.yml"
    wrong = {"tunnels": [], "uplinks": [{"link": "eth0", "mtu": 1500, "now": 1450, "raises": True, "why": "wrong"}]}
    batches = [
        {
            "hosts": ",".join(OTHERS), "gather_facts": False, "serial": 1,
            "vars": {"netfit_plan": {"hosts": {name: wrong for name in OTHERS}}},
            "tasks": [{"ansible.builtin.import_tasks": str(ROOT / "playbooks/tasks/host_links.yml")}],
        },
        {
            "hosts": ",".join(OTHERS), "gather_facts": False,
            "tasks": [{"ansible.builtin.debug": {"msg": "{{ netfit_undone_because | default('untouched') }}"}}],
        },
    ]  # fmt: skip
    path.write_text(json.dumps(batches))
    asked = json.dumps({"netfit_guard_timeout": ALONE, "netfit_run": "batches"})
    done = hosts.controller.run(ansible(hosts, str(path), "-e", asked), timeout=200)
    said = dict(re.findall(r'^ok: \[(\w+)\] => \{\n +"msg": "(.*)"$', done.stdout, re.MULTILINE))
    assert "Everything was rolled back" in said["net"], done.stdout
    assert (said["o1"], said["o2"]) == ("untouched", "untouched")
    assert {mtu(hosts, name) for name in OTHERS} == {1450}
    runs = hosts.host("o1").run(["sh", "-c", "ls /var/lib/netfit/journal"], check=False).stdout
    assert "batches" not in runs


def test_what_can_be_reached_is_confirmed_and_kept_and_can_be_undone(hosts: lab.Lab) -> None:
    done = play(hosts, "net", 1400, "lower", 60)
    assert done.returncode == 0, done.stdout
    assert mtu(hosts, "net") == 1400 and "MTUBytes=1400" in written(hosts, "net")
    assert play(hosts, "net", 1400, "again", 60).stdout.count("changed=0") == 1
    hosts.reboot("net")
    wait_for_mtu(hosts, "net", 1400, 10)
    undo = json.dumps({"netfit_hosts": "net", "netfit_run": "lower"})
    hosts.controller.run(ansible(hosts, "netfit.cluster.rollback", "-e", undo), timeout=120)
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
            ip daddr 10.63.3.200 tcp flags & syn == syn tcp option maxseg size set 1300
          }
          chain in {
            type filter hook input priority 0
            ip saddr 10.63.3.200 tcp flags & syn == syn tcp option maxseg size set 1300
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


def test_fifty_times_a_host_that_was_lost_comes_back(hosts: lab.Lab, again_and_again: AgainAndAgain) -> None:
    status, printed = again_and_again.end(ROUNDS * SECONDS * 4)
    assert status == 0 and len(re.findall(r"^h\d\d +: .*failed=0 .*ignored=1", printed, re.MULTILINE)) == len(MANY), (
        printed
    )
    rounds = [(name, number) for name in MANY for number in range(1, ROUNDS + 1)]
    told = re.findall(r"^failed: \[(h\d\d)\] \(item=(\d)\) => (\{.*\})$", printed, re.MULTILINE)
    results = {(name, int(number)): json.loads(result) for name, number, result in told}
    assert sorted(results) == rounds, printed
    for (name, number), result in results.items():
        undone = f"Everything was rolled back (MTU of eth0 of {name}), and nothing was made to last"
        assert result["msg"].endswith(undone), (name, number, result)
        link = result["links"][0]
        assert link["before"] == 1450, (name, number, result)
        # What would have been written, had it been confirmed.
        assert (link["manager"], link["files"]) == ("ifupdown", [INTERFACES]), (name, number, result)
        assert result["written"] == [], (name, number, result)
        last = again_and_again.last[name, f"round-{number}"]
        assert (last["state"], last["errors"]) == ("rolled back", []), (name, number, last)
        assert last["reason"] == f"it was not confirmed within {SECONDS} seconds"
        # By the host's clock, and by that of who waited for it.
        assert 0 < seconds_lost(hosts, name, f"round-{number}", last["moment"]) <= SECONDS + SLACK, (name, number, last)
        assert result["guard"]["seconds"] <= SECONDS + SLACK, (name, number, result["guard"])
    assert {mtu(hosts, name) for name in MANY} == {1450}
    for name in MANY:
        assert guard_files(hosts, name) == ["last.json"]
        assert (hosts.host(name).root / INTERFACES.lstrip("/")).read_text() == STANZA
        seen = hosts.host(name).run(["journalctl", "--no-pager", "-o", "cat", "-u", "netfit-guard-*.service"]).stdout
        assert seen.count("Deactivated successfully") >= ROUNDS


def test_the_next_audit_says_so(hosts: lab.Lab, again_and_again: AgainAndAgain) -> None:
    again_and_again.end(ROUNDS * SECONDS * 4)
    report = hosts.paths.directory / "report"
    asked = {"netfit_hosts": "h01", "netfit_probe": "none", "netfit_report_dir": str(report)}
    hosts.controller.run(ansible(hosts, "netfit.cluster.audit", "-e", json.dumps(asked)), timeout=120)
    found = json.loads((report / "report.json").read_text())["findings"]
    told = [one for one in found if one["id"] == "MTU-008"]
    assert {one["target"]["host"] for one in told} == {"h01"}
    assert all(f"round-{number}" in json.dumps(told) for number in range(1, ROUNDS + 1))
