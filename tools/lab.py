# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make lab: what the lab needs of this machine, its Debian packages and an environment of its own, .venv-lab."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from environments import ensure_environment
from packages import install_packages, may_install, missing_packages
from steps import ROOT, StepFailed, fail

ENVIRONMENT = ROOT / ".venv-lab"
REQUIREMENTS = ROOT / "molecule" / "lab" / "requirements.txt"
PACKAGES = (
    "containerd",
    "containernetworking-plugins",
    "dbus",
    "docker.io",
    "gcc",
    "iproute2",
    "iptables",
    "kmod",
    "libc6-dev",
    "netavark",
    "nftables",
    "nginx",
    "openssh-client",
    "openssh-server",
    "podman",
    "procps",
    "runc",
    "systemd",
    "systemd-sysv",
    "util-linux",
)


def prepare_lab() -> Path:
    """Bring packages and .venv-lab up to date and return the environment's Python. Raises StepFailed."""
    if os.geteuid() != 0:
        raise StepFailed("the lab needs root (it makes network namespaces, bridges and mounts of its own): use sudo")
    missing = missing_packages(PACKAGES)
    if missing and not may_install():
        raise StepFailed(f"the lab runs on Debian and Ubuntu and needs these packages: {' '.join(missing)}")
    if missing:
        install_packages(missing)
    return ensure_environment(ENVIRONMENT, sys.executable, [REQUIREMENTS])


def main() -> int:
    """Prepare. Returns the exit status."""
    os.umask(0o022)
    try:
        prepare_lab()
    except StepFailed as error:
        return fail(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
