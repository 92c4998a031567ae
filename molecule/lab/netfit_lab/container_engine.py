# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making networks and containers with the command of a container engine, on a running host."""

from __future__ import annotations

from .engine_plan import EngineHost
from .host import Host
from .image_catalogue import IMAGES
from .images import build

_ARCHIVE = "/run/netfit-image.tar"


def build_on(host: Host, engine: str, plan: EngineHost, mtu_option: str) -> None:
    """Load the images, make the networks and start the containers.

    engine: path of its command. mtu_option: the name of a network's MTU among the options of its driver.
    """
    for image in IMAGES.values():
        if image.reference in plan.images:
            archive = host.root / _ARCHIVE.lstrip("/")
            archive.write_bytes(build(image))
            host.run([engine, "load", f"--input={_ARCHIVE}"])
            archive.unlink()
    for name, mtu in plan.networks.items():
        options = [] if mtu is None else [f"--opt={mtu_option}={mtu}"]
        host.run([engine, "network", "create", *options, name])
    for container in plan.containers:
        host.run([engine, *container.arguments()])
