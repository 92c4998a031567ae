# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""K3s: flannel's net-conf.json, which K3s writes without an MTU at every start unless it is given another one.

--flannel-conf is an option of each node. Source: k3s pkg/agent/flannel/setup.go, pkg/configfilearg/parser.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from .._model.declared import MtuMeaning
from .._model.file_change import FileChange, FileText, Restart
from .._model.mtu_config import Knob, MtuWish, Stack, StackPlan
from .drop_ins import Blocked, own_file_change
from .flannel import SUBNET_ENV
from .mtu_knobs import FLANNEL_OVERHEAD, MARK, PODS_KEEP, RIGHT, flannel_for
from .mtu_seen import (
    backend_of,
    delegate_mtu,
    flannel_mtu,
    keeping_links,
    network_in_force,
    tunnels_of,
    with_backend_mtu,
)
from .reading import exists, list_directory, modified, read_text
from .whole_file import read_whole
from .yaml_lines import YamlError, top_level_lists

GENERATED = "/var/lib/rancher/k3s/agent/etc/flannel/net-conf.json"
OUR_FILE = "/etc/rancher/k3s/netfit-flannel.json"
OUR_DROP_IN = "/etc/rancher/k3s/config.yaml.d/90-netfit-flannel.yaml"
_CONFIG = "/etc/rancher/k3s/config.yaml"
_UNITS = ("k3s.service", "k3s-agent.service")
_UNIT_DIRECTORY = "/etc/systemd/system"
_FLAG = r"""--{}(?:=|[\s'"\\]+)([^\s'"\\]+)"""


@dataclass(frozen=True)
class _Option:
    """An option of K3s and where it is given, file and line."""

    value: str
    place: str


@dataclass(frozen=True)
class _Flannel:
    """What a net-conf.json says and is to say, in bytes.

    devices: those that keep their MTU when flannel starts anew.
    """

    old: Optional[int]
    wanted: int
    pods: int
    devices: Tuple[str, ...]


def plan_k3s(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan. Raises Blocked, UnreadableFile."""
    if wish.plugin and wish.plugin != "flannel":
        raise Blocked(
            f"plugin: {wish.plugin}, but K3s brings flannel only: name the stack that you installed with stacks"
        )
    backend = option(root, "flannel-backend")
    if backend is not None and backend.value == "none":
        raise Blocked(f"{backend.place}: K3s runs no flannel: name the stack that you installed with stacks")
    chosen = option(root, "flannel-conf")
    file = OUR_FILE if chosen is None else chosen.value
    before, source = _source(root, file)
    flannel = _flannel(wish, source, file if before is not None else GENERATED)
    _check_delegate(root, flannel.pods)
    in_force = flannel_mtu(root)
    keeping = keeping_links(root, flannel.devices, flannel.pods)
    knobs = (Knob(f"{file}: Backend.MTU", MtuMeaning.UNDERLAY, flannel.old, flannel.wanted),)
    if flannel.old is None and in_force == flannel.pods and not keeping:
        return StackPlan(Stack.K3S, knobs=knobs, reason=RIGHT, running=PODS_KEEP)
    text = source if flannel.old == flannel.wanted else with_backend_mtu(source, flannel.wanted)
    after = FileText(text, before.mode if before else 0o644)
    changes = [FileChange(file, before, after)] if before != after else []
    if chosen is None or chosen.place.startswith(f"{OUR_DROP_IN}:"):
        drop_in = own_file_change(root, OUR_DROP_IN, f'{MARK}\nflannel-conf: "{OUR_FILE}"\n', MARK)
        changes += [drop_in] if drop_in else []
    keeps = f"{' and '.join(flannel.devices)} would keep their old MTU over the restart. " if flannel.devices else ""
    stale = in_force not in (None, flannel.pods)
    told = OUR_DROP_IN if chosen is None else chosen.place.rpartition(":")[0]
    read = stale and not changes and _started_since(root, (file, told))
    return StackPlan(
        Stack.K3S,
        knobs=knobs,
        changes=tuple(changes),
        reason="" if changes else f"{file} is so already{_yet(in_force if stale else None, read, keeping)}",
        restart=_restart(root),
        due=stale and not read,
        keeping=keeping,
        running=f"{keeps}Pods go on while K3s restarts. {PODS_KEEP}",
    )


def _started_since(root: str, files: Sequence[str]) -> bool:
    """Tell whether K3s was started after these files were written: flannel writes subnet.env at every start."""
    written = [when for when in (modified(root, file) for file in files) if when is not None]
    started = modified(root, SUBNET_ENV)
    return started is not None and bool(written) and started > max(written)


def _yet(in_force: Optional[int], read: bool, keeping: Sequence[Tuple[str, int]]) -> str:
    """Return what the node lacks although its files are right, as the end of a sentence.

    in_force: the MTU that new pods get, in bytes, None where it is the right one. read: K3s was started since.
    """
    if in_force is not None and read:
        return (
            f"; K3s was started since, and new pods get {in_force} all the same: flannel v0.21.3 is the first that "
            "takes notice of MTU, and K3s v1.21 the first that reads config.yaml.d: upgrade K3s where it is older"
        )
    if in_force is not None:
        return f", but K3s has not read it yet: new pods get {in_force} until it is restarted"
    names = " and ".join(link for link, _mtu in keeping)
    return f"; {names} has another MTU yet: set it, which needs no restart" if names else ""


def option(root: str, name: str) -> Optional[_Option]:
    """Return the value of an option of K3s that is in force, None where it isn't given.

    The command line comes after config.yaml and its drop-ins. Raises Blocked, UnreadableFile.
    """
    for unit in _UNITS:
        path = f"{_UNIT_DIRECTORY}/{unit}"
        text = read_text(root, path) or ""
        match = re.search(_FLAG.format(name), text)
        if match:
            return _Option(match.group(1), f"{path}:{text.count(chr(10), 0, match.start(1)) + 1}")
    found: List[_Option] = []
    names = list_directory(root, f"{_CONFIG}.d")
    drop_ins = [f"{_CONFIG}.d/{entry}" for entry in names if entry.lower().endswith((".yaml", ".yml"))]
    for path in [_CONFIG, *drop_ins]:
        try:
            keys = top_level_lists(read_text(root, path) or "", (name,))
        except YamlError as error:
            raise Blocked(f"{path} can't be understood ({error}): correct it") from error
        found += [_Option(values[-1], f"{path}:{key.line}") for key, values in keys if values]
    return found[-1] if found else None


def _source(root: str, file: str) -> Tuple[Optional[FileText], str]:
    """Return the file as it is, and the text that it is to have but for the MTU. Raises Blocked, UnreadableFile."""
    before = read_whole(root, file)
    if before is not None:
        return before, before.text
    if file != OUR_FILE:
        raise Blocked(f"flannel-conf names {file}, which is not there: K3s would not start; correct it")
    generated = read_text(root, GENERATED)
    if generated is None:
        raise Blocked(f"{GENERATED} is not there, from which ours is made: start K3s once, and run again")
    return None, generated


def _flannel(wish: MtuWish, text: str, where: str) -> _Flannel:
    """Return what flannel is told. Raises Blocked."""
    try:
        backend, kind, old = backend_of(text, where)
    except ValueError as error:
        raise Blocked(f"{error}: correct it") from error
    if kind not in FLANNEL_OVERHEAD:
        raise Blocked(
            f"{where}: flannel's backend {kind} takes no notice of an MTU: pods get that of the node's interface when "
            "K3s starts, less what the backend adds; set the interface's MTU with link_mtu, and restart K3s"
        )
    wanted = flannel_for(wish, kind, "flannel's Backend.MTU")
    return _Flannel(old, wanted, wanted - FLANNEL_OVERHEAD[kind], tunnels_of(text, backend, kind))


def _check_delegate(root: str, pods: int) -> None:
    """Raise Blocked where the bridge of the conflist has an MTU of its own, which counts for more than flannel's."""
    own = delegate_mtu(network_in_force(root))
    if own is None or own == pods:
        return
    given = option(root, "flannel-cni-conf")
    place = given.value if given else "the CNI configuration of flannel"
    raise Blocked(f"{place}: delegate.mtu is {own} and counts for more than flannel's: set it to {pods}, or remove it")


def _restart(root: str) -> Restart:
    wants = f"{_UNIT_DIRECTORY}/multi-user.target.wants"
    unit = next((unit for unit in _UNITS if exists(root, f"{wants}/{unit}")), None)
    names = [unit] if unit else _UNITS
    return Restart(unit, " or ".join(f"systemctl restart {name.rpartition('.')[0]}" for name in names))
