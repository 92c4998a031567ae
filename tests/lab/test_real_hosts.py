# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hosts: what Ansible and people see of them, and what they keep over a reboot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from netfit_lab import host_files, keeper, lab, processes, state
from netfit_lab.errors import CommandFailed, HostFailed, NoSuchThing

Build = Callable[[str, dict[str, Any]], lab.Lab]
LAB = Path(lab.__file__).resolve().parents[1]
LAN = {"lan": {"addresses": "10.44.0.0/24"}}
RECEIVED_PATH_MTU = """
import socket, sys, time
probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
probe.setsockopt(socket.IPPROTO_IP, 10, 2)   # IP_MTU_DISCOVER, IP_PMTUDISC_DO
probe.connect((sys.argv[1], 9))
probe.send(bytes(1460))
time.sleep(0.3)
print(probe.getsockopt(socket.IPPROTO_IP, 14))   # IP_MTU
"""


def run_lab(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the command line; the result has its exit status and output."""
    command = [sys.executable, str(LAB / "lab"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False
    )


def ssh(name: str, host: str, *command: str, known_hosts: str | None = None) -> subprocess.CompletedProcess[str]:
    """Log in as Ansible does, from the controller."""
    running = lab.load(name)
    paths = running.paths
    options = [
        "-F", "none", "-i", str(paths.keys / "id"), "-o", f"UserKnownHostsFile={known_hosts or paths.known_hosts}",
        "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5",
    ]  # fmt: skip
    address = running.host(host).plan.address
    return running.controller.run(["ssh", *options, f"root@{address}", *command], timeout=30, check=False)


@pytest.fixture(scope="module")
def pair(real: None) -> Iterator[str]:
    """A running lab of the topology `pair`; its name."""
    name = f"nf-test-pair-{os.getpid()}"
    started = run_lab("up", "pair", "--name", name)
    try:
        assert started.returncode == 0, started.stderr
        yield name
    finally:
        stopped = run_lab("down", name)
    assert stopped.returncode == 0, stopped.stderr


@pytest.fixture
def build(real: None) -> Iterator[Build]:
    """A function that builds a lab from a topology; all are taken down again."""
    names: list[str] = []

    def up(suffix: str, document: dict[str, Any]) -> lab.Lab:
        names.append(f"nf-test-{suffix}-{os.getpid()}")
        return lab.up(names[-1], suffix, document, print)

    yield up
    for name in names:
        lab.down(name, print)


def test_each_host_answers_over_ssh_under_its_own_name(pair: str) -> None:
    assert [ssh(pair, name, "hostname").stdout.strip() for name in ("node1", "node2")] == ["node1", "node2"]


def test_a_host_is_up_with_systemd_and_nothing_failed(pair: str) -> None:
    host = lab.load(pair).hosts["node1"]
    assert host.run(["systemctl", "is-system-running", "--wait"]).stdout.strip() == "running"
    assert host.run(["ps", "-o", "comm=", "-p", "1"]).stdout.strip() == "systemd"


def test_only_what_was_asked_for_runs(pair: str) -> None:
    listed = lab.load(pair).hosts["node1"].run(["systemctl", "list-units", "--output=json", "--state=running"]).stdout
    services = {unit["unit"] for unit in json.loads(listed) if unit["unit"].endswith(".service")}
    assert services == {"dbus.service", "ssh.service", "systemd-journald.service"}


def test_the_hosts_share_no_namespace_with_the_machine_or_each_other(pair: str) -> None:
    hosts = lab.load(pair).hosts
    pids = [os.getpid(), *(host.namespace_pid for host in hosts.values())]
    for kind in ("net", "mnt", "pid", "uts", "ipc", "cgroup"):
        assert len({os.readlink(f"/proc/{pid}/ns/{kind}") for pid in pids}) == 3, kind


def test_a_host_can_set_its_own_sysctls_and_not_the_machines(pair: str) -> None:
    host = lab.load(pair).hosts["node1"]
    own = Path("/proc/sys/net/core/somaxconn").read_text()
    host.run(["sysctl", "-w", "net.core.somaxconn=77"])
    assert host.run(["cat", "/proc/sys/net/core/somaxconn"]).stdout == "77\n"
    assert Path("/proc/sys/net/core/somaxconn").read_text() == own
    swappiness = Path("/proc/sys/vm/swappiness").read_text()
    with pytest.raises(CommandFailed, match=r"vm\.swappiness"):
        host.run(["sysctl", "-w", "vm.swappiness=1"])
    assert Path("/proc/sys/vm/swappiness").read_text() == swappiness


def test_hosts_reach_each_other_through_the_router(pair: str) -> None:
    script = "import socket; print(socket.create_connection(('node2', 22), 5).recv(4))"
    assert lab.load(pair).hosts["node1"].run(["/usr/bin/python3", "-c", script]).stdout == "b'SSH-'\n"


def test_a_command_that_does_not_end_is_ended(pair: str) -> None:
    host = lab.load(pair).hosts["node1"]
    begun = time.monotonic()
    with pytest.raises(CommandFailed, match=r"node1: sleep 4321: not done after 0\.5 s"):
        host.run(["sleep", "4321"], timeout=0.5)
    assert time.monotonic() - begun < 5
    assert "sleep 4321" not in host.run(["ps", "ax", "-o", "args="]).stdout


def test_the_command_line_hands_on_input_output_and_status(pair: str) -> None:
    command = [sys.executable, str(LAB / "lab"), "exec", pair, "node1", "--", "sh", "-c", "cat; exit 7"]
    done = subprocess.run(command, input="over there", capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.returncode) == ("over there", 7)
    wrong = run_lab("exec", pair, "node3", "--", "true")
    assert wrong.returncode == 2
    assert f"lab '{pair}' has no host 'node3'; did you mean 'node" in wrong.stderr


def test_a_rebooted_host_is_new_and_has_kept_its_files(pair: str) -> None:
    host = lab.load(pair).hosts["node2"]
    for path in ("/etc/nf-kept", "/var/lib/docker/nf-kept", "/run/nf-lost"):
        host.run(["touch", path])
    host.run(["sysctl", "-w", "net.core.somaxconn=77"])
    before = (host.namespace_pid, host.run(["cat", "/etc/machine-id"]).stdout)
    begun = time.monotonic()
    lab.load(pair).reboot("node2")
    # Much more means that neighbours wait for an entry of their tables to grow old.
    assert time.monotonic() - begun < 15
    assert host.namespace_pid != before[0]
    assert host.run(["cat", "/etc/machine-id"]).stdout == before[1]
    assert host.run(["ls", "/etc/nf-kept", "/var/lib/docker/nf-kept"]).returncode == 0
    assert host.run(["ls", "/run/nf-lost"], check=False).returncode != 0
    assert host.run(["cat", "/proc/sys/net/core/somaxconn"]).stdout != "77\n"
    assert ssh(pair, "node2", "hostname").stdout == "node2\n"


def test_a_lab_that_exists_is_not_built_again(pair: str) -> None:
    again = run_lab("up", "single", "--name", pair)
    assert again.returncode == 1
    assert f"lab '{pair}' exists; `lab down {pair}` removes it" in again.stderr
    assert run_lab("status", pair).returncode == 0


def test_labs_with_the_same_addresses_run_side_by_side(build: Build) -> None:
    first = build("first", {"segments": LAN, "hosts": {"one": None}})
    second = build("second", {"segments": LAN, "hosts": {"two": None}})
    assert ssh(first.name, "one", "hostname").stdout == "one\n"
    assert ssh(second.name, "two", "hostname").stdout == "two\n"
    crossed = ssh(first.name, "one", "hostname", known_hosts=str(second.paths.known_hosts))
    assert "Host key verification failed" in crossed.stderr
    lab.down(first.name, print)
    assert ssh(second.name, "two", "hostname").stdout == "two\n"
    with pytest.raises(NoSuchThing):
        lab.load(first.name)


@pytest.mark.parametrize(("icmp", "path_mtu"), [("all", "1400"), ("none", "1500")])
def test_a_silent_router_does_not_tell_the_path_mtu(icmp: str, path_mtu: str, build: Build) -> None:
    segments = {"left": {"addresses": "10.1.0.0/24"}, "right": {"addresses": "10.2.0.0/24", "mtu": 1400}}
    hosts = {"one": {"segments": ["left"]}, "two": {"segments": ["right"]}}
    routers = {"middle": {"segments": ["left", "right"], "icmp": icmp}}
    built = build(f"icmp-{icmp}", {"segments": segments, "routers": routers, "hosts": hosts})
    command = ["/usr/bin/python3", "-c", RECEIVED_PATH_MTU, built.hosts["two"].plan.address]
    assert built.hosts["one"].run(command).stdout.strip() == path_mtu


def test_a_host_that_does_not_come_up_is_shown_and_taken_down(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_files, "SSHD_CONFIG", "NoSuchOption yes\n")
    monkeypatch.setattr(lab, "BOOT_TIMEOUT", 1.0)
    with pytest.raises(HostFailed) as raised:
        build("broken", {"segments": LAN, "hosts": {"one": None}})
    assert "after 4 s sshd does not answer on: one" in str(raised.value)
    assert "NoSuchOption" in str(raised.value)
    assert not state.Paths(f"nf-test-broken-{os.getpid()}").directory.exists()


def test_a_host_whose_root_cannot_be_built_says_why(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_files, "MARK", "proc/version/nowhere")
    with pytest.raises(HostFailed, match=r"(?s)'one' ended while it booted.*/proc/version"):
        build("unbuilt", {"segments": LAN, "hosts": {"one": None}})


def test_a_keeper_that_is_not_on_record_yet_ends_with_its_creator(
    real: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "ROOT", tmp_path)
    paths = state.Paths("x")
    paths.private.mkdir(parents=True)
    unstarted = keeper.prepare(paths, [])
    identity = processes.identify(unstarted.pid)
    assert identity is not None and identity.is_running()
    os.close(unstarted.go_writer)  # all that its creator's death does to it
    deadline = time.monotonic() + 20
    try:
        while identity.is_running() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not identity.is_running()
        assert os.read(unstarted.ready_reader, 100) == b""
    finally:
        os.close(unstarted.ready_reader)
        identity.kill()


def test_ansible_reaches_the_hosts_as_the_controller(pair: str, tmp_path: Path) -> None:
    ansible = Path(sys.executable).with_name("ansible")
    if not ansible.exists():
        pytest.skip("no ansible-core beside this interpreter")
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(run_lab("inventory", pair).stdout)
    environment = {**os.environ, "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"), "ANSIBLE_STDOUT_CALLBACK": "minimal"}
    command = [sys.executable, str(LAB / "lab"), "exec", pair, "controller", "--"]
    ping = [str(ansible), "--inventory", str(inventory), "nodes", "--module-name", "ansible.builtin.ping", "--one-line"]
    done = subprocess.run(
        [*command, *ping], capture_output=True, text=True, timeout=60, env=environment, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count('"pong"') == 2


def test_sixty_hosts_are_up_at_once(real: None) -> None:
    name = f"nf-test-sixty-{os.getpid()}"
    try:
        started = run_lab("up", "sixty", "--name", name, timeout=300)
        assert started.returncode == 0, started.stderr
        assert run_lab("status", name).stdout.count(" pid ") == 60
        assert ssh(name, "node60", "hostname").stdout == "node60\n"
    finally:
        assert run_lab("down", name).returncode == 0


def test_a_checkout_may_have_a_space_in_its_path(real: None, tmp_path: Path) -> None:
    copy = tmp_path / "a check out" / "lab"
    shutil.copytree(LAB, copy, ignore=shutil.ignore_patterns("__pycache__"))
    name = f"nf-test-space-{os.getpid()}"
    command = [sys.executable, str(copy / "lab")]
    try:
        up = subprocess.run(
            [*command, "up", "single", "--name", name], cwd="/", capture_output=True, text=True, timeout=60, check=False
        )
        assert up.returncode == 0, up.stderr
        subprocess.run([*command, "exec", name, "node1", "--", "true"], cwd="/", timeout=20, check=True)
    finally:
        subprocess.run([*command, "down", name], timeout=60, check=True)
