# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Writing a file whole: whoever reads it sees the old content or the new one, also after a power cut.

Source: rename(2), fsync(2): the new file and the directory that names it both have to reach the disk.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Optional

DEFAULT_MODE = 0o644


def write_whole(path: str, text: str, mode: Optional[int] = None) -> None:
    """Write a file atomically. mode: permission bits; None: those of the file that is there, else 0644.

    Owner and group of a file that is replaced are kept. A symbolic link is followed: what it leads to is replaced.
    The directory has to exist. Raises OSError; then the old file is untouched and nothing is left beside it. Whoever is
    killed meanwhile leaves unfinished(path), which the next write replaces.
    """
    path = os.path.realpath(path)
    before = _status(path)
    beside = unfinished(path)
    with suppress(FileNotFoundError):
        os.unlink(beside)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            if before is not None:
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            known = DEFAULT_MODE if before is None else stat.S_IMODE(before.st_mode)
            os.fchmod(file.fileno(), known if mode is None else mode)
            os.fsync(file.fileno())
        os.rename(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    sync_directory(os.path.dirname(path))
    if os.path.dirname(beside) != os.path.dirname(path):
        sync_directory(os.path.dirname(beside))


def unfinished(path: str) -> str:
    """Return the name that a file has until it is whole, on the same file system.

    Of a directory of drop-ins ("crio.conf.d") some programs read every file, whatever its name: there it lies beside
    the directory, where that is possible.
    """
    directory, name = os.path.split(os.path.realpath(path))
    if directory.endswith(".d") and _same_file_system(directory, os.path.dirname(directory)):
        return os.path.join(os.path.dirname(directory), f".{os.path.basename(directory)}.{name}.netfit")
    return os.path.join(directory, f".{name}.netfit")


def _same_file_system(one: str, other: str) -> bool:
    try:
        return os.stat(one).st_dev == os.stat(other).st_dev
    except OSError:
        return False


def remove(path: str) -> None:
    """Remove a file for good. Raises OSError."""
    os.unlink(path)
    sync_directory(os.path.dirname(path))


def sync_directory(path: str) -> None:
    """Bring a directory's entries to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _status(path: str) -> Optional[os.stat_result]:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
