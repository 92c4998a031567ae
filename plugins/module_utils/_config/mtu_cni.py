# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTU of pods whose CNI configuration is the administrator's, and of nerdctl's networks."""

from __future__ import annotations

from dataclasses import replace
from typing import List, Optional, Sequence, Tuple

from .._model.file_change import FileChange
from .._model.mtu_config import Knob, MtuWish, Stack, StackPlan
from .cni_networks import read_cni_networks
from .cni_tuning import owner_of
from .conflist_mtu import (
    conflist_knobs,
    main_plugins,
    mtus_in_force,
    parse_conflist,
    refuse_beyond_master,
    with_mtu,
)
from .declarations import Declarations
from .drop_ins import Blocked
from .json_text import JsonError, JsonNode, parse_json
from .mtu_ceiling import new_size, words_about_smaller
from .reading import UnreadableFile, list_directory, read_text
from .toml_strings import toml_string
from .whole_file import read_whole

_NERDCTL_SETTINGS = "/etc/nerdctl/nerdctl.toml"
_DIRECTORY = "/etc/cni/net.d"
_NERDCTL_PREFIX = "nerdctl-"
# A directory is named after a namespace of containerd, k8s.io for one.
_FILES = (".conf", ".conflist", ".json")

_PODS_RUNNING = (
    "Pods that run keep their MTU until they are made anew; new ones get this one at once, without a restart. A bridge "
    "that is there keeps its MTU until somebody sets it or the last pod is gone."
)
_NERDCTL_RUNNING = (
    "Containers that run keep their MTU; nerdctl gives this one to all that are started from now on, also to those "
    "started again. It lasts as long as the network: nerdctl network create makes others without it."
)
_INSTEAD = "set the MTU in the add-on's own configuration, which cni_mtu does for the stacks that it names"


def plan_cni_mtu(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan for the configuration that is in force for pods, or that is named.

    Its mtu is that of the pod's interface: pod_mtu, else container_mtu. Raises Blocked, UnreadableFile.
    """
    mtu = wish.pod_mtu or wish.container_mtu
    if mtu is None:
        raise Blocked("pod_mtu: it is needed for pods behind a CNI configuration, and it is not given")
    file = wish.cni_file or pod_network_file(root)
    if file is None:
        raise Blocked("no CNI configuration is in force for pods: name the file with cni_file")
    before = read_whole(root, file)
    if before is None:
        raise Blocked(f"cni_file: {file} is not there")
    node = parse_conflist(file, before.text)
    owner = owner_of(file, node)
    if owner:
        raise Blocked(f"{file} is written by {owner} and would lose the change: {_INSTEAD}")
    changes, knobs = _change(root, file, node, mtu, wish.raising)
    smaller = words_about_smaller(knobs, mtu)
    reason = "" if changes else " ".join(smaller or [f"{file} gives no more already."])
    return StackPlan(Stack.CNI, knobs=knobs, changes=changes, reason=reason, running=_PODS_RUNNING)


def pod_network_file(root: str) -> Optional[str]:
    """Return the configuration in force for pods, None where there is none. Raises UnreadableFile."""
    networks = [network for network in read_cni_networks(Declarations(root)) if network.active]
    return next((network.file for network in networks if network.tool is None), None)


def is_administrators(root: str, file: str) -> bool:
    """Tell whether a configuration is nobody's who would write it again. Raises UnreadableFile."""
    try:
        return owner_of(file, parse_json(read_text(root, file) or "")) is None
    except JsonError:
        return False


def plan_nerdctl_mtu(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan for nerdctl's networks. Raises Blocked, UnreadableFile."""
    mtu = wish.container_mtu
    if mtu is None:
        raise Blocked("container_mtu: it is needed for nerdctl's bridges, and it is not given")
    files = nerdctl_files(root)
    plan = plan_conflists(root, Stack.NERDCTL, files, mtu, wish.raising)
    if not files:
        return replace(
            plan,
            reason="nerdctl has no network yet: it makes its default one with the first container, without an MTU. Run "
            "again then.",
        )
    return replace(plan, running=_NERDCTL_RUNNING)


def nerdctl_files(root: str) -> List[str]:
    """Return the configurations of nerdctl's networks; those of a namespace of containerd lie in a directory of it."""
    settings = read_text(root, _NERDCTL_SETTINGS) or ""
    directory = toml_string(settings, "", "cni_netconfpath") or _DIRECTORY
    found: List[str] = []
    for name in list_directory(root, directory):
        if _is_nerdctls(name):
            found.append(f"{directory}/{name}")
        elif not name.endswith(_FILES):
            found += [f"{directory}/{name}/{inner}" for inner in _names(root, f"{directory}/{name}")]
    return found


def plan_conflists(root: str, stack: Stack, files: Sequence[str], mtu: int, raising: bool) -> StackPlan:
    """Return the plan that gives all these configurations an MTU: those that have less only when raising.

    Raises Blocked, UnreadableFile.
    """
    changes: Tuple[FileChange, ...] = ()
    knobs: Tuple[Knob, ...] = ()
    others = []
    for file in files:
        before = read_whole(root, file)
        node = parse_conflist(file, before.text if before is not None else "")
        if not main_plugins(node):
            others.append(file)
            continue
        more_changes, more_knobs = _change(root, file, node, mtu, raising)
        changes, knobs = changes + more_changes, knobs + more_knobs
    words = [f"{', '.join(others)}: no plugin that takes an MTU."] if others else []
    smaller = words_about_smaller(knobs, mtu)
    if not changes and not smaller:
        words.append("None of the networks gives more." if knobs else "There is no network to change.")
    words += smaller
    return StackPlan(stack, knobs=knobs, changes=changes, reason=" ".join(words))


def _change(
    root: str, file: str, node: JsonNode, mtu: int, raising: bool
) -> Tuple[Tuple[FileChange, ...], Tuple[Knob, ...]]:
    plugins = main_plugins(node)
    if not plugins:
        kinds = ", ".join(sorted({plugin.text("type") or "?" for plugin in node.elements("plugins") or (node,)}))
        raise Blocked(f"{file}: what mtu means to {kinds} is not known here: set it in that plugin's own way")
    size = new_size(mtu, raising, mtus_in_force(root, node))
    if size is None:
        return (), conflist_knobs(file, node, None)
    refuse_beyond_master(root, file, node, size)
    before = read_whole(root, file)
    if before is None:
        raise Blocked(f"{file} is not there any more: run again")
    text = with_mtu(before.text, size)
    changes = (FileChange(file, before, replace(before, text=text)),) if text != before.text else ()
    return changes, conflist_knobs(file, node, size)


def _is_nerdctls(name: str) -> bool:
    return name.startswith(_NERDCTL_PREFIX) and name.endswith(".conflist")


def _names(root: str, directory: str) -> List[str]:
    try:
        return [name for name in list_directory(root, directory) if _is_nerdctls(name)]
    except UnreadableFile:
        # A file with another name than CNI's have, and no directory.
        return []
