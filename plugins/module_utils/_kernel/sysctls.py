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
from functools import lru_cache
from typing import Dict, Iterable, List, Optional, Tuple

from .._model.sysctl import SysctlReading

ROOT = "/proc/sys"
VALUE_LIMIT = 4096
"""Bytes of a value that are read at a time: enough for almost all, and a small buffer is a quick one."""
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

    Raises ValueError for a key that is no name, before anything is read.
    """
    found: Dict[str, SysctlReading] = {}
    for directory, members in _by_directory(tuple(keys)):
        found.update(_read_directory(f"{root}/{directory}", members))
    return found


_Members = Tuple[Tuple[str, str], ...]
"""Keys with the names of their files."""


@lru_cache(maxsize=16)
def _by_directory(keys: Tuple[str, ...]) -> Tuple[Tuple[str, _Members], ...]:
    """Sort keys by directory; the same keys are read in every namespace."""
    found: Dict[str, List[Tuple[str, str]]] = {}
    for key in keys:
        directory, _, name = key_path(key).rpartition("/")
        found.setdefault(directory, []).append((key, name))
    return tuple((directory, tuple(members)) for directory, members in found.items())


def _read_directory(directory: str, members: _Members) -> Dict[str, SysctlReading]:
    """Read the files of one directory, given as pairs of key and file name.

    The directory is looked up once: each namespace has its own net/core and net/ipv4, all of them in one chain of the
    kernel's cache of names, so that a lookup takes time in proportion to the number of namespaces.
    """
    try:
        descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        return {key: _unreadable(error, False) for key, _name in members}
    try:
        readings = ((key, _read(name, descriptor)) for key, name in members)
        return {key: reading for key, reading in readings if reading is not None}
    finally:
        os.close(descriptor)


def _read(name: str, directory: int) -> Optional[SysctlReading]:
    """Return what a file says; None where there is none, or a directory of that name."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        return _unreadable(error, _is_writable(name, directory))
    try:
        mode = os.fstat(descriptor).st_mode
        text = _read_all(descriptor).decode("utf-8", "backslashreplace")
    except IsADirectoryError:
        return None
    except OSError as error:
        return _unreadable(error, bool(mode & stat.S_IWUSR))
    finally:
        os.close(descriptor)
    return SysctlReading(" ".join(text.split()), bool(mode & stat.S_IWUSR))


def _read_all(descriptor: int) -> bytes:
    value = part = os.read(descriptor, VALUE_LIMIT)
    while len(part) == VALUE_LIMIT:
        part = os.read(descriptor, VALUE_LIMIT)
        value += part
    return value


def _unreadable(error: OSError, writable: bool) -> SysctlReading:
    return SysctlReading(None, writable, error.strerror or str(error))


def _is_writable(name: str, directory: int) -> bool:
    try:
        return bool(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode & stat.S_IWUSR)
    except OSError:
        return False
