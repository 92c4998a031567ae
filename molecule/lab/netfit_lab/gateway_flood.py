# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A flood of connections at a pod that is busy for a moment, and what its listen queue made of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import CommandFailed
from .flood import Outcome
from .host import Host
from .image_catalogue import GATEWAY_PORT
from .lab import Lab

CONNECTIONS = 400
_BUSY = 1.5
"""Seconds that the server does not accept, from the last SYN on: as long as a JVM may be busy collecting garbage.

Longer than 1 s, so that a SYN that was dropped is dropped again when it is repeated for the first time.
"""
_PATIENCE = 4.0
"""Seconds: the second repetition comes after 2 or, before Linux 6.5, after 3."""
_PROCESS = re.compile(r"pid=([0-9]+)")


@dataclass(frozen=True)
class GatewayFlood:
    """What a flood did. backlog: of the listener, in connections. overflows: ListenOverflows before and after."""

    backlog: int
    outcome: Outcome
    overflows: tuple[int, int]

    @property
    def dropped(self) -> int:
        """How many SYNs, and last packets of handshakes, the full queue dropped meanwhile; repetitions count again."""
        return self.overflows[1] - self.overflows[0]


@dataclass(frozen=True)
class Gateway:
    """A server in a pod. namespace: path of its network namespace on the host. processes: ids as the host counts."""

    host: Host
    namespace: str
    backlog: int
    processes: tuple[str, ...]

    def overflows(self) -> int:
        """Return the counter ListenOverflows of the pod's network namespace."""
        command = ["nsenter", f"--net={self.namespace}", "nstat", "-jazs", "TcpExtListenOverflows"]
        counters = json.loads(self.host.run(command).stdout)["kernel"]
        return int(counters["TcpExtListenOverflows"])

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep the server from accepting connections; its kernel goes on."""
        self.host.run(["kill", "-STOP", *self.processes])
        try:
            yield
        finally:
            self.host.run(["kill", "-CONT", *self.processes])


def find_gateway(host: Host, port: int = GATEWAY_PORT) -> Gateway:
    """Return the server of a pod on this host that listens on a port. Raises CommandFailed when there is none."""
    for name in host.run(["ls", "/run/netns"], check=False).stdout.split():
        namespace = f"/run/netns/{name}"
        listed = host.run(["nsenter", f"--net={namespace}", "ss", "-Hltnp", f"sport = :{port}"]).stdout
        fields = listed.split()
        if fields:
            return Gateway(host, namespace, int(fields[2]), tuple(dict.fromkeys(_PROCESS.findall(listed))))
    raise CommandFailed(f"{host.name}: no pod listens on port {port}")


def flood_gateway(
    lab: Lab, pod_host: str, targets: Sequence[str], node_port: int, connections: int = CONNECTIONS
) -> GatewayFlood:
    """Open connections to the node port of the targets (names of hosts, in turn) while the pod's server is busy.

    The server goes on 1.5 s after the last SYN. The connections are opened by the controller. Raises CommandFailed.
    """
    gateway = find_gateway(lab.host(pod_host))
    before = gateway.overflows()
    addresses = [f"{lab.host(name).plan.address}:{node_port}" for name in targets]
    options = [f"--connections={connections}", f"--patience={_PATIENCE}"]
    command = [sys.executable, "-B", "-m", "netfit_lab.flood", *addresses, *options]
    path = f"PYTHONPATH={Path(__file__).resolve().parents[1]}"
    with gateway.busy():
        process = lab.controller.start(["env", path, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        sent = process.stderr.readline() if process.stderr else b""
        time.sleep(_BUSY)
    output, errors = process.communicate(timeout=60)
    if process.returncode != 0:
        said = (sent + errors).decode(errors="replace")
        raise CommandFailed(f"the flood ended with status {process.returncode}\n{said}")
    return GatewayFlood(gateway.backlog, Outcome(**json.loads(output)), (before, gateway.overflows()))


def as_table(floods: Sequence[GatewayFlood]) -> str:
    """Return floods for a person, one a line."""
    lines = ["  backlog  connections  at once  first retry  later retry  no answer  ListenOverflows"]
    for one in floods:
        outcome = one.outcome
        counts = f"  {one.backlog:>7}  {outcome.connections:>11}  {outcome.at_once:>7}  {outcome.first_retry:>11}"
        rest = f"  {outcome.later_retry:>11}  {outcome.unanswered:>9}  {one.overflows[0]} -> {one.overflows[1]}"
        lines.append(counts + rest)
    return "\n".join(lines)
