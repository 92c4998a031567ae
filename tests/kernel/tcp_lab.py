# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client and a server behind two routers, and the incident's cluster, in namespaces."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any, Dict, List, Optional

from network_lab import Lab, run

from ansible_collections.netfit.cluster.plugins.module_utils._facts.census import take_census
from ansible_collections.netfit.cluster.plugins.module_utils._probe.tcp_options import read_options
from ansible_collections.netfit.cluster.plugins.module_utils._probe.tcp_path import measure_paths

PORT = 8080
SERVER = {"ipv4": "10.9.3.2", "ipv6": "fd09:3::2"}
DEFAULTS: Dict[str, Any] = {
    "targets": None,
    "source": None,
    "expected_mtu": None,
    "url": None,
    "body_sizes": [10],
    "connections": 4,
    "max_packets": 300,
    "timeout": 4.0,
    "family": "any",
}


def chain(lab: Lab, middle: int = 1450) -> None:
    """Build client - near - far - server; the link between the routers carries fewer bytes."""
    lab.add("client", "near", "far", "server")
    for name in ("client", "near", "far", "server"):
        # Without detection of duplicate addresses nobody has to wait for it.
        lab.sysctl(name, "net.ipv6.conf.default.accept_dad", "0")
    lab.ip("client", "link add eth0 type veth peer name eth0 netns {near}")
    lab.ip("near", f"link add eth1 mtu {middle} type veth peer name eth1 mtu {middle} netns {{far}}")
    lab.ip("far", "link add eth0 type veth peer name eth0 netns {server}")
    places = {
        "client": (("eth0", 1, 2),),
        "near": (("eth0", 1, 1), ("eth1", 2, 1)),
        "far": (("eth1", 2, 2), ("eth0", 3, 1)),
        "server": (("eth0", 3, 2),),
    }
    for name, addresses in places.items():
        for link, network, host in addresses:
            lab.ip(
                name,
                f"addr add 10.9.{network}.{host}/24 dev {link}",
                f"addr add fd09:{network}::{host}/64 dev {link} nodad",
                f"link set {link} up",
            )
    for name in ("near", "far"):
        lab.sysctl(name, "net.ipv4.ip_forward", "1")
        lab.sysctl(name, "net.ipv6.conf.all.forwarding", "1")
    lab.ip("client", "route add default via 10.9.1.1", "route add default via fd09:1::1")
    lab.ip("near", "route add 10.9.3.0/24 via 10.9.2.2", "route add fd09:3::/64 via fd09:2::2")
    lab.ip("far", "route add 10.9.1.0/24 via 10.9.2.1", "route add fd09:1::/64 via fd09:2::1")
    lab.ip("server", "route add default via 10.9.3.1", "route add default via fd09:3::1")
    lab.inside("client", until_it_carries)


def until_it_carries() -> None:
    """Links need up to a second until they carry neighbour discovery; a refused connection shows that they do."""
    for address in SERVER.values():
        with suppress(ConnectionRefusedError):
            socket.create_connection((address, 9), timeout=10).close()


def nft(lab: Lab, name: str, hook: str, *rules: str, kind: str = "filter") -> None:
    """Add rules of nft(8) to a chain of a hook in a namespace."""
    priority = {"prerouting": -100, "postrouting": 100}.get(hook, 0)
    opened = f"{{ type {kind} hook {hook} priority {priority}; }}"
    lines = [f"add table inet {kind}", f"add chain inet {kind} {hook} {opened}"]
    lines += [f"add rule inet {kind} {hook} {rule}" for rule in rules]
    run("ip", "netns", "exec", lab.name(name), "nft", "-f", "-", given="\n".join(lines) + "\n")


NO_ICMP = ("icmp type destination-unreachable drop", "icmpv6 type packet-too-big drop")


class Server:
    """Takes connections and keeps what they say; with answer, it answers HTTP requests."""

    def __init__(self, lab: Lab, name: str, port: int = PORT, backlog: int = 128, answer: bool = False) -> None:
        self.received: List[bytes] = []
        self.accepted = 0
        self._answer = answer
        self._connections: List[socket.socket] = []

        def listen() -> socket.socket:
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=backlog)

        self.listener = lab.inside(name, listen)
        lab.kept.append(self)

    def start(self) -> Server:
        """Accept from now on; before, connections wait in the queue."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self) -> None:
        while True:
            try:
                connection, _peer = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        content = b""
        try:
            while self._answer:
                more = connection.recv(65536)
                if not more:
                    return
                content += more
                head, end, body = content.partition(b"\r\n\r\n")
                if end and len(body) >= int(head.lower().split(b"content-length:")[1].split()[0]):
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                    return
            while True:
                more = connection.recv(65536)
                if not more:
                    return
                self.received.append(more)
        except OSError:
            return
        finally:
            connection.close()

    def close(self) -> None:
        """End all."""
        self.listener.close()
        for connection in self._connections:
            connection.close()


def measured(lab: Lab, *targets: Any, source: str = "client", **options: Any) -> List[Dict[str, Any]]:
    """Measure as the module does, from one of the lab's namespaces; return its paths."""
    params = {**DEFAULTS, "targets": list(targets) or None, "source": {"namespace": lab.path(source)}, **options}
    chosen, order = read_options(params)
    return [path.as_fact() for path in measure_paths(take_census("/"), chosen, params["source"], order)]


def exceptions(lab: Lab, name: str = "client") -> List[Optional[Dict[str, Any]]]:
    """What ip(8) says that the kernel has learned, without what runs down."""
    found = lab.ip_json(name, "-4", "route", "show", "cache") + lab.ip_json(name, "-6", "route", "show", "cache")
    return [{key: value for key, value in one.items() if key != "metrics"} | {"mtu": str(one)} for one in found]


def address_of(family: str, port: int = PORT) -> str:
    """Return the server as a target."""
    return f"[{SERVER[family]}]:{port}" if family == "ipv6" else f"{SERVER[family]}:{port}"


def counter(lab: Lab, name: str, key: str) -> int:
    """Return a counter of nstat(8)."""
    for line in run("ip", "netns", "exec", lab.name(name), "nstat", "-asz", key).splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    raise AssertionError(key)


def incident(lab: Lab, pod_mtu: int) -> None:
    """Build the incident: nodes n1 and n2 with a VXLAN overlay of 1450, the gateway's pod on n2, client outside.

    Node port 30004 of each node leads to port 8080 of the pod.
    """
    lab.add("client", "lan", "n1", "n2", "pod")
    lab.ip("lan", "link add br0 type bridge", "link set br0 up")
    for number, name in enumerate(("client", "n1", "n2"), 10):
        lab.ip("lan", f"link add to-{name} type veth peer name eth0 netns {{{name}}}")
        lab.ip("lan", f"link set to-{name} master br0 up")
        lab.ip(name, "link set eth0 up", f"addr add 198.18.7.{number}/24 dev eth0")
    macs = {}
    for number, name in ((11, "n1"), (12, "n2")):
        lab.sysctl(name, "net.ipv4.ip_forward", "1")
        lab.ip(
            name,
            f"link add flannel.1 type vxlan id 1 dstport 8472 local 198.18.7.{number} dev eth0 nolearning",
            f"addr add 10.42.{number}.0/32 dev flannel.1",
            "link set flannel.1 up",
        )
        macs[number] = lab.ip_json(name, "link", "show", "flannel.1")[0]["address"]
    for name, other in (("n1", 12), ("n2", 11)):
        lab.ip(
            name,
            f"route add 10.42.{other}.0/24 via 10.42.{other}.0 dev flannel.1 onlink",
            f"neigh add 10.42.{other}.0 lladdr {macs[other]} dev flannel.1 nud permanent",
        )
        entry = f"fdb add {macs[other]} dev flannel.1 dst 198.18.7.{other} self permanent"
        run("bridge", "-n", lab.name(name), *entry.split())
    lab.ip("n2", "link add cali1 type veth peer name eth0 netns {pod}")
    lab.ip("n2", f"link set cali1 mtu {pod_mtu} up", "route add 10.42.12.5 dev cali1")
    lab.ip("pod", f"link set eth0 mtu {pod_mtu} up", "addr add 10.42.12.5/32 dev eth0")
    mac = lab.ip_json("n2", "link", "show", "cali1")[0]["address"]
    lab.ip(
        "pod",
        "route add 169.254.1.1 dev eth0",
        "route add default via 169.254.1.1 dev eth0",
        f"neigh add 169.254.1.1 lladdr {mac} dev eth0 nud permanent",
    )
    for name in ("n1", "n2"):
        nft(lab, name, "prerouting", f"tcp dport 30004 dnat ip to 10.42.12.5:{PORT}", kind="nat")
        nft(lab, name, "postrouting", "ip daddr 10.42.12.5 masquerade", kind="nat")
