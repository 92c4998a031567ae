# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The MTU of Docker's containers to come: what has to be in daemon.json, and what no file can do.

Source: moby 20.10 and 24.0 cmd/dockerd/daemon.go, daemon/config (unknown keys and keys that are flags as well end the
start), daemon/network.go createNetwork (defaults per driver); the rest is measured with dockerd 20.10.24.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import List, Optional, Tuple, Union

from .._model.declared import MtuMeaning
from .._model.docker_network import DOCKER_MTU_OPTION, KERNEL_MTU, DockerNetwork
from .._model.file_change import FileChange, FileText, Restart
from .._model.mtu_config import Knob, MtuWish, Stack, StackPlan
from .declarations import Declarations
from .docker_daemon import DAEMON_JSON, daemon_flags, docker_data_root
from .docker_network_list import list_docker_networks
from .drop_ins import Blocked
from .json_edit import with_member
from .json_text import JsonError, JsonNode, parse_json
from .mtu_ceiling import new_size, words_about_smaller
from .mtu_docker_networks import network_snippets, other_networks, swarm_snippets
from .reading import exists
from .whole_file import read_whole

_DEFAULTS = "default-network-opts"
FIRST_WITH_DEFAULTS = (24, 0)
"""The release that knows default-network-opts. Older ones refuse to start with a key that they don't know."""
_SWARM = "swarm/docker-state.json"
# Keys from the outermost object inwards, and the value.
_Setting = Tuple[Tuple[str, ...], Union[int, str]]
_RESTART = Restart("docker.service", "systemctl restart docker")

_LASTS = "Containers that run keep the MTU that they have until they are started again; link_mtu changes them live. "
_STOPS = (
    "A restart of docker stops all containers. Those with a restart policy come up again by themselves, and all have "
    "the new MTU on the default network once they are started."
)
_KEEPS = (
    "live-restore is on: a restart of docker lets containers run, and dockerd then keeps the default network as it "
    "is. The value counts from the first start of dockerd at which no container runs, at the latest after a reboot."
)


def plan_docker_mtu(root: str, wish: MtuWish) -> StackPlan:
    """Return the plan. Raises Blocked, UnreadableFile."""
    container_mtu = wish.container_mtu
    if container_mtu is None:
        raise Blocked("container_mtu: it is needed for Docker's bridges, and it is not given")
    declarations = Declarations(root)
    for file, line, key, other in daemon_flags(declarations, "config-file"):
        if other != DAEMON_JSON:
            raise Blocked(f"{file} line {line}: dockerd is started with {key} {other}, and does not read {DAEMON_JSON}")
    before = read_whole(root, DAEMON_JSON)
    text = before.text if before is not None and before.text.strip() else "{}\n"
    node = _parse(text)
    settings = _settings(declarations, node, wish)
    for keys, value in settings:
        try:
            text = with_member(text, keys, value)
        except JsonError as error:
            raise Blocked(f"{DAEMON_JSON}: {error}, so that dockerd can't start with it: correct it") from error
    if before is None or not before.text.strip():
        text = json.dumps(json.loads(text), indent=2) + "\n"
    # dockerd takes a file that is not there, or is empty, for one without settings.
    nothing = not settings and (before is None or not before.text.strip())
    after = before if nothing else FileText(text, before.mode if before is not None else 0o644)
    networks = list_docker_networks(declarations, docker_data_root(declarations))
    knobs = _knobs(declarations, node, wish)
    plan = StackPlan(
        Stack.DOCKER,
        knobs=knobs,
        changes=(FileChange(DAEMON_JSON, before, after),) if after != before else (),
        restart=_RESTART,
        running=_running(node),
        snippets=network_snippets(networks, container_mtu),
    )
    words = _words(declarations, node, networks, wish) + words_about_smaller(knobs, container_mtu)
    return _with_words(plan, words, _swarm_mtu(declarations, wish))


def _parse(text: str) -> JsonNode:
    try:
        json.loads(text)
        node = parse_json(text)
    except ValueError as error:
        raise Blocked(f"{DAEMON_JSON} is no JSON ({error}), and dockerd can't start with it: correct it") from error
    if node.kind != "object":
        raise Blocked(f"{DAEMON_JSON} holds no JSON object, and dockerd can't start with it: correct it")
    return node


def _settings(declarations: Declarations, node: JsonNode, wish: MtuWish) -> List[_Setting]:
    """Return keys and value of each member of daemon.json that has to be there. Raises Blocked."""
    found: List[_Setting] = []
    if not _flag_has(declarations, node, wish) and wish.container_mtu is not None:
        size = _size(node.get("mtu"), int, wish.container_mtu, wish)
        found += [(("mtu",), size)] if size is not None else []
    if _knows_defaults(wish):
        for file, line, key, _value in daemon_flags(declarations, "default-network-opt"):
            raise Blocked(
                f"{file} line {line}: dockerd is started with {key} and would not start with {_DEFAULTS} in "
                f"{DAEMON_JSON} as well: move what it says there into the file, then run again"
            )
        for driver, mtu in _defaults(wish):
            size = _size(_place(node, driver), str, mtu, wish)
            found += [((_DEFAULTS, driver, DOCKER_MTU_OPTION), str(size))] if size is not None else []
    return found


def _size(now: Optional[JsonNode], kind: type, mtu: int, wish: MtuWish) -> Optional[int]:
    """Return what a member of daemon.json is to be, None where it stays. What is not of its kind is replaced."""
    number = _number(now)
    size = new_size(mtu, wish.raising, [number or KERNEL_MTU])
    wrong = now is not None and (number is None or not isinstance(now.scalar, kind))
    return min(mtu, number or KERNEL_MTU) if size is None and wrong else size


def _place(node: JsonNode, driver: str) -> Optional[JsonNode]:
    """Return the MTU of the networks that a driver makes."""
    place: Optional[JsonNode] = node
    for key in (_DEFAULTS, driver, DOCKER_MTU_OPTION):
        place = place.get(key) if place is not None else None
    return place


def _flag_has(declarations: Declarations, node: JsonNode, wish: MtuWish) -> bool:
    """Tell whether dockerd gets the value by --mtu. Raises Blocked where it gets another one, or both ways."""
    flags = daemon_flags(declarations, "mtu")
    for file, line, key, value in flags:
        if node.get("mtu") is not None:
            raise Blocked(
                f"{file} line {line}: dockerd is started with {key} {value}, and {DAEMON_JSON} has mtu as well: with "
                "both it does not start. Remove the option, then run again"
            )
        if not value.isdecimal() or _changed(int(value), wish):
            raise Blocked(
                f"{file} line {line}: dockerd is started with {key} {value}, and would not start with mtu in "
                f"{DAEMON_JSON} as well: remove the option (or make it {wish.container_mtu}), then run again"
            )
    return bool(flags)


def _changed(now: int, wish: MtuWish) -> bool:
    return new_size(wish.container_mtu or now, wish.raising, [now]) not in (None, now)


def _knows_defaults(wish: MtuWish) -> bool:
    return wish.docker_version is not None and wish.docker_version >= FIRST_WITH_DEFAULTS


def _defaults(wish: MtuWish) -> List[Tuple[str, int]]:
    found = [("bridge", wish.container_mtu), ("overlay", wish.underlay_mtu)]
    return [(driver, mtu) for driver, mtu in found if mtu is not None]


def _knobs(declarations: Declarations, node: JsonNode, wish: MtuWish) -> Tuple[Knob, ...]:
    flags = daemon_flags(declarations, "mtu")
    if flags and flags[0][3].isdecimal():
        # Another value than the wished one, that may not stay, was refused before.
        knobs = [Knob(f"{flags[0][0]} --mtu", MtuMeaning.INTERFACE, int(flags[0][3]), int(flags[0][3]))]
    else:
        now, size = node.get("mtu"), _size(node.get("mtu"), int, wish.container_mtu or KERNEL_MTU, wish)
        knobs = [Knob(f"{DAEMON_JSON} mtu", MtuMeaning.INTERFACE, _number(now), size or _number(now))]
    for driver, mtu in _defaults(wish) if _knows_defaults(wish) else ():
        meaning = MtuMeaning.UNDERLAY if driver == "overlay" else MtuMeaning.INTERFACE
        now = _place(node, driver)
        size = _size(now, str, mtu, wish) or _number(now)
        knobs.append(Knob(f"{DAEMON_JSON} {_DEFAULTS}.{driver}", meaning, _number(now), size))
    return tuple(knobs)


def _number(node: Optional[JsonNode]) -> Optional[int]:
    text = str(node.scalar) if node is not None else ""
    return int(text) if text.isdecimal() else None


def _running(node: JsonNode) -> str:
    live_restore = node.get("live-restore")
    return _LASTS + (_KEEPS if live_restore is not None and live_restore.scalar is True else _STOPS)


def _swarm_mtu(declarations: Declarations, wish: MtuWish) -> Optional[int]:
    """Return what overlay networks need where the host is in a swarm, 0 where that is not given."""
    in_swarm = exists(declarations.root, f"{docker_data_root(declarations)}/{_SWARM}")
    return (wish.underlay_mtu or 0) if in_swarm else None


def _words(declarations: Declarations, node: JsonNode, networks: List[DockerNetwork], wish: MtuWish) -> List[str]:
    words = []
    bridge = node.get("bridge")
    if bridge is not None and bridge.scalar == "none":
        words.append("bridge is none in daemon.json, so that there is no default network that mtu could be for.")
    if wish.docker_version is None:
        words.append(f"Which release dockerd is is not known, so that {_DEFAULTS} is left out: older ones don't start.")
    elif not _knows_defaults(wish):
        words.append(
            f"Docker {wish.docker_version[0]}.{wish.docker_version[1]} has no {_DEFAULTS} (24.0 is the first): "
            "networks to come get an MTU only by their own option."
        )
    kept = other_networks(networks, wish.container_mtu or 0)
    if kept:
        words.append(
            f"mtu does not reach networks that are there, and these have more: {', '.join(kept)}; see the snippets."
        )
    return words + [str(problem.reason) for problem in declarations.problems]


def _with_words(plan: StackPlan, words: List[str], swarm: Optional[int]) -> StackPlan:
    snippets = dict(plan.snippets)
    if swarm:
        snippets.update(swarm_snippets(swarm))
        words.append("The overlay networks of the swarm keep their MTU; see the snippets.")
    elif swarm is not None:
        words.append(
            "The host is in a swarm, and underlay_mtu is not given: its overlay networks are not looked after."
        )
    if not plan.changes:
        words.insert(0, f"{DAEMON_JSON} needs no change.")
    return replace(plan, reason=" ".join(words), snippets=snippets)
