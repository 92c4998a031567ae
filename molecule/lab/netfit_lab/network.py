# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges, links, addresses and routes of a lab; all of it inside the lab's own network namespaces."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable

from .errors import CommandFailed
from .keeper import Keeper
from .routing import StaticRoute, routes_of_host, routes_of_router
from .topology import CONTROLLER, Attachment, Topology

_SILENCE = """
table inet nf-silent {
  chain output {
    type filter hook output priority 0
    meta l4proto icmp drop
    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-reply } drop
  }
}
"""


def port_name(topology: Topology, member: str, number: int) -> str:
    """Return the name of the bridge's end of a member's link: by number, for names may be longer than the kernel's."""
    return f"nf-{_member_number(topology, member)}-{number}"


def hardware_address(topology: Topology, member: str, number: int) -> str:
    """Return the MAC address of a member's link: the same after a reboot, so that neighbours need not learn it anew."""
    high, low = divmod(_member_number(topology, member), 256)
    return f"02:6e:66:{high:02x}:{low:02x}:{number:02x}"


def _member_number(topology: Topology, member: str) -> int:
    return [*topology.hosts, *topology.routers, CONTROLLER].index(member)


def controller_attachments(topology: Topology) -> tuple[Attachment, ...]:
    """Return the controller's links: one into each of its segments."""
    mine = [topology.segments[name] for name in topology.controller]
    return tuple(
        Attachment(segment.name, segment.controller_address, segment.mtu, f"eth{number}")
        for number, segment in enumerate(mine)
    )


def build(keeper: Keeper, topology: Topology) -> None:
    """Make the bridges, routers and the controller, and plug every host in."""
    lan = ["link set lo up"]
    for segment in topology.segments.values():
        lan += [
            f"link add nf-{segment.name} mtu {segment.mtu} type bridge forward_delay 0 mcast_snooping 0",
            f"link set nf-{segment.name} addrgenmode none",
            f"link set nf-{segment.name} up",
        ]
    _ip(keeper.lan_namespace, lan)
    names = [*topology.routers, CONTROLLER, *topology.hosts]
    keeper.create_network_namespaces(names)
    for router in topology.routers.values():
        _plug(keeper, topology, router.name, router.attachments, routes_of_router(topology, router.attachments))
        _forward(keeper, router.name, router.icmp)
    attachments = controller_attachments(topology)
    # Where it is in every segment it needs no way out; its default route would be one.
    routes = routes_of_router(topology, attachments)
    _plug(keeper, topology, CONTROLLER, attachments, routes)
    for host in topology.hosts.values():
        _plug(keeper, topology, host.name, host.attachments, routes_of_host(topology, host.attachments))


def plug_in_again(keeper: Keeper, topology: Topology, host: str) -> None:
    """Give a host a network namespace as new, as a reboot does."""
    attachments = topology.hosts[host].attachments
    # The kernel ends the old namespace when it gets to it; the ports' names must be free at once.
    there = {link["ifname"] for link in json.loads(_inside(keeper.lan_namespace, ["ip", "-json", "link"], ""))}
    ports = {port_name(topology, host, number) for number in range(len(attachments))}
    _ip(keeper.lan_namespace, [f"link del {port}" for port in sorted(ports & there)])
    keeper.release_network_namespace(host)
    keeper.create_network_namespaces([host])
    _plug(keeper, topology, host, attachments, routes_of_host(topology, attachments))


def _plug(
    keeper: Keeper,
    topology: Topology,
    member: str,
    attachments: tuple[Attachment, ...],
    routes: list[StaticRoute],
) -> None:
    inside, lan = ["link set lo up"], []
    for number, attachment in enumerate(attachments):
        port = port_name(topology, member, number)
        segment_mtu = topology.segments[attachment.segment].mtu
        inside += [
            f"link add {attachment.link} mtu {attachment.mtu} address {hardware_address(topology, member, number)}"
            f" type veth peer name {port} mtu {segment_mtu} netns {keeper.identity.pid}",
        ]
        if not attachment.bare:
            inside += [
                f"address add {attachment.address} broadcast + dev {attachment.link}",
                f"link set {attachment.link} up",
            ]
        lan += [
            f"link set {port} addrgenmode none",
            f"link set {port} alias {member}:{attachment.link}",
            f"link set {port} master nf-{attachment.segment} up",
        ]
    # A bare link has no way anywhere before the host itself has configured it.
    for route in [] if attachments[0].bare else routes:
        inside.append(f"route add {route.destination or 'default'} via {route.next_hop}")
    _ip(keeper.network_namespace(member), inside)
    _ip(keeper.lan_namespace, lan)


def _forward(keeper: Keeper, router: str, icmp: bool) -> None:
    namespace = keeper.network_namespace(router)
    # A /proc of the caller's shows the sysctls of the network namespace that the writing process is in.
    _inside(namespace, ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"], "")
    if not icmp:
        _inside(namespace, ["nft", "-f", "-"], _SILENCE)


def _ip(namespace: str, commands: Iterable[str]) -> None:
    _inside(namespace, ["ip", "-batch", "-"], "\n".join(commands) + "\n")


def _inside(namespace: str, argv: list[str], text: str) -> str:
    """Run a tool of this machine in a network namespace and return what it prints. Raises CommandFailed."""
    command = ["nsenter", f"--net={namespace}", "--", *argv]
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=30)
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(argv)}: {done.stderr.strip()}\n{text}")
    return done.stdout
