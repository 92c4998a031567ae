# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Live values of kernel parameters, per network namespace.

Source: sysctl.d(5) for the spelling of keys; fs/proc/proc_sysctl.c: what is below /proc/sys/net belongs to the network
namespace of the thread that opens it.
"""

from __future__ import annotations

import os
import stat
from typing import Dict, Iterable

from .._model.sysctl import SysctlReading

ROOT = "/proc/sys"
VALUE_LIMIT = 65536
"""Bytes of a value that are read."""
_SWAP = str.maketrans("./", "/.")


def key_path(key: str) -> str:
    """Return the path of a key below /proc/sys.

    The first separator decides: after a slash nothing is translated, after a dot the two change places, so that
    ``net.ipv4.conf.eth0/100.mtu`` and ``net/ipv4/conf/eth0.100/mtu`` are the same.
    Raises ValueError for a key that is empty or would lead elsewhere.
    """
    separators = [character for character in key if character in "./"]
    path = key.translate(_SWAP) if separators and separators[0] == "." else key
    if "\0" in key or any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError(f"key: {key!r} is not the name of a kernel parameter")
    return path


def read_sysctls(keys: Iterable[str], root: str = ROOT) -> Dict[str, SysctlReading]:
    """Return what is below the keys in the calling thread's network namespace; a key that is not there is left out.

    Raises ValueError for a key that is no name.
    """
    found: Dict[str, SysctlReading] = {}
    for key in keys:
        path = f"{root}/{key_path(key)}"
        try:
            found[key] = _read(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found[key] = SysctlReading(None, _is_writable(path), error.strerror or str(error))
    return found


def _read(path: str) -> SysctlReading:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        mode = os.fstat(descriptor).st_mode
        text = os.read(descriptor, VALUE_LIMIT).decode("utf-8", "backslashreplace")
    finally:
        os.close(descriptor)
    return SysctlReading(" ".join(text.split()), bool(mode & stat.S_IWUSR))


def _is_writable(path: str) -> bool:
    try:
        return bool(os.lstat(path).st_mode & stat.S_IWUSR)
    except OSError:
        return False
