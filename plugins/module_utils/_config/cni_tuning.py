# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The sysctls that a CNI network gives to new pods: the plugin "tuning" at the end of its chain.

Only where the file is the administrator's: those of a network add-on are written anew whenever its pods start. Source:
containernetworking/plugins plugins/meta/tuning (keys below net only, allowlist.conf; CHECK compares the whole text, and
the kernel separates numbers by tabs), cni SPEC.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Dict, List, Mapping, Optional, Tuple

from .._model.container_sysctl import Runtime, RuntimePlan, Wanted
from .._model.file_change import FileChange
from .cni_networks import CniNetwork, read_cni_networks
from .declarations import Declarations
from .drop_ins import Blocked, dotted
from .json_edit import add_element, add_member, remove_element, remove_member, replace_value
from .json_text import JsonError, JsonNode, parse_json
from .reading import exists, read_text
from .whole_file import read_whole

ALLOW_LIST = "/etc/cni/tuning/allowlist.conf"
_BINARIES = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni", "/usr/local/lib/cni")
_K3S = "/var/lib/rancher/k3s/agent/"

# Plugins whose configuration an add-on writes from inside the cluster, with the place to set sysctls instead.
_OWNERS: Dict[str, str] = {
    "calico": "Calico or Canal",
    "flannel": "flannel",
    "cilium-cni": "Cilium",
    "weave-net": "Weave Net",
    "aws-cni": "the VPC CNI of AWS",
    "azure-vnet": "Azure CNI",
    "antrea": "Antrea",
    "kube-ovn": "Kube-OVN",
    "ovn-k8s-cni-overlay": "OVN-Kubernetes",
    "openshift-sdn": "OpenShift SDN",
    "multus": "Multus",
    "multus-shim": "Multus",
    "rancher-bridge": "Rancher",
}
_OWNED_NAMES = ("kindnet", "kuberouter", "kube-router", "canal", "calico", "flannel", "cilium", "weave", "multus")
_INSTEAD = (
    "set sysctls in the add-on's own configuration (its ConfigMap or Helm values, cni_network_config of Canal, "
    "--flannel-cni-conf of K3s), or let kubelet allow them and ask for them in the pods"
)
_KEEPS = (
    "Pods that run keep the sysctls that they have; new ones get these at once, without a restart. "
    "Those with hostNetwork get none."
)


def plan_cni(root: str, wanted: Wanted) -> RuntimePlan:
    """Return what has to be written. Raises Blocked, UnreadableFile."""
    file = wanted.cni_file or _file_in_force(root)
    before = read_whole(root, file)
    if before is None:
        raise Blocked(f"cni_file: {file} is not there")
    node = _parse(file, before.text)
    owner = owner_of(file, node)
    if owner:
        raise Blocked(f"{file} is written by {owner} and would lose the change: {_INSTEAD}")
    chain = node.field("plugins")
    if chain is None or chain.kind != "array" or not chain.items:
        raise Blocked(
            f"{file} is the configuration of a single plugin, which no other can follow: make a .conflist of it"
        )
    refused = _refused(root, wanted) if wanted.present else {}
    sysctls = {key: value for key, value in wanted.sysctls.items() if key not in refused}
    if wanted.present and sysctls and not any(exists(root, f"{directory}/tuning") for directory in _BINARIES):
        raise Blocked(
            f"the plugin 'tuning' is in none of {', '.join(_BINARIES)}, and without it no pod would start: "
            "install the CNI plugins"
        )
    text = with_tuning(before.text, sysctls) if wanted.present else without_tuning(before.text, wanted.sysctls)
    change = FileChange(file, before, replace(before, text=text)) if text != before.text else None
    return RuntimePlan(
        Runtime.CNI,
        change=change,
        reason=_why_nothing(file, wanted, refused) if change is None else "",
        before=tuned(parse_json(before.text)),
        after=tuned(parse_json(text)),
        refused=refused,
        keeps=_KEEPS,
    )


def _why_nothing(file: str, wanted: Wanted, refused: Mapping[str, str]) -> str:
    if len(refused) == len(wanted.sysctls) and refused:
        return "none of the keys can be set here, see refused"
    return f"{file} is so already"


def owner_of(file: str, node: JsonNode) -> Optional[str]:
    """Return who writes a configuration again and again, None where that is the administrator."""
    if file.startswith(_K3S):
        return "K3s"
    if any(key.startswith("podman_") for key, _value in _members(node.field("args"))) or "podman" in _name(file):
        return "podman (whose own default_sysctls count for its containers)"
    if node.text("nerdctlID"):
        return "nerdctl"
    for plugin in node.elements("plugins") or (node,):
        kind = plugin.text("type") or ""
        if kind in _OWNERS:
            return _OWNERS[kind]
    named = any(name in _name(file) for name in _OWNED_NAMES)
    return f"the network add-on that {_name(file)} is named after" if named else None


def tuned(node: JsonNode) -> Dict[str, str]:
    """Return the sysctls that the chain sets, keys with dots, values with single blanks."""
    found: Dict[str, str] = {}
    for plugin in _tuning_plugins(node):
        for key, value in _members(plugin.field("sysctl")):
            found[dotted(key)] = " ".join(str(value.scalar).split())
    return found


def with_tuning(text: str, sysctls: Mapping[str, str]) -> str:
    """Return a conflist's text with the sysctls set, each where it is set already, else in the last plugin "tuning"."""
    for key, value in sorted(sysctls.items()):
        node = parse_json(text)
        if tuned(node).get(key) != value:
            text = _with_one(text, node, key, value.replace(" ", "\t"))
    return text


def without_tuning(text: str, sysctls: Mapping[str, str]) -> str:
    """Return a conflist's text without the sysctls that have just these values; a plugin without any then goes."""
    while True:
        node = parse_json(text)
        place = _unwanted(node, sysctls)
        if place is None:
            return text
        number, plugin, settings, key = place
        if len(settings.members) == 1 and {name.lower() for name, _value in plugin.members} == {"type", "sysctl"}:
            text = remove_element(text, _chain(node), number)
        else:
            text = remove_member(text, settings, key)


def _with_one(text: str, node: JsonNode, key: str, value: str) -> str:
    plugins = _tuning_plugins(node)
    for plugin in reversed(plugins):
        for name, old in reversed(_members(plugin.field("sysctl"))):
            if dotted(name) == key:
                return replace_value(text, old, value)
    if not plugins:
        return add_element(text, _chain(node), {"type": "tuning", "sysctl": {key: value}})
    settings = plugins[-1].field("sysctl")
    if settings is None:
        return add_member(text, plugins[-1], "sysctl", {key: value})
    if settings.kind != "object":
        return replace_value(text, settings, {key: value})
    return add_member(text, settings, key, value)


def _unwanted(node: JsonNode, sysctls: Mapping[str, str]) -> Optional[Tuple[int, JsonNode, JsonNode, str]]:
    for number, plugin in enumerate(_chain(node).items):
        settings = plugin.field("sysctl") if plugin.text("type") == "tuning" else None
        for key, value in _members(settings):
            if settings is not None and sysctls.get(dotted(key)) == " ".join(str(value.scalar).split()):
                return number, plugin, settings, key
    return None


def _chain(node: JsonNode) -> JsonNode:
    chain = node.field("plugins")
    if chain is None:
        raise JsonError("there is no list of plugins")
    return chain


def _tuning_plugins(node: JsonNode) -> List[JsonNode]:
    return [plugin for plugin in node.elements("plugins") if plugin.text("type") == "tuning"]


def _members(node: Optional[JsonNode]) -> List[Tuple[str, JsonNode]]:
    return list(node.members) if node is not None else []


def _file_in_force(root: str) -> str:
    networks: List[CniNetwork] = [network for network in read_cni_networks(Declarations(root)) if network.active]
    pods = [network for network in networks if network.tool is None]
    if not pods:
        raise Blocked("no CNI configuration is in force for pods: name the file with cni_file")
    return pods[0].file


def _refused(root: str, wanted: Wanted) -> Dict[str, str]:
    text = read_text(root, ALLOW_LIST)
    refused = {
        key: "the plugin 'tuning' sets keys below net only" for key in wanted.sysctls if not key.startswith("net.")
    }
    if text is None:
        return refused
    patterns = [line.strip() for line in text.split("\n") if line.strip()]
    for key in wanted.sysctls:
        if key not in refused and not any(_matches(pattern, key) for pattern in patterns):
            refused[key] = f"{ALLOW_LIST} does not allow it, so that no pod would start: add a line for it there"
    return refused


def _matches(pattern: str, key: str) -> bool:
    try:
        return re.search(pattern, key) is not None
    except re.error:
        return False


def _parse(file: str, text: str) -> JsonNode:
    try:
        json.loads(text)
        return parse_json(text)
    except ValueError as error:
        raise Blocked(f"{file} is no JSON ({error}): correct it, then run again") from error


def _name(file: str) -> str:
    return file.rpartition("/")[2]
