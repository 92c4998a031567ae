# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab writes down about itself under /run, so that any later process can find and remove it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import LabError
from .processes import ProcessIdentity, identify

ROOT = Path("/run/nf-lab")


@dataclass(frozen=True)
class Paths:
    """Where the files of one lab are, as this machine sees them."""

    name: str

    @property
    def directory(self) -> Path:
        """Everything about this lab."""
        return ROOT / self.name

    @property
    def record(self) -> Path:
        """The record of the lab: JSON, written atomically."""
        return self.directory / "lab.json"

    @property
    def private(self) -> Path:
        """Empty for the machine; in the keeper's mount namespace a tmpfs with all that the lab mounts."""
        return self.directory / "private"

    @property
    def keys(self) -> Path:
        """The lab's keys: `id` is root's, `host` that of every host."""
        return self.directory / "keys"

    @property
    def known_hosts(self) -> Path:
        """The known-hosts file for the lab's hosts."""
        return self.directory / "known_hosts"

    @property
    def control_sockets(self) -> Path:
        """OpenSSH's connection sharing, apart for each lab: two labs may use the same addresses."""
        return self.directory / "ssh"

    def console(self, host: str) -> Path:
        """What the init of a host printed."""
        return self.directory / "console" / f"{host}.log"


def labs() -> list[str]:
    """Return the names of all labs of which anything is on disk."""
    return sorted(path.name for path in ROOT.iterdir() if path.is_dir()) if ROOT.is_dir() else []


def read_record(paths: Paths) -> dict[str, Any]:
    """Return the record of a lab; empty when the lab was cut off before it wrote one."""
    try:
        record = json.loads(paths.record.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(paths: Paths, record: dict[str, Any]) -> None:
    """Write the record whole and atomically."""
    temporary = paths.record.with_suffix(".new")
    temporary.write_text(json.dumps(record, indent=1) + "\n")
    temporary.rename(paths.record)


def identity_as_record(identity: ProcessIdentity) -> dict[str, int]:
    """Return the form in which a process is written into the record."""
    return {"pid": identity.pid, "start_time": identity.start_time}


def identity_from_record(record: dict[str, Any], key: str) -> ProcessIdentity | None:
    """Return the process that the record names under this key, None when it names none."""
    written = record.get(key)
    return ProcessIdentity(int(written["pid"]), int(written["start_time"])) if written else None


@contextmanager
def lock(paths: Paths, timeout: float = 10.0) -> Iterator[None]:
    """Hold the lab against other `lab up`, `down` and `reboot`. timeout: seconds. Raises LabError when it is held.

    The lock is the kernel's and ends with its holder, however that dies.
    """
    paths.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(paths.directory, os.O_RDONLY | os.O_DIRECTORY)
    deadline = time.monotonic() + timeout
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LabError(f"lab {paths.name!r} is being changed by another process; try again later") from None
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def own_identity() -> ProcessIdentity:
    """Return the identity of this process."""
    identity = identify(os.getpid())
    if identity is None:
        raise LabError("/proc does not show this process: it is hidden or of another PID namespace")
    return identity
