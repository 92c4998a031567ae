# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Docker networks that are removed and made again with another MTU, and their containers put back; pure.

Measured with dockerd 20.10.24: published ports, fixed addresses and aliases are there again; the interface in a running
container gets the next free name (eth1 for eth0) until the container is started again.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import List, Mapping, Optional, Sequence, Tuple

from .docker_inspect import DockerContainer
from .docker_network import DockerNetwork, NetworkKind
from .fact import Fact

_WHOSE = {
    NetworkKind.COMPOSE: "it belongs to a compose project, which makes it anew with driver_opts in its file",
    NetworkKind.GATEWAY: "the node would have to leave the swarm for it",
    NetworkKind.OTHER: "its driver takes no MTU, or other networks are made from it",
}


@dataclass(frozen=True)
class Recreation(Fact):
    """One network. commands: argument vectors in their order; in_words: the same as a shell takes them.

    containers: names of those that lose it meanwhile. as_it_was: command that makes the network as it is now.
    """

    network: str
    containers: Tuple[str, ...]
    commands: Tuple[Tuple[str, ...], ...]
    in_words: Tuple[str, ...]
    as_it_was: str


@dataclass(frozen=True)
class LeftNetwork(Fact):
    """A network that keeps a larger MTU, and why."""

    network: str
    reason: str


def plan_recreations(
    networks: Sequence[DockerNetwork],
    attached: Mapping[str, Sequence[str]],
    containers: Sequence[DockerContainer],
    mtu: int,
) -> Tuple[List[Recreation], List[LeftNetwork]]:
    """Return what can be made anew with this MTU (bytes) without losing a container, and what is left, with the reason.

    attached: by name of a network, identifiers of what is in it. Default networks are passed over, because the daemon's
    configuration is for these, and so are those of a swarm.
    """
    made: List[Recreation] = []
    left: List[LeftNetwork] = []
    for network in sorted(networks, key=lambda one: one.name):
        if network.kind is NetworkKind.DEFAULT or not network.exceeds(mtu):
            continue
        inside = [one for one in containers if network.name in one.endpoints or one.mode == network.name]
        reason = _WHOSE.get(network.kind) or _in_the_way(inside, attached.get(network.name, ()))
        if reason:
            left.append(LeftNetwork(network.name, reason))
        else:
            made.append(_recreation(network, inside, mtu))
    return made, left


def _in_the_way(inside: Sequence[DockerContainer], attached: Sequence[str]) -> Optional[str]:
    unknown = set(attached) - {one.identifier for one in inside}
    if unknown:
        return f"something is in it that is no container here: {', '.join(sorted(unknown))}"
    for one in inside:
        if one.state in ("restarting", "paused"):
            return f"{one.name} is {one.state}: stop it, or make it run"
        if one.own_hardware_address:
            return f"{one.name} has a MAC address of its own, which docker network connect can't give it again"
        if one.of_swarm:
            return f"{one.name} is a task of the swarm, which would make another one in its place"
    return None


def _recreation(network: DockerNetwork, inside: Sequence[DockerContainer], mtu: int) -> Recreation:
    # Fixed addresses first: another container could be given one of them.
    again = sorted(inside, key=lambda one: (not _fixed(one, network.name), one.name))
    commands: List[Tuple[str, ...]] = []
    for one in again:
        if network.name in one.endpoints:
            commands.append(("docker", "network", "disconnect", network.name, one.name))
    commands.append(("docker", "network", "rm", network.name))
    commands.append(("docker", *network.creation(mtu)))
    for one in again:
        endpoint = one.endpoints.get(network.name)
        options = endpoint.options if endpoint is not None else ()
        commands.append(("docker", "network", "connect", *options, network.name, one.name))
    names = tuple(one.name for one in again)
    in_words = tuple(shlex.join(command) for command in commands)
    return Recreation(network.name, names, tuple(commands), in_words, shlex.join(("docker", *network.creation(None))))


def _fixed(container: DockerContainer, network: str) -> bool:
    endpoint = container.endpoints.get(network)
    return endpoint is not None and bool(endpoint.fixed)
