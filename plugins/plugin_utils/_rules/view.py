# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of one host as the rules see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Mapping, Optional, Set, Tuple

from ...module_utils._model.node_port import NodePort
from ...module_utils._model.owner import Owner, OwnerKind
from .sysctl_view import SysctlFilesView


@dataclass(frozen=True)
class Tunnel:
    """See Encapsulation in the model. overhead: bytes, None where the fact lacks it."""

    kind: str
    overhead: Optional[int]
    identifier: Optional[int]
    dont_fragment: Optional[str]
    collect_metadata: bool
    underlay: Optional[str]
    underlay_mtu: Optional[int]
    underlay_family: str


@dataclass(frozen=True)
class PeerEnd:
    """The other end of a veth pair: namespace inode and index, name and MTU where known."""

    namespace: Optional[int]
    index: Optional[int]
    name: Optional[str]
    mtu: Optional[int]


@dataclass(frozen=True)
class LinkView:
    """A link with the namespace that it is in. addresses: (address, prefix length)."""

    namespace: int
    index: Optional[int]
    name: str
    kind: str
    mtu: int
    up: bool
    operational_state: str
    master: Optional[str]
    peer: Optional[PeerEnd]
    tunnel: Optional[Tunnel]
    addresses: Tuple[Tuple[str, int], ...]

    @property
    def carries(self) -> bool:
        """Whether packets can pass: administratively up and not known to lack a carrier."""
        return self.up and self.operational_state not in ("down", "lowerlayerdown", "notpresent")


@dataclass(frozen=True)
class RouteView:
    """A unicast route. devices: its device, or those of its legs. mtu: bytes, None where the route sets none."""

    family: str
    destination: str
    devices: Tuple[str, ...]
    gateways: Tuple[str, ...]
    mtu: Optional[int]
    priority: int
    table: int

    @property
    def default(self) -> bool:
        """Whether it is a default route."""
        return self.destination in ("0.0.0.0/0", "::/0", "default")


@dataclass(frozen=True)
class ExceptionView:
    """A path MTU that the kernel learned: destination, mtu in bytes, device."""

    destination: str
    mtu: int
    device: Optional[str]


@dataclass(frozen=True)
class NetworkView:
    """The links and routes of one network namespace. paths: names by which it can be entered."""

    inode: int
    owner: Owner
    paths: Tuple[str, ...]
    links: Tuple[LinkView, ...]
    routes: Tuple[RouteView, ...]
    exceptions: Tuple[ExceptionView, ...]

    @property
    def is_host(self) -> bool:
        """Whether it is the host's own."""
        return self.owner.kind is OwnerKind.HOST

    def link(self, name: Optional[str]) -> Optional[LinkView]:
        """Return the link of that name."""
        return next((link for link in self.links if link.name == name), None)

    def ports(self, bridge: str) -> List[LinkView]:
        """Return the links that are enslaved to that one."""
        return [link for link in self.links if link.master == bridge]


@dataclass(frozen=True)
class DeclaredView:
    """See DeclaredMtu in the model. source: "file:line key"."""

    stack: str
    value: int
    meaning: str
    source: str
    path: Optional[str]
    link: Optional[str]
    network: Optional[str]
    active: bool


@dataclass(frozen=True)
class ListenerView:
    """See Listener in the model; drop_rate in drops a second. program: comm of its process."""

    family: str
    address: str
    port: int
    effective_backlog: int
    queue: int
    syn_queue: int
    drops: Optional[int]
    drop_rate: Optional[float]
    program: Optional[str]
    unit: Optional[str]
    owner: Owner

    @property
    def name(self) -> str:
        """Return "tcp 0.0.0.0:80", or with brackets for IPv6."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"tcp {address}:{self.port}"


@dataclass(frozen=True)
class QueueView:
    """Listeners and counters of one network namespace. rates: events a second over the sample interval."""

    inode: int
    owner: Owner
    paths: Tuple[str, ...]
    somaxconn: Optional[int]
    syncookies: Optional[int]
    max_syn_backlog: Optional[int]
    listeners: Tuple[ListenerView, ...]
    counters: Mapping[str, float]
    rates: Mapping[str, float]


@dataclass(frozen=True)
class SysctlView:
    """Kernel parameters of one network namespace. values: text as read; a key that is absent there is not in it."""

    inode: int
    owner: Owner
    paths: Tuple[str, ...]
    values: Mapping[str, str]
    writable: Mapping[str, bool]


@dataclass(frozen=True)
class ProblemView:
    """See Problem in the model. fact: the name of the fact that it comes from."""

    fact: str
    subject: str
    reason: str
    path: Optional[str]


@dataclass(frozen=True)
class RolledBackView:
    """A run of changes that the guard on the host has undone. moment: when, as the host wrote it. changes: names."""

    run: str
    moment: Optional[str]
    reason: str
    changes: Tuple[str, ...]


@dataclass(frozen=True)
class HostView:
    """Everything that is known of one host. name: from the inventory. missing: facts that were not gathered."""

    name: str
    kernel: str
    networks: Tuple[NetworkView, ...]
    declared: Tuple[DeclaredView, ...]
    queues: Tuple[QueueView, ...]
    sysctls: Tuple[SysctlView, ...]
    scopes: Mapping[str, str]
    problems: Tuple[ProblemView, ...]
    missing: Tuple[str, ...] = field(default=())
    sysctl_files: SysctlFilesView = field(default_factory=SysctlFilesView)
    rolled_back: Tuple[RolledBackView, ...] = field(default=())
    node_ports: Tuple[NodePort, ...] = field(default=())

    @property
    def host_network(self) -> Optional[NetworkView]:
        """Return the host's own network namespace, None where the facts lack it."""
        return next((network for network in self.networks if network.is_host), None)

    @property
    def members(self) -> List[NetworkView]:
        """Return the namespaces of pods, containers and unknown owners."""
        return [network for network in self.networks if not network.is_host]

    @property
    def inodes(self) -> Set[int]:
        """Return the inodes of all network namespaces that any fact speaks of."""
        return {
            *[one.inode for one in self.networks],
            *[one.inode for one in self.queues],
            *[one.inode for one in self.sysctls],
        }

    def network(self, inode: Optional[int]) -> Optional[NetworkView]:
        """Return the namespace of that inode."""
        return next((network for network in self.networks if network.inode == inode), None)

    def peer_of(self, link: LinkView) -> Optional[LinkView]:
        """Return the other end of a veth pair, None where its namespace is not in the facts."""
        if link.peer is None:
            return None
        network = self.network(link.peer.namespace)
        links = network.links if network is not None else ()
        return next((end for end in links if end.index is not None and end.index == link.peer.index), None)
