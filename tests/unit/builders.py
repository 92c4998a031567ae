# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compact builders of facts, through the model's own dataclasses, and the incident made of them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import DeclaredMtu, MtuMeaning
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import Problem, Source, as_plain
from ansible_collections.netfit.cluster.plugins.module_utils._model.http_result import (
    End,
    HttpResult,
    KeepaliveResult,
    SizeOutcome,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.link import Address, Encapsulation, Link, Peer
from ansible_collections.netfit.cluster.plugins.module_utils._model.listener import Listener, Process
from ansible_collections.netfit.cluster.plugins.module_utils._model.node_port import (
    NodePort,
    NodePortEndpoint,
    ProxyMode,
    TrafficPolicy,
    even_shares,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.owner import Owner, OwnerKind
from ansible_collections.netfit.cluster.plugins.module_utils._model.path import (
    Direction,
    Limit,
    Method,
    PathMeasurement,
    Segment,
    TcpPath,
    Verdict,
)
from ansible_collections.netfit.cluster.plugins.module_utils._model.route import NextHop, PathMtuException, Route

HOST_INODE = 4026531840
KERNEL = "6.1.0-18-amd64"

Facts = Dict[str, Any]


def host(name: str = "n2") -> Owner:
    return Owner(OwnerKind.HOST, name, pid=1)


def pod(name: str = "gateway", namespace: str = "prod", pid: int = 4711) -> Owner:
    return Owner(OwnerKind.POD, f"{namespace}/{name}", name, namespace, "a" * 64, "containerd", pid)


def container(name: str = "web", pid: int = 815) -> Owner:
    return Owner(OwnerKind.CONTAINER, name, container_id="b" * 64, runtime="docker", pid=pid)


def link(name: str, mtu: int, kind: str = "veth", index: int = 2, address: Optional[str] = None, **more: Any) -> Link:
    addresses: Tuple[Address, ...] = ()
    if address is not None:
        ip, length = address.split("/")
        addresses = (Address("ipv6" if ":" in ip else "ipv4", ip, int(length), "global"),)
    values: Dict[str, Any] = dict(
        index=index,
        name=name,
        kind=kind,
        mtu=mtu,
        min_mtu=68,
        max_mtu=65535,
        hardware_address=None,
        up=True,
        operational_state="up",
        addresses=addresses,
    )
    return Link(**{**values, **more})


def tunnel(
    underlay: str = "eth0", underlay_mtu: int = 1500, kind: str = "vxlan", overhead: int = 50, **more: Any
) -> Encapsulation:
    values: Dict[str, Any] = dict(
        kind=kind,
        overhead=overhead,
        underlay_family="ipv4",
        identifier=1,
        port=8472,
        dont_fragment="unset",
        underlay=underlay,
        underlay_namespace=HOST_INODE,
        underlay_mtu=underlay_mtu,
        underlay_source="device",
    )
    return Encapsulation(**{**values, **more})


def route(destination: str, device: str, gateway: Optional[str] = None, **more: Any) -> Route:
    return Route("ipv6" if ":" in destination else "ipv4", "unicast", destination, 254, gateway, device, **more)


def peer(namespace: int, index: int, name: Optional[str] = None, mtu: Optional[int] = None) -> Peer:
    return Peer(namespace, index, name, mtu)


def declared(stack: str, value: int, meaning: MtuMeaning, file: str, key: str = "mtu", **more: Any) -> DeclaredMtu:
    return DeclaredMtu(stack, value, meaning, Source(file, 7, key), **more)


def network(
    inode: int, owner: Owner, links: List[Link], routes: List[Route], paths: Any = (), exceptions: Any = ()
) -> Facts:
    return dict(
        inode=inode,
        owner=as_plain(owner),
        paths=list(paths),
        links=as_plain(links),
        routes=as_plain(routes),
        path_mtu_exceptions=as_plain(list(exceptions)),
    )


def listener(port: int, backlog: int, program: Optional[str] = None, address: str = "0.0.0.0", **more: Any) -> Listener:
    values: Dict[str, Any] = dict(
        family="ipv6" if ":" in address else "ipv4",
        address=address,
        port=port,
        effective_backlog=backlog,
        queue=0,
        syn_queue=0,
        drops=0,
        inode=1000 + port,
        cookie=port,
        uid=0,
        process=Process(99, program) if program else None,
    )
    return Listener(**{**values, **more})


def queue(
    inode: int,
    owner: Owner,
    listeners: List[Listener],
    somaxconn: int = 4096,
    rates: Optional[Facts] = None,
    syncookies: int = 1,
    paths: Any = (),
) -> Facts:
    return dict(
        inode=inode,
        owner=as_plain(owner),
        paths=list(paths),
        somaxconn=somaxconn,
        syncookies=syncookies,
        max_syn_backlog=2048,
        listeners=as_plain(listeners),
        counters={},
        rates=rates or {},
    )


def sysctl(inode: int, owner: Owner, values: Dict[str, str], writable: bool = True, paths: Any = ()) -> Facts:
    return dict(
        inode=inode,
        owner=as_plain(owner),
        paths=list(paths),
        values={key: dict(value=value, writable=writable) for key, value in values.items()},
    )


def facts(
    networks: Any = (),
    declarations: Any = (),
    queues: Any = (),
    sysctls: Any = (),
    problems: Any = (),
    scopes: Optional[Facts] = None,
    kernel: str = KERNEL,
    node_ports: Any = (),
) -> Facts:
    return dict(
        netfit_mtu=dict(
            kernel=kernel,
            namespaces=list(networks),
            declared=as_plain(list(declarations)),
            node_ports=as_plain(list(node_ports)),
            problems=as_plain(list(problems)),
        ),
        netfit_sysctl=dict(kernel=kernel, scopes=scopes or {}, namespaces=list(sysctls), problems=[]),
        netfit_listen_queues=dict(kernel=kernel, sample_interval=1.0, namespaces=list(queues), problems=[]),
    )


def problem(subject: str, reason: str, path: Optional[str] = None) -> Problem:
    return Problem(subject, reason, path)


def learned(destination: str, mtu: int) -> PathMtuException:
    return PathMtuException("ipv4", destination, mtu, False, None, "eth0", 500.0)


def leg(device: str, gateway: str) -> NextHop:
    return NextHop(gateway, device, 1)


def node(number: int, nodes: int = 4, overlay_mtu: int = 1450, underlay_mtu: int = 1500, extra: Any = ()) -> Facts:
    """Return the host's own namespace of a canal node: eth0, flannel.1, and a route to each other node's pods."""
    others = [other for other in range(1, nodes + 1) if other != number]
    links = [
        link("lo", 65536, "loopback", 1, "127.0.0.1/8"),
        link("eth0", underlay_mtu, "physical", 2, f"198.18.7.1{number}/24"),
        link(
            "flannel.1",
            overlay_mtu,
            "vxlan",
            3,
            f"10.42.{number}.0/32",
            encapsulation=tunnel(underlay_mtu=underlay_mtu),
            operational_state="unknown",
        ),
        *extra,
    ]
    routes = [
        route("0.0.0.0/0", "eth0", "198.18.7.1"),
        *[route(f"10.42.{other}.0/24", "flannel.1", f"10.42.{other}.0") for other in others],
    ]
    return network(HOST_INODE, host(f"n{number}"), links, routes)


def subnet_env(mtu: int = 1450, active: bool = True) -> DeclaredMtu:
    return DeclaredMtu(
        "flannel",
        mtu,
        MtuMeaning.OVERLAY,
        Source("/run/flannel/subnet.env", 3, "FLANNEL_MTU"),
        link="flannel.1",
        network="10.42.0.0/16",
        active=active,
    )


def conflist(mtu: int) -> DeclaredMtu:
    return declared("canal", mtu, MtuMeaning.INTERFACE, "/etc/cni/net.d/10-canal.conflist", "plugins.0.mtu")


def pod_network(inode: int, owner: Owner, mtu: int, address: str, host_index: int, routes: Any = None) -> Facts:
    """Return a pod's namespace as calico's CNI plugin makes it."""
    default = [route("169.254.1.1/32", "eth0"), route("0.0.0.0/0", "eth0", "169.254.1.1")]
    links = [
        link("lo", 65536, "loopback", 1, "127.0.0.1/8"),
        link("eth0", mtu, "veth", 3, address, peer=peer(HOST_INODE, host_index, f"cali{host_index}", mtu)),
    ]
    return network(inode, owner, links, default if routes is None else routes, [f"/var/run/netns/cni-{inode}"])


def node_port(
    number: int,
    addresses: Any = ("10.42.2.5",),
    port: int = 30004,
    policy: TrafficPolicy = TrafficPolicy.CLUSTER,
    service: Optional[str] = "prod/gateway:http",
    device: str = "flannel.1",
) -> NodePort:
    """Return a NodePort as canal node `number` has it. addresses: of pods, of which 10.42.N.x is on node N."""
    wanted = [one for one in addresses if policy is TrafficPolicy.CLUSTER or one.startswith(f"10.42.{number}.")]
    ends = []
    for address, share in zip(wanted, even_shares(len(wanted)) if wanted else ()):
        local = address.startswith(f"10.42.{number}.")
        ends.append(NodePortEndpoint(address, 8081, share, local, "cali7" if local else device))
    source = "iptables-nft-save -t nat, chain KUBE-NODEPORTS"
    return NodePort("ipv4", "tcp", port, service, policy, tuple(ends), ProxyMode.IPTABLES, source)


def incident(pod_mtu: int = 1500, refused: float = 3.5, node_ports: bool = False) -> Dict[str, Facts]:
    """Return the facts of four canal nodes; the gateway pod on n2 has that MTU, its overlay carries 1450.

    node_ports: whether kube-proxy's rules were read as well.
    """
    hosts = {}
    for number in (1, 2, 3, 4):
        end = [link("cali7", pod_mtu, "veth", 7, peer=peer(9002, 3, "eth0", pod_mtu))] if number == 2 else []
        networks = [node(number, extra=end)]
        queues = [
            queue(
                HOST_INODE,
                host(f"n{number}"),
                [listener(22, 128, "sshd", unit="ssh.service")],
                rates={"Ip.FragFails": refused} if number == 1 and pod_mtu > 1450 else {},
            )
        ]
        if number == 2:
            networks.append(pod_network(9002, pod(), pod_mtu, "10.42.2.5/32", 7))
            queues.append(queue(9002, pod(), [listener(8080, 4096, "java", address="::")]))
        declarations = [subnet_env(), *([conflist(pod_mtu)] if number == 2 else [])]
        ports = [node_port(number)] if node_ports else []
        hosts[f"n{number}"] = facts(networks, declarations, queues, node_ports=ports)
    return hosts


def direction(path_mtu: Optional[int], verdict: Verdict = Verdict.OK, link_mtu: int = 1500, **more: Any) -> Direction:
    """One direction as the engine reports it: certain, unless path_mtu is None."""
    limit = Limit.LINK if verdict is Verdict.OK else Limit.PATH
    values: Dict[str, Any] = dict(
        verdict=verdict,
        path_mtu=path_mtu,
        at_least=path_mtu or 0,
        at_most=path_mtu,
        limited_by=None if path_mtu is None else limit,
        tries_above=0 if verdict is Verdict.OK else 6,
        lost=0,
        samples=6,
        confidence=0.9999 if path_mtu is not None else 0.0,
    )
    return Direction(**{**values, **more})


def black(path_mtu: int, **more: Any) -> Direction:
    return direction(path_mtu, Verdict.BLACK_HOLE, **more)


def reduced(path_mtu: int, router: Optional[str] = "192.0.2.254", **more: Any) -> Direction:
    return direction(path_mtu, Verdict.REDUCED, **{"router": router, "reported_mtu": path_mtu, **more})


def unknown(reason: str = "too many packets are lost", **more: Any) -> Direction:
    return direction(None, Verdict.UNKNOWN, reason=reason, **more)


def unreachable() -> Direction:
    return direction(None, Verdict.UNREACHABLE, samples=0, tries_above=6)


def about(kind: str, peer_host: str, peer: Optional[Owner] = None, **more: Any) -> Facts:
    end = peer if peer is not None else Owner(OwnerKind.HOST, peer_host)
    return {"class": kind, "peer": {"host": peer_host, "owner": as_plain(end)}, **more}


def path(
    to: str,
    forward: Optional[Direction] = None,
    back: Optional[Direction] = None,
    source: Optional[Owner] = None,
    peer: Optional[Owner] = None,
    link_mtu: int = 1500,
    **more: Any,
) -> Facts:
    """Return what path_mtu_info says of a path to that host, or to a pod there where peer is given."""
    there = forward or direction(link_mtu, link_mtu=link_mtu)
    home = back or direction(link_mtu, link_mtu=link_mtu)
    kind = "host-host" if source is None and peer is None else "pod-pod" if source and peer else "host-pod"
    values: Dict[str, Any] = dict(
        name=f"to {to}",
        target="192.0.2.7",
        address="192.0.2.7",
        family="ipv4",
        source=source or host("a-node-name"),
        namespace=HOST_INODE if source is None else 9002,
        method=Method.UDP,
        verdict=max((there.verdict, home.verdict), key=lambda one: one.rank),
        forward=there,
        back=home,
        device="eth0",
        link_mtu=link_mtu,
        packets_sent=7,
        about=about(kind, to, peer),
    )
    found: Facts = PathMeasurement(**{**values, **more}).as_fact()
    return found


def tcp_path(
    to: str, path_mtu: Optional[int] = 1500, verdict: Verdict = Verdict.OK, mss: Optional[int] = 1460, **more: Any
) -> Facts:
    """Return what tcp_path_info says of a node port of that host."""
    values: Dict[str, Any] = dict(
        name=f"{to}:30004",
        target="192.0.2.7",
        address="192.0.2.7",
        port=30004,
        family="ipv4",
        source=host("client"),
        namespace=HOST_INODE,
        verdict=verdict,
        device="eth0",
        link_mtu=1500,
        advertised_mss=mss,
        path_mtu=path_mtu,
        at_least=path_mtu or 0,
        confidence=0.9999,
        segments=(Segment(1300, "arrived"), Segment(1500, "arrived" if path_mtu == 1500 else "lost")),
        about=about("outside-nodeport", to),
    )
    found: Facts = TcpPath(**{**values, **more}).as_fact()
    return found


def http_target(node: Optional[str] = None, sizes: Optional[Dict[int, Tuple[int, int]]] = None, **more: Any) -> Facts:
    """Return what http_request_info says of a node's port, or of a load balancer. sizes: bytes to (failed, sent)."""
    address = f"192.0.2.1{node[-1]}" if node is not None else "shop.example.org"
    url = f"http://{address}:30004/" if node is not None else f"http://{address}/"
    outcomes = tuple(
        SizeOutcome(
            body_bytes=size,
            sent=sent,
            failed=failed,
            failure_rate=failed / sent if sent else None,
            interval=None,
            outcomes={"answered": sent - failed, "timed out": failed},
            statuses={"200": sent - failed},
        )
        for size, (failed, sent) in (sizes or {0: (0, 20)}).items()
    )
    total = sum(one.sent for one in outcomes)
    values: Dict[str, Any] = dict(
        name=url,
        url=url,
        method="POST",
        host=url.split("/")[2],
        node=node,
        address=address if node is not None else "192.0.2.1",
        port=30004 if node is not None else 80,
        planned=total,
        sent=total,
        failed=sum(one.failed for one in outcomes),
        complete=True,
        sizes=outcomes,
    )
    return HttpResult(**{**values, **more}).as_fact()


def idle_target(node: Optional[str] = None, kept: Optional[float] = 5.0, idle: float = 60.0, **more: Any) -> Facts:
    """Return what keepalive_info says of a node's port, or of a server, behind a load balancer of that idle timeout."""
    asked = http_target(node)
    values: Dict[str, Any] = {
        **{name: asked[name] for name in ("name", "url", "host", "node", "address", "port")},
        "method": "GET",
        "ended": End.FIN if kept is not None else End.OPEN,
        "kept_seconds": kept,
        "at_least_seconds": kept if kept is not None else 130.0,
        "resolution_seconds": 0.01,
        "load_balancer": "AWS Application Load Balancer",
        "idle_seconds": idle,
    }
    return KeepaliveResult(**{**values, **more}).as_fact()
