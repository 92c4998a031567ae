# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`podman`: hosts with podman's networks and containers."""

from __future__ import annotations

from typing import Any

from .. import container_engine, engine_plan
from ..errors import BadTopology
from ..files_on_host import write
from ..lab import Lab
from ..topology import Topology
from . import Feature

_COMMAND = "/usr/bin/podman"
_MTU_OPTION = "mtu"
_BACKEND_FILE = "/etc/containers/containers.conf.d/40-lab.conf"
# Which one podman takes by itself depends on the packages of this machine.
_BACKEND = '# Written by the lab.\n[network]\nnetwork_backend = "cni"\n'
_NO_LIMITS_FILE = "/etc/containers/containers.conf.d/50-lab.conf"
_NO_LIMITS = "# Written by the lab: this machine keeps the controller in cgroup v1.\n[containers]\npids_limit = 0\n"


class Podman(Feature):
    """podman has no daemon: a unit starts its containers again after a reboot."""

    key = "podman"
    order = 40

    def check(self, value: Any, topology: Topology) -> None:
        """Raise BadTopology when a host's containers cannot be made."""
        for name, plan in engine_plan.parse(self.key, value, topology).items():
            if plan.mtu is not None:
                raise BadTopology(f"podman.{name}.mtu: podman has no MTU for all networks; give it to a network")

    def services(self, value: Any, topology: Topology) -> dict[str, tuple[str, ...]]:
        """The unit that starts containers with `--restart=always` at boot."""
        return {name: ("podman-restart",) for name in engine_plan.parse(self.key, value, topology)}

    def packages(self, value: Any, topology: Topology) -> tuple[str, ...]:
        """The engine, and what the images are made from."""
        return ("podman", "iptables", "nginx")

    def start(self, lab: Lab, value: Any) -> None:
        """Make networks and containers."""
        for name, plan in engine_plan.parse(self.key, value, lab.topology).items():
            host = lab.host(name)
            write(host, _BACKEND_FILE, _BACKEND)
            if "pids" not in (host.root / "sys/fs/cgroup/cgroup.controllers").read_text().split():
                write(host, _NO_LIMITS_FILE, _NO_LIMITS)
            container_engine.build_on(host, _COMMAND, plan, _MTU_OPTION)


FEATURE = Podman()
