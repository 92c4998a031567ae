# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages: which are missing, and installing them without starting a daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Iterable, Iterator, List

from steps import StepFailed, run_quietly, say

POLICY = Path("/usr/sbin/policy-rc.d")


def on_debian() -> bool:
    """Tell whether this is Debian or something made from it."""
    return shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def may_install() -> bool:
    """Tell whether packages can be installed here: root on Debian or Ubuntu."""
    return on_debian() and os.geteuid() == 0


def missing_packages(names: Iterable[str]) -> List[str]:
    """Return those of the named packages that dpkg doesn't know as installed, sorted.

    Without dpkg those of whose name there is no command.
    """
    wanted = set(names)
    if not on_debian():
        return sorted(name for name in wanted if shutil.which(name) is None)
    if not wanted:
        return []
    listing = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Package} ${Status}\n", *sorted(wanted)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    ).stdout
    installed = {line.split()[0] for line in listing.splitlines() if line.endswith(" installed")}
    return sorted(wanted - installed)


def install_packages(names: List[str]) -> None:
    """Install packages by apt-get; no daemon of theirs is started. Raises StepFailed."""
    say(f"installs {' '.join(names)} (starts none of their services)")
    command = ["apt-get", "--quiet", "--option", "DPkg::Lock::Timeout=300"]
    install = [*command, "install", "--yes", "--no-install-recommends", *names]
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    with _no_daemon_starts():
        try:
            run_quietly(install, environment)
        except StepFailed:
            # lists that are missing, as on a new machine, or out of date
            run_quietly([*command, "update"], environment)
            run_quietly(install, environment)
    still_missing = missing_packages(names)
    if still_missing:
        raise StepFailed(f"apt-get did not install {' '.join(still_missing)}")


@contextmanager
def _no_daemon_starts() -> Iterator[None]:
    """Keep maintainer scripts from starting services; a policy that the machine already has stays."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
