# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU-010: a number that was written in the meaning of another setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Set, Tuple

from ...module_utils._model.finding import Evidence, Finding, Remedy, Severity
from .making import NETLINK, fail, place
from .mtu import uplink
from .overlay import carried_routes
from .path_view import PathView
from .policy import Policy
from .view import DeclaredView, HostView, LinkView, NetworkView

CALICO_DEVICES = ("vxlan.calico", "vxlan-v6.calico", "tunl0", "wireguard.cali", "wg-v6.cali")
FOUND_BY_FELIX = "/var/lib/calico/mtu"
"""Written by Calico's own daemon, and so by nobody who could mistake a meaning."""
DOCKER_OVERHEAD = 50
"""What docker takes off for VXLAN, whatever carries it: moby daemon/libnetwork/drivers/overlay."""


@dataclass(frozen=True)
class Below:
    """What an overlay stands on. device: its name; link, mtu: of the underlay; overhead: bytes of the encapsulation."""

    device: str
    link: str
    mtu: int
    overhead: int


def confused(host: HostView, policy: Policy, paths: Sequence[PathView]) -> Tuple[List[Finding], Set[str]]:
    """MTU-010. Return the findings, and the sources of the declarations that they are about.

    Fires where a number is, to the byte, what it would be in the other meaning. paths: measured from the host; a
    number that a path was measured to carry is the truth about the underlay, and no mistake.
    """
    home = host.host_network
    findings: List[Finding] = []
    sources: Set[str] = set()
    if home is None:
        return findings, sources
    sizes = {direction.path_mtu for path in paths for _way, direction in path.ways if path.kind == "host-host"}
    for one in host.declared:
        if not one.active or one.value <= 0 or one.source in sources:
            continue
        below = _final_as_underlay(home, one) or (
            _underlay_as_final(host, home, one) if one.value not in sizes else None
        )
        if below is not None:
            findings.append(_finding(host, policy, home, one, below))
            sources.add(one.source)
    return findings, sources


def _final_as_underlay(home: NetworkView, one: DeclaredView) -> Optional[Below]:
    """Calico subtracts nothing from a number that it is given; this one is the underlay's."""
    if one.stack != "calico" or one.meaning != "interface" or one.path == FOUND_BY_FELIX:
        return None
    devices = [link for link in home.links if link.name in CALICO_DEVICES and link.up and carried_routes(home, link)]
    return next((below for below in _below(devices) if one.value == below.mtu), None)


def _underlay_as_final(host: HostView, home: NetworkView, one: DeclaredView) -> Optional[Below]:
    """The stack subtracts its overhead from a number from which it was subtracted already."""
    if one.meaning != "underlay":
        return None
    if one.stack == "flannel":
        devices = [link for link in [home.link(one.link)] if link is not None]
    elif one.stack == "cilium":
        devices = [link for link in home.links if link.name.startswith("cilium_") and link.tunnel is not None]
    else:
        return _docker(host, one) if one.stack == "docker" else None
    return next((below for below in _below(devices) if one.value == below.mtu - below.overhead), None)


def _docker(host: HostView, one: DeclaredView) -> Optional[Below]:
    hidden = [link for network in host.members for link in network.links if link.tunnel is not None]
    found = [below for below in _below(hidden) if below.overhead == DOCKER_OVERHEAD]
    way_out = uplink(host)
    if not found and way_out is not None:
        found = [Below("overlay networks", way_out[0].name, way_out[1], DOCKER_OVERHEAD)]
    return next((below for below in found if one.value == below.mtu - below.overhead), None)


def _below(devices: Sequence[LinkView]) -> List[Below]:
    return [
        Below(link.name, link.tunnel.underlay or "the underlay", link.tunnel.underlay_mtu, link.tunnel.overhead)
        for link in sorted(devices, key=lambda one: one.name)
        if link.tunnel is not None and link.tunnel.underlay_mtu and link.tunnel.overhead
    ]


def _finding(host: HostView, policy: Policy, home: NetworkView, one: DeclaredView, below: Below) -> Finding:
    where, final = place(host.name, home), one.meaning == "interface"
    fits = below.mtu - below.overhead
    expected = (
        f"{fits}: to {one.stack} it is the final MTU, nothing is subtracted"
        if final
        else f"{below.mtu}: to {one.stack} it is the underlay's MTU, and {below.overhead} are subtracted from it"
    )
    outcome = (
        f"pods get {one.value}, and {below.device} carries {fits}"
        if final
        else f"{below.overhead} bytes of each packet are given away: {one.value - below.overhead} instead of {fits}"
    )
    evidence = [
        Evidence(f"{one.stack} declares", one.value, one.source),
        Evidence(f"MTU of {below.link}, the underlay of {below.device}", below.mtu, NETLINK),
        Evidence(f"bytes that the encapsulation of {below.device} takes", below.overhead, NETLINK),
        Evidence(outcome, None, None),
    ]
    variables = {"files": [one.source], "pod_mtu" if final else "underlay_mtu": fits if final else below.mtu}
    return fail(
        "MTU-010",
        policy,
        where.target(path=one.path) if one.path else where.target(link=below.device),
        f"{one.source} is {one.value}, " + ("the underlay's MTU" if final else "the underlay's less the overhead"),
        expected,
        evidence,
        Remedy("cni_mtu", variables, "none; new pods and containers only", True),
        None if final else Severity.LOW,
    )
