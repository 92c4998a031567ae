# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Six network namespaces in a row that become one planned path after the other.

All links are made once; a plan then sets MTUs, routes and firewalls. Between two nodes there are three: "a" and "b",
veth pairs, and "c", two veth pairs joined by a bridge in a namespace of its own. A node's ends are named by side and
link: "ra" is that towards the next node of link a.
"""

from __future__ import annotations

from contextlib import suppress
from typing import List, Optional, Tuple

from network_lab import Lab, in_namespace, run
from plan import LAST_ROUTER, TARGET, Form, Plan, Segment

NODES = range(TARGET + 1)
SEGMENTS = range(TARGET)
SWITCH = "switch"
OVERLAY_PORT = 8472
LARGEST = 9100


def address(family: int, node: int) -> str:
    """The address by which a node is known; it is on its loopback."""
    return f"198.18.0.{10 + node}" if family == 4 else f"2001:db8::{10 + node}"


def link_address(family: int, segment: int, link: str, side: int) -> str:
    """The address of a link's end. side: 0 at the source's side, 1 at the target's."""
    number = ord(link) - ord("a")
    return f"10.{number}.{segment}.{1 + side}" if family == 4 else f"fd00:{number}:{segment}::{1 + side}"


def overlay_address(family: int, node: int) -> str:
    """The address of a node's vxlan device."""
    return f"10.42.0.{10 + node}" if family == 4 else f"fd42::{10 + node}"


def hardware_address(segment: int, link: str, side: int) -> str:
    """The hardware address of a link's end."""
    return f"02:00:00:0{segment}:0{'abc'.index(link)}:0{1 + side}"


def overlay_hardware_address(node: int) -> str:
    """The hardware address of a node's vxlan device."""
    return f"02:00:00:00:42:0{node}"


def forward_link(segment: Segment) -> str:
    """The link that packets to the target take."""
    return "c" if segment.form is Form.BRIDGED else "a"


def back_link(segment: Segment) -> str:
    """The link that packets to the source take."""
    return {Form.DIRECT: "a", Form.PARALLEL: "b", Form.BRIDGED: "c"}[segment.form]


class Row:
    """Six nodes and the links between them, for one family. Belongs to a Lab, which ends it."""

    def __init__(self, lab: Lab, name: str, family: int) -> None:
        self.family = family
        self._lab = lab
        self._name = name
        self._overlaid: List[int] = []
        self._filtered: List[int] = []
        self.plan: Optional[Plan] = None
        self._make()

    def path(self, node: int) -> str:
        """Path of a node's namespace."""
        return self._lab.path(self._node(node))

    def name(self, node: int) -> str:
        """Full name of a node's namespace."""
        return self._lab.name(self._node(node))

    def _node(self, node: int) -> str:
        return f"{self._name}{node}"

    def _ip(self, node: int, lines: List[str]) -> None:
        if lines:
            given = "\n".join(lines) + "\n"
            run("ip", "-n", self.name(node), "-batch", "-", given=given)

    def _make(self) -> None:
        lab, switch = self._lab, self._name + SWITCH
        lab.add(switch, *(self._node(node) for node in NODES))
        for node in NODES:
            in_namespace(self.path(node), self._parameters)
            in_namespace(self.path(node), _without_bridge_firewall)
        in_namespace(lab.path(switch), _without_bridge_firewall)
        bridges: List[str] = []
        for segment in SEGMENTS:
            self._join(segment)
            bridges += [f"link add name br{segment} type bridge", f"link set br{segment} up"]
            for side in "lr":
                port = f"{side}{segment}"
                bridges += [f"link set {port} master br{segment}", f"link set {port} up"]
        lab.ip(switch, *bridges)
        for node in NODES:
            self._ip(node, self._addresses(node))

    def _join(self, segment: int) -> None:
        """Make the links between a node and the next."""
        left, right, switch = self.name(segment), self.name(segment + 1), self._lab.name(self._name + SWITCH)
        run(
            "ip",
            "-batch",
            "-",
            given="".join(
                f"link add {near} netns {left} mtu {LARGEST} address {hardware_address(segment, link, 0)} type veth"
                f" peer name {far} netns {right} mtu {LARGEST} address {hardware_address(segment, link, 1)}\n"
                for link, near, far in (("a", "ra", "la"), ("b", "rb", "lb"))
            )
            + f"link add rc netns {left} mtu {LARGEST} address {hardware_address(segment, 'c', 0)} type veth"
            f" peer name l{segment} netns {switch} mtu {LARGEST}\n"
            f"link add lc netns {right} mtu {LARGEST} address {hardware_address(segment, 'c', 1)} type veth"
            f" peer name r{segment} netns {switch} mtu {LARGEST}\n",
        )

    def _addresses(self, node: int) -> List[str]:
        """Return the commands for a node's addresses: IPv4 in any case, because overlays are carried by it.

        Neighbours are written down: resolved, they would outlive a path on which somebody else has answered.
        """
        lines: List[str] = []
        known: List[str] = []
        for family, bits, net, more in ((4, 32, 30, ""), (6, 128, 64, " nodad"))[: 1 if self.family == 4 else 2]:
            lines.append(f"addr add {address(family, node)}/{bits} dev lo{more}")
            for segment, side, name in ((node, 0, "r"), (node - 1, 1, "l")):
                for link in "abc" if segment in SEGMENTS else "":
                    end = f"{link_address(family, segment, link, side)}/{net}"
                    lines.append(f"addr add {end} dev {name}{link}{more}")
                    other = link_address(family, segment, link, 1 - side)
                    there = hardware_address(segment, link, 1 - side)
                    known.append(f"neigh replace {other} lladdr {there} dev {name}{link} nud permanent")
        ends = [f"{side}{link}" for side, there in (("r", node < TARGET), ("l", node > 0)) if there for link in "abc"]
        return [*lines, *(f"link set {end} up" for end in ends), *known]

    def _parameters(self) -> None:
        """Of the calling thread's namespace: forwards, takes answers from anywhere, knows one family only."""
        other = self.family == 4
        for key, value in (
            ("ipv4/ip_forward", 1),
            ("ipv4/conf/all/rp_filter", 0),
            ("ipv4/conf/default/rp_filter", 0),
            ("ipv6/conf/all/disable_ipv6", int(other)),
            ("ipv6/conf/default/disable_ipv6", int(other)),
            ("ipv6/conf/all/forwarding", 1),
            ("ipv6/conf/default/accept_dad", 0),
        ):
            _write(f"/proc/sys/net/{key}", value)

    def become(self, plan: Plan) -> None:
        """Set up a path; what was learned on the one before is forgotten."""
        assert plan.family == self.family
        self._undo()
        self.plan = plan
        self._bridge_ports(plan)
        for node in range(plan.start, TARGET + 1):
            self._ip(node, [*self._mtus(plan, node), *self._underlay_routes(plan, node)])
        for node in self._overlay_ends(plan):
            self._overlaid.append(node)
            self._ip(node, self._overlay(plan, node))
        for node in range(plan.start, TARGET + 1):
            self._ip(node, [*self._routes(plan, node), "route flush cache"])
            self._firewall(plan, node)

    def _undo(self) -> None:
        """Take away what only some paths have."""
        for node in self._overlaid:
            lines = ["link delete vx"]
            assert self.plan is not None and self.plan.overlay is not None
            self._ip(node, [*lines, "link delete bridge0"] if self.plan.overlay.bridged else lines)
        for node in self._filtered:
            in_namespace(self.path(node), lambda: run("nft", "flush", "ruleset"))
        self._overlaid, self._filtered = [], []

    def _bridge_ports(self, plan: Plan) -> None:
        lines = []
        for number, segment in enumerate(plan.segments, plan.start):
            if segment.forward.ports:
                near, far = segment.forward.ports
                lines += [f"link set l{number} mtu {near}", f"link set r{number} mtu {far}"]
        if lines:
            self._lab.ip(self._name + SWITCH, *lines)

    def _mtus(self, plan: Plan, node: int) -> List[str]:
        lines = []
        if node < TARGET:
            segment = plan.segment(node)
            lines.append(f"link set r{forward_link(segment)} mtu {segment.forward.near}")
            lines.append(f"link set r{back_link(segment)} mtu {segment.back.near}")
        if node > plan.start:
            segment = plan.segment(node - 1)
            lines.append(f"link set l{forward_link(segment)} mtu {segment.forward.far}")
            lines.append(f"link set l{back_link(segment)} mtu {segment.back.far}")
        return lines

    def _routes(self, plan: Plan, node: int) -> List[str]:
        """Return the commands for a node's routes to the ends of the path."""
        if plan.overlay is None or node in (plan.start, TARGET):
            lines = [self._route(plan, node, True)] if node < TARGET else []
            return [*lines, *([self._route(plan, node, False)] if node > plan.start else [])]
        if plan.overlay.bridged or node not in (plan.first_router, LAST_ROUTER):
            return []
        near = node == plan.first_router
        via = overlay_address(self.family, LAST_ROUTER if near else plan.first_router)
        beyond = address(self.family, TARGET if near else plan.start)
        there = overlay_hardware_address(LAST_ROUTER if near else plan.first_router)
        return [
            self._route(plan, node, not near),
            f"neigh replace {via} lladdr {there} dev vx nud permanent",
            f"route replace {beyond} via {via} dev vx onlink",
        ]

    def _route(self, plan: Plan, node: int, forward: bool) -> str:
        """Return the command for a node's route along the chain to an end of the path."""
        device, via = self._next(plan, node, forward, self.family)
        to = address(self.family, TARGET if forward else plan.start)
        lock = (plan.locked_forward if forward else plan.locked_back).get(node)
        own = f" src {address(self.family, node)}"
        if plan.overlay and plan.overlay.bridged:
            neighbour = hardware_address(*((LAST_ROUTER, "a", 1) if forward else (plan.start, "a", 0)))
            known = f"neigh replace {to} lladdr {neighbour} dev {device} nud permanent"
            return f"route replace {to} dev {device}{own}\n{known}"
        return f"route replace {to} via {via} dev {device}{f' mtu lock {lock}' if lock else ''}{own}"

    def _underlay_routes(self, plan: Plan, node: int) -> List[str]:
        """Return the commands for a node's IPv4 routes to the ends of the overlay."""
        lines = []
        for end, forward, needed in (
            (LAST_ROUTER, True, plan.first_router <= node < LAST_ROUTER),
            (plan.first_router, False, plan.first_router < node <= LAST_ROUTER),
        ):
            if plan.overlay and needed:
                device, via = self._next(plan, node, forward, 4)
                lines.append(f"route replace {address(4, end)} via {via} dev {device} src {address(4, node)}")
        return lines

    def _next(self, plan: Plan, node: int, forward: bool, family: int) -> Tuple[str, str]:
        """Return the device that leads to the next node in a direction, and that node's address."""
        segment = node if forward else node - 1
        joined = plan.segment(segment)
        link = forward_link(joined) if forward else back_link(joined)
        return f"{'r' if forward else 'l'}{link}", link_address(family, segment, link, 1 if forward else 0)

    def _overlay_ends(self, plan: Plan) -> List[int]:
        return [plan.first_router, LAST_ROUTER] if plan.overlay else []

    def _overlay(self, plan: Plan, node: int) -> List[str]:
        """Return the commands that make a node's vxlan, and the bridge that it may be a port of."""
        assert plan.overlay is not None
        overlay, near = plan.overlay, node == plan.first_router
        other = LAST_ROUTER if near else plan.first_router
        segment = plan.segment(node if near else node - 1)
        device = f"r{forward_link(segment)}" if near else f"l{back_link(segment)}"
        bound = f" dev {device}" if overlay.with_device else ""
        mtu = overlay.near_mtu if near else overlay.far_mtu
        lines = [
            f"link add name vx address {overlay_hardware_address(node)} type vxlan id 1 dstport {OVERLAY_PORT}"
            f" local {address(4, node)} remote {address(4, other)} df {overlay.df.value}{bound}",
            f"link set vx mtu {mtu}",
        ]
        if overlay.bridged:
            port = "la" if near else "ra"
            lines += [*(line.format(port=port) for line in INTO_BRIDGE)]
        else:
            own, more = overlay_address(self.family, node), ("/24 dev vx" if self.family == 4 else "/64 dev vx nodad")
            lines.append(f"addr add {own}{more}")
        return [*lines, "link set vx up"]

    def _firewall(self, plan: Plan, node: int) -> None:
        """Drop what the plan loses at a node, and what the node would say about sizes."""
        rules = []
        for lossy, rate, side in ((plan.lossy_forward, plan.loss_forward, "r"), (plan.lossy_back, plan.loss_back, "l")):
            if node == lossy and rate:
                names = ", ".join([f'"{side}{link}"' for link in "abc"])
                rules.append(
                    f"add rule inet nf-loss forward oifname {{ {names} }} numgen random mod 1000 < {rate} drop"
                )
        if node in plan.mute:
            rules += [
                "add rule inet nf-loss output icmp type destination-unreachable icmp code frag-needed drop",
                "add rule inet nf-loss output icmpv6 type packet-too-big drop",
            ]
        if rules:
            self._filtered.append(node)
            text = "\n".join([*FIREWALL, *rules]) + "\n"
            in_namespace(self.path(node), lambda: run("nft", "-f", "-", given=text))


INTO_BRIDGE = (
    "link add name bridge0 type bridge",
    "link set {port} master bridge0",
    "link set vx master bridge0",
    "link set bridge0 up",
)
FIREWALL = (
    "add table inet nf-loss",
    "add chain inet nf-loss forward { type filter hook forward priority 0; }",
    "add chain inet nf-loss output { type filter hook output priority 0; }",
)


def _without_bridge_firewall() -> None:
    """A bridge whose packets visit the firewall of IP has an exact limit, not one that is 4 bytes too generous."""
    for key in ("iptables", "ip6tables", "arptables"):
        with suppress(FileNotFoundError):
            _write(f"/proc/sys/net/bridge/bridge-nf-call-{key}", 0)


def _write(path: str, value: int) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))
