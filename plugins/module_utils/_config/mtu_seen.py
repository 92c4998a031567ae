# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a node shows of its cluster's network without the Kubernetes API."""

from __future__ import annotations

import re
from typing import List, Optional, Sequence, Tuple

from .calico import MTU_FILE
from .cni_networks import CniNetwork, read_cni_networks
from .declarations import Declarations
from .flannel import SUBNET_ENV
from .json_edit import add_member, replace_value
from .json_text import JsonError, JsonNode, parse_json
from .reading import exists, list_directory, read_text

# kubelet keeps the logs of a pod in NAMESPACE_NAME_UID, its volumes in UID.
_POD_LOGS = "/var/log/pods"
_VOLUMES = "/var/lib/kubelet/pods"
_NET_CONF = "volumes/kubernetes.io~configmap/flannel-cfg/net-conf.json"
_FLANNEL_MTU = re.compile(r"^FLANNEL_MTU=([0-9]+)\s*$", re.MULTILINE)
_V6_IN_SUBNET_ENV = re.compile(r"^FLANNEL_IPV6_(?:NETWORK|SUBNET)=\S", re.MULTILINE)
_V6_IN_CONFLIST = re.compile(r'"assign_ipv6"\s*:\s*"?true|"(?:subnet|gateway)"\s*:\s*"[0-9a-fA-F]*:')


def network_in_force(root: str) -> Optional[CniNetwork]:
    """Return the CNI configuration that pods get, None where none can be read."""
    networks = read_cni_networks(Declarations(root))
    return next((network for network in networks if network.active and network.tool is None), None)


def plugin_types(network: Optional[CniNetwork]) -> List[str]:
    """Return the types of the plugins of a configuration, in order."""
    return [plugin.text("type") or "" for plugin in network.plugins] if network else []


def calico_mtu(root: str, network: Optional[CniNetwork]) -> Tuple[Optional[int], Optional[int]]:
    """Return the MTU that the calico plugin of a configuration is told, and the one that pods get from it, in bytes.

    The first is None where Calico is to find it by itself. Raises UnreadableFile.
    """
    plugins = network.plugins if network else ()
    plugin = next((plugin for plugin in plugins if plugin.text("type") == "calico"), None)
    if plugin is None:
        return None, None
    declared = _number(plugin.field("mtu"))
    return declared, declared or _decimal(read_text(root, MTU_FILE))


def flannel_mtu(root: str) -> Optional[int]:
    """Return the MTU that flannel found for pods, in bytes. Raises UnreadableFile."""
    found = _FLANNEL_MTU.search(read_text(root, SUBNET_ENV) or "")
    return int(found.group(1)) if found else None


def device_mtu(root: str, name: str) -> Optional[int]:
    """Return the live MTU of a device of the host, in bytes, None where there is none. Raises UnreadableFile."""
    return _decimal(read_text(root, f"/sys/class/net/{name}/mtu"))


def keeping_links(root: str, devices: Sequence[str], mtu: int) -> Tuple[Tuple[str, int], ...]:
    """Return (link, mtu) of those of these devices that the host has with another MTU.

    mtu: in bytes. flannel leaves a device of VXLAN that is there as it is. Raises UnreadableFile.
    """
    live = {device: device_mtu(root, device) for device in devices}
    return tuple((device, mtu) for device, now in live.items() if now not in (None, mtu))


def mounted_net_conf(root: str) -> Optional[str]:
    """Return the text of flannel's net-conf.json as a pod of this node has it mounted, None where there is none.

    Raises UnreadableFile.
    """
    for pod in list_directory(root, _VOLUMES):
        text = read_text(root, f"{_VOLUMES}/{pod}/{_NET_CONF}")
        if text is not None:
            return text
    return None


def pod_namespaces(root: str, name: str) -> List[str]:
    """Return the namespaces of this node's pods whose names begin with this. Raises UnreadableFile."""
    parts = [entry.split("_") for entry in list_directory(root, _POD_LOGS)]
    return sorted({part[0] for part in parts if len(part) == 3 and part[1].startswith(f"{name}-")})


def backend_of(text: str, where: str) -> Tuple[JsonNode, str, Optional[int]]:
    """Return the backend of a net-conf.json, its type in small letters, and its MTU, None for none.

    Raises ValueError that says what is wrong with it.
    """
    try:
        node = parse_json(text)
    except JsonError as error:
        raise ValueError(f"{where}: no valid JSON: {error}") from error
    backend = node.field("Backend")
    kind = backend.text("Type") if backend is not None else None
    if backend is None or backend.kind != "object" or kind is None:
        raise ValueError(f"{where}: it has no Backend with a Type")
    return backend, kind.lower(), _number(backend.field("MTU"))


def with_backend_mtu(text: str, mtu: int) -> str:
    """Return a net-conf.json, which backend_of has understood, with an MTU; nothing else of it changes."""
    backend = parse_json(text).field("Backend")
    if backend is None:
        raise ValueError("there is no Backend")
    node = backend.field("MTU")
    return replace_value(text, node, mtu) if node is not None else add_member(text, backend, "MTU", mtu)


def tunnels_of(text: str, backend: JsonNode, kind: str) -> Tuple[str, ...]:
    """Return the devices that keep their MTU when flannel starts anew: those of VXLAN alone do.

    text, backend, kind: a net-conf.json and what backend_of says of it.
    """
    if kind != "vxlan":
        return ()
    number = backend.field("VNI")
    identifier = number.scalar if number is not None and isinstance(number.scalar, int) else 1
    enabled = parse_json(text).field("EnableIPv6")
    if enabled is None or enabled.scalar is not True:
        return (f"flannel.{identifier}",)
    return (f"flannel.{identifier}", f"flannel-v6.{identifier}")


def delegate_mtu(network: Optional[CniNetwork]) -> Optional[int]:
    """Return the MTU that a configuration gives to the bridge that flannel's plugin makes, None where it gives none."""
    for plugin in network.plugins if network else ():
        delegate = plugin.field("delegate") if plugin.text("type") == "flannel" else None
        if delegate is not None:
            return _number(delegate.field("mtu"))
    return None


def pods_have_ipv6(root: str, network: Optional[CniNetwork]) -> bool:
    """Tell whether the files of this node give IPv6 addresses to pods. Raises UnreadableFile."""
    texts = [(SUBNET_ENV, _V6_IN_SUBNET_ENV)]
    if network is not None and exists(root, network.file):
        texts.append((network.file, _V6_IN_CONFLIST))
    return any(pattern.search(read_text(root, path) or "") for path, pattern in texts)


def _number(node: Optional[JsonNode]) -> Optional[int]:
    if node is None or isinstance(node.scalar, bool) or not isinstance(node.scalar, int):
        return None
    return node.scalar or None


def _decimal(text: Optional[str]) -> Optional[int]:
    return int(text) if text is not None and text.strip().isdecimal() else None
