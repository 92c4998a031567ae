# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role rancher_mtu on hosts over SSH: a node of K3s, whose flannel.1 is there, and a server of RKE2."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from netfit_lab import lab

ANSIBLE = Path(sys.executable).parent
DOCUMENT = {"segments": {"lan": {"addresses": "10.44.0.0/24"}}, "hosts": {"light": None, "server": None}}
HOSTS = ("light", "server")
GENERATED = "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json"
OURS = "/etc/rancher/k3s/netfit-flannel.json"
CHART = "/var/lib/rancher/rke2/server/manifests/rke2-canal-config.yaml"
UNIT = "[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
# A service that does nothing in the place of K3s: what is looked at is when it is started, and what stays meanwhile.
LIGHT = f"""
mkdir -p {os.path.dirname(GENERATED)} /etc/systemd/system
echo '{{"Network": "10.42.0.0/16", "Backend": {{"Type": "vxlan"}}}}' > {GENERATED}
printf '{UNIT}' > /etc/systemd/system/k3s.service
systemctl daemon-reload && systemctl enable --now k3s.service
ip link add flannel.1 mtu 1450 type vxlan id 1 dev eth0 dstport 8472 nolearning
"""
SERVER = f"mkdir -p {os.path.dirname(CHART)} /etc/rancher/rke2; echo 'cni: canal' > /etc/rancher/rke2/config.yaml"
UNDO = {"netfit.cluster.change_guard": {"state": "undone", "run": "restarted"}}
PLAY = [{"name": "Nodes", "hosts": "all", "gather_facts": False, "roles": ["netfit.cluster.rancher_mtu"]}]


@pytest.fixture(scope="module")
def hosts(real: None) -> Iterator[lab.Lab]:
    """Two nodes, of K3s and RKE2 as far as their files go."""
    name = f"nf-test-rancher-{os.getpid()}"
    try:
        made = lab.up(name, "rancher", DOCUMENT, print)
        made.host("light").run(["sh", "-ec", LIGHT])
        made.host("server").run(["sh", "-ec", SERVER])
        yield made
    finally:
        lab.down(name, print)


@pytest.fixture(scope="module")
def place(hosts: lab.Lab) -> Iterator[Path]:
    """A folder that the controller sees, for the playbook and what it writes."""
    folder = Path("/tmp", f"{hosts.paths.directory.name}-play")
    folder.mkdir()
    try:
        yield folder
    finally:
        subprocess.run(["rm", "-rf", "--", str(folder)], check=True)


def play(
    hosts: lab.Lab, place: Path, *arguments: str, check: bool = True, text: object = None, **variables: object
) -> str:
    """Run the role as the lab's controller and return what it prints."""
    (place / "play.yml").write_text(json.dumps(text or PLAY))
    given = {"rancher_mtu_underlay_mtu": 1400, "rancher_mtu_pod_mtu": 1350, "rancher_mtu_report_dir": str(place)}
    settings = {"ANSIBLE_INJECT_FACT_VARS": "False", "ANSIBLE_NOCOLOR": "1", "COLUMNS": "100"}
    command = ["env", *(f"{name}={value}" for name, value in settings.items())]
    command += [str(ANSIBLE / "ansible-playbook"), "-i", str(hosts.paths.directory / "inventory.yml"), "--become"]
    command += [str(place / "play.yml"), "-e", json.dumps({**given, **variables}), *arguments]
    done: subprocess.CompletedProcess[str] = hosts.controller.run(command, timeout=180, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def changed(printed: str) -> dict[str, int]:
    """Return how many tasks changed something, by host of the lab."""
    counts = re.findall(r"^(\w+) +: ok=\d+ +changed=(\d+)", printed, re.MULTILINE)
    return {name: int(count) for name, count in counts if name in HOSTS}


def shown(hosts: lab.Lab, name: str, *command: str) -> str:
    """What a command prints on a host."""
    printed: str = hosts.host(name).run(list(command), check=False).stdout
    return printed.strip()


def state(hosts: lab.Lab) -> tuple[str, str]:
    """The MTU of flannel.1, and what K3s runs as."""
    mtu = shown(hosts, "light", "cat", "/sys/class/net/flannel.1/mtu")
    return mtu, shown(hosts, "light", "systemctl", "show", "--property=MainPID", "--value", "k3s.service")


def test_bad_input_and_check_mode_leave_the_hosts_as_they_are(hosts: lab.Lab, place: Path) -> None:
    before = state(hosts)
    assert "are both 0" in play(hosts, place, check=False, rancher_mtu_underlay_mtu=0, rancher_mtu_pod_mtu=0)
    printed = play(hosts, place, check=False, rancher_mtu_pod_mtu=1400, rancher_mtu_stacks=["rke2"])
    assert "pod_mtu: 1400 is more than flannel" in printed.replace("\n", " ")
    planned = play(hosts, place, "--check", "--diff", rancher_mtu_restart=True)
    assert "vethuMTU: 1350" in planned and '"MTU": 1400' in planned
    assert shown(hosts, "light", "sh", "-c", f"ls {OURS}; ls /etc/rancher/k3s") == ""
    assert shown(hosts, "server", "ls", CHART) == "" and not (place / "cluster-changes").exists()
    assert state(hosts) == before


def test_without_leave_to_restart_it_says_what_is_to_be_done(hosts: lab.Lab, place: Path) -> None:
    before = state(hosts)
    printed = " ".join(play(hosts, place).split())
    assert "To take effect: systemctl restart k3s" in printed
    assert "Before the restart: ip link set dev flannel.1 mtu 1350" in printed
    assert "Waiting for the cluster's owner:" in printed
    assert state(hosts) == before
    conf = json.loads(shown(hosts, "light", "cat", OURS))
    assert conf == {"Network": "10.42.0.0/16", "Backend": {"Type": "vxlan", "MTU": 1400}}
    values = yaml.safe_load(yaml.safe_load(shown(hosts, "server", "cat", CHART))["spec"]["valuesContent"])
    assert values == {"calico": {"vethuMTU": 1350}, "flannel": {"mtu": 1400}}
    commands = (place / "cluster-changes/server/commands.sh").read_text()
    assert "kubectl --namespace kube-system rollout restart daemonset rke2-canal\n" in commands
    assert not (place / "cluster-changes/light").exists()


def test_the_second_time_nothing_changes(hosts: lab.Lab, place: Path) -> None:
    assert changed(play(hosts, place)) == {"light": 0, "server": 0}


def test_with_leave_the_device_is_set_and_k3s_restarted(hosts: lab.Lab, place: Path) -> None:
    _mtu, process = state(hosts)
    wanted = {"rancher_mtu_underlay_mtu": 1390, "rancher_mtu_pod_mtu": 1340}
    play(hosts, place, **wanted, rancher_mtu_restart=True, rancher_mtu_run="restarted")
    mtu, new_process = state(hosts)
    assert mtu == "1340" and new_process not in ("0", process)


def test_the_device_is_given_back_what_it_had(hosts: lab.Lab, place: Path) -> None:
    undo = [{"hosts": "light", "gather_facts": False, "tasks": [UNDO]}]
    play(hosts, place, text=undo)
    assert state(hosts)[0] == "1450"
    assert json.loads(shown(hosts, "light", "cat", OURS))["Backend"]["MTU"] == 1400
