# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path as data: a chain of nodes, what lies between them, and what goes wrong on it. Sizes are IP packets in bytes.

Six nodes, 0 to 5, stand in a row. A path begins at node `start` and ends at node 5; those between them forward, so that
a path has 4 - start hops. An overlay has its ends on the first and the last of the forwarding nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Mapping, Optional, Tuple

TARGET = 5
LAST_ROUTER = TARGET - 1


class Form(Enum):
    """What joins two nodes: one veth pair, two (one for each direction), or two with a bridge between them."""

    DIRECT = "direct"
    PARALLEL = "parallel"
    BRIDGED = "bridged"


class DontFragment(Enum):
    """Option df of a vxlan device."""

    UNSET = "unset"
    SET = "set"
    INHERIT = "inherit"


@dataclass(frozen=True)
class Link:
    """MTU of a link's end at the source's side, of that at the target's, and of the bridge's two ports, if any."""

    near: int
    far: int
    ports: Optional[Tuple[int, int]] = None


@dataclass(frozen=True)
class Segment:
    """What joins a node and the next. forward, back: the link that each direction takes; the same but for PARALLEL."""

    form: Form
    forward: Link
    back: Link


@dataclass(frozen=True)
class Overlay:
    """A vxlan between the first and the last forwarding node.

    near_mtu, far_mtu: of its two devices. with_device: made with "dev", so that the kernel has limited its MTU then.
    bridged: pods and vxlan are ports of a bridge in each node (L2); else the nodes route (L3, as flannel does).
    """

    near_mtu: int
    far_mtu: int
    df: DontFragment
    with_device: bool
    bridged: bool


@dataclass(frozen=True)
class Plan:
    """A path. segments: those from node start on. locked_*: {node: "mtu lock" of its route in that direction}.

    mute: nodes whose firewall drops the ICMP messages about size that they themselves make.
    loss_*: per mille of the packets that node `lossy_*` forwards in that direction.
    """

    family: int
    start: int
    segments: Tuple[Segment, ...]
    locked_forward: Mapping[int, int]
    locked_back: Mapping[int, int]
    mute: Tuple[int, ...] = ()
    loss_forward: int = 0
    loss_back: int = 0
    lossy_forward: int = LAST_ROUTER
    lossy_back: int = LAST_ROUTER
    overlay: Optional[Overlay] = None

    @property
    def hops(self) -> int:
        """Nodes that forward."""
        return TARGET - self.start - 1

    @property
    def first_router(self) -> int:
        """The node next to the source; the overlay's end where there is one."""
        return self.start + 1

    @property
    def kind(self) -> str:
        """What the path is made of, in words: paths of one kind are counted together."""
        if self.overlay:
            way = "bridged" if self.overlay.bridged else "routed"
            return f"IPv{self.family} vxlan {way} df {self.overlay.df.value}"
        forms = {segment.form for segment in self.segments}
        name = "bridges" if Form.BRIDGED in forms else "two ways" if Form.PARALLEL in forms else "routers"
        return f"IPv{self.family} {name}"

    def segment(self, node: int) -> Segment:
        """The segment between a node and the next."""
        return self.segments[node - self.start]
