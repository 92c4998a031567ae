# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network below a host's overlays and containers carries: measured where it was, else claimed by its link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Collection, Iterable, List, Optional, Sequence, Tuple

from ...module_utils._model.fact import Fact
from ...module_utils._model.owner import OwnerKind
from .._rules.mtu import uplink
from .._rules.path_view import End, PathView
from .._rules.view import HostView, LinkView
from .hosts import PlanHost
from .overlays import Overlay
from .wish import PlanError, PlanWish

MEASURED, CLAIMED, GIVEN = "measured", "claimed", "given"


@dataclass(frozen=True)
class Underlay(Fact):
    """What is below a host's overlays.

    link: name. link_mtu: bytes that it claims. path_mtu: the least that was measured on its paths to other nodes, None
    where nothing was. peer: the narrowest path, in words. source: measured, claimed (by the link) or given (by a
    person). mtu: bytes to build on. unmeasured: directions of these paths of which nothing certain is known.
    """

    link: str
    link_mtu: int
    path_mtu: Optional[int]
    peer: Optional[str]
    source: str
    mtu: int
    unmeasured: int = 0


def find_underlay(
    host: PlanHost, overlays: Sequence[Overlay], paths: Iterable[PathView], mates: Collection[str], wish: PlanWish
) -> Optional[Underlay]:
    """Return the underlay of a host, None where its facts show no link that leads to other nodes.

    paths: measured from all hosts. mates: names of the hosts of its cluster. Raises PlanError where the underlay_mtu
    that was asked for is more than was measured, or than the link can send.
    """
    found = _link(host.view, overlays, host.address)
    if found is None:
        return None
    link, claimed = found
    own = _own_paths(host.name, paths, mates)
    path_mtu, peer = _narrowest(link, overlays, own)
    unmeasured = sum(direction.path_mtu is None for path in own for _way, direction in path.ways)
    usable = claimed if path_mtu is None else min(claimed, path_mtu)
    if wish.underlay_mtu is None:
        source = CLAIMED if path_mtu is None else MEASURED
        return Underlay(link.name, claimed, path_mtu, peer, source, usable, unmeasured)
    if wish.underlay_mtu > usable:
        why = f"{peer} carries {usable}" if path_mtu == usable else f"{link.name} of {host.name} sends {usable}"
        raise PlanError(f"underlay_mtu: {wish.underlay_mtu}; allowed is at most {usable}, as {why} (bytes)")
    return Underlay(link.name, claimed, path_mtu, peer, GIVEN, wish.underlay_mtu, unmeasured)


def _link(host: HostView, overlays: Sequence[Overlay], address: Optional[str]) -> Optional[Tuple[LinkView, int]]:
    """The link below the overlays, else that of the stated address, else that of the default route."""
    home = host.host_network
    if home is None:
        return None
    for overlay in overlays:
        below = home.link(overlay.tunnel.underlay)
        if below is not None:
            return below, below.mtu
    if address is not None:
        for link in home.links:
            if address in [own for own, _length in link.addresses]:
                return link, link.mtu
    return uplink(host)


def between_hosts(path: PathView) -> bool:
    """Tell whether both ends of a path are hosts themselves."""
    return not path.tcp and _is_host(path.source) and _is_host(path.peer)


def _is_host(end: End) -> bool:
    return end.owner is not None and end.owner.kind is OwnerKind.HOST


def _own_paths(name: str, paths: Iterable[PathView], mates: Collection[str]) -> List[PathView]:
    """Paths that begin or end at the host itself: those to its cluster where there are any."""
    own = [path for path in paths if between_hosts(path) and name in (path.source.host, path.peer.host)]
    inner = [path for path in own if {path.source.host, path.peer.host} <= {*mates, name}]
    return inner or own


def _narrowest(
    link: LinkView, overlays: Sequence[Overlay], own: Sequence[PathView]
) -> Tuple[Optional[int], Optional[str]]:
    """Bytes and the path, over both directions; of the family that carries the overlays where that was measured."""
    families = {one.tunnel.underlay_family for one in overlays}
    known = _sizes(own, link)
    fitting = [one for one in known if one[2] in families] or known
    return min([(size, words) for size, words, _family in fitting], default=(None, None))


def _sizes(paths: Sequence[PathView], link: LinkView) -> List[Tuple[int, str, str]]:
    """Bytes, path and family. Where the underlay is itself a tunnel, its overhead comes off what is below it."""
    found = []
    for path in paths:
        below = link.tunnel.overhead or 0 if link.tunnel is not None and path.device != link.name else 0
        for _way, direction in path.ways:
            if direction.path_mtu is not None:
                words = f"the path from {direction.sender.name} to {direction.receiver.name}"
                found.append((direction.path_mtu - below, words, path.family))
    return found
