# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules by which kube-proxy, in its iptables mode, sends a node port to a pod; pure text for iptables-restore.

Source: kubernetes pkg/proxy/iptables/proxier.go, syncProxyRules, portProtoHash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence

from .cluster_plan import Service

_MASQUERADE_MARK = "0x4000"
_HASH_LENGTH = 16
_CHAINS = ("KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ")
_JUMPS = {
    "PREROUTING": '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    "OUTPUT": '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    "POSTROUTING": '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
}
_OWN_CHAIN = re.compile(r"^:(KUBE-(?:SVC|SEP|EXT)-\S+)", re.MULTILINE)


def chain_name(prefix: str, *parts: str) -> str:
    """Return the name of a chain of a service or endpoint, as kube-proxy hashes it."""
    digest = hashlib.sha256("".join(parts).encode()).digest()
    return prefix + base64.b32encode(digest).decode()[:_HASH_LENGTH]


def table(
    services: Sequence[Service], addresses: Mapping[str, str], pod_network: str, saved: str, masquerade: Sequence[str]
) -> str:
    """Return the nat table for `iptables-restore --noflush`: it replaces our chains and leaves all others alone.

    addresses: "namespace/pod" to IPv4 address. saved: what `iptables-save -t nat` says now; chains that have lost their
    service or pod are taken from there and removed. masquerade: the rules of flannel's chain.
    """
    rules: list[str] = []
    chains = [*_CHAINS, "FLANNEL-POSTRTG"]
    for service in services:
        chains += _service_rules(service, addresses, pod_network, rules)
    rules.append(
        '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this'
        ' chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS'
    )
    stale = [chain for chain in _OWN_CHAIN.findall(saved) if chain not in chains]
    jumps = [rule for rule in _jumps() if rule.split(" -j ")[1] not in _jumped_to(saved, rule.split()[1])]
    lines = ["*nat", *(f":{chain} - [0:0]" for chain in (*chains, *stale)), *jumps, *_postrouting(), *rules]
    return "\n".join([*lines, *masquerade, *(f"-X {chain}" for chain in stale), "COMMIT", ""])


def _jumps() -> list[str]:
    flannel = '-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG'
    return [*_JUMPS.values(), flannel]


def _jumped_to(saved: str, chain: str) -> set[str]:
    return set(re.findall(rf"^-A {chain} .*-j (\S+)", saved, re.MULTILINE))


def _postrouting() -> list[str]:
    mark = _MASQUERADE_MARK
    return [
        f"-A KUBE-POSTROUTING -m mark ! --mark {mark}/{mark} -j RETURN",
        f"-A KUBE-POSTROUTING -j MARK --xor-mark {mark}",
        '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT"'
        " -j MASQUERADE --random-fully",
        f"-A KUBE-MARK-MASQ -j MARK --or-mark {mark}",
    ]


def _service_rules(
    service: Service, addresses: Mapping[str, str], pod_network: str, rules: list[str]
) -> tuple[str, ...]:
    """Add a service's rules and return its chains; a service whose pods have no address yet gets none."""
    name = service.port_name
    endpoints = [
        f"{addresses[key]}:{service.port}"
        for key in (f"{service.namespace}/{pod}" for pod in service.pods)
        if key in addresses
    ]
    if not endpoints:
        return ()
    cluster, external = chain_name("KUBE-SVC-", name, "tcp"), chain_name("KUBE-EXT-", name, "tcp")
    address = f"-p tcp -d {service.cluster_address}/32 --dport 80"
    rules += [
        f'-A KUBE-SERVICES -m comment --comment "{name} cluster IP" -m tcp {address} -j {cluster}',
        f"-A KUBE-NODEPORTS -m comment --comment {name} -m tcp -p tcp --dport {service.node_port} -j {external}",
        f'-A {external} -m comment --comment "masquerade traffic for {name} external destinations" -j KUBE-MARK-MASQ',
        f"-A {external} -j {cluster}",
        f'-A {cluster} -m comment --comment "{name} cluster IP" -m tcp {address} ! -s {pod_network} -j KUBE-MARK-MASQ',
    ]
    chains = [cluster, external]
    for number, endpoint in enumerate(endpoints):
        chain = chain_name("KUBE-SEP-", name, "tcp", endpoint)
        left = len(endpoints) - number
        share = f" -m statistic --mode random --probability {1 / left:.10f}" if left > 1 else ""
        rules += [
            f'-A {cluster} -m comment --comment "{name} -> {endpoint}"{share} -j {chain}',
            f"-A {chain} -m comment --comment {name} -s {endpoint.split(':')[0]} -j KUBE-MARK-MASQ",
            f"-A {chain} -m comment --comment {name} -m tcp -p tcp -j DNAT --to-destination {endpoint}",
        ]
        chains.append(chain)
    return tuple(chains)
