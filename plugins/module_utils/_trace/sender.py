# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Send the packets of a trace: some of a size that passes, as many of one that does not, and some that die early.

Whole packets over raw sockets. On their way out they know nothing of path MTUs that were learned (IP_MTU_DISCOVER
PROBE), and an ICMP message about one of them teaches the kernel nothing: for IPv4 echo requests, UDP and TCP nothing is
learned without a socket (icmp_err, udp_err, tcp_v4_err in net/ipv4/); for IPv6 the same is true of UDP and TCP, but
icmpv6_err in net/ipv6/icmp.c learns from every quote of an ICMPv6 packet, so that echo requests are not offered there.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import time
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Tuple

from .._kernel.links import read_links
from .._kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from .._model.link import Link
from .._model.sighting import Burst
from .packets import HOPS, Flow, build
from .tag import Tag

IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PROBE = 10, 23, 3
SPACING = 0.004
"""Seconds between two packets: each is through before the next, so that what the kernel says can be told apart."""
DEFAULT_PASSING_SIZE = 576
LARGEST = 65535
"""Bytes of an IPv4 packet; the loopback's MTU is one more."""
MAX_COUNT, MAX_HOPS = 100, 16
PORTS = range(61001, 65536)
"""Above the range from which Linux takes ports for others by default (ip_local_port_range)."""


class CannotSend(ValueError):
    """A burst that cannot be sent; the message says who must do what."""


@dataclass(frozen=True)
class BurstOptions:
    """What to send. size: bytes of the packets that do not pass, None for the MTU of the link that they leave by.

    count: of each size. hops: up to which time to live both sizes are tried once, 0 for not at all.
    """

    target: str
    protocol: str = "icmp"
    port: Optional[int] = None
    size: Optional[int] = None
    passing_size: int = DEFAULT_PASSING_SIZE
    count: int = 20
    hops: int = 8

    def validate(self) -> None:
        """Raise CannotSend that names option, value, and what is allowed."""
        if self.protocol not in ("icmp", "udp", "tcp"):
            raise CannotSend(f"protocol is {self.protocol!r}; it takes icmp, udp or tcp")
        if self.protocol == "tcp" and self.port is None:
            raise CannotSend("port: protocol tcp needs the port that is asked")
        if self.port is not None and not 1 <= self.port <= 65535:
            raise CannotSend(f"port is {self.port}; it takes 1 to 65535")
        if not 1 <= self.count <= MAX_COUNT:
            raise CannotSend(f"count is {self.count}; it takes 1 to {MAX_COUNT}")
        if not 0 <= self.hops <= MAX_HOPS:
            raise CannotSend(f"hops is {self.hops}; it takes 0 to {MAX_HOPS}")


def resolve(target: str) -> Tuple[str, str]:
    """Return the address and the family of a target. Raises CannotSend."""
    try:
        found = socket.getaddrinfo(target, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise CannotSend(f"target {target} does not resolve: {error}") from error
    families = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}
    usable = [entry for entry in found if entry[0] in families]
    if not usable:
        raise CannotSend(f"target {target} has no address")
    family, _kind, _protocol, _name, address = min(usable, key=lambda entry: entry[0] != socket.AF_INET)
    plain = ipaddress.ip_address(str(address[0]).partition("%")[0])
    if plain.is_multicast or plain.is_unspecified or str(plain) == "255.255.255.255":
        raise CannotSend(f"target {target} is a multicast, broadcast or unspecified address; a trace goes to one host")
    return str(plain), families[family]


def send_burst(
    tag: Tag, run: str, options: BurstOptions, namespace: int, sleep: Callable[[float], None] = time.sleep
) -> Burst:
    """Send from the calling thread's network namespace. namespace: its inode. Raises CannotSend and OSError."""
    options.validate()
    begun = time.monotonic()
    target, family = resolve(options.target)
    if (options.protocol, family) == ("icmp", "ipv6"):
        raise CannotSend("protocol icmp would leave a learned path MTU behind with IPv6; take udp, or tcp and a port")
    source = _source_address(target, family)
    link = _link_with(source)
    flow = Flow(tag, options.protocol, source, target, _free_port(options.protocol, family), _port(options))
    size = options.size or min(LARGEST, link.mtu if link is not None else 1500)
    _check_sizes(flow, size, options.passing_size)
    sent, refused = _send(flow, _plan(options, size), sleep)
    return Burst(
        run=run,
        protocol=options.protocol,
        family=family,
        source=source,
        target=target,
        namespace=namespace,
        size=size,
        passing_size=options.passing_size,
        count=options.count,
        sent=(sum(number < options.count for number in sent), sum(number >= options.count for number in sent)),
        port=options.port,
        refused=refused,
        link=link.name if link is not None else None,
        link_mtu=link.mtu if link is not None else None,
        hops=options.hops,
        seconds=round(time.monotonic() - begun, 3),
    )


def _plan(options: BurstOptions, size: int) -> List[Tuple[int, int, int]]:
    """Return number, size and time to live of every packet, both sizes in turn."""
    count = options.count
    plan: List[Tuple[int, int, int]] = []
    for number in range(count):
        plan += [(number, options.passing_size, HOPS), (count + number, size, HOPS)]
    for hop in range(options.hops):
        early = 2 * (count + hop)
        plan += [(early, options.passing_size, hop + 1), (early + 1, size, hop + 1)]
    return plan


def _check_sizes(flow: Flow, size: int, passing_size: int) -> None:
    for name, value in (("passing_size", passing_size), ("size", size)):
        if not flow.smallest <= value <= LARGEST:
            raise CannotSend(f"{name} is {value}; with {flow.protocol} it takes {flow.smallest} to {LARGEST} bytes")
    if passing_size >= size:
        raise CannotSend(f"passing_size is {passing_size}; it takes less than size, which is {size}")


def _send(
    flow: Flow, plan: List[Tuple[int, int, int]], sleep: Callable[[float], None]
) -> Tuple[List[int], Optional[str]]:
    """Return the numbers below those with a limited time to live that left, and why others did not."""
    sent: List[int] = []
    refused: Dict[str, int] = {}
    with _raw_socket(flow) as opened:
        for number, size, hops in plan:
            try:
                opened.sendto(build(flow, number, size, hops), (flow.target, 0))
                if hops == HOPS:
                    sent.append(number)
            except OSError as error:
                reason = f"{size} bytes: {_refusal(error)}"
                refused[reason] = refused.get(reason, 0) + 1
            sleep(SPACING)
    worst = max(refused, key=lambda reason: refused[reason], default=None)
    return sent, worst


def _refusal(error: OSError) -> str:
    meanings: Dict[Optional[int], str] = {
        errno.EMSGSIZE: "more than the link's MTU",
        errno.EPERM: "a firewall rule for outgoing packets",
    }
    return meanings.get(error.errno, error.strerror or str(error))


def _raw_socket(flow: Flow) -> socket.socket:
    family = socket.AF_INET if flow.version == 4 else socket.AF_INET6
    try:
        opened = socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW)
    except PermissionError as error:
        raise CannotSend("packets are made by hand, which takes CAP_NET_RAW: run as root (become: true)") from error
    if flow.version == 4:
        opened.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PROBE)
    else:
        opened.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PROBE)
    return opened


def _source_address(target: str, family: str) -> str:
    """Return the address that the kernel gives to what is sent to the target; nothing is sent."""
    kind = socket.AF_INET if family == "ipv4" else socket.AF_INET6
    with socket.socket(kind, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as opened:
        try:
            opened.connect((target, 9))
        except OSError as error:
            raise CannotSend(f"target {target}: {error.strerror}") from error
        return str(opened.getsockname()[0]).partition("%")[0]


def _link_with(address: str) -> Optional[Link]:
    """Return the link that has an address: the one that packets from it normally leave by."""
    with NetlinkSocket(NETLINK_ROUTE) as netlink:
        for link in read_links(netlink):
            if any(own.address == address for own in link.addresses):
                return link
    return None


def _free_port(protocol: str, family: str) -> int:
    """Return a port that no socket has, so that no socket learns from what comes back; for ICMP any number."""
    kinds = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}
    if protocol not in kinds:
        return 0x4E46
    start = time.monotonic_ns() // 1000 % len(PORTS)
    for port in [*PORTS[start:], *PORTS[:start]]:
        kind = socket.AF_INET if family == "ipv4" else socket.AF_INET6
        with socket.socket(kind, kinds[protocol] | socket.SOCK_CLOEXEC) as opened:
            try:
                opened.bind(("", port))
            except OSError:
                continue
            return int(port)
    raise CannotSend("source port: none is free above 61000")


def _port(options: BurstOptions) -> int:
    return options.port if options.port is not None else 33434
