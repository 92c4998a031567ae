# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`load_balancers`: hosts of the lab that spread HTTP requests over the node ports of others."""

from __future__ import annotations

from typing import Any

from .. import checks, load_balancer
from ..cluster_plan import port
from ..errors import BadTopology
from ..files_on_host import write
from ..lab import Lab
from ..load_balancer import LoadBalancer
from ..topology import Topology
from . import Feature

_KEYS = ("listen", "targets", "port", "timeout", "ignores_icmp")
_LONGEST_TIMEOUT = 3600


class LoadBalancers(Feature):
    """nginx on a host of its own. Everything is on its disk, so that it comes back by itself after a reboot."""

    key = "load_balancers"
    order = 20

    def check(self, value: Any, topology: Topology) -> None:
        """Raise BadTopology when a load balancer cannot be built."""
        parse(value, topology)

    def services(self, value: Any, topology: Topology) -> dict[str, tuple[str, ...]]:
        """Every load balancer runs nginx."""
        return {name: ("nginx",) for name in parse(value, topology)}

    def packages(self, value: Any, topology: Topology) -> tuple[str, ...]:
        """nginx and the filter."""
        return ("nginx", "nftables")

    def start(self, lab: Lab, value: Any) -> None:
        """Write the files and restart nginx with them."""
        for name, balancer in parse(value, lab.topology).items():
            host = lab.host(name)
            write(host, load_balancer.CONFIGURATION_FILE, load_balancer.configuration(balancer))
            if balancer.ignores_icmp:
                write(host, load_balancer.FILTER_FILE, load_balancer.FILTER)
                write(host, load_balancer.UNIT_FILE, load_balancer.UNIT)
                host.run(["systemctl", "daemon-reload"])
            host.run(["systemctl", "restart", "nginx"])


def parse(value: Any, topology: Topology) -> dict[str, LoadBalancer]:
    """Return the load balancers of a topology by the name of their host. Raises BadTopology."""
    written = checks.mapping("load_balancers", value)
    checks.known_keys("load_balancers", written, topology.hosts)
    return {name: _parse_one(f"load_balancers.{name}", fields, topology) for name, fields in written.items()}


def _parse_one(where: str, value: Any, topology: Topology) -> LoadBalancer:
    fields = checks.mapping(where, value)
    checks.known_keys(where, fields, _KEYS)
    targets = checks.texts(f"{where}.targets", fields.get("targets"))
    checks.known_keys(f"{where}.targets", dict.fromkeys(targets), topology.hosts)
    if not targets:
        raise BadTopology(f"{where}.targets: at least one host is needed")
    timeout, ignores = fields.get("timeout", 60), fields.get("ignores_icmp", True)
    if not isinstance(timeout, int) or isinstance(timeout, bool) or not 1 <= timeout <= _LONGEST_TIMEOUT:
        raise BadTopology(f"{where}.timeout: 1 to {_LONGEST_TIMEOUT} seconds are needed, not {timeout!r}")
    if not isinstance(ignores, bool):
        raise BadTopology(f"{where}.ignores_icmp: true or false is needed, not {ignores!r}")
    return LoadBalancer(
        port(f"{where}.listen", fields.get("listen", 80)),
        tuple(topology.hosts[target].attachments[0].address.ip for target in targets),
        port(f"{where}.port", fields.get("port")),
        timeout,
        ignores,
    )


FEATURE = LoadBalancers()
