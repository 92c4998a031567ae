# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""flannel: what its daemon found (subnet.env) and what it was told (net-conf.json)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from .._model.declared import MtuMeaning
from .._model.fact import Source
from .declarations import Declarations, network_of
from .json_text import JsonNode
from .reading import exists

SUBNET_ENV = "/run/flannel/subnet.env"
_K3S_NET_CONF = "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json"
_KUBELET_PODS = "/var/lib/kubelet/pods"
# A ConfigMap mounted into the flannel or canal pod, as kubelet keeps it on the host.
_CONFIG_MAP_FILE = "volumes/kubernetes.io~configmap/flannel-cfg/net-conf.json"
_K3S_CONFIG = "/etc/rancher/k3s/config.yaml"
_K3S_UNITS = ("/etc/systemd/system/k3s.service", "/etc/systemd/system/k3s-agent.service")
_SYS_CLASS_NET = "/sys/class/net"

_FLANNEL_CONF_IN_YAML = re.compile(
    r"""^(?:flannel-conf|[ \t{]*"flannel-conf")[ \t]*:[ \t]*["']?([^\s"'#,}]+)""", re.MULTILINE
)
"""In a key of its own, or in the JSON that Rancher writes."""
_FLANNEL_CONF_IN_UNIT = re.compile(r"""--flannel-conf(?:=|[\s'"\\]+)([^\s'"\\]+)""")
_TUNNELS = re.compile(r"flannel\.[0-9]+\Z|flannel-wg\Z|flannel\.ipip\Z|flannel0\Z")
_HONOURS_MTU = ("vxlan", "wireguard")


@dataclass(frozen=True)
class _Backend:
    """The backend that a net-conf.json chooses. tunnel, tunnel_v6: names of its devices, None where it has none."""

    tunnel: Optional[str]
    tunnel_v6: Optional[str]


def read_flannel(declarations: Declarations) -> None:
    """Add what flannel's files declare.

    ``FLANNEL_MTU`` is what the tunnel device and the pods get (OVERLAY). ``Backend.MTU`` is the MTU of the network
    below (UNDERLAY); ``link`` is the tunnel then too, which ends up smaller by its overhead. The backends that take no
    notice of ``MTU`` make it inactive. The tunnel of subnet.env is the one that net-conf.json leads to, else the only
    flannel device of the host. Source: flannel v0.28 pkg/subnet/subnet.go, pkg/backend/*.
    """
    backend = _read_net_confs(declarations)
    _read_subnet_env(declarations, backend or _backend_of_host(declarations))


def _read_subnet_env(declarations: Declarations, backend: Optional[_Backend]) -> None:
    subject = "flannel subnet.env"
    text = declarations.text(SUBNET_ENV, subject)
    if text is None:
        return
    settings: Dict[str, Tuple[str, int]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        key, separator, value = line.strip().partition("=")
        if separator:
            settings[key.strip()] = (value.strip(), number)
    if "FLANNEL_MTU" not in settings:
        declarations.problem(subject, "it has no FLANNEL_MTU; the flannel CNI plugin refuses such a file", SUBNET_ENV)
        return
    value, line_number = settings["FLANNEL_MTU"]
    for network, link in _subnet_env_networks(declarations, settings, backend):
        if not declarations.declare(
            "flannel",
            value,
            MtuMeaning.OVERLAY,
            Source(SUBNET_ENV, line_number, "FLANNEL_MTU"),
            subject=subject,
            as_text=True,
            link=link,
            network=network,
        ):
            return


def _subnet_env_networks(
    declarations: Declarations, settings: Dict[str, Tuple[str, int]], backend: Optional[_Backend]
) -> List[Tuple[Optional[str], Optional[str]]]:
    """Return the address ranges of subnet.env, each with the device that carries it."""
    found: List[Tuple[Optional[str], Optional[str]]] = []
    tunnels = (backend.tunnel, backend.tunnel_v6) if backend else (None, None)
    for key, tunnel in zip(("FLANNEL_NETWORK", "FLANNEL_IPV6_NETWORK"), tunnels):
        text, line_number = settings.get(key, ("", 0))
        for part in text.split(",") if text else []:
            network = network_of(part)
            if network is None:
                reason = f"line {line_number}: {key} is no address range"
                declarations.problem("flannel subnet.env", reason, SUBNET_ENV)
            found.append((network, tunnel))
    return found or [(None, tunnels[0])]


def _backend_of_host(declarations: Declarations) -> Optional[_Backend]:
    """Return the flannel device that the host has, None where it has none or several."""
    names = declarations.names(_SYS_CLASS_NET, "network devices") if exists(declarations.root, _SYS_CLASS_NET) else []
    tunnels = [name for name in names if _TUNNELS.match(name)]
    if len(tunnels) != 1:
        return None
    v6_name = tunnels[0] + "-v6" if tunnels[0] == "flannel-wg" else tunnels[0].replace("flannel.", "flannel-v6.")
    return _Backend(tunnels[0], v6_name if v6_name in names else None)


def _read_net_confs(declarations: Declarations) -> Optional[_Backend]:
    """Read every net-conf.json of the host; return the backend of the first that is in force."""
    in_force: Optional[_Backend] = None
    chosen = _k3s_flannel_conf(declarations)
    places = [(chosen, True)] if chosen else []
    # K3s writes its own file at every start, unless it was given another one.
    places += [(_K3S_NET_CONF, chosen is None), ("/etc/kube-flannel/net-conf.json", True)]
    places += [(path, True) for path in _mounted_config_maps(declarations)]
    for path, active in places:
        node = declarations.json(path, "flannel net-conf.json")
        if node is None:
            continue
        backend = _read_net_conf(declarations, path, node, active)
        if active and in_force is None:
            in_force = backend
    return in_force


def _read_net_conf(declarations: Declarations, path: str, node: JsonNode, active: bool) -> _Backend:
    settings = node.field("Backend")
    kind = ((settings.text("Type") if settings else None) or "udp").lower()
    backend = _backend(kind, settings)
    mtu = settings.field("MTU") if settings else None
    if mtu is not None:
        networks = [(network_of(node.text("Network")), backend.tunnel)]
        if node.text("IPv6Network"):
            networks.append((network_of(node.text("IPv6Network")), backend.tunnel_v6))
        for network, link in networks:
            if not declarations.declare(
                "flannel",
                mtu.scalar_or_kind(),
                MtuMeaning.UNDERLAY,
                Source(path, mtu.line, mtu.path),
                subject="flannel net-conf.json",
                link=link,
                network=network,
                name=kind,
                active=active and kind in _HONOURS_MTU,
            ):
                break
    return backend


def _backend(kind: str, settings: Optional[JsonNode]) -> _Backend:
    if kind == "vxlan":
        node = settings.field("VNI") if settings else None
        # 1 is flannel's default on Linux (pkg/backend/vxlan/vxlan.go, defaultVNI).
        identifier = node.scalar if node is not None and isinstance(node.scalar, int) else 1
        return _Backend(f"flannel.{identifier}", f"flannel-v6.{identifier}")
    if kind == "wireguard":
        return _Backend("flannel-wg", "flannel-wg-v6")
    return _Backend({"ipip": "flannel.ipip", "udp": "flannel0"}.get(kind), None)


def _mounted_config_maps(declarations: Declarations) -> List[str]:
    pods = declarations.names(_KUBELET_PODS, "kubelet's pod directories")
    paths = [f"{_KUBELET_PODS}/{pod}/{_CONFIG_MAP_FILE}" for pod in pods]
    return [path for path in paths if exists(declarations.root, path)]


def _k3s_flannel_conf(declarations: Declarations) -> Optional[str]:
    """Return the file that K3s was given with --flannel-conf, on its command line or in its configuration."""
    subject = "K3s configuration"
    for unit in _K3S_UNITS:
        match = _FLANNEL_CONF_IN_UNIT.search(declarations.text(unit, subject) or "")
        if match:
            return match.group(1)
    directory = _K3S_CONFIG + ".d"
    files = [f"{directory}/{name}" for name in declarations.names(directory, subject) if name.endswith(".yaml")]
    # Files of the directory come after config.yaml and override it.
    for path in [*reversed(files), _K3S_CONFIG]:
        match = _FLANNEL_CONF_IN_YAML.search(declarations.text(path, subject) or "")
        if match:
            return match.group(1)
    return None
