# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What people can do about Docker networks that were made with a larger MTU: texts, never done by the module."""

from __future__ import annotations

import shlex
from typing import Dict, List, Optional, Sequence

from .._model.docker_network import (
    COMPOSE_NETWORK,
    COMPOSE_PROJECT,
    DOCKER_MTU_OPTION,
    GATEWAY_BRIDGE,
    DockerNetwork,
    NetworkKind,
)

_RECREATE = """\
# {name} ({driver}) was made with {mtu}, and Docker can't change that: remove it and make it again.
# Its containers lose the network meanwhile, and their open connections.
docker network inspect --format '{{{{range .Containers}}}}{{{{.Name}}}} {{{{end}}}}' {quoted}
docker network disconnect {quoted} CONTAINER    # for each of them, and each stopped one that uses it
docker network rm {quoted}
docker {creation}
docker network connect {quoted} CONTAINER       # with --ip ADDRESS and --alias NAME where it had them
"""
_COMPOSE = """\
# {name} belongs to the compose project {project}, and was made with {mtu}.
# Put this into its compose file, then run "docker compose down" and "docker compose up --detach" there:
# its containers are made anew.
networks:
  {key}:
    driver_opts:
      {option}: "{wanted}"
"""
_STACK = """\
# {name} belongs to a stack or to a compose project, and was made with {mtu}. In its compose file:
networks:
  NAME:
    driver_opts:
      {option}: "{wanted}"
"""
_OVERLAY = """\
# {option} is the underlay's for overlay networks: containers get 50 bytes less,
# with encryption 76 to 79 bytes less.
# Without it Docker takes 1500 for the underlay, whatever the interface has. It can't be changed afterwards.
# An overlay network, on a manager: remove the services that use it, or take it from them first.
docker service update --network-rm NETWORK SERVICE
docker network rm NETWORK
docker network create --driver overlay --opt {option}={wanted} NETWORK
docker service update --network-add NETWORK SERVICE
# The network of published ports, on a manager; published ports are closed until it is there again:
docker network rm ingress
docker network create --driver overlay --ingress --opt {option}={wanted} ingress
"""
_GATEWAY = """\
# {bridge} was made with {mtu}. Containers of a swarm reach the world by it. Node after node:
docker node update --availability drain NODE    # on a manager
docker swarm leave                              # on the node; a manager has to be demoted first
docker network rm {bridge}
docker {creation}
docker swarm join --token TOKEN MANAGER:2377
docker node update --availability active NODE   # on a manager
"""


def network_snippets(networks: Sequence[DockerNetwork], container_mtu: int) -> Dict[str, str]:
    """Return the text for each network that has a larger MTU, by "network NAME"."""
    found: Dict[str, str] = {}
    for network in networks:
        text = _snippet(network, container_mtu) if network.exceeds(container_mtu) else None
        if text is not None:
            found[f"network {network.name}"] = text
    return found


def swarm_snippets(underlay_mtu: int) -> Dict[str, str]:
    """Return the text for the overlay networks of a swarm, which are not in the host's own files."""
    return {"swarm overlay networks": _OVERLAY.format(option=DOCKER_MTU_OPTION, wanted=underlay_mtu)}


def other_networks(networks: Sequence[DockerNetwork], container_mtu: int) -> List[str]:
    """Return the names of the networks that keep a larger MTU than this one."""
    kinds = (NetworkKind.USER, NetworkKind.COMPOSE, NetworkKind.GATEWAY)
    return [network.name for network in networks if network.kind in kinds and network.exceeds(container_mtu)]


def _snippet(network: DockerNetwork, wanted: int) -> Optional[str]:
    creation = " ".join(shlex.quote(word) for word in network.creation(wanted))
    mtu = "no MTU, so that it has 1500" if network.mtu is None else f"MTU {network.mtu}"
    if network.kind is NetworkKind.GATEWAY:
        return _GATEWAY.format(bridge=GATEWAY_BRIDGE, mtu=mtu, creation=creation)
    if network.kind is NetworkKind.USER:
        quoted = shlex.quote(network.name)
        return _RECREATE.format(name=network.name, driver=network.driver, mtu=mtu, quoted=quoted, creation=creation)
    if network.kind is not NetworkKind.COMPOSE:
        return None
    key = network.labels.get(COMPOSE_NETWORK)
    if key is None:
        return _STACK.format(name=network.name, mtu=mtu, option=DOCKER_MTU_OPTION, wanted=wanted)
    project = network.labels[COMPOSE_PROJECT]
    return _COMPOSE.format(
        name=network.name, project=project, mtu=mtu, key=key, option=DOCKER_MTU_OPTION, wanted=wanted
    )
