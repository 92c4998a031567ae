# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of any size, made of the facts of one node with one pod and of paths, recorded in the lab's incident.

Clusters of CLUSTER nodes with PODS pods each, every node with routes to the pods of its cluster, and one load balancer
that measures a node port of every node. The same number of hosts is always the same fleet:

- every tenth cluster is the incident: pods of 1500 bytes over an overlay of 1450, its nodes refuse packets;
- every fourth pod has a listen queue of 128;
- of every hundred hosts one is behind a black hole of 1400 bytes, one has an overlay device of 1400;
- of every two hundred one is unreachable.
"""

from __future__ import annotations

import functools
import ipaddress
import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

CLUSTER = 20
PODS = 4
NODE_PORT = 30004
VANTAGE = "lb"
RECORDED = Path(__file__).with_name("recorded.json")
HOST_INODE, POD_INODE = 4026532606, 4026532923
FIRST_INODE = 4026540000
VETH = "calif131c93ea18"
CONTAINER = "a7bfc52bcdd9ef6c56c7ed1c3f8f6ea63152907c73b796d0de675711db7894ea"
PROCESS_CONTAINER = "9431490a9ac57a86163d1b32cd8c001a1f7f1adcab63d42b22896b0d78b27163"
"""What is told apart in the recorded facts, and replaced."""
FIRST_ADDRESS = ipaddress.IPv4Address("172.16.0.10")
UNREACHABLE = "Connection timed out"
BLACK_HOLE = {
    "verdict": "black hole",
    "path_mtu": 1400,
    "at_least": 1400,
    "at_most": 1400,
    "limited_by": None,
    "tries_above": 6,
    "confidence": 0.999999,
}

Facts = Dict[str, Any]
Replacements = Mapping[str, str]


@functools.lru_cache(maxsize=None)
def recorded() -> Any:
    """Return what was recorded: facts, path, and tcp_path by verdict."""
    return json.loads(RECORDED.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=None)
def _template(fact: str, part: str) -> str:
    """Return a part of a recorded fact as JSON: the namespace of the host or of the pod, or all but the namespaces."""
    whole = recorded()["facts"][fact]
    if part == "rest":
        return json.dumps({name: value for name, value in whole.items() if name != "namespaces"})
    return json.dumps(next(one for one in whole["namespaces"] if one["owner"]["kind"] == part))


def _replaced(text: str, replacements: Replacements) -> Any:
    for old, new in replacements.items():
        text = text.replace(old, new)
    return json.loads(text)


class Node:
    """One node of the fleet, by its number from 0."""

    def __init__(self, number: int, count: int, pods: int = PODS) -> None:
        self.number, self.pods = number, pods
        self.cluster, self.place = divmod(number, CLUSTER)
        self.members = range(self.cluster * CLUSTER, min((self.cluster + 1) * CLUSTER, count))

    @property
    def name(self) -> str:
        """Its name in the inventory; those of a cluster follow each other in order."""
        return f"c{self.cluster:03d}-n{self.place:02d}"

    @property
    def address(self) -> str:
        """Its own address."""
        return str(FIRST_ADDRESS + self.number)

    @property
    def unreachable(self) -> bool:
        """Whether it gives no facts."""
        return self.number % 200 == 77

    @property
    def behind_black_hole(self) -> bool:
        """Whether large packets from and to it vanish."""
        return self.number % 100 == 33

    @property
    def incident(self) -> bool:
        """Whether the pods of its cluster are larger than their overlay."""
        return self.cluster % 10 == 3

    def overlay_mtu(self) -> int:
        """Bytes."""
        return 1400 if self.number % 100 == 55 else 1450

    def facts(self) -> Facts:
        """Return its facts, as network_facts returns them."""
        own = self._own()
        found: Facts = {}
        for fact in recorded()["facts"]:
            namespaces = [_replaced(_template(fact, "host"), own)]
            namespaces += [_replaced(_template(fact, "pod"), self._pod(pod)) for pod in range(self.pods)]
            found[fact] = {**_replaced(_template(fact, "rest"), own), "namespaces": namespaces}
        self._set_links(found["netfit_mtu"]["namespaces"])
        self._set_queues(found)
        return found

    def _inode(self, pod: int) -> int:
        return FIRST_INODE + self.number * 300 + 1 + pod

    def _pod_address(self, pod: int) -> str:
        return f"10.{self.cluster % 250}.{self.place + 1}.{pod + 2}"

    def _own(self) -> Replacements:
        return {
            str(HOST_INODE): str(self._inode(-1)),
            '"n2"': f'"{self.name}"',
            "198.18.7.12": self.address,
            "198.18.7.0/24": "172.16.0.0/12",
            "198.18.7.1": "172.16.0.1",
            "10.42.0.0/16": f"10.{self.cluster % 250}.0.0/16",
            "10.42.2.0": f"10.{self.cluster % 250}.{self.place + 1}.0",
        }

    def _pod(self, pod: int) -> Replacements:
        identifier = f"{self.number * 300 + pod:08x}"
        return {
            str(POD_INODE): str(self._inode(pod)),
            str(HOST_INODE): str(self._inode(-1)),
            VETH: f"cali{identifier}",
            CONTAINER: identifier * 8,
            PROCESS_CONTAINER: f"{identifier[::-1]}" * 8,
            "prod/gateway": f"prod/gateway-{pod}-{identifier}",
            '"gateway"': f'"gateway-{pod}-{identifier}"',
            "cni-9577a66d": f"cni-{identifier}",
            "10.42.2.2": self._pod_address(pod),
        }

    def _set_links(self, namespaces: List[Facts]) -> None:
        home = namespaces[0]
        veth = json.dumps(next(link for link in home["links"] if link["name"] == VETH))
        way = json.dumps(next(route for route in home["routes"] if route["device"] == VETH))
        far = json.dumps(next(route for route in home["routes"] if route["device"] == "flannel.1"))
        links = [link for link in home["links"] if link["name"] != VETH]
        routes = [route for route in home["routes"] if route["device"] not in (VETH, "flannel.1")]
        for pod in range(self.pods):
            replacements = self._pod(pod)
            links.append({**_replaced(veth, replacements), "index": 4 + pod})
            routes.append(_replaced(way, replacements))
        for other in (Node(number, 0) for number in self.members if number != self.number):
            network = f"10.{self.cluster % 250}.{other.place + 1}.0"
            routes.append({**json.loads(far), "destination": f"{network}/24", "gateway": network})
        home["links"], home["routes"] = links, routes
        for link in links:
            link["mtu"] = self.overlay_mtu() if link["kind"] == "vxlan" else link["mtu"]
        for pod, namespace in enumerate(namespaces[1:]):
            end = next(link for link in namespace["links"] if link["name"] == "eth0")
            end["peer"]["index"] = 4 + pod
            for one in (end, links[-self.pods + pod]):
                one["mtu"] = one["peer"]["mtu"] = 1500 if self.incident else self.overlay_mtu()

    def _set_queues(self, found: Facts) -> None:
        queues, sysctls = found["netfit_listen_queues"]["namespaces"], found["netfit_sysctl"]["namespaces"]
        if self.incident:
            queues[0]["rates"]["Ip.FragFails"] = 0.5
        for pod in (number for number in range(self.pods) if number % 4):
            queues[pod + 1]["somaxconn"] = 4096
            sysctls[pod + 1]["values"]["net.core.somaxconn"]["value"] = "4096"
            for listener in queues[pod + 1]["listeners"]:
                listener["effective_backlog"] = 4096


class Vantage(Node):
    """The host outside the clusters: the same facts, without pods and overlay."""

    name = VANTAGE

    def __init__(self, count: int) -> None:
        super().__init__(count, count, 0)
        self.members = range(0)

    @property
    def unreachable(self) -> bool:
        """It always answers."""
        return False

    def facts(self) -> Facts:
        """Return its facts."""
        found = super().facts()
        home = found["netfit_mtu"]["namespaces"][0]
        home["links"] = [link for link in home["links"] if link["kind"] != "vxlan"]
        found["netfit_mtu"]["declared"] = []
        return found


def fleet(count: int, pods: int = PODS) -> List[Node]:
    """Return that many nodes, the load balancer last."""
    return [*[Node(number, count, pods) for number in range(count)], Vantage(count)]


def measured(host: str, target: Mapping[str, Any], nodes: Mapping[str, Node]) -> Facts:
    """Return what path_mtu_info says of a target of the plan. nodes: of the fleet, by name."""
    ends = [nodes.get(host), nodes.get(target["about"]["peer"]["host"])]
    expected = target.get("expected_mtu") or 1500
    passing = {"path_mtu": expected, "at_least": expected, "at_most": expected}
    hole = any(end is not None and end.behind_black_hole for end in ends) and expected > 1400
    path = recorded()["path"]
    way = {**path["forward"], **(BLACK_HOLE if hole else passing)}
    return {
        **path,
        "name": target["name"],
        "target": target["address"],
        "address": target["address"],
        "source": _source(host, target.get("source") or {}),
        "verdict": way["verdict"],
        "forward": way,
        "back": {**path["back"], **(BLACK_HOLE if hole else passing)},
        "expected_mtu": target.get("expected_mtu"),
        "about": target["about"],
    }


def tcp_measured(target: Mapping[str, Any], nodes: Mapping[str, Node]) -> Facts:
    """Return what tcp_path_info says of a node port."""
    node: Optional[Node] = nodes.get(target["about"]["peer"]["host"])
    path = recorded()["tcp_path"]["black hole" if node is not None and node.incident else "ok"]
    return {
        **path,
        "name": target["name"],
        "target": f"{target['host']}:{target['port']}",
        "address": target["host"],
        "about": target["about"],
    }


def _source(host: str, source: Mapping[str, str]) -> Facts:
    empty = dict.fromkeys(("pod", "pod_namespace", "container_id", "runtime", "pid"))
    if "pod" not in source:
        return {"kind": "host", "name": host, **empty}
    namespace, _slash, pod = source["pod"].partition("/")
    return {**empty, "kind": "pod", "name": source["pod"], "pod": pod, "pod_namespace": namespace}


def names_of(nodes: Sequence[Node]) -> Dict[str, Node]:
    """Return the nodes by name."""
    return {node.name: node for node in nodes}
