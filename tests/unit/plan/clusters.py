# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters for the MTU plan: nodes with an overlay or without, one pod on each, and what was measured between them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ansible_collections.netfit.cluster.plugins.filter.mtu_plan import mtu_plan
from ansible_collections.netfit.cluster.tests.unit import builders as b

Facts = Dict[str, Any]
DEVICES = {"vxlan": "flannel.1", "wireguard": "flannel-wg", "ipip": "tunl0"}
HOST_END, POD_INODE = 70, 9000


def node(
    number: int,
    nodes: int = 2,
    link_mtu: int = 1500,
    pod_mtu: int = 1500,
    kind: Optional[str] = "vxlan",
    overhead: int = 50,
    family: str = "ipv4",
    device_mtu: Optional[int] = None,
    declarations: Any = (),
    extra: Any = (),
    networks: Any = (),
) -> Facts:
    """Facts of one node with one pod, calico's way: no bridge. kind: of the tunnel, None for plain routes."""
    others = [other for other in range(1, nodes + 1) if other != number]
    six = family == "ipv6"
    address = f"2001:db8:7::{number}/64" if six else f"198.18.7.{number}/24"
    gateway = "2001:db8:7::ff" if six else "198.18.7.254"
    links = [
        b.link("lo", 65536, "loopback", 1, "127.0.0.1/8"),
        b.link("eth0", link_mtu, "physical", 2, address),
        b.link("cali1", pod_mtu, "veth", HOST_END, peer=b.peer(POD_INODE + number, 3, "eth0", pod_mtu)),
        *extra,
    ]
    routes = [b.route("::/0" if six else "0.0.0.0/0", "eth0", gateway)]
    for other in others:
        if kind is None:
            routes.append(b.route(f"10.42.{other}.0/24", "eth0", f"198.18.7.{other}"))
        else:
            routes.append(b.route(f"10.42.{other}.0/24", DEVICES[kind], f"10.42.{other}.0"))
    if kind is not None:
        tunnel = b.tunnel(kind=kind, overhead=overhead, underlay_mtu=link_mtu, underlay_family=family, identifier=1)
        mtu = device_mtu if device_mtu is not None else link_mtu - overhead
        links.append(b.link(DEVICES[kind], mtu, kind, 3, f"10.42.{number}.0/32", encapsulation=tunnel))
    pod = b.pod_network(POD_INODE + number, b.pod(f"web{number}"), pod_mtu, f"10.42.{number}.5/32", HOST_END)
    home = b.network(b.HOST_INODE, b.host(f"n{number}"), links, routes)
    return b.facts([home, pod, *networks], declarations)


def measured(to: str, size: int, link_mtu: int = 1500, family: str = "ipv4", back: Optional[int] = None) -> Facts:
    """A path between two hosts that carries so many bytes in each direction."""
    there = b.direction(size, link_mtu=link_mtu) if size == link_mtu else b.black(size)
    home = back if back is not None else size
    return b.path(to, there, b.direction(home) if home == link_mtu else b.black(home), link_mtu=link_mtu, family=family)


def with_paths(facts: Dict[str, Facts], **paths: List[Facts]) -> Dict[str, Facts]:
    """Return the facts with what was measured from each host, as module assess leaves it there."""
    return {
        name: {**own, "netfit_assessment": {"status": "audited", "reason": None, "paths": paths.get(name, [])}}
        for name, own in facts.items()
    }


def pair(underlay: int, *, link_mtu: Optional[int] = None, family: str = "ipv4", **more: Any) -> Dict[str, Facts]:
    """Two nodes; the path between them carries that many bytes. link_mtu: of their links, by default the same."""
    size = link_mtu if link_mtu is not None else underlay
    nodes = {f"n{number}": node(number, link_mtu=size, family=family, **more) for number in (1, 2)}
    return with_paths(nodes, n1=[measured("n2", underlay, size, family)])


def plan_of(facts: Dict[str, Facts], **options: Any) -> Dict[str, Any]:
    """Return the plan, by the filter itself."""
    found: Dict[str, Any] = mtu_plan(facts, **options)
    return found


def applied(facts: Dict[str, Facts], plan: Dict[str, Any]) -> Dict[str, Facts]:
    """Return the facts as they are once every link, route and setting is as the plan says."""
    done = {}
    for name, own in facts.items():
        host = plan["hosts"].get(name, {"steps": [], "routes": [], "knobs": []})
        mtu = own["netfit_mtu"]
        sizes = {(home_of(mtu, step), step["link"]): step["mtu"] for step in host["steps"]}
        routes = {(home_of(mtu, one), one["destination"]): one["mtu"] for one in host["routes"]}
        spaces = [_space(space, sizes, routes) for space in mtu["namespaces"]]
        values = {one["file"]: one["value"] for one in host["knobs"]}
        declared = [{**one, "value": values.get(_place(one), one["value"])} for one in mtu["declared"]]
        declared += [_written(one) for one in host["knobs"] if one["file"] is None]
        done[name] = {**own, "netfit_mtu": {**mtu, "namespaces": spaces, "declared": declared}}
    return done


def _place(declared: Facts) -> str:
    source = declared["source"]
    return f"{source['file']}:{source['line']} {source['key']}"


def _written(knob: Facts) -> Facts:
    source = {"file": "/written", "line": 1, "key": knob["knob"]}
    link = "docker0" if knob["stack"] == "docker" else None
    common = {"stack": knob["stack"], "value": knob["value"], "meaning": "interface", "source": source}
    return {**common, "link": link, "network": None, "name": None, "active": True}


def home_of(mtu: Facts, entry: Facts) -> int:
    for space in mtu["namespaces"]:
        owner = space["owner"]
        if "namespace" in entry and entry["namespace"] in space["paths"]:
            return int(space["inode"])
        if "pid" in entry and owner["pid"] == entry["pid"] and owner["kind"] != "host":
            return int(space["inode"])
    return b.HOST_INODE


def _space(space: Facts, sizes: Any, routes: Any) -> Facts:
    inode = space["inode"]
    links = [{**link, "mtu": sizes.get((inode, link["name"]), link["mtu"])} for link in space["links"]]
    by_name = {link["name"]: link["mtu"] for link in links}
    for link in links:
        tunnel = link["encapsulation"]
        if tunnel is not None and tunnel["underlay"] in by_name:
            link["encapsulation"] = {**tunnel, "underlay_mtu": by_name[tunnel["underlay"]]}
    ways = [
        {**way, "mtu": routes.get((inode, "default"), way["mtu"])} if way["destination"] == "0.0.0.0/0" else way
        for way in space["routes"]
    ]
    return {**space, "links": links, "routes": ways}
