# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks and containers of a docker or podman host, read from a topology, and the commands that make them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import checks
from .cluster_plan import texts_by_name
from .errors import BadTopology
from .image_catalogue import IMAGES
from .topology import Topology

_OWN_NETWORKS = ("bridge", "host", "none")
_CONTAINER_KEYS = ("image", "command", "network", "sysctls", "labels")
_SHARED = "container:"


@dataclass(frozen=True)
class Container:
    """A container. network: that of the engine, one of the host's networks, or container:NAME to share another's."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    network: str = ""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        """Return the arguments of `run`. A container comes back by itself after a reboot."""
        options = ["--detach", "--restart=always", f"--name={self.name}"]
        if self.network:
            options.append(f"--network={self.network}")
        options += [f"--sysctl={key}={value}" for key, value in self.sysctls.items()]
        options += [f"--label={key}={value}" for key, value in self.labels.items()]
        return ["run", *options, self.image, *self.command]


@dataclass(frozen=True)
class EngineHost:
    """What an engine has on one host. mtu: bytes, of the engine's own bridge. networks: name to MTU; None: default."""

    mtu: int | None
    networks: Mapping[str, int | None]
    containers: tuple[Container, ...]

    @property
    def images(self) -> set[str]:
        """The references of the images that the containers need."""
        return {container.image for container in self.containers}


def parse(key: str, value: Any, topology: Topology) -> dict[str, EngineHost]:
    """Return the engine's hosts by name. key: of the topology, "docker" or "podman". Raises BadTopology."""
    written = checks.mapping(key, value)
    checks.known_keys(key, written, topology.hosts)
    return {name: _host(f"{key}.{name}", fields) for name, fields in written.items()}


def _host(where: str, value: Any) -> EngineHost:
    fields = checks.mapping(where, value)
    checks.known_keys(where, fields, ("mtu", "networks", "containers"))
    networks: dict[str, int | None] = {}
    for name, options in checks.mapping(f"{where}.networks", fields.get("networks")).items():
        place = f"{where}.networks.{checks.name(f'{where}.networks', name)}"
        written = checks.mapping(place, options)
        checks.known_keys(place, written, ("mtu",))
        networks[name] = checks.mtu(f"{place}.mtu", written["mtu"]) if "mtu" in written else None
    containers: list[Container] = []
    for name, options in checks.mapping(f"{where}.containers", fields.get("containers")).items():
        place = f"{where}.containers.{checks.name(f'{where}.containers', name)}"
        known = (*_OWN_NETWORKS, *networks, *(f"{_SHARED}{earlier.name}" for earlier in containers))
        containers.append(_container(place, name, options, known))
    mtu = checks.mtu(f"{where}.mtu", fields["mtu"]) if "mtu" in fields else None
    return EngineHost(mtu, networks, tuple(containers))


def _container(where: str, name: str, value: Any, networks: tuple[str, ...]) -> Container:
    fields = checks.mapping(where, value)
    checks.known_keys(where, fields, _CONTAINER_KEYS)
    image = checks.text(f"{where}.image", fields.get("image", "pause"))
    checks.known_keys(f"{where}.image", {image: None}, IMAGES)
    network = checks.text(f"{where}.network", fields.get("network", ""))
    if network:
        checks.known_keys(f"{where}.network", {network: None}, networks)
    sysctls = texts_by_name(f"{where}.sysctls", fields.get("sysctls"))
    if sysctls and (network == "host" or network.startswith(_SHARED)):
        raise BadTopology(f"{where}.sysctls: with network {network!r} the namespace is not the container's own")
    return Container(
        name,
        IMAGES[image].reference,
        checks.texts(f"{where}.command", fields.get("command")),
        network,
        sysctls,
        texts_by_name(f"{where}.labels", fields.get("labels")),
    )
