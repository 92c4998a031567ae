# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The files that set kernel parameters, read once.

Source: sysctl.d(5), sysctl(8); systemd src/basic/conf-files.c, procps src/sysctl.c PreloadSystem.
"""

from __future__ import annotations

import os
import stat
from typing import List, Optional, Tuple

from .._model.sysctl_file import SYSCTL_CONF, SysctlFile, SysctlTree
from .reading import FileReader, UnreadableFile, read_bytes, under

DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
_SUBJECT = "kernel parameters' file"


def read_sysctl_tree(root: str) -> SysctlTree:
    """Return all files below ``root`` ("/" on a real host) from which kernel parameters are set.

    A file that is there and can't be read is one without content, and a problem: it still hides others of its name.
    """
    reader = FileReader(root)
    directories = _directories(root)
    files: List[SysctlFile] = []
    for directory in directories:
        for name in reader.names(directory, "directory of kernel parameters' files"):
            if name.endswith(".conf"):
                file = _read(reader, f"{directory}/{name}")
                files.extend([file] if file is not None else [])
    conf = _read(reader, SYSCTL_CONF)
    return SysctlTree(directories, tuple(files), conf, tuple(reader.problems))


def _directories(root: str) -> Tuple[str, ...]:
    """/lib is the same as /usr/lib on most systems of today."""
    return DIRECTORIES[:-1] if _same(under(root, DIRECTORIES[-2]), under(root, DIRECTORIES[-1])) else DIRECTORIES


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _read(reader: FileReader, path: str) -> Optional[SysctlFile]:
    where = under(reader.root, path)
    if not os.path.lexists(where):
        return None
    if _is_null_device(where):
        return SysctlFile(path, "", _target(reader.root, path), masks=True)
    text = ""
    try:
        content = read_bytes(reader.root, path, reader.limit)
        if content is None:
            reader.problem(_SUBJECT, "the link leads to no file", path)
        # The programs work on bytes; what is no UTF-8 stays apart from what is.
        text = content.decode("utf-8", "backslashreplace") if content is not None else ""
    except UnreadableFile as error:
        reader.problems.append(error.problem(_SUBJECT))
    return SysctlFile(path, text, _target(reader.root, path))


def _is_null_device(where: str) -> bool:
    try:
        found = os.stat(where)
    except OSError:
        return False
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == os.makedev(1, 3)


def _target(root: str, path: str) -> Optional[str]:
    """Return the path on the host to which a symbolic link leads at last; None for what is none."""
    where = under(root, path)
    if not os.path.islink(where):
        return None
    real, top = os.path.realpath(where), os.path.realpath(root)
    return f"/{os.path.relpath(real, top)}" if real.startswith(top.rstrip("/") + "/") else real
