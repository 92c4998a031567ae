# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For every rule a situation in which it fires, and the nearest one in which it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.netfit.cluster.plugins.module_utils._model.declared import MtuMeaning
from ansible_collections.netfit.cluster.plugins.module_utils._model.fact import as_plain
from ansible_collections.netfit.cluster.plugins.module_utils._model.finding import Finding
from ansible_collections.netfit.cluster.plugins.module_utils._model.node_port import TrafficPolicy
from ansible_collections.netfit.cluster.plugins.module_utils._model.path import Verdict
from ansible_collections.netfit.cluster.plugins.module_utils._model.trace import Drop, DropKind, IcmpFate
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess import assess_cluster, assess_host, finish
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.assess_mesh import assess_mesh
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.policy import Policy
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.problems import not_audited
from ansible_collections.netfit.cluster.plugins.plugin_utils._rules.read_paths import read_measured
from ansible_collections.netfit.cluster.tests.unit import builders as b

SOMAXCONN, TIMESTAMPS = "net.core.somaxconn", "net.ipv4.tcp_timestamps"
Facts = Dict[str, Any]


@dataclass(frozen=True)
class Situation:
    """hosts: facts by name, None for one that could not be asked. The rest: what was measured from n1."""

    hosts: Mapping[str, Optional[Facts]]
    paths: Tuple[Facts, ...] = ()
    tcp_paths: Tuple[Facts, ...] = field(default=())
    traces: Tuple[Facts, ...] = field(default=())
    http: Tuple[Facts, ...] = field(default=())
    idle: Tuple[Facts, ...] = field(default=())

    def audit(self, policy: Policy) -> List[Finding]:
        """Return all that an audit of these hosts tells."""
        facts = {name: given for name, given in self.hosts.items() if given is not None}
        measured = {name: read_measured(name) for name in facts}
        if "n1" in facts:
            kinds = (self.paths, self.tcp_paths, self.traces, self.http, self.idle)
            measured["n1"] = read_measured("n1", *map(list, kinds))
        own = [one for name in facts for one in assess_host(name, facts[name], policy, measured[name])]
        mesh = assess_mesh(measured, facts, policy)
        kept = [one for one in own if one.fingerprint not in mesh.explained]
        gone = [not_audited(name, policy, "no answer") for name in self.hosts if name not in facts]
        return finish(policy, [*kept, *assess_cluster(facts, policy), *mesh.findings, *gone])


def _one(facts: Facts) -> Situation:
    return Situation({"n1": facts})


def _node(*declarations: Any, **more: Any) -> Facts:
    return b.facts([b.node(1, **more)], declarations)


def _docker(mtu: int, bridge: int = 1500, port: Optional[int] = None, uplink: int = 1500, declares: int = 0) -> Facts:
    """A host with docker0 and one container."""
    end = port or mtu
    links = [
        b.link("eth0", uplink, "physical", 2, "192.0.2.10/24"),
        b.link("docker0", bridge, "bridge", 4, "172.17.0.1/16"),
        b.link("veth9", end, "veth", 9, master="docker0", bridge="docker0", peer=b.peer(77, 8, "eth0", mtu)),
    ]
    inside = [b.link("eth0", mtu, "veth", 8, "172.17.0.2/16", peer=b.peer(b.HOST_INODE, 9, "veth9", end))]
    daemon = b.declared("docker", declares, MtuMeaning.INTERFACE, "/etc/docker/daemon.json", link="docker0")
    return b.facts(
        [
            b.network(b.HOST_INODE, b.host("n1"), links, [b.route("0.0.0.0/0", "eth0", "192.0.2.1")]),
            b.network(
                77, b.container(), inside, [b.route("0.0.0.0/0", "eth0", "172.17.0.1")], ["/run/docker/netns/77"]
            ),
        ],
        [daemon] if declares else [],
    )


def _nodes(*overlays: int) -> Situation:
    return Situation(
        {
            f"n{number}": b.facts([b.node(number, len(overlays), overlay, overlay + 50)])
            for number, overlay in enumerate(overlays, 1)
        }
    )


def _guard(**noted: Any) -> Facts:
    facts = _node()
    facts["netfit_mtu"]["guard"] = {"pending": None, "rolled_back": [], **noted}
    return facts


def _flannel(value: int) -> Facts:
    file = "/etc/kube-flannel/net-conf.json"
    return _node(b.declared("flannel", value, MtuMeaning.UNDERLAY, file, "Backend.MTU", link="flannel.1"))


def _path(*arguments: Any, **more: Any) -> Situation:
    return Situation({"n1": _node()}, (b.path("n3", *arguments, **more),))


def _port(*arguments: Any, **more: Any) -> Situation:
    return Situation({"n1": _node()}, tcp_paths=(b.tcp_path("n3", *arguments, **more),))


def _http(*targets: Facts) -> Situation:
    return Situation({"n1": _node()}, http=targets)


def _idle(kept: float) -> Situation:
    return Situation({"n1": _node()}, idle=(b.idle_target(kept=kept),))


def _trace(**icmp: Any) -> Situation:
    fate = IcmpFate(sent=True, sent_by="192.0.2.1", host="n1", **icmp)
    return Situation({"n1": _node()}, traces=(as_plain(Drop(DropKind.TOO_BIG, "dropped in n1", 1500, icmp=fate)),))


def _listener(listener: Any, **more: Any) -> Situation:
    return _one(b.facts(queues=[b.queue(77, b.container(), [listener], paths=["/run/docker/netns/77"], **more)]))


def _sysctls(on_host: Dict[str, str], inside: Optional[Dict[str, str]] = None) -> Situation:
    namespaces = [b.sysctl(b.HOST_INODE, b.host("n1"), on_host)]
    if inside is not None:
        namespaces.append(b.sysctl(77, b.pod(), inside, paths=["/run/netns/p"]))
    return _one(b.facts(sysctls=namespaces, scopes=dict.fromkeys(inside or {}, "namespace")))


def _line(value: Optional[str], file: str = "/etc/sysctl.d/10-a.conf") -> Facts:
    source = None if value is None else {"file": file, "line": 3, "key": "as written"}
    return {"value": value, "source": source}


def _filed(
    key: str, live: Optional[str], in_file: Optional[str], shadowed: Any = (), effect: str = "normal"
) -> Situation:
    facts = b.facts(sysctls=[b.sysctl(b.HOST_INODE, b.host("n1"), {key: live} if live is not None else {})])
    facts["netfit_sysctl"]["files"] = {
        "programs": {"next_boot": "systemd-sysctl", "system": "procps 4"},
        "conf_at_boot": True,
        "parameters": {
            key: {
                "live": live,
                "next_boot": _line(in_file),
                "system": _line(in_file),
                "shadowed": list(shadowed),
                "writers": [],
                "effect": {"kind": effect, "reason": None},
            }
        },
    }
    return _one(facts)


def _shadowed(value: str) -> Facts:
    line = _line(value, "/etc/sysctl.d/05-b.conf")
    return {**line, "program": "next_boot", "reason": "later_line", "by": "/etc/sysctl.d/10-a.conf:3"}


def _broken_file(*problems: Any) -> Situation:
    return _one(b.facts([b.node(1)], problems=problems))


def _node_ports(policy: TrafficPolicy) -> Situation:
    numbers = (1, 2, 3)
    hosts = {f"n{one}": b.facts([b.node(one, 3)], node_ports=[b.node_port(one, policy=policy)]) for one in numbers}
    return Situation(hosts)


CASES: Dict[str, Tuple[Situation, Situation]] = {
    "MTU-001": (Situation(b.incident()), Situation(b.incident(pod_mtu=1450))),
    "MTU-002": (_one(_node(overlay_mtu=1451)), _one(_node(overlay_mtu=1450))),
    "MTU-003": (_one(_docker(1400, bridge=1500)), _one(_docker(1400, bridge=1400))),
    "MTU-004": (_one(_docker(1500, bridge=1450, port=1450)), _one(_docker(1450, bridge=1450, port=1450))),
    "MTU-005": (_one(_docker(1500, declares=1450)), _one(_docker(1500, declares=1500))),
    "MTU-006": (_nodes(1450, 1450, 1350), _nodes(1450, 1450, 1450)),
    "MTU-007": (_one(_docker(1500, uplink=1499)), _one(_docker(1500, uplink=1500))),
    "MTU-008": (
        _one(_guard(rolled_back=[{"run": "r", "moment": None, "reason": "no answer", "changes": []}])),
        _one(_guard(pending={"run": "r", "deadline": "2026-11-26T01:00:12Z"})),
    ),
    "MTU-009": (_one(_node(b.conflist(1451))), _one(_node(b.conflist(1450)))),
    "MTU-010": (_one(_flannel(1450)), _one(_flannel(1500))),
    "PATH-001": (_path(b.black(1400)), _path(b.reduced(1400))),
    "PATH-002": (_path(b.reduced(1400), b.reduced(1400)), _path()),
    "PATH-003": (_path(b.reduced(1400), b.reduced(1300)), _path(b.reduced(1400), b.reduced(1400))),
    "PATH-004": (
        _path(b.direction(1500, lost=5, samples=40)),
        _path(b.direction(1500, lost=2, samples=40)),
    ),
    "PATH-005": (_path(b.reduced(1400), cached_mtu=1400), _path(b.reduced(1400))),
    "PATH-006": (_trace(filtered_by="nft inet filter output: drop"), _trace()),
    "PATH-007": (
        _path(b.direction(1450), b.direction(1450), expected_mtu=1451),
        _path(b.direction(1450), b.direction(1450), expected_mtu=1450),
    ),
    "PATH-008": (_path(cached_mtu=1499), _path(cached_mtu=1500)),
    "MSS-001": (_port(1450, Verdict.REDUCED, mss=1411), _port(1450, Verdict.REDUCED, mss=1410)),
    "NODEPORT-001": (_node_ports(TrafficPolicy.CLUSTER), _node_ports(TrafficPolicy.LOCAL)),
    "QUEUE-001": (_listener(b.listener(8080, 510, "app")), _listener(b.listener(8080, 511, "app"))),
    "QUEUE-002": (_listener(b.listener(80, 128, "nginx")), _listener(b.listener(80, 128, "nginx"), somaxconn=128)),
    "QUEUE-003": (
        _listener(b.listener(80, 511, "nginx", queue=512)),
        _listener(b.listener(80, 511, "nginx", queue=511)),
    ),
    "QUEUE-004": (
        _listener(b.listener(80, 511, "nginx"), rates={"TcpExt.TCPReqQFullDrop": 1.0}),
        _listener(b.listener(80, 511, "nginx"), rates={"TcpExt.TCPReqQFullDrop": 0.0}),
    ),
    "SYSCTL-001": (_sysctls({SOMAXCONN: "4095"}), _sysctls({SOMAXCONN: "4096"})),
    "SYSCTL-002": (
        _sysctls({SOMAXCONN: "4096"}, {SOMAXCONN: "128"}),
        _sysctls({SOMAXCONN: "4096"}, {SOMAXCONN: "4096"}),
    ),
    "SYSCTL-003": (_filed(SOMAXCONN, "16384", "8192"), _filed(SOMAXCONN, "16384", "16384")),
    "SYSCTL-004": (
        _filed(SOMAXCONN, "8192", "8192", [_shadowed("512")]),
        _filed(SOMAXCONN, "8192", "8192", [_shadowed("8192")]),
    ),
    "SYSCTL-005": (
        _filed("net.ipv4.tcp_tw_recycle", None, "1", effect="removed"),
        _filed("net.ipv4.tcp_tw_recycle", None, None, effect="removed"),
    ),
    "SYSCTL-006": (_sysctls({TIMESTAMPS: "0"}), _sysctls({TIMESTAMPS: "1"})),
    "HTTP-001": (
        _http(b.http_target(sizes={0: (0, 20), 20000: (15, 20)})),
        _http(b.http_target(sizes={0: (3, 20), 20000: (7, 20)})),
    ),
    "HTTP-002": (
        _http(b.http_target("n1", {3000: (20, 20)}), b.http_target("n2", {3000: (0, 20)})),
        _http(b.http_target("n1", {3000: (20, 20)}), b.http_target("n2", {3000: (19, 20)})),
    ),
    "HTTP-003": (_idle(60.0), _idle(70.0)),
    "AUDIT-001": (_broken_file(b.problem("daemon.json", "not JSON", "/etc/docker/daemon.json")), _broken_file()),
    "AUDIT-002": (Situation({"n1": None}), _one(_node())),
}
"""Rule -> where it fires, and where it does not."""
