# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Symbolic links as things that can be changed and undone.

Target: {"path": ..., "directories": [...]}, as of files. Value: where the link leads, None where there is nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Hashable, Optional

from .atomic_file import sync_directory
from .file_resource import make_directories, remove_made_directories
from .resource import ChangeError, Target


class SymlinkResource:
    """See Resource."""

    def read(self, target: Target) -> Optional[str]:
        """Return where it leads. Raises ChangeError where something else than a link is in its place."""
        path = str(target["path"])
        try:
            return os.readlink(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = "it is no symbolic link" if os.path.lexists(path) else error.strerror
            raise ChangeError(f"{path} is left alone: {reason}") from error

    def write(self, target: Target, value: Optional[str]) -> None:
        """Make it, change where it leads, or remove it for None."""
        path = target["path"]
        before = self.read(target)
        try:
            if value is None:
                if before is not None:
                    os.unlink(path)
                    sync_directory(os.path.dirname(path))
                self.settle(target)
                return
            make_directories(target)
            with suppress(FileNotFoundError):
                os.unlink(_unfinished(path))
            os.symlink(value, _unfinished(path))
            os.rename(_unfinished(path), path)
            sync_directory(os.path.dirname(path))
        except OSError as error:
            raise ChangeError(f"{path} cannot be made to lead to {value}: {error.strerror}") from error

    def settle(self, target: Target) -> None:
        """Remove the unfinished link, and the directories that were made for it where they are empty."""
        with suppress(OSError):
            os.unlink(_unfinished(target["path"]))
        remove_made_directories(target)

    def identity(self, target: Target) -> Hashable:
        """The path."""
        return str(target["path"])

    def describe(self, target: Target) -> str:
        """The path."""
        return str(target["path"])

    def show(self, value: Optional[str]) -> str:
        """Where it leads."""
        return "absent" if value is None else f"a link to {value}"


def _unfinished(path: str) -> str:
    directory, name = os.path.split(path)
    return os.path.join(directory, f".{name}.netfit")
