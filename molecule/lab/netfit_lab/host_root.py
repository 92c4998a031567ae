# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root file system of a host, built by the process that becomes its init.

An overlay of this machine's `/`; pivot_root; own /proc, /sys, /dev, /run; then systemd.
"""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from . import host_files, kernel_calls
from .host_files import HostFiles
from .kernel_calls import BIND, NO_DEVICES, NO_EXECUTION, NO_SUID, READ_ONLY, REMOUNT, mount

INITS = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
CONTAINER_DIRECTORIES = ("var/lib/docker", "var/lib/containerd", "var/lib/containers")
"""Not on the overlay: an overlay does not serve as the upper layer of another."""
_STACKED = ("etc", "usr", "var", "opt", "home", "root", "srv", "lib", "lib64", "bin", "sbin")
"""Directories that a host has from this machine even where they are file systems of their own."""
_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0),
            "net/tun": (10, 200), "fuse": (10, 229)}  # fmt: skip
_LINKS = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
          "stderr": "/proc/self/fd/2"}  # fmt: skip
_MACHINE_WIDE = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi")
"""Below /proc: not per namespace, so that a host may read them and change nothing of this machine."""
_DROPPED_CAPABILITIES = (16, 17, 25, 34)
"""CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME, CAP_SYSLOG: rights over the kernel that all hosts share."""


@dataclass(frozen=True)
class HostLayers:
    """Where a host's own layer is kept, in the lab's private tmpfs: it outlives the host's reboot."""

    directory: Path

    def create(self) -> None:
        """Make the directories that are not there yet."""
        for name in ("upper", "work", "root", *CONTAINER_DIRECTORIES):
            (self.directory / name).mkdir(parents=True, exist_ok=True)


def become(layers: HostLayers, files: HostFiles) -> None:
    """Build the root, enter it and become systemd; in new mount, PID, UTS, IPC and cgroup namespaces.

    Raises OSError; does not return otherwise.
    """
    mount("none", "/", flags=kernel_calls.RECURSIVE | kernel_calls.PRIVATE)
    layers.create()
    root = layers.directory / "root"
    _overlay(Path("/"), layers.directory, root)
    for name in _separate_file_systems():
        _overlay(Path("/", name), layers.directory / "stacked" / name, root / name)
    _special_file_systems(root)
    for name in CONTAINER_DIRECTORIES:
        (root / name).mkdir(parents=True, exist_ok=True)
        mount(str(layers.directory / name), str(root / name), flags=BIND)
    _devices(root / "dev")
    os.chdir(root)
    # On the very same directory: the old root ends up on top of the new one, and is taken off again.
    kernel_calls.pivot_root(".", ".")
    kernel_calls.unmount(".", kernel_calls.DETACH)
    os.chdir("/")
    host_files.write(Path("/"), files)
    _name_the_host()
    for capability in _DROPPED_CAPABILITIES:
        kernel_calls.drop_from_bounding_set(capability)
    program = next(path for path in INITS if os.path.exists(path))
    environment = {"container": "lab", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    os.execve(program, ["/sbin/init", "--log-target=journal-or-kmsg", "--show-status=false"], environment)


def _overlay(lower: Path, layers: Path, target: Path) -> None:
    for name in ("upper", "work"):
        (layers / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={lower},upperdir={layers / 'upper'},workdir={layers / 'work'}"
    mount("overlay", str(target), "overlay", options=options)


def _separate_file_systems() -> list[str]:
    device = os.stat("/").st_dev
    return [
        name
        for name in _STACKED
        if os.path.isdir(f"/{name}") and not os.path.islink(f"/{name}") and os.stat(f"/{name}").st_dev != device
    ]


def _special_file_systems(root: Path) -> None:
    for name in ("proc", "sys", "run", "tmp", "dev"):
        (root / name).mkdir(exist_ok=True)
    mount("proc", str(root / "proc"), "proc", NO_SUID | NO_DEVICES | NO_EXECUTION)
    for name in _MACHINE_WIDE:
        path = str(root / "proc" / name)
        if os.path.exists(path):
            mount(path, path, flags=BIND)
            mount("none", path, flags=BIND | REMOUNT | READ_ONLY | NO_SUID | NO_DEVICES | NO_EXECUTION)
    network = str(root / "proc/sys/net")
    mount(network, network, flags=BIND)
    mount("none", network, flags=BIND | REMOUNT | NO_SUID | NO_DEVICES | NO_EXECUTION)
    # Read-only /sys is how systemd knows that there are no devices to wait for: networkd manages links without udev.
    mount("sysfs", str(root / "sys"), "sysfs", READ_ONLY | NO_SUID | NO_DEVICES | NO_EXECUTION)
    mount("cgroup2", str(root / "sys/fs/cgroup"), "cgroup2", NO_SUID | NO_DEVICES | NO_EXECUTION)
    mount("tmpfs", str(root / "run"), "tmpfs", NO_SUID | NO_DEVICES, "mode=0755")
    mount("tmpfs", str(root / "tmp"), "tmpfs", NO_SUID | NO_DEVICES, "mode=1777")


def _devices(directory: Path) -> None:
    mount("tmpfs", str(directory), "tmpfs", NO_SUID, "mode=0755,size=64k")
    os.umask(0)
    for name in ("net", "pts", "shm", "mqueue"):
        (directory / name).mkdir(mode=0o755)
    for name, (major, minor) in _DEVICES.items():
        os.mknod(directory / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))
    os.umask(0o022)
    for name, target in _LINKS.items():
        (directory / name).symlink_to(target)
    options = "newinstance,ptmxmode=0666,mode=0620,gid=5"
    mount("devpts", str(directory / "pts"), "devpts", NO_SUID | NO_EXECUTION, options)
    mount("tmpfs", str(directory / "shm"), "tmpfs", NO_SUID | NO_DEVICES, "mode=1777")


def _name_the_host() -> None:
    socket.sethostname(Path("/etc/hostname").read_text().strip())
