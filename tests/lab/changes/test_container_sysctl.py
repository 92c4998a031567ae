# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role container_sysctl over SSH on a host with podman: what new containers get, and those that run keep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from netfit_lab import lab

ANSIBLE = Path(sys.executable).parent
PODMAN = "/usr/bin/podman"
DOCUMENT = {
    "segments": {"lan": {"addresses": "10.44.0.0/24"}},
    "hosts": {"seal": None},
    "podman": {"seal": {"containers": {"old": {"image": "web"}}}},
}
DROP_IN = "/etc/containers/containers.conf.d/90-netfit.conf"
PLAY = """
- hosts: seal
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: netfit.cluster.container_sysctl
"""
SYSCTLS = {
    "net.core.somaxconn": 4096,
    "net.ipv4.tcp_rmem": [4096, 131072, 7000000],
    "net.core.netdev_max_backlog": 5000,
}


@pytest.fixture(scope="module")
def seal(real: None) -> Iterator[lab.Lab]:
    """A host with podman and a container."""
    name = f"nf-test-new-{os.getpid()}"
    try:
        yield lab.up(name, "new", DOCUMENT, print)
    finally:
        lab.down(name, print)


def apply(running: lab.Lab, tmp_path: Path, *arguments: str, **variables: Any) -> str:
    """Run the role as the lab's controller; return all that Ansible prints."""
    play = tmp_path / "play.yml"
    play.write_text(PLAY)
    wanted = {"container_sysctl_sysctls": SYSCTLS, "container_sysctl_runtimes": ["podman"], **variables}
    command = ["env", "ANSIBLE_NOCOLOR=1", "COLUMNS=200", str(ANSIBLE / "ansible-playbook")]
    command += ["-i", str(running.paths.directory / "inventory.yml"), "-e", json.dumps(wanted), *arguments, str(play)]
    done: subprocess.CompletedProcess[str] = running.controller.run(command, timeout=120, check=True)
    return done.stdout + done.stderr


def shown(running: lab.Lab, container: str) -> list[str]:
    """The queue limit and the largest receive buffer of a container, and who may ping in it."""
    host = running.host("seal")
    pid = json.loads(host.run([PODMAN, "inspect", container]).stdout)[0]["State"]["Pid"]
    keys = ("net.core.somaxconn", "net.ipv4.tcp_rmem", "net.ipv4.ping_group_range")
    done = host.run(["nsenter", f"--target={pid}", "--net", "sysctl", "-n", *keys])
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def start(running: lab.Lab, container: str, *options: str) -> list[str]:
    running.host("seal").run([PODMAN, "run", "--detach", f"--name={container}", *options, "docker.io/netfit/web:1"])
    return shown(running, container)


def test_the_whole_story(seal: lab.Lab, tmp_path: Path) -> None:
    host = seal.host("seal")
    old = shown(seal, "old")
    assert old[0] != "1234"
    planned = apply(seal, tmp_path, "--check", "--diff", container_sysctl_run="one")
    assert f"+++ after: {DROP_IN}" in planned
    assert '"net.core.somaxconn=4096"' in planned
    assert "net.core.netdev_max_backlog was left out" in planned
    assert host.run(["test", "-e", DROP_IN], check=False).returncode == 1

    done = apply(seal, tmp_path, container_sysctl_run="one")
    assert "changed=1 " in done
    new = ["4096", "4096 131072 7000000", "0 0"]
    assert start(seal, "new") == new
    assert start(seal, "own", "--sysctl=net.core.somaxconn=888")[0] == "888"
    assert shown(seal, "old") == old
    host.run([PODMAN, "restart", "--time=0", "old"])
    # A restart makes no new container: it has what it was made with.
    assert shown(seal, "old") == old
    assert "changed=0 " in apply(seal, tmp_path)

    seal.reboot("seal")
    assert start(seal, "later") == new
    assert "changed=1 " in apply(seal, tmp_path, container_sysctl_state="absent")
    assert start(seal, "last") == old
    assert "changed=0 " in apply(seal, tmp_path, container_sysctl_state="absent")
