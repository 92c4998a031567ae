# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a restart of dockerd means for the containers of a host, and how it takes a new MTU; pure.

Measured with dockerd 20.10.24: with live-restore and a running container the default network stays as it is over a
restart (moby daemon/daemon_unix.go initNetworkController), so that containers have to be stopped for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from .docker_inspect import DockerContainer
from .docker_network import KERNEL_MTU, DockerNetwork
from .fact import Fact


@dataclass(frozen=True)
class DockerRestart(Fact):
    """needed: the default network has a larger MTU than it is to have, or, where less is to be raised, another one.

    refused: why it may not be done, empty else. stop: names of containers to stop before, because dockerd would let
    them run. start: names of those to start afterwards, in that order. stops: those that do not run meanwhile, for
    people.
    """

    needed: bool
    refused: str
    stop: Tuple[str, ...]
    start: Tuple[str, ...]
    stops: Tuple[str, ...]


def plan_restart(
    default: Optional[DockerNetwork],
    containers: Sequence[DockerContainer],
    live_restore: bool,
    mtu: int,
    raising: bool = False,
) -> DockerRestart:
    """Return what a restart would do.

    default: the network "bridge", None where there is none. mtu: bytes. raising: whether less is to become more.
    """
    now = mtu if default is None else default.mtu or KERNEL_MTU
    running = [one for one in containers if one.running]
    started = [one for one in running if not one.of_swarm]
    # A container in another one's namespaces can't start before that one.
    start = sorted(started, key=lambda one: (one.mode.startswith("container:"), one.name))
    return DockerRestart(
        needed=now != mtu if raising else now > mtu,
        refused=_refused(running),
        stop=tuple(one.name for one in reversed(start)) if live_restore else (),
        start=tuple(one.name for one in start),
        stops=tuple(sorted(one.name for one in running)),
    )


def _refused(running: Sequence[DockerContainer]) -> str:
    lost: List[str] = sorted(one.name for one in running if one.auto_remove and not one.of_swarm)
    if lost:
        return f"{', '.join(lost)} would be gone (docker run --rm): stop docker yourself when that is no loss"
    pods = [one for one in running if one.of_kubernetes]
    if pods:
        return f"{len(pods)} containers of Kubernetes run here: drain the node, then restart docker yourself"
    return ""
