# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTU of podman's containers to come: the files of its networks.

Source: containers-common libnetwork/netavark (config.go, network.go: the network of default_network is made in memory,
with this id, where no file has its name), measured with podman 4.3.1 and netavark 1.4.0, and with its CNI backend.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import replace
from typing import Dict, List, Optional, Tuple

from .._model.declared import MtuMeaning
from .._model.docker_network import KERNEL_MTU
from .._model.file_change import FileChange, FileText
from .._model.mtu_config import Knob, MtuWish, Stack, StackPlan
from .cni_networks import read_cni_networks
from .conflist_mtu import parse_conflist
from .declarations import Declarations
from .drop_ins import Blocked
from .json_edit import with_member
from .json_text import JsonError, JsonNode
from .mtu_ceiling import link_mtu, new_size, words_about_smaller
from .mtu_cni import plan_conflists
from .podman import NETAVARK_DIRECTORY, podman_backend, podman_setting
from .reading import exists, list_directory
from .whole_file import read_whole

_NETAVARK = tuple(
    f"{directory}/podman/netavark" for directory in ("/usr/lib", "/usr/libexec", "/usr/local/lib", "/usr/local/libexec")
)
_DEFAULT_NAME = "podman"
_DEFAULT_ID = "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9"
_DEFAULT_SUBNET = "10.88.0.0/16"
_DRIVERS = ("bridge", "macvlan", "ipvlan")
_CNI_DEFAULT = "/etc/cni/net.d/87-podman-bridge.conflist"
_RUNNING = (
    "Containers that run keep their MTU; all that are started from now on get this one, also those started again. "
    "It lasts as long as the network: podman network create makes others without it. Containers of users without root "
    "have networks of their own, which are not changed."
)


def plan_podman_mtu(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan. Raises Blocked, UnreadableFile."""
    if wish.container_mtu is None:
        raise Blocked("container_mtu: it is needed for podman's bridges, and it is not given")
    declarations = Declarations(root)
    backend = podman_backend(declarations)
    if not backend:
        # What podman itself goes by when it runs for the first time, leaving aside what it finds in its storage.
        backend = "netavark" if any(exists(root, path) for path in _NETAVARK) else "cni"
    if backend == "cni":
        plan = _plan_cni(root, wish.container_mtu, wish.raising)
    elif backend == "netavark":
        plan = _plan_netavark(root, declarations, wish, wish.container_mtu)
    else:
        raise Blocked(f"network_backend of containers.conf is {backend}, which is neither netavark nor cni: correct it")
    return replace(plan, running=_RUNNING)


def _plan_cni(root: str, mtu: int, raising: bool) -> StackPlan:
    files = [network.file for network in read_cni_networks(Declarations(root)) if network.tool == "podman"]
    plan = plan_conflists(root, Stack.PODMAN, files, mtu, raising)
    fits = new_size(mtu, raising, [KERNEL_MTU]) is None
    if fits or any(_named(root, file, _DEFAULT_NAME) for file in files):
        return plan
    words = f"podman's default network is in no file and keeps 1500: put {_CNI_DEFAULT} of the package back."
    return replace(plan, reason=f"{plan.reason} {words}".strip())


def _named(root: str, file: str, name: str) -> bool:
    found = read_whole(root, file)
    return found is not None and parse_conflist(file, found.text).text("name") == name


def _plan_netavark(root: str, declarations: Declarations, wish: MtuWish, mtu: int) -> StackPlan:
    directory = podman_setting(declarations, "network_config_dir") or NETAVARK_DIRECTORY
    default = podman_setting(declarations, "default_network") or _DEFAULT_NAME
    changes: List[FileChange] = []
    knobs: List[Knob] = []
    words: List[str] = []
    for name in list_directory(root, directory):
        if name.endswith(".json"):
            change, knob, word = _network(root, f"{directory}/{name}", wish, mtu)
            changes += [change] if change is not None else []
            knobs += [knob] if knob is not None else []
            words += [word] if word else []
    file = f"{directory}/{default}.json"
    if not exists(root, file):
        size = new_size(mtu, wish.raising, _unset(wish))
        knobs.append(Knob(f"{file} options.mtu", MtuMeaning.INTERFACE, None, size))
        if size is not None:
            subnet = podman_setting(declarations, "default_subnet") or _DEFAULT_SUBNET
            changes.append(FileChange(file, None, FileText(default_network(default, subnet, size))))
            words.append(f"{default} is podman's default network, which is in no file as long as it has no MTU.")
    smaller = words_about_smaller(knobs, mtu)
    if not changes and not smaller:
        words.append("None of the networks gives more.")
    words += smaller
    return StackPlan(Stack.PODMAN, knobs=tuple(knobs), changes=tuple(changes), reason=" ".join(words))


def _unset(wish: MtuWish) -> List[int]:
    """Return what podman may give without a setting: which of them depends on its release.

    netavark 1.16 and newer take the MTU of the default route's link (containers/netavark, its release notes).
    """
    return [KERNEL_MTU, *([wish.default_link_mtu] if wish.default_link_mtu is not None else [])]


def _in_force(root: str, node: JsonNode, now: Optional[int], wish: MtuWish) -> List[int]:
    if now:
        return [now]
    if node.text("driver") == "bridge":
        return _unset(wish)
    parent = node.text("network_interface")
    return [(link_mtu(root, parent) if parent else wish.default_link_mtu) or KERNEL_MTU]


def _network(root: str, file: str, wish: MtuWish, mtu: int) -> Tuple[Optional[FileChange], Optional[Knob], str]:
    before = read_whole(root, file)
    if before is None:
        return None, None, ""
    node = parse_conflist(file, before.text)
    driver = node.text("driver")
    if driver not in _DRIVERS:
        return None, None, f"{file}: what mtu means to the driver {driver} is not known here."
    options = node.get("options")
    said = options.text("mtu") if options is not None else None
    now = int(said) if said and said.isdecimal() else None
    size = new_size(mtu, wish.raising, _in_force(root, node, now, wish))
    try:
        text = with_member(before.text, ("options", "mtu"), str(size or now or mtu))
    except JsonError as error:
        raise Blocked(f"{file}: {error}: correct it, then run again") from error
    knob = Knob(f"{file} options.mtu", MtuMeaning.INTERFACE, now, size or now)
    if size is None:
        return None, knob, ""
    return FileChange(file, before, replace(before, text=text)) if text != before.text else None, knob, ""


def default_network(name: str, subnet: str, mtu: int) -> str:
    """Return the file of podman's default network as podman has it in memory, but for the MTU. Raises Blocked."""
    try:
        network = ipaddress.ip_network(subnet)
    except ValueError as error:
        raise Blocked(f"default_subnet of containers.conf is {subnet!r}, which is no network: correct it") from error
    content: Dict[str, object] = {
        "name": name,
        "id": _DEFAULT_ID,
        "driver": "bridge",
        "network_interface": "podman0",
        "created": "1970-01-01T00:00:00Z",
        "subnets": [{"subnet": str(network), "gateway": str(network[1])}],
        "ipv6_enabled": network.version == 6,
        "internal": False,
        "dns_enabled": False,
        "options": {"mtu": str(mtu)},
        "ipam_options": {"driver": "host-local"},
    }
    return json.dumps(content, indent=5) + "\n"
