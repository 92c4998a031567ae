# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All links of a host at one moment, by namespace and name, and what each of them stands on."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import Dict, List, Mapping, NamedTuple, Optional

from .._model.fact import Problem
from .._model.link import Link
from .._model.owner import Namespace, Owner, OwnerKind
from .mtu_fact import completed_links
from .options import GatherOptions, Subset
from .reading import Reader
from .survey import survey

VANISHED = (errno.ENOENT, errno.ESRCH)


class NoSuchTarget(ValueError):
    """What is named is not there: it never was, it is no more, or what has its name by now is something else."""


class LinkName(NamedTuple):
    """A link: inode of its network namespace, and its name there."""

    namespace: int
    name: str


@dataclass(frozen=True)
class LinkCensus:
    """What there is. owners, namespaces: by inode. host: inode of the host's namespace, None where it was not found."""

    links: Mapping[LinkName, Link]
    namespaces: Mapping[int, Namespace]
    owners: Mapping[int, Owner]
    host: Optional[int]
    problems: List[Problem]

    def peer(self, name: LinkName) -> Optional[LinkName]:
        """Return the other end of a veth pair, None where it is none or could not be found."""
        peer = self.links[name].peer
        if peer is None or peer.namespace is None or peer.name is None:
            return None
        found = LinkName(peer.namespace, peer.name)
        return found if found in self.links else None

    def below(self) -> Dict[LinkName, List[LinkName]]:
        """Return what carries each link: a tunnel its underlay, a bridge its ports, a container's end the host's."""
        found: Dict[LinkName, List[LinkName]] = {name: [] for name in self.links}
        for name, link in self.links.items():
            found[name] += [carrier for carrier in self._carriers(name, link) if carrier in self.links]
            if link.master is not None and LinkName(name.namespace, link.master) in found:
                found[LinkName(name.namespace, link.master)].append(name)
        return found

    def _carries(self, end: LinkName, other: LinkName) -> bool:
        """Tell which end of a pair carries the other: the host's, else the one that is a bridge's port."""
        if self.host in (end.namespace, other.namespace):
            return end.namespace == self.host != other.namespace
        return self.links[end].master is not None and self.links[other].master is None

    def namespace_of(self, path: Optional[str], pid: Optional[int], subject: str) -> int:
        """Return the inode of a namespace that a user names by a path or a process; by none: the host's.

        subject: what is to be found there, for the message. Raises ValueError, NoSuchTarget also for a path or a
        process that leads to the host's namespace: ids are given away again, and the host's own links go by no id.
        """
        if path is None and pid is None:
            if self.host is None:
                raise ValueError(f"{subject}: the host's network namespace was not found: run as root (become: true)")
            return self.host
        place = path or f"/proc/{pid}/ns/net"
        try:
            inode = os.stat(place).st_ino
        except OSError as error:
            kind = NoSuchTarget if error.errno in VANISHED else ValueError
            raise kind(f"{subject}: {place} is no network namespace: {error.strerror}") from error
        if inode not in self.namespaces:
            raise NoSuchTarget(f"{subject}: {place} is no network namespace")
        if self.namespaces[inode].host:
            raise NoSuchTarget(
                f"{subject}: {place} is in the host's own network namespace; for that, leave out namespace and pid"
            )
        return inode

    def find(self, namespace: int, link: str, subject: str) -> LinkName:
        """Return a link. Raises ValueError where the namespace's links could not be read, else NoSuchTarget."""
        name = LinkName(namespace, link)
        if name in self.links:
            return name
        there = sorted(one.name for one in self.links if one.namespace == namespace)
        kind = NoSuchTarget if there else ValueError
        raise kind(f"{subject}; there are {', '.join(there[:20]) or 'none that can be read'}")

    def owner_name(self, namespace: int) -> str:
        """Return whose a namespace is, in words."""
        owner = self.owners.get(namespace)
        if owner is None or owner.kind is OwnerKind.HOST:
            return owner.name if owner is not None and owner.name else "the host"
        return f"{owner.kind.value} {owner.name or namespace}"

    def _carriers(self, name: LinkName, link: Link) -> List[LinkName]:
        if link.kind == "veth":
            peer = self.peer(name)
            return [peer] if peer is not None and self._carries(peer, name) else []
        carriers = []
        tunnel = link.encapsulation
        if tunnel is not None and tunnel.underlay is not None and tunnel.underlay_namespace is not None:
            carriers.append(LinkName(tunnel.underlay_namespace, tunnel.underlay))
        if link.lower is not None:
            home = link.lower_namespace if link.lower_namespace is not None else name.namespace
            carriers.append(LinkName(home, link.lower))
        return carriers


def take_link_census(root: str) -> LinkCensus:
    """Look at every network namespace. root: "/" on a real host. What could not be read is told in problems."""
    found = survey(root, Reader(GatherOptions(subsets=frozenset({Subset.MTU}), root=root)))
    links = {LinkName(inode, link.name): link for inode, members in completed_links(found).items() for link in members}
    return LinkCensus(
        links=links,
        namespaces={namespace.inode: namespace for namespace in found.namespaces},
        owners={namespace.inode: found.owners.of_namespace(namespace) for namespace in found.namespaces},
        host=next(iter(found.host_inodes), None),
        problems=list(found.problems),
    )
