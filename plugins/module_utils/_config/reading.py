# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reading files and directories of a host that may hold anything: bounded, regular files only, errors in words."""

from __future__ import annotations

import errno
import os
import stat
from typing import List, Optional

from .._model.fact import Problem

# Far above what these files hold (subnet.env 100 bytes, a runtime's config.json 20 KiB), far below what hurts.
DEFAULT_LIMIT = 1024 * 1024

_REASONS = {
    errno.EACCES: "permission denied; run as root",
    errno.EPERM: "operation not permitted; run as root",
    errno.ELOOP: "too many levels of symbolic links",
    errno.EISDIR: "it is a directory, not a file",
    errno.ENOTDIR: "it is not a directory",
    errno.EIO: "the disk gave an input/output error",
}


class UnreadableFile(Exception):
    """A file that is there and can't be read. path: on the target. reason: in words, for a person."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def problem(self, subject: str) -> Problem:
        """Return this as the Problem that a report shows. subject: what was to be read, in words."""
        return Problem(subject=subject, reason=self.reason, path=self.path)


def under(root: str, path: str) -> str:
    """Return where ``path`` (absolute, as the host names it) lies when the host's file system is at ``root``.

    Absolute symbolic links below ``root`` are followed as the kernel follows them, so for a root other than "/" they
    lead out of it.
    """
    return os.path.join(root, path.lstrip("/"))


def read_bytes(root: str, path: str, limit: int = DEFAULT_LIMIT) -> Optional[bytes]:
    """Return the content of a regular file, None where there is no such file.

    Raises UnreadableFile: no permission, a loop of links, a directory or device, or more than ``limit`` bytes.
    """
    try:
        # O_NONBLOCK: opening a named pipe must not wait for its writer.
        descriptor = os.open(under(root, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        _raise_unless_absent(path, error)
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnreadableFile(path, "it is not a regular file")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        _raise_unless_absent(path, error)
        return None
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise UnreadableFile(path, f"it is larger than {limit} bytes, which no such file ought to be")
    return content


def read_text(root: str, path: str, limit: int = DEFAULT_LIMIT) -> Optional[str]:
    """Return the content of a text file, None where there is no such file; raises UnreadableFile as read_bytes does.

    Bytes that are no UTF-8 become U+FFFD, as in Go, in which the programs that own these files are written.
    """
    content = read_bytes(root, path, limit)
    return None if content is None else content.decode("utf-8", errors="replace")


def list_directory(root: str, path: str) -> List[str]:
    """Return the names in a directory, sorted by bytes; empty where there is no such directory.

    Raises UnreadableFile: no permission, a loop of links, or something else than a directory.
    """
    try:
        return sorted(os.listdir(under(root, path)), key=os.fsencode)
    except (OSError, ValueError) as error:
        _raise_unless_absent(path, error)
        return []


def exists(root: str, path: str) -> bool:
    """Tell whether there is something at ``path``; False also where that can't be told."""
    try:
        return os.path.exists(under(root, path))
    except ValueError:
        return False


def modified(root: str, path: str) -> Optional[float]:
    """Return when a file was last written, in seconds since 1970, None where that can't be told."""
    try:
        return os.stat(under(root, path)).st_mtime
    except (OSError, ValueError):
        return None


def _raise_unless_absent(path: str, error: Exception) -> None:
    """Raise UnreadableFile for every error but that of a path that isn't there."""
    if isinstance(error, (FileNotFoundError, ProcessLookupError)):
        return
    number = getattr(error, "errno", None)
    reason = _REASONS.get(number) if number is not None else None
    raise UnreadableFile(path, reason or getattr(error, "strerror", None) or str(error)) from error


class FileReader:
    """Reads below ``root`` and keeps what could not be read as problems, in words for a person."""

    limit = DEFAULT_LIMIT
    """Bytes: of a larger file it is said that it is too large."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.problems: List[Problem] = []

    def text(self, path: str, subject: str) -> Optional[str]:
        """Return the content of a file, None where there is none or, with a problem noted, it can't be read."""
        try:
            return read_text(self.root, path, self.limit)
        except UnreadableFile as error:
            self.problems.append(error.problem(subject))
            return None

    def names(self, directory: str, subject: str) -> List[str]:
        """Return the names in a directory; none where it is absent or, with a problem noted, can't be read."""
        try:
            return list_directory(self.root, directory)
        except UnreadableFile as error:
            self.problems.append(error.problem(subject))
            return []

    def problem(self, subject: str, reason: str, path: str) -> None:
        """Note that something could not be read."""
        self.problems.append(Problem(subject=subject, reason=reason, path=path))
