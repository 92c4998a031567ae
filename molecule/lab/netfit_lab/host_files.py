# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between this machine's files and those of a lab host; written once, at a host's first boot.

Everything here works below a root path. After the first boot the files are the host's own: a reboot keeps its changes.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MARK = "etc/nf-lab-host"
UNITS = "etc/systemd/system"
VENDOR_UNITS = ("usr/lib/systemd/system", "lib/systemd/system")
KEPT_GENERATORS = ("systemd-sysv-generator", "systemd-rc-local-generator", "netplan")
KEPT_VENDOR_WANTS = frozenset(
    {
        "cryptsetup.target",
        "dbus.service",
        "dbus.socket",
        "dev-mqueue.mount",
        "systemd-ask-password-console.path",
        "systemd-initctl.socket",
        "systemd-journal-flush.service",
        "systemd-journald-dev-log.socket",
        "systemd-journald-varlink@.socket",
        "systemd-journald.service",
        "systemd-journald.socket",
        "systemd-sysctl.service",
        "systemd-sysusers.service",
        "systemd-tmpfiles-clean.timer",
        "systemd-tmpfiles-setup.service",
        "systemd-update-utmp.service",
        "systemd-user-sessions.service",
    }
)
"""What the base system itself wants started and a host without devices can use. All else is started only on demand
of the topology: units that manage devices, consoles and kernel modules would reach for those of this machine."""
MASKED = (
    "systemd-udevd.service", "systemd-udevd-kernel.socket", "systemd-udevd-control.socket",
    "systemd-udev-trigger.service", "systemd-modules-load.service", "modprobe@.service", "systemd-logind.service",
    "getty.target", "console-getty.service", "systemd-networkd-wait-online.service",
    "NetworkManager-wait-online.service", "systemd-remount-fs.service",
)  # fmt: skip
PRIVATE = ("/etc/NetworkManager/system-connections/", "/etc/netplan/")
"""Where files may hold keys and passwords: their programs refuse or complain about what others can read."""
SSHD_CONFIG = """\
# Written by the lab.
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile .ssh/authorized_keys
UsePAM yes
UseDNS no
MaxStartups 100
Subsystem sftp internal-sftp
"""
JOURNAL_CONFIG = "[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\nForwardToConsole=no\nReadKMsg=no\n"


@dataclass(frozen=True)
class HostFiles:
    """What a host's files say. hosts_file: the text of /etc/hosts. services: units to start at boot.

    files: further ones, text by absolute path.
    """

    name: str
    services: tuple[str, ...]
    hosts_file: str
    host_key: str
    host_public_key: str
    authorized_key: str
    files: Mapping[str, str] = field(default_factory=dict)


def write(root: Path, files: HostFiles) -> None:
    """Write the files of a host, unless an earlier boot has."""
    if (root / MARK).exists():
        return
    _write_identity(root, files)
    _write_ssh(root, files)
    _forget_what_the_machine_starts(root)
    for path, text in files.files.items():
        _replace(root / path.lstrip("/"), text, 0o600 if path.startswith(PRIVATE) else 0o644)
    for unit in MASKED:
        if unit_name(unit) not in {unit_name(service) for service in files.services}:
            _mask(root, unit)
    for service in ("ssh", *files.services):
        _enable(root, unit_name(service))
    _replace(root / MARK, f"{files.name}\n")


def unit_name(service: str) -> str:
    """Return the unit of a service that may be written without its type."""
    return service if "." in service else f"{service}.service"


def find_unit(root: Path, unit: str) -> Path | None:
    """Return where a unit's file is, None when it is not installed."""
    for directory in (UNITS, *VENDOR_UNITS):
        path = root / directory / unit
        if os.path.lexists(path) and not _is_mask(path):
            return path
    return None


def _write_identity(root: Path, files: HostFiles) -> None:
    _replace(root / "etc/hostname", f"{files.name}\n")
    _replace(root / "etc/machine-id", f"{uuid.uuid4().hex}\n")
    _replace(root / "etc/hosts", files.hosts_file)
    # Nothing answers there (RFC 5737): names fail, as they do on a machine that is cut off.
    _replace(root / "etc/resolv.conf", "nameserver 192.0.2.53\noptions timeout:1 attempts:1\n")
    _replace(root / "etc/fstab", "")
    _replace(root / "etc/systemd/journald.conf.d/nf-lab.conf", JOURNAL_CONFIG)
    if (root / "etc/cloud").is_dir():
        _replace(root / "etc/cloud/cloud-init.disabled", "")


def _write_ssh(root: Path, files: HostFiles) -> None:
    configuration = root / "etc/ssh"
    for path in configuration.glob("ssh_host_*"):
        path.unlink()
    _replace(configuration / "sshd_config", SSHD_CONFIG)
    _replace(configuration / "ssh_host_ed25519_key", files.host_key, 0o600)
    _replace(configuration / "ssh_host_ed25519_key.pub", files.host_public_key)
    own = root / "root/.ssh"
    if own.is_symlink():
        own.unlink()
    elif own.is_dir():
        shutil.rmtree(own)
    own.mkdir(parents=True, mode=0o700)
    os.chmod(root / "root", 0o700)
    _replace(own / "authorized_keys", files.authorized_key, 0o600)


def _forget_what_the_machine_starts(root: Path) -> None:
    """Disable what packages and people enabled on this machine, so that the topology alone says what starts."""
    for kind in ("wants", "requires"):
        for link in (root / UNITS).glob(f"*.{kind}/*"):
            link.unlink()
        for directory in VENDOR_UNITS:
            for link in (root / directory).glob(f"*.{kind}/*"):
                if link.name not in KEPT_VENDOR_WANTS and not link.name.endswith((".target", ".slice")):
                    _mask(root, link.name)
    for link in (root / "etc").glob("rc[S0-9].d/S*"):
        link.unlink()
    for path in (root / "etc/netplan").glob("*.yaml"):
        path.unlink()
    _mask_generators(root)


def _mask_generators(root: Path) -> None:
    """Mask the programs that would make units from this machine's disks, consoles and cloud."""
    for directory in ("usr/lib/systemd/system-generators", "lib/systemd/system-generators"):
        for path in (root / directory).glob("*"):
            if path.name not in KEPT_GENERATORS:
                masked = root / "etc/systemd/system-generators" / path.name
                masked.parent.mkdir(parents=True, exist_ok=True)
                _link(masked, os.devnull)


def _mask(root: Path, unit: str) -> None:
    path = root / UNITS / unit
    if not os.path.lexists(path):
        _link(path, os.devnull)


def _is_mask(path: Path) -> bool:
    return path.is_symlink() and os.readlink(path) == os.devnull


def _enable(root: Path, unit: str) -> None:
    mask = root / UNITS / unit
    if _is_mask(mask):
        mask.unlink()
    found = find_unit(root, unit)
    if found is None:
        raise FileNotFoundError(f"no unit {unit} is installed")
    wants = root / UNITS / "multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    _link(wants / unit, f"/{found.relative_to(root)}")


def _link(path: Path, target: str) -> None:
    if os.path.lexists(path):
        path.unlink()
    path.symlink_to(target)


def _replace(path: Path, content: str, mode: int = 0o644) -> None:
    """Write a file of the host's own, also where the machine has a link to elsewhere or another's permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(path):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(content)
    os.chmod(path, mode)
