# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTUs that CNI network configurations declare."""

from __future__ import annotations

from typing import Dict, Optional, Sequence

from .._model.declared import MtuMeaning
from .._model.fact import Source
from .cni_networks import SUBJECT, CniNetwork
from .declarations import Declarations, network_of
from .json_text import JsonNode

# What "mtu" means to a plugin. bridge, ptp, macvlan, ipvlan, vlan, tap, tuning: containernetworking/plugins; calico,
# weave-net, aws-cni: the pod's interface as well. cilium-cni and rancher-bridge subtract their overhead from it.
_MEANINGS: Dict[str, MtuMeaning] = {
    "bridge": MtuMeaning.INTERFACE,
    "ptp": MtuMeaning.INTERFACE,
    "macvlan": MtuMeaning.INTERFACE,
    "ipvlan": MtuMeaning.INTERFACE,
    "vlan": MtuMeaning.INTERFACE,
    "tap": MtuMeaning.INTERFACE,
    "tuning": MtuMeaning.INTERFACE,
    "calico": MtuMeaning.INTERFACE,
    "weave-net": MtuMeaning.INTERFACE,
    "aws-cni": MtuMeaning.INTERFACE,
    "cilium-cni": MtuMeaning.UNDERLAY,
    "rancher-bridge": MtuMeaning.UNDERLAY,
}
_STACKS = {"weave-net": "weave", "cilium-cni": "cilium"}
# Plugins that want the number in quotes.
_AS_TEXT = ("aws-cni",)


def declare_cni_mtus(declarations: Declarations, networks: Sequence[CniNetwork]) -> None:
    """Add the MTU of every plugin that has one.

    ``link`` is the bridge for the plugins that make one (default cni0). A plugin whose "mtu" has a meaning that isn't
    known here becomes a problem: no guess.
    """
    for network in networks:
        for plugin in network.plugins:
            if plugin.text("type") == "flannel":
                delegate = plugin.field("delegate")
                if delegate is not None:
                    _declare(declarations, network, delegate, delegate.text("type") or "bridge")
            else:
                _declare(declarations, network, plugin, plugin.text("type") or "")


def _declare(declarations: Declarations, network: CniNetwork, plugin: JsonNode, kind: str) -> None:
    mtu = plugin.field("mtu")
    if mtu is None:
        return
    if kind not in _MEANINGS:
        if mtu.scalar:
            reason = f"line {mtu.line}: what {mtu.path} means to the plugin {kind!r} is not known to netfit"
            declarations.problem(SUBJECT, reason, network.file)
        return
    declarations.declare(
        _stack(network, plugin, kind),
        mtu.scalar_or_kind(),
        _MEANINGS[kind],
        Source(network.file, mtu.line, mtu.path),
        subject=SUBJECT,
        as_text=kind in _AS_TEXT,
        link=_link(plugin, kind),
        network=_range(plugin),
        name=network.name,
        active=network.active,
    )


def _stack(network: CniNetwork, plugin: JsonNode, kind: str) -> str:
    if network.tool:
        return network.tool
    if kind == "calico":
        return "canal" if "canal" in network.file.rpartition("/")[2] else "calico"
    # The delegate of the flannel plugin is a bridge on flannel's behalf.
    if ".delegate." in f".{plugin.path}.":
        return "flannel"
    return _STACKS.get(kind, "cni")


def _link(plugin: JsonNode, kind: str) -> Optional[str]:
    if kind == "bridge":
        return plugin.text("bridge") or "cni0"
    return "weave" if kind == "weave-net" else None


def _range(plugin: JsonNode) -> Optional[str]:
    """Return the address range of the plugin's host-local address management, the first one of several."""
    management = plugin.field("ipam")
    if management is None:
        return None
    for ranges in management.elements("ranges"):
        for entry in ranges.items:
            return network_of(entry.text("subnet"))
    return network_of(management.text("subnet"))
