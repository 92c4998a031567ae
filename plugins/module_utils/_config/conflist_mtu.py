# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTU in a CNI configuration, of a single plugin or a chain of them.

Source: containernetworking/plugins (main plugins, tuning), cni SPEC, containers-common libnetwork/cni (podman_options).
"""

from __future__ import annotations

import json
from typing import List, Optional, Tuple

from .._model.declared import MtuMeaning
from .._model.docker_network import KERNEL_MTU
from .._model.mtu_config import Knob
from .drop_ins import Blocked
from .json_edit import add_member, replace_value, with_member
from .json_text import JsonNode, parse_json
from .mtu_ceiling import link_mtu

MAIN_PLUGINS = ("bridge", "ptp", "macvlan", "ipvlan", "vlan", "tap")
"""Those that make a container's interface and take an MTU for it, all with the same meaning."""
_TUNING = "tuning"
_WITH_MASTER = ("macvlan", "ipvlan", "vlan")
_PODMAN = ("args", "podman_options", "mtu")


def parse_conflist(file: str, text: str) -> JsonNode:
    """Return a configuration. Raises Blocked where it is none."""
    try:
        json.loads(text)
        node = parse_json(text)
    except ValueError as error:
        raise Blocked(f"{file} is no JSON ({error}): correct it, then run again") from error
    if node.kind != "object":
        raise Blocked(f"{file} holds no JSON object: correct it, then run again")
    return node


def main_plugins(node: JsonNode) -> List[JsonNode]:
    """Return the plugins of a configuration that take an MTU for the interface that they make."""
    return [plugin for plugin in _chain(node) if plugin.text("type") in MAIN_PLUGINS]


def with_mtu(text: str, mtu: int) -> str:
    """Return a configuration's text with the MTU for the interface that it makes.

    A plugin "tuning" that sets an MTU gets the same: it would take the container's end away from that of the host.
    """
    number = 0
    while True:
        places = _places(parse_json(text))
        if number >= len(places):
            break
        old = places[number].field("mtu")
        if old is None:
            text = add_member(text, places[number], "mtu", mtu)
        elif old.scalar_or_kind() != mtu or isinstance(old.scalar, bool):
            text = replace_value(text, old, mtu)
        number += 1
    options = parse_json(text).get(_PODMAN[0])
    options = options.get(_PODMAN[1]) if options is not None else None
    if options is not None and options.get(_PODMAN[2]) is not None:
        return with_member(text, _PODMAN, str(mtu))
    return text


def conflist_knobs(file: str, before: JsonNode, mtu: Optional[int]) -> Tuple[Knob, ...]:
    """Return a knob for each place of a configuration that takes the MTU. mtu: None where it is left as it is."""
    return tuple(
        Knob(f"{file} {plugin.path or plugin.text('type')} mtu", MtuMeaning.INTERFACE, now, now if mtu is None else mtu)
        for plugin, now in ((plugin, _now(plugin)) for plugin in _places(before))
    )


def mtus_in_force(root: str, node: JsonNode) -> List[int]:
    """Return what the plugins of a configuration give to containers now, in bytes, by a setting or without one."""
    found = []
    for plugin in _places(node):
        master = _master(plugin)
        inherited = (link_mtu(root, master) if master else None) or KERNEL_MTU
        if plugin.text("type") != _TUNING or _now(plugin):
            found.append(_now(plugin) or inherited)
    return found


def refuse_beyond_master(root: str, file: str, node: JsonNode, mtu: int) -> None:
    """Raise Blocked where a plugin would fail because the link that it sits on has a smaller MTU."""
    for plugin in main_plugins(node):
        master = _master(plugin)
        limit = link_mtu(root, master) if master else None
        if limit is not None and mtu > limit:
            raise Blocked(
                f"{file}: {plugin.text('type')} sits on {master}, whose MTU is {limit}: with {mtu} no container would "
                f"start. Ask for {limit} at most, or raise {master} first"
            )


def _chain(node: JsonNode) -> Tuple[JsonNode, ...]:
    return node.elements("plugins") or (node,)


def _places(node: JsonNode) -> List[JsonNode]:
    return [
        plugin
        for plugin in _chain(node)
        if plugin.text("type") in MAIN_PLUGINS or (plugin.text("type") == _TUNING and plugin.field("mtu") is not None)
    ]


def _now(plugin: JsonNode) -> Optional[int]:
    node = plugin.field("mtu")
    number = node.scalar if node is not None else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number else None


def _master(plugin: JsonNode) -> Optional[str]:
    return plugin.text("master") if plugin.text("type") in _WITH_MASTER else None
