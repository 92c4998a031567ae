# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The Docker daemon's configuration: MTUs and where it keeps its data."""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from .._model.declared import MtuMeaning
from .._model.docker_network import DOCKER_MTU_OPTION
from .._model.fact import Source
from .declarations import Declarations
from .docker_networks import MEANING_OF_DRIVER
from .docker_unit import docker_unit
from .json_text import JsonNode

DAEMON_JSON = "/etc/docker/daemon.json"
_SUBJECT = "docker daemon.json"
_DEFAULT_DATA_ROOT = "/var/lib/docker"
_OPTION_FILES = ("/etc/default/docker", "/etc/sysconfig/docker")


def read_docker_daemon(declarations: Declarations) -> None:
    """Add the MTU of the default network and the defaults for networks to come.

    ``mtu`` reaches only the default network, whose bridge is docker0 or the one that ``bridge`` names;
    ``default-network-opts`` the networks created after it was set. ``--mtu`` is looked for in the options file of
    Debian and of Red Hat and in the unit's command line. Source: moby 20.10 daemon/daemon_unix.go initBridgeDriver,
    cmd/dockerd/config.go; default-network-opts is moby 24.0.
    """
    node = _daemon_json(declarations)
    bridge: Optional[str] = "docker0"
    if node is not None:
        name = node.get("bridge")
        if name is not None and isinstance(name.scalar, str) and name.scalar:
            bridge = None if name.scalar == "none" else name.scalar
        _declare_default_network(declarations, node, bridge)
        _declare_network_defaults(declarations, node)
    for file, line, key, value in daemon_flags(declarations, "mtu"):
        declarations.declare(
            "docker",
            value,
            MtuMeaning.INTERFACE,
            Source(file, line, key),
            subject="dockerd options",
            as_text=True,
            link=bridge,
            name="bridge",
            active=bridge is not None,
        )


def docker_data_root(declarations: Declarations) -> str:
    """Return Docker's data directory: ``data-root`` (older: ``graph``) of daemon.json, else /var/lib/docker.

    A daemon.json that can't be read is noted in ``declarations``.
    """
    node = _daemon_json(declarations)
    for key in ("data-root", "graph"):
        setting = node.get(key) if node is not None else None
        if setting is not None and isinstance(setting.scalar, str) and setting.scalar.startswith("/"):
            return setting.scalar.rstrip("/") or "/"
    return _DEFAULT_DATA_ROOT


def _daemon_json(declarations: Declarations) -> Optional[JsonNode]:
    text = declarations.text(DAEMON_JSON, _SUBJECT)
    # Newer daemons take an empty file for "no settings".
    return declarations.json(DAEMON_JSON, _SUBJECT) if text and text.strip() else None


def _declare_default_network(declarations: Declarations, node: JsonNode, bridge: Optional[str]) -> None:
    mtu = node.get("mtu")
    if mtu is not None:
        declarations.declare(
            "docker",
            mtu.scalar_or_kind(),
            MtuMeaning.INTERFACE,
            Source(DAEMON_JSON, mtu.line, mtu.path),
            subject=_SUBJECT,
            link=bridge,
            name="bridge",
            active=bridge is not None,
        )


def _declare_network_defaults(declarations: Declarations, node: JsonNode) -> None:
    defaults = node.get("default-network-opts")
    for driver, options in defaults.members if defaults is not None else ():
        mtu = options.get(DOCKER_MTU_OPTION)
        if mtu is not None and driver in MEANING_OF_DRIVER:
            declarations.declare(
                "docker",
                mtu.scalar_or_kind(),
                MEANING_OF_DRIVER[driver],
                Source(DAEMON_JSON, mtu.line, mtu.path),
                subject=_SUBJECT,
                as_text=True,
                name=f"default of {driver} networks",
            )


def daemon_flags(declarations: Declarations, option: str) -> List[Tuple[str, int, str, str]]:
    """Return file, line, key and value of each time that dockerd is started with an option, ``mtu`` for --mtu.

    key: "--mtu" in a file of options, "ExecStart --mtu" in a unit. A file of options counts where the unit reads it and
    uses the variable, as with Debian's docker.io and not with docker-ce, and where systemd has no unit.
    """
    flag = re.compile(rf"""(?:\A|[\s"'=])--?{re.escape(option)}(?:=|\s+)["']?([^\s"']*)""")
    found: List[Tuple[str, int, str, str]] = []
    unit = docker_unit(declarations)
    for path in _OPTION_FILES:
        text = declarations.text(path, "dockerd options") or ""
        for number, line in enumerate(text.split("\n"), start=1):
            match = flag.search(line) if not line.lstrip().startswith("#") else None
            if match and (unit is None or unit.uses(path, line)):
                found.append((path, number, f"--{option}", match.group(1)))
    match = flag.search(unit.command) if unit else None
    if unit and match:
        number = unit.line + unit.command.count("\n", 0, match.start(1))
        found.append((unit.file, number, f"ExecStart --{option}", match.group(1)))
    return found
