# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role container_runtime_mtu over SSH with the real dockerd and podman: new containers, running ones, undone."""

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
DOCKER = "/usr/bin/docker"
PODMAN = "/usr/bin/podman"
DAEMON = "/etc/docker/daemon.json"
DOCUMENT = {
    "segments": {"lan": {"addresses": "10.44.0.0/24"}},
    "hosts": {"whale": None, "seal": None},
    "docker": {
        "whale": {
            "networks": {"shop": {"mtu": 1400}, "plain": {}},
            "containers": {
                "web": {"image": "web"},
                "side": {"image": "web", "network": "plain"},
                "till": {"image": "web", "network": "shop"},
            },
        }
    },
    "podman": {"seal": {"networks": {"plain": {}}, "containers": {"old": {"image": "web"}}}},
}
LIVE_RESTORE = '{\n    "live-restore": true\n}\n'
PLAY = """
- hosts: {host}
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: netfit.cluster.container_runtime_mtu
"""
UNDO = """
- hosts: {host}
  gather_facts: false
  tasks:
    - netfit.cluster.change_guard:
        state: undone
        run: "{{{{ container_runtime_mtu_run }}}}"
"""


@pytest.fixture(scope="module")
def hosts(real: None) -> Iterator[lab.Lab]:
    """A host with docker, whose containers outlive a restart of it, and one with podman."""
    name = f"nf-test-runtime-{os.getpid()}"
    try:
        running = lab.up(name, "runtime", DOCUMENT, print)
        whale = running.host("whale")
        whale.run(["sh", "-c", f"printf '%s' '{LIVE_RESTORE}' > {DAEMON}"])
        whale.run(["systemctl", "reload", "docker"])
        yield running
    finally:
        lab.down(name, print)


def play(hosts: lab.Lab, tmp_path: Path, host: str, *arguments: str, text: str = PLAY, **variables: Any) -> str:
    """Run the role on a host as the lab's controller; return what Ansible prints."""
    file = tmp_path / "play.yml"
    file.write_text(text.format(host=host))
    wanted = {"container_runtime_mtu_container_mtu": 1450, **variables}
    command = ["env", "ANSIBLE_NOCOLOR=1", "COLUMNS=200", "ANSIBLE_INJECT_FACT_VARS=False"]
    command += [str(ANSIBLE / "ansible-playbook"), "-i", str(hosts.paths.directory / "inventory.yml")]
    command += ["-e", json.dumps(wanted), *arguments, str(file)]
    done: subprocess.CompletedProcess[str] = hosts.controller.run(command, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def changed(printed: str) -> int:
    """Return how many tasks changed something."""
    counts = re.findall(r"changed=(\d+)", printed)
    assert len(counts) == 1, printed
    return int(counts[0])


def content(hosts: lab.Lab, host: str, path: str) -> str | None:
    done = hosts.host(host).run(["cat", path], check=False)
    return done.stdout if done.returncode == 0 else None


def pid(hosts: lab.Lab, name: str, host: str = "whale", engine: str = DOCKER) -> int:
    return int(json.loads(hosts.host(host).run([engine, "inspect", name]).stdout)[0]["State"]["Pid"])


def mtu_inside(hosts: lab.Lab, name: str, host: str = "whale", engine: str = DOCKER) -> int:
    """The MTU of a container's interface, which is not always eth0."""
    entering = ["nsenter", f"--target={pid(hosts, name, host, engine)}", "--net", "ip", "-json", "link"]
    links = json.loads(hosts.host(host).run(entering).stdout)
    return int(next(link["mtu"] for link in links if link["ifname"].startswith("eth")))


def mtus(hosts: lab.Lab, *names: str) -> list[int]:
    return [mtu_inside(hosts, name) for name in names]


def host_links(hosts: lab.Lab, host: str = "whale") -> dict[str, Any]:
    links = json.loads(hosts.host(host).run(["ip", "-json", "link"]).stdout)
    return {link["ifname"]: link for link in links}


def ends_on_the_host(hosts: lab.Lab, bridge: str) -> set[int]:
    return {link["mtu"] for link in host_links(hosts).values() if link.get("master") == bridge}


def docker(hosts: lab.Lab, *arguments: str) -> str:
    return hosts.host("whale").run([DOCKER, *arguments]).stdout.strip()


def start(hosts: lab.Lab, name: str, *options: str) -> int:
    docker(hosts, "run", "--detach", f"--name={name}", *options, "netfit/web:1")
    return mtu_inside(hosts, name)


def test_check_mode_shows_the_plan_and_changes_nothing(hosts: lab.Lab, tmp_path: Path) -> None:
    printed = play(hosts, tmp_path, "whale", "--check", "--diff", container_runtime_mtu_recreate=True)
    assert '+    "mtu": 1450' in printed
    assert content(hosts, "whale", DAEMON) == LIVE_RESTORE
    assert mtus(hosts, "web", "side", "till") == [1500, 1500, 1400]
    assert host_links(hosts)["docker0"]["mtu"] == 1500


def test_running_containers_get_it_at_once_and_new_ones_by_the_file(hosts: lab.Lab, tmp_path: Path) -> None:
    before = {name: pid(hosts, name) for name in ("web", "side", "till")}
    printed = play(hosts, tmp_path, "whale", container_runtime_mtu_run="one")
    assert content(hosts, "whale", DAEMON) == '{\n    "live-restore": true,\n    "mtu": 1450\n}\n'
    assert {name: pid(hosts, name) for name in before} == before
    # A network that was made with less keeps it.
    assert mtus(hosts, "web", "side", "till") == [1450, 1450, 1400]
    assert ends_on_the_host(hosts, "docker0") == {1450}
    assert host_links(hosts)["docker0"]["mtu"] == 1450
    assert "these would be stopped and started again: side, till, web" in printed
    assert "docker network create --driver bridge" in printed
    assert changed(play(hosts, tmp_path, "whale")) == 0


def test_what_is_started_meanwhile_is_lowered_and_networks_are_made_anew(hosts: lab.Lab, tmp_path: Path) -> None:
    hosts.host("whale").run(["systemctl", "restart", "docker"])
    # live-restore: docker leaves what runs alone, its default network too.
    assert start(hosts, "late") == 1500
    # The bridge was set, so that a port with more does not raise it.
    assert host_links(hosts)["docker0"]["mtu"] == 1450
    docker(hosts, "network", "create", "--subnet=10.99.0.0/24", "--label=team=shop", "own")
    start(hosts, "kept", "--network=own", "--ip=10.99.0.50", "--network-alias=shop.internal", "--publish=9081:8081")
    compose = ["--label=com.docker.compose.project=p", "--label=com.docker.compose.network=back"]
    docker(hosts, "network", "create", *compose, "p_back")
    before = {name: pid(hosts, name) for name in ("web", "side", "till", "late", "kept")}

    printed = play(hosts, tmp_path, "whale", container_runtime_mtu_recreate=True)
    assert {name: pid(hosts, name) for name in before} == before
    assert mtus(hosts, "web", "late", "kept", "side", "till") == [1450, 1450, 1450, 1450, 1400]
    shown = json.loads(docker(hosts, "inspect", "kept"))[0]["NetworkSettings"]["Networks"]["own"]
    assert shown["IPAddress"] == "10.99.0.50" and "shop.internal" in shown["Aliases"]
    assert json.loads(docker(hosts, "network", "inspect", "own"))[0]["Labels"] == {"team": "shop"}
    reached = hosts.host("whale").run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "10.44.0.11:9081/"])
    assert reached.stdout == "200"
    # Compose's own network is compose's, and the text for its file is shown.
    assert docker(hosts, "network", "inspect", "--format={{.Options}}", "p_back") == "map[]"
    assert "p_back belongs to the compose project p" in printed
    assert changed(play(hosts, tmp_path, "whale", container_runtime_mtu_recreate=True)) == 0
    docker(hosts, "rm", "--force", "kept", "late")
    docker(hosts, "network", "rm", "own", "p_back")


def test_docker_restarts_when_it_is_asked_to_unless_a_container_would_be_lost(hosts: lab.Lab, tmp_path: Path) -> None:
    start(hosts, "passing", "--rm")
    printed = play(hosts, tmp_path, "whale", "--check", container_runtime_mtu_restart=True)
    assert "passing would be gone" in printed and "These are stopped" not in printed
    docker(hosts, "rm", "--force", "passing")
    docker(hosts, "update", "--restart=no", "web")
    before = pid(hosts, "web")

    printed = play(hosts, tmp_path, "whale", container_runtime_mtu_restart=True)
    assert "These are stopped and started again: side, till, web" in printed
    assert pid(hosts, "web") not in (0, before)
    assert mtus(hosts, "web", "side", "till") == [1450, 1450, 1400]
    assert start(hosts, "fresh") == 1450
    assert changed(play(hosts, tmp_path, "whale", "--check", container_runtime_mtu_restart=True)) == 0
    docker(hosts, "rm", "--force", "fresh")


def test_a_reboot_gives_the_same(hosts: lab.Lab) -> None:
    docker(hosts, "update", "--restart=always", "web")
    hosts.reboot("whale")
    assert mtus(hosts, "web", "side") == [1450, 1450]
    assert host_links(hosts)["docker0"]["mtu"] == 1450


def test_an_option_of_dockerd_in_the_way_is_told_before_anything_is_written(hosts: lab.Lab, tmp_path: Path) -> None:
    before = content(hosts, "whale", DAEMON)
    hosts.host("whale").run(["sh", "-c", "echo 'DOCKER_OPTS=\"--mtu 1300\"' >> /etc/default/docker"])
    printed = play(hosts, tmp_path, "whale", "--check", container_runtime_mtu_container_mtu=1400)
    assert "with both it does not start" in printed
    assert content(hosts, "whale", DAEMON) == before
    hosts.host("whale").run(["sed", "-i", "/--mtu 1300/d", "/etc/default/docker"])


def test_the_file_is_brought_back(hosts: lab.Lab, tmp_path: Path) -> None:
    play(
        hosts,
        tmp_path,
        "whale",
        container_runtime_mtu_live=False,
        container_runtime_mtu_container_mtu=1400,
        container_runtime_mtu_run="last",
    )
    assert '"mtu": 1400' in (content(hosts, "whale", DAEMON) or "")
    play(hosts, tmp_path, "whale", text=UNDO, container_runtime_mtu_run="last")
    assert content(hosts, "whale", DAEMON) == '{\n    "live-restore": true,\n    "mtu": 1450\n}\n'
    assert mtus(hosts, "web", "side") == [1450, 1450]


def podman_start(hosts: lab.Lab, name: str, *options: str) -> int:
    hosts.host("seal").run([PODMAN, "run", "--detach", f"--name={name}", *options, "docker.io/netfit/web:1"])
    return mtu_inside(hosts, name, "seal", PODMAN)


def test_podman_with_cni(hosts: lab.Lab, tmp_path: Path) -> None:
    seal = hosts.host("seal")
    before = content(hosts, "seal", "/etc/cni/net.d/87-podman-bridge.conflist")
    assert mtu_inside(hosts, "old", "seal", PODMAN) == 1500
    play(hosts, tmp_path, "seal", container_runtime_mtu_run="cni", container_runtime_mtu_live=False)
    assert mtu_inside(hosts, "old", "seal", PODMAN) == 1500
    assert podman_start(hosts, "new") == 1450
    assert podman_start(hosts, "lan", "--network=plain") == 1450
    seal.run([PODMAN, "restart", "--time=0", "old"])
    assert mtu_inside(hosts, "old", "seal", PODMAN) == 1450
    play(hosts, tmp_path, "seal", text=UNDO, container_runtime_mtu_run="cni")
    assert content(hosts, "seal", "/etc/cni/net.d/87-podman-bridge.conflist") == before
    assert podman_start(hosts, "last") == 1500


def test_podman_with_netavark(hosts: lab.Lab, tmp_path: Path) -> None:
    seal = hosts.host("seal")
    seal.run([PODMAN, "rm", "--all", "--force", "--time=0"])
    backend = "/etc/containers/containers.conf.d/60-test.conf"
    seal.run(["sh", "-c", f"printf '[network]\\nnetwork_backend = \"netavark\"\\n' > {backend}"])
    seal.run([PODMAN, "network", "create", "--disable-dns", "lan"])
    assert podman_start(hosts, "old") == 1500
    play(hosts, tmp_path, "seal", container_runtime_mtu_run="netavark")
    assert mtu_inside(hosts, "old", "seal", PODMAN) == 1450
    assert podman_start(hosts, "new") == 1450
    assert podman_start(hosts, "in-lan", "--network=lan") == 1450
    shown = json.loads(seal.run([PODMAN, "network", "inspect", "podman"]).stdout)[0]
    assert shown["options"] == {"mtu": "1450"} and shown["network_interface"] == "podman0"
    assert changed(play(hosts, tmp_path, "seal")) == 0
    play(hosts, tmp_path, "seal", text=UNDO, container_runtime_mtu_run="netavark")
    assert content(hosts, "seal", "/etc/containers/networks/podman.json") is None
    assert podman_start(hosts, "last") == 1500
