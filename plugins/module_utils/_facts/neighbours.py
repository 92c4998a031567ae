# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Finds the other end of what crosses network namespaces: veth pairs, and devices whose lower one stayed behind.

The kernel says of such a link only an interface index and a number ("nsid") that the viewing namespace has for the
other one (IFLA_LINK, IFLA_LINK_NETNSID; net/core/rtnetlink.c). Which namespace that number is must be asked from
inside the viewer, for one candidate at a time; so candidates are few, and both ends of a pair are settled at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from .._model.link import Link, Peer

Ask = Callable[[int, Sequence[int]], Mapping[int, int]]
"""(inode of the viewer, inodes of candidates) -> {inode: id that the viewer has for it}; unknown ones are left out."""
LinksByNamespace = Mapping[int, Sequence[Link]]


class Neighbours:
    """Which namespace is behind an id, for every viewer.

    links_by_namespace: what was read, by inode. ask: see Ask; it is called at most once for each viewer.
    """

    def __init__(self, links_by_namespace: LinksByNamespace, ask: Ask) -> None:
        self._links = links_by_namespace
        self._ask = ask
        self._indexes = {inode: {link.index: link for link in links} for inode, links in links_by_namespace.items()}
        self._holders: Dict[int, List[int]] = {}
        self._pairs: Dict[Tuple[int, int], List[int]] = {}
        for inode, links in links_by_namespace.items():
            for link in links:
                self._holders.setdefault(link.index, []).append(inode)
                if link.kind == "veth" and link.lower_index is not None:
                    self._pairs.setdefault((link.index, link.lower_index), []).append(inode)
        self._known: Dict[int, Dict[int, int]] = {inode: {} for inode in links_by_namespace}

    def resolve(self, viewers: Sequence[int]) -> None:
        """Settle the ids of all links, the given viewers first: the one with most neighbours saves questions."""
        for viewer in viewers:
            open_links = [link for link in self._links[viewer] if self._is_open(viewer, link)]
            candidates: Set[int] = set()
            for link in open_links:
                candidates.update(self._candidates(viewer, link))
            if candidates:
                answers = self._ask(viewer, sorted(candidates))
                self._known[viewer].update({nsid: inode for inode, nsid in answers.items()})
                self._settle_other_ends(viewer, open_links)

    def namespace_of(self, viewer: int, link: Link) -> Optional[int]:
        """Inode of the namespace of the link's other end or lower device; None when it could not be found."""
        if link.link_netnsid is None:
            return viewer
        return self._known[viewer].get(link.link_netnsid)

    def other_link(self, viewer: int, link: Link) -> Optional[Link]:
        """The link's other end or lower device; None when there is none or it could not be read."""
        namespace = self.namespace_of(viewer, link)
        if namespace is None or link.lower_index is None:
            return None
        return self._indexes[namespace].get(link.lower_index)

    def _is_open(self, viewer: int, link: Link) -> bool:
        # A negative id is how the kernel says that the other namespace is on its way out.
        return (link.link_netnsid or 0) >= 0 and link.link_netnsid not in (None, *self._known[viewer])

    def _candidates(self, viewer: int, link: Link) -> List[int]:
        if link.lower_index is None:
            return [inode for inode in self._links if inode != viewer]
        if link.kind == "veth":
            found = self._pairs.get((link.lower_index, link.index), [])
        else:
            found = self._holders.get(link.lower_index, [])
        return [inode for inode in found if inode != viewer]

    def _settle_other_ends(self, viewer: int, links: Sequence[Link]) -> None:
        for link in links:
            namespace = self.namespace_of(viewer, link)
            other = self.other_link(viewer, link)
            if link.kind == "veth" and namespace is not None and other is not None and self._is_open(namespace, other):
                self._known[namespace][other.link_netnsid or 0] = viewer


def connect(links_by_namespace: LinksByNamespace, first: Sequence[int], ask: Ask) -> Dict[int, List[Link]]:
    """Return the links with peer, lower and lower_namespace filled in.

    links_by_namespace: inode of a namespace -> its links. first: inodes that are asked first (the host's).
    ask: see Ask.
    """
    neighbours = Neighbours(links_by_namespace, ask)
    rest = [inode for inode in links_by_namespace if inode not in first]
    neighbours.resolve([inode for inode in first if inode in links_by_namespace] + rest)
    return {
        inode: [_connected(neighbours, inode, link) for link in links] for inode, links in links_by_namespace.items()
    }


def _connected(neighbours: Neighbours, viewer: int, link: Link) -> Link:
    if link.lower_index is None and link.link_netnsid is None:
        return link
    namespace = neighbours.namespace_of(viewer, link)
    other = neighbours.other_link(viewer, link)
    if link.kind != "veth":
        return replace(link, lower=other.name if other else None, lower_namespace=namespace)
    if link.lower_index is None:
        return link
    name, mtu = (other.name, other.mtu) if other else (None, None)
    return replace(link, peer=Peer(namespace=namespace, index=link.lower_index, name=name, mtu=mtu))
