# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine needs before a lab can be built: all that is missing is named at once."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from . import host_files, host_root
from .errors import MissingRequirement
from .topology import Topology

TOOLS = {
    "ip": "iproute2", "nft": "nftables", "nsenter": "util-linux", "sleep": "coreutils", "ssh": "openssh-client",
    "ssh-keygen": "openssh-client", "sshd": "openssh-server", "systemctl": "systemd",
}  # fmt: skip
"""Tool: its Debian package."""
SERVICE_PACKAGES = {
    "containerd": "containerd", "docker": "docker.io", "nginx": "nginx", "podman": "podman", "ssh": "openssh-server",
    "NetworkManager": "network-manager", "systemd-networkd": "systemd", "networking": "ifupdown",
    "chrony": "chrony", "cron": "cron",
}  # fmt: skip
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing_packages(topology: Topology, feature_packages: Iterable[str] = (), root: Path = Path("/")) -> list[str]:
    """Return "package (for what)" of everything that a topology needs and this machine lacks."""
    missing = [f"{package} ({tool})" for tool, package in TOOLS.items() if shutil.which(tool, path=_PATH) is None]
    if not any(os.path.exists(path) for path in host_root.INITS):
        missing.append("systemd (the hosts' init)")
    services = {
        service
        for host in topology.hosts.values()
        for service in host.services
        if f"/{host_files.UNITS}/{host_files.unit_name(service)}" not in host.files
    } | {"ssh"}
    for service in sorted(services):
        if host_files.find_unit(root, host_files.unit_name(service)) is None:
            stem = service.removesuffix(".service")
            missing.append(f"{SERVICE_PACKAGES.get(stem, stem)} (unit {host_files.unit_name(service)})")
    wanted = {package for host in topology.hosts.values() for package in host.packages} | set(feature_packages)
    return missing + [f"{package} (the topology asks for it)" for package in sorted(wanted - _installed(wanted))]


def check_rights() -> None:
    """Raise MissingRequirement unless this is root."""
    if os.geteuid() != 0:
        raise MissingRequirement("the lab needs root: it makes namespaces and mounts")


def check(topology: Topology, feature_packages: Iterable[str] = ()) -> None:
    """Raise MissingRequirement that names everything missing."""
    check_rights()
    kinds = {line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()}
    lacking = {"overlay", "cgroup2", "tmpfs"} - kinds - _loadable({"overlay"} - kinds)
    if lacking:
        raise MissingRequirement(f"the kernel lacks the file systems {', '.join(sorted(lacking))}")
    missing = missing_packages(topology, feature_packages)
    if missing:
        packages = " ".join(sorted({text.split()[0] for text in missing}))
        raise MissingRequirement(f"missing: {', '.join(missing)}\nOn Debian or Ubuntu: apt-get install {packages}")
    for host in topology.hosts.values():
        if python_of(host.python) is None:
            raise MissingRequirement(f"hosts.{host.name}.python: there is no {host.python!r} on this machine")


def python_of(written: str) -> str | None:
    """Return the absolute path of an interpreter that a topology names by path or name; None when there is none."""
    return shutil.which(os.path.expanduser(written))


def _loadable(kinds: set[str]) -> set[str]:
    """Return those of the file systems whose module the kernel would load when they are mounted."""
    modules = Path("/lib/modules", os.uname().release, "modules.dep")
    listed = modules.read_text() if modules.exists() else ""
    return {kind for kind in kinds if f"/{kind}.ko" in listed}


def _installed(packages: set[str]) -> set[str]:
    if not packages or shutil.which("dpkg-query") is None:
        return set()
    command = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *sorted(packages)]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    return {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
