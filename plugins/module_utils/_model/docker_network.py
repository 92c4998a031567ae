# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A network of Docker: who it belongs to, and the command that makes it again with another MTU; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import List, Mapping, Optional, Tuple

KERNEL_MTU = 1500
"""Bytes, of a bridge or veth pair that nobody gave another one."""
DOCKER_MTU_OPTION = "com.docker.network.driver.mtu"
COMPOSE_PROJECT = "com.docker.compose.project"
COMPOSE_NETWORK = "com.docker.compose.network"
GATEWAY_BRIDGE = "docker_gwbridge"
_STACK = "com.docker.stack.namespace"
_PREDEFINED = ("bridge", "host", "none")
_WITH_MTU = ("bridge", "macvlan", "ipvlan")


class NetworkKind(Enum):
    """Who can make a network anew."""

    DEFAULT = "default"
    """bridge, host and none: the daemon's own."""
    USER = "user"
    COMPOSE = "compose"
    """A compose project's, which removes and makes it by itself."""
    SWARM = "swarm"
    """The swarm's: all its nodes share it."""
    GATEWAY = "gateway"
    """docker_gwbridge, by which containers of a swarm reach the world."""
    OTHER = "other"
    """One that takes no MTU, or that others are made from."""


@dataclass(frozen=True)
class AddressPool:
    """A range of addresses. subnet, range: CIDR. auxiliary: addresses that are taken, by name."""

    subnet: str
    range: Optional[str] = None
    gateway: Optional[str] = None
    auxiliary: Mapping[str, str] = field(default_factory=dict)

    def options(self) -> List[str]:
        """Return the options of ``docker network create``."""
        words = ["--subnet", self.subnet]
        words += ["--ip-range", self.range] if self.range else []
        words += ["--gateway", self.gateway] if self.gateway else []
        for name, address in sorted(self.auxiliary.items()):
            words += ["--aux-address", f"{name}={address}"]
        return words


@dataclass(frozen=True)
class DockerNetwork:
    """A network as Docker describes it. options: of its driver. config_from: the network that it was made from."""

    name: str
    driver: str
    scope: str = "local"
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    pools: Tuple[AddressPool, ...] = ()
    internal: bool = False
    attachable: bool = False
    ipv6: bool = False
    ingress: bool = False
    address_driver: str = "default"
    address_options: Mapping[str, str] = field(default_factory=dict)
    config_only: bool = False
    config_from: Optional[str] = None

    @property
    def mtu(self) -> Optional[int]:
        """Return the MTU that it was made with, in bytes; None where it was made with none, or with no number."""
        text = self.options.get(DOCKER_MTU_OPTION, "")
        return int(text) if text.isdecimal() and int(text) else None

    def exceeds(self, mtu: int) -> bool:
        """Tell whether it gives containers more than this MTU (bytes). Less is well, and may be meant so.

        Without an MTU those of macvlan and ipvlan have that of their parent; that of a swarm's is the underlay's.
        """
        if self.kind is NetworkKind.SWARM:
            return False
        return (self.mtu or (KERNEL_MTU if self.driver == "bridge" else 0)) > mtu

    @property
    def kind(self) -> NetworkKind:
        """Return who it belongs to."""
        if self.scope == "swarm" or self.driver == "overlay" or self.ingress:
            return NetworkKind.SWARM
        if self.name in _PREDEFINED:
            return NetworkKind.DEFAULT
        if self.name == GATEWAY_BRIDGE:
            return NetworkKind.GATEWAY
        if self.driver not in _WITH_MTU or self.config_only or self.config_from:
            return NetworkKind.OTHER
        return NetworkKind.COMPOSE if COMPOSE_PROJECT in self.labels or _STACK in self.labels else NetworkKind.USER

    def creation(self, mtu: Optional[int]) -> Tuple[str, ...]:
        """Return the arguments of ``docker`` that make it again with this MTU (bytes); as it is for None."""
        words = ["network", "create", "--driver", self.driver]
        words += ["--ipv6"] if self.ipv6 else []
        words += ["--internal"] if self.internal else []
        words += ["--attachable"] if self.attachable else []
        words += ["--ingress"] if self.ingress else []
        if self.address_driver != "default":
            words += ["--ipam-driver", self.address_driver]
        for key, value in sorted(self.address_options.items()):
            words += ["--ipam-opt", f"{key}={value}"]
        for pool in self.pools:
            words += pool.options()
        with_mtu = {} if mtu is None else {DOCKER_MTU_OPTION: str(mtu)}
        for key, value in sorted({**self.options, **with_mtu}.items()):
            words += ["--opt", f"{key}={value}"]
        for key, value in sorted(self.labels.items()):
            words += ["--label", f"{key}={value}"]
        return (*words, self.name)
