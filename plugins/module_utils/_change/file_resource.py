# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whole files as things that can be changed and undone.

Target: {"path": "/etc/..."}, see file_target(). Value: {"text": ..., "mode": ...}, or None where there is no file.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Any, Dict, Hashable, List, Optional

from .atomic_file import remove, unfinished, write_whole
from .resource import ChangeError, Target

LIMIT = 4 << 20
"""Bytes. What we write is smaller by far, and a larger file is none of those that we know."""


class FileResource:
    """See Resource. Directories that a file needs are made, and removed again with it when they are empty."""

    def read(self, target: Target) -> Optional[Dict[str, Any]]:
        """Return text and mode of a file, None where there is none."""
        path = target["path"]
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > LIMIT:
                    raise ChangeError(f"{path} is no regular file of at most {LIMIT} bytes: it is left alone")
                return {"text": file.read(), "mode": stat.S_IMODE(status.st_mode)}
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ChangeError(f"{path} cannot be read: {error.strerror}") from error

    def write(self, target: Target, value: Optional[Dict[str, Any]]) -> None:
        """Write, or remove for None."""
        path = target["path"]
        try:
            if value is None:
                with suppress(FileNotFoundError):
                    remove(path)
                self.settle(target)
                return
            make_directories(target)
            write_whole(path, value["text"], value["mode"])
        except OSError as error:
            raise ChangeError(f"{path} cannot be written: {error.strerror}; it is as it was") from error

    def settle(self, target: Target) -> None:
        """Remove the unfinished file, and the directories that were made for it where they are empty."""
        with suppress(OSError):
            os.unlink(unfinished(target["path"]))
        remove_made_directories(target)

    def identity(self, target: Target) -> Hashable:
        """The path."""
        return str(target["path"])

    def describe(self, target: Target) -> str:
        """The path."""
        return str(target["path"])

    def show(self, value: Optional[Dict[str, Any]]) -> str:
        """Its size: the content is too much for one line."""
        return "absent" if value is None else f"{len(value['text'])} characters, mode {value['mode']:04o}"


def file_target(path: str) -> Dict[str, Any]:
    """Return the target for a file, with the directories that have to be made for it, outermost first."""
    missing: List[str] = []
    directory = os.path.dirname(path)
    while directory not in ("", "/") and not os.path.isdir(directory):
        missing.insert(0, directory)
        directory = os.path.dirname(directory)
    return {"path": path, "directories": missing} if missing else {"path": path}


def make_directories(target: Target) -> None:
    """Make the directories of a target that are missing. Raises OSError."""
    for directory in target.get("directories", []):
        with suppress(FileExistsError):
            os.mkdir(directory, 0o755)


def remove_made_directories(target: Target) -> None:
    """Remove the directories of a target that is no more, as far as they are empty."""
    if not os.path.lexists(target["path"]):
        for directory in reversed(target.get("directories", [])):
            with suppress(OSError):
                os.rmdir(directory)
