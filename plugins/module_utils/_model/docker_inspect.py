# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Networks and containers as ``docker inspect`` prints them; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Tuple

from .docker_network import COMPOSE_PROJECT, AddressPool, DockerNetwork

SWARM_TASK = "com.docker.swarm.task.id"
POD = "io.kubernetes.pod.name"


@dataclass(frozen=True)
class Endpoint:
    """How a container is in a network: the options of ``docker network connect`` that give it the same place again.

    fixed: addresses that somebody chose for it. aliases: without those that Docker adds.
    """

    fixed: Tuple[str, ...] = ()
    options: Tuple[str, ...] = ()


@dataclass(frozen=True)
class DockerContainer:
    """A container. state: as Docker calls it. mode: its first network's name, "container:ID", "host" or "none"."""

    identifier: str
    name: str
    state: str
    mode: str
    auto_remove: bool = False
    restart_policy: str = "no"
    own_hardware_address: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether a restart of dockerd would end it."""
        return self.state in ("running", "paused", "restarting")

    @property
    def of_swarm(self) -> bool:
        """Whether the swarm made it, and makes another one in its place."""
        return SWARM_TASK in self.labels

    @property
    def of_kubernetes(self) -> bool:
        """Whether kubelet made it."""
        return POD in self.labels

    @property
    def of_compose(self) -> bool:
        """Whether a compose project made it."""
        return COMPOSE_PROJECT in self.labels


def read_network(shown: Mapping[str, Any]) -> DockerNetwork:
    """Return a network from an element of what ``docker network inspect`` prints. Never raises on what it lacks."""
    addresses = _mapping(shown, "IPAM")
    return DockerNetwork(
        name=str(shown.get("Name", "")),
        driver=str(shown.get("Driver", "")),
        scope=str(shown.get("Scope", "local")),
        options=_strings(_mapping(shown, "Options")),
        labels=_strings(_mapping(shown, "Labels")),
        pools=tuple(_pool(entry) for entry in addresses.get("Config") or () if entry.get("Subnet")),
        internal=bool(shown.get("Internal")),
        attachable=bool(shown.get("Attachable")),
        ipv6=bool(shown.get("EnableIPv6")),
        ingress=bool(shown.get("Ingress")),
        address_driver=str(addresses.get("Driver") or "default"),
        address_options=_strings(_mapping(addresses, "Options")),
        config_only=bool(shown.get("ConfigOnly")),
        config_from=_mapping(shown, "ConfigFrom").get("Network") or None,
    )


def read_container(shown: Mapping[str, Any]) -> DockerContainer:
    """Return a container from an element of what ``docker inspect`` prints. Never raises on what it lacks."""
    settings, host, networks = (_mapping(shown, key) for key in ("Config", "HostConfig", "NetworkSettings"))
    identifier = str(shown.get("Id", ""))
    return DockerContainer(
        identifier=identifier,
        name=str(shown.get("Name", "")).lstrip("/") or identifier[:12],
        state=str(_mapping(shown, "State").get("Status", "")),
        mode=str(host.get("NetworkMode", "")),
        auto_remove=bool(host.get("AutoRemove")),
        restart_policy=str(_mapping(host, "RestartPolicy").get("Name") or "no"),
        own_hardware_address=bool(settings.get("MacAddress")),
        labels=_strings(_mapping(settings, "Labels")),
        endpoints={
            name: _endpoint(endpoint or {}, identifier) for name, endpoint in _mapping(networks, "Networks").items()
        },
    )


def _endpoint(shown: Mapping[str, Any], identifier: str) -> Endpoint:
    chosen = _mapping(shown, "IPAMConfig")
    fixed = []
    options: List[str] = []
    for key, option in (("IPv4Address", "--ip"), ("IPv6Address", "--ip6")):
        if chosen.get(key):
            fixed.append(str(chosen[key]))
            options += [option, str(chosen[key])]
    for address in chosen.get("LinkLocalIPs") or ():
        options += ["--link-local-ip", str(address)]
    for alias in shown.get("Aliases") or ():
        options += ["--alias", str(alias)] if alias != identifier[:12] else []
    for link in shown.get("Links") or ():
        options += ["--link", str(link)]
    for key, value in sorted(_mapping(shown, "DriverOpts").items()):
        options += ["--driver-opt", f"{key}={value}"]
    if shown.get("GwPriority"):
        options += ["--gw-priority", str(shown["GwPriority"])]
    return Endpoint(tuple(fixed), tuple(options))


def _pool(entry: Mapping[str, Any]) -> AddressPool:
    # Some releases show the gateway of IPv6 with a prefix length, which "docker network create" refuses.
    gateway = str(entry.get("Gateway") or "").partition("/")[0]
    return AddressPool(
        str(entry["Subnet"]),
        range=entry.get("IPRange") or None,
        gateway=gateway or None,
        auxiliary=_strings(_mapping(entry, "AuxiliaryAddresses")),
    )


def _mapping(shown: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = shown.get(key)
    return value if isinstance(value, Mapping) else {}


def _strings(shown: Mapping[str, Any]) -> Dict[str, str]:
    return {str(key): str(value) for key, value in shown.items()}
