# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`docker`: hosts with dockerd, networks and containers."""

from __future__ import annotations

import json
from typing import Any

from .. import container_engine, engine_plan
from ..files_on_host import write
from ..lab import Lab
from ..topology import Topology
from . import Feature

_COMMAND = "/usr/bin/docker"
_MTU_OPTION = "com.docker.network.driver.mtu"


class Docker(Feature):
    """dockerd keeps what it made, and starts it again after a reboot."""

    key = "docker"
    order = 30

    def check(self, value: Any, topology: Topology) -> None:
        """Raise BadTopology when a host's containers cannot be made."""
        engine_plan.parse(self.key, value, topology)

    def services(self, value: Any, topology: Topology) -> dict[str, tuple[str, ...]]:
        """Every host runs dockerd."""
        return {name: ("containerd", "docker") for name in engine_plan.parse(self.key, value, topology)}

    def packages(self, value: Any, topology: Topology) -> tuple[str, ...]:
        """The engine, and what the images are made from."""
        return ("docker.io", "iptables", "nginx")

    def start(self, lab: Lab, value: Any) -> None:
        """Configure the engine, and make networks and containers."""
        for name, plan in engine_plan.parse(self.key, value, lab.topology).items():
            host = lab.host(name)
            if plan.mtu is not None:
                write(host, "/etc/docker/daemon.json", json.dumps({"mtu": plan.mtu}, indent=2) + "\n")
                host.run(["systemctl", "restart", "docker"])
            container_engine.build_on(host, _COMMAND, plan, _MTU_OPTION)


FEATURE = Docker()
