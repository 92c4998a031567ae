# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Calico: the MTU that Felix found for the pods of this node."""

from __future__ import annotations

from typing import Sequence

from .._model.declared import MtuMeaning
from .._model.fact import Source
from .cni_networks import CniNetwork
from .declarations import Declarations
from .json_text import JsonNode

MTU_FILE = "/var/lib/calico/mtu"


def read_calico(declarations: Declarations, networks: Sequence[CniNetwork]) -> None:
    """Add what /var/lib/calico/mtu says: one decimal number, the final MTU of a pod's interface.

    It is in force where the CNI configuration in force names the calico plugin without an MTU of its own (0 or none).
    Where no CNI configuration could be found, it counts as in force. Source: calico v3.17 and newer,
    felix/dataplane/linux/int_dataplane.go writeMTUFile and cni-plugin/pkg/plugin/plugin.go.
    """
    subject = "calico mtu file"
    text = declarations.text(MTU_FILE, subject)
    if text is None:
        return
    if not text.strip():
        declarations.problem(subject, "it is empty", MTU_FILE)
        return
    in_force = [network for network in networks if network.active and network.tool is None]
    plugins = [plugin for network in in_force for plugin in network.plugins if plugin.text("type") == "calico"]
    automatic = [plugin for plugin in plugins if not _explicit_mtu(plugin)]
    declarations.declare(
        "calico",
        text.strip(),
        MtuMeaning.INTERFACE,
        Source(MTU_FILE, 1, "mtu"),
        subject=subject,
        as_text=True,
        active=bool(automatic) or not in_force,
    )


def _explicit_mtu(plugin: JsonNode) -> bool:
    node = plugin.field("mtu")
    return node is not None and bool(node.scalar)
