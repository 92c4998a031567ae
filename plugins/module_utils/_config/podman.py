# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Podman's networks of the netavark backend; those of its CNI backend are CNI configurations."""

from __future__ import annotations

from typing import List, Optional

from .._model.declared import MtuMeaning
from .._model.fact import Source
from .declarations import Declarations, network_of
from .json_text import JsonNode
from .toml_strings import toml_string

_SUBJECT = "podman network"
NETAVARK_DIRECTORY = "/etc/containers/networks"
# Later files override earlier ones (containers.conf(5)).
_CONFIGURATIONS = ("/usr/share/containers/containers.conf", "/etc/containers/containers.conf")
_DROP_INS = "/etc/containers/containers.conf.d"
# Podman writes here which backend it settled on when it first ran.
_BACKEND_FILE = "/var/lib/containers/storage/defaultNetworkBackend"


def read_podman_networks(declarations: Declarations) -> None:
    """Add the MTU of every network of the machine's podman that was created with one.

    ``link`` is the bridge; macvlan and ipvlan networks have none of their own. Networks of rootless users lie in their
    home directories and live in namespaces of their own: they are not read. Source: containers-common
    libnetwork/types/network.go, containers.conf(5).
    """
    directory = podman_setting(declarations, "network_config_dir") or NETAVARK_DIRECTORY
    backend = podman_backend(declarations)
    for name in declarations.names(directory, _SUBJECT):
        if name.endswith(".json"):
            path = f"{directory}/{name}"
            node = declarations.json(path, _SUBJECT)
            if node is not None:
                _declare(declarations, path, node, backend != "cni")


def _declare(declarations: Declarations, path: str, node: JsonNode, active: bool) -> None:
    options = node.get("options")
    mtu = options.get("mtu") if options is not None else None
    if mtu is None:
        return
    subnets = node.elements("subnets")
    declarations.declare(
        "podman",
        mtu.scalar_or_kind(),
        MtuMeaning.INTERFACE,
        Source(path, mtu.line, mtu.path),
        subject=_SUBJECT,
        as_text=True,
        link=node.text("network_interface") if node.text("driver") == "bridge" else None,
        network=network_of(subnets[0].text("subnet")) if subnets else None,
        name=node.text("name"),
        active=active,
    )


def podman_backend(declarations: Declarations) -> str:
    """Return "netavark" or "cni"; empty where podman has not settled on one, because it never ran."""
    backend = podman_setting(declarations, "network_backend")
    return backend or (declarations.text(_BACKEND_FILE, "podman network backend") or "").strip()


def podman_setting(declarations: Declarations, key: str) -> Optional[str]:
    """Return a string of the table "network" of containers.conf, None where it isn't set."""
    value: Optional[str] = None
    for path in _configurations(declarations):
        value = toml_string(declarations.text(path, "containers.conf") or "", "network", key) or value
    return value


def _configurations(declarations: Declarations) -> List[str]:
    names = declarations.names(_DROP_INS, "containers.conf")
    return [*_CONFIGURATIONS, *(f"{_DROP_INS}/{name}" for name in names if name.endswith(".conf"))]
