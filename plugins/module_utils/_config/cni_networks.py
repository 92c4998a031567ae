# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""CNI network configurations: which files a host has, and which of them its runtime uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Iterator, List, Optional, Tuple

from .declarations import Declarations
from .json_text import JsonNode
from .toml_strings import toml_strings

SUBJECT = "CNI configuration"

_K3S_DIRECTORY = "/var/lib/rancher/k3s/agent/etc/cni/net.d"
_DIRECTORIES = (
    "/etc/cni/net.d",
    # RKE1 keeps its files below this prefix where the root file system is read-only (RancherOS, CoreOS, Flatcar).
    "/opt/rke/etc/cni/net.d",
    _K3S_DIRECTORY,
    # OpenShift.
    "/etc/kubernetes/cni/net.d",
    "/run/multus/cni/net.d",
)
_RUNTIME_CONFIGURATIONS = (
    ("/etc/containerd/config.toml", "conf_dir"),
    ("/var/lib/rancher/k3s/agent/etc/containerd/config.toml", "conf_dir"),
    ("/var/lib/rancher/rke2/agent/etc/containerd/config.toml", "conf_dir"),
    ("/etc/crio/crio.conf", "network_dir"),
)
_CRIO_DIRECTORY = "/etc/crio/crio.conf.d"
_EXTENSIONS = (".conf", ".conflist", ".json")


@dataclass(frozen=True)
class CniNetwork:
    """One file of a CNI directory.

    name: of the network. plugins: of the chain, those that multus delegates to included. tool: podman or nerdctl where
    one of these made the file for a network of its own, which it picks by name. active: the runtime uses it.
    chosen: file or network that multus is told to take as the pods' first network, where it is.
    """

    file: str
    name: Optional[str]
    plugins: Tuple[JsonNode, ...]
    tool: Optional[str] = None
    active: bool = False
    chosen: Optional[str] = None


def read_cni_networks(declarations: Declarations) -> List[CniNetwork]:
    """Return the configurations in all CNI directories of the host.

    In each directory the first file in the order of their names is in force, as CRI-O and containerd have it; a file
    that can't be read becomes a problem and the next one counts. K3s uses a directory of its own, so that what lies in
    /etc/cni/net.d is not in force beside it. Source: libcni ConfFiles, cri-o ocicni, containerd go-cni.
    """
    found: List[CniNetwork] = []
    k3s_in_force = False
    for directory in sorted(_directories(declarations), key=lambda path: path != _K3S_DIRECTORY):
        networks = _networks_in(declarations, directory)
        if directory == "/etc/cni/net.d" and k3s_in_force:
            networks = [replace(network, active=network.tool is not None) for network in networks]
        k3s_in_force = k3s_in_force or (directory == _K3S_DIRECTORY and any(network.active for network in networks))
        found.extend(networks)
    return found


def _directories(declarations: Declarations) -> List[str]:
    """Return the directories that are the defaults or that a runtime's configuration names, each once."""
    directories = list(_DIRECTORIES)
    files = list(_RUNTIME_CONFIGURATIONS)
    names = declarations.names(_CRIO_DIRECTORY, "CRI-O configuration")
    files += [(f"{_CRIO_DIRECTORY}/{name}", "network_dir") for name in names]
    for path, key in files:
        text = declarations.text(path, "runtime configuration")
        for setting in toml_strings(text or ""):
            directory = setting.value.rstrip("/")
            if directory.startswith("/var/run/"):
                directory = directory[len("/var") :]
            if setting.key == key and directory.startswith("/") and directory not in directories:
                directories.append(directory)
    return directories


def _networks_in(declarations: Declarations, directory: str) -> List[CniNetwork]:
    networks: List[CniNetwork] = []
    for name in declarations.names(directory, SUBJECT):
        if name.endswith(_EXTENSIONS):
            network = _read_network(declarations, f"{directory}/{name}")
            if network:
                networks.append(network)
    first = next((network for network in networks if network.tool is None), None)
    chosen = first.chosen if first else None
    return [
        replace(network, active=bool(network.tool or network is first or (chosen and _is_chosen(network, chosen))))
        for network in networks
    ]


def _read_network(declarations: Declarations, path: str) -> Optional[CniNetwork]:
    node = declarations.json(path, SUBJECT)
    if node is None:
        return None
    plugins = tuple(_plugins(node))
    if not plugins:
        declarations.problem(SUBJECT, "it names no plugin, so that the runtime passes over it", path)
        return None
    chosen = next((plugin.text("clusterNetwork") for plugin in plugins if _is_multus(plugin)), None)
    return CniNetwork(path, node.text("name"), plugins, _tool(path, node), chosen=chosen)


def _plugins(node: JsonNode) -> Iterator[JsonNode]:
    """Yield the plugins of a conflist or of a single configuration, and those that multus hands on to."""
    chain = node.elements("plugins") or (node,)
    for plugin in chain:
        if plugin.text("type"):
            yield plugin
        if _is_multus(plugin):
            # The delegates are configurations of either form; multus itself isn't among them.
            for delegate in plugin.elements("delegates"):
                yield from (inner for inner in delegate.elements("plugins") or (delegate,) if inner.text("type"))


def _is_multus(plugin: JsonNode) -> bool:
    return plugin.text("type") in ("multus", "multus-shim")


def _is_chosen(network: CniNetwork, chosen: str) -> bool:
    # Multus names a file as its own container sees it ("/host/etc/cni/net.d/10-canal.conflist"), or a network.
    return chosen == network.name or chosen.rpartition("/")[2] == network.file.rpartition("/")[2]


def _tool(path: str, node: JsonNode) -> Optional[str]:
    arguments = node.field("args")
    if arguments is not None and any(key.startswith("podman_") for key, _value in arguments.members):
        return "podman"
    # A network of podman's that has neither labels nor options is known only by the bridge that podman names.
    bridges = [plugin.text("bridge") or "" for plugin in node.elements("plugins")]
    if "podman" in path.rpartition("/")[2] or any(bridge.startswith("cni-podman") for bridge in bridges):
        return "podman"
    return "nerdctl" if node.text("nerdctlID") else None
