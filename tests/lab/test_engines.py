# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker and podman on real hosts of the lab."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from netfit_lab import lab
from netfit_lab.host import Host

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
                "alone": {"labels": {"team": "shop"}},
            },
        }
    },
    "podman": {
        "seal": {"networks": {"shop": {"mtu": 1350}}, "containers": {"web": {"image": "web", "network": "shop"}}},
    },
}


@pytest.fixture(scope="module")
def engines(real: None) -> Iterator[lab.Lab]:
    """A host with docker and one with podman."""
    name = f"nf-test-engines-{os.getpid()}"
    try:
        yield lab.up(name, "engines", DOCUMENT, print)
    finally:
        lab.down(name, print)


def inspect(host: Host, engine: str, container: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(host.run([engine, "inspect", container]).stdout)[0]
    return described


def link_in(host: Host, pid: int) -> dict[str, Any]:
    shown = host.run(["nsenter", f"--target={pid}", "--net", "ip", "-json", "link", "show", "eth0"]).stdout
    link: dict[str, Any] = json.loads(shown)[0]
    return link


def test_docker_container_has_its_network_s_mtu_and_its_sysctl(engines: lab.Lab) -> None:
    host = engines.host("whale")
    pid = inspect(host, "/usr/bin/docker", "web")["State"]["Pid"]
    assert link_in(host, pid)["mtu"] == 1450
    queue = host.run(["nsenter", f"--target={pid}", "--net", "ss", "-Hltn", "sport = :8081"]).stdout
    assert queue.split()[:3] == ["LISTEN", "0", "256"]


def test_docker_s_own_bridge_has_the_daemon_s_mtu(engines: lab.Lab) -> None:
    host = engines.host("whale")
    described = inspect(host, "/usr/bin/docker", "alone")
    assert link_in(host, described["State"]["Pid"])["mtu"] == 1400
    assert described["Config"]["Labels"] == {"team": "shop"}


def test_container_shares_another_s_network(engines: lab.Lab) -> None:
    host = engines.host("whale")
    pids = [inspect(host, "/usr/bin/docker", name)["State"]["Pid"] for name in ("web", "side")]
    first, second = (host.run(["readlink", f"/proc/{pid}/ns/net"]).stdout for pid in pids)
    assert first == second


def test_podman_container_has_its_network_s_mtu(engines: lab.Lab) -> None:
    host = engines.host("seal")
    assert link_in(host, inspect(host, "/usr/bin/podman", "web")["State"]["Pid"])["mtu"] == 1350


@pytest.mark.parametrize(("name", "engine"), [("whale", "/usr/bin/docker"), ("seal", "/usr/bin/podman")])
def test_containers_come_back_after_a_reboot(engines: lab.Lab, name: str, engine: str) -> None:
    engines.reboot(name)
    assert inspect(engines.host(name), engine, "web")["State"]["Running"] is True
