# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Live values of kernel parameters, per network namespace: reading and writing.

Source: sysctl.d(5) for the spelling of keys; fs/proc/proc_sysctl.c: what is below /proc/sys/net belongs to the network
namespace of the thread that opens it.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from .._model.sysctl import SysctlReading

ROOT = "/proc/sys"
USUAL_SIZE = 1024
LARGEST_SIZE = 1 << 18
"""Bytes. The kernel fills one read and says "end" at the next, whether the value was whole or not
(kernel/sysctl.c, do_proc_dointvec), so that a value that comes near the usual size is read again in one large piece."""
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


class _Directory(NamedTuple):
    """Keys with the names of their files, and directories, all by name."""

    files: Tuple[Tuple[str, str], ...]
    directories: Tuple[Tuple[str, _Directory], ...]

    def all_keys(self) -> Iterator[str]:
        """Yield the keys of this directory and those below."""
        yield from (key for key, _name in self.files)
        for _name, directory in self.directories:
            yield from directory.all_keys()


def read_sysctls(keys: Iterable[str], root: str = ROOT) -> Dict[str, SysctlReading]:
    """Return what is below the keys in the calling thread's network namespace; a key that is not there is left out.

    Raises ValueError for a key that is no name, before anything is read.
    """
    found: Dict[str, SysctlReading] = {}
    _read_directory(root, None, _tree(tuple(keys)), found)
    return found


def write_sysctl(key: str, value: str, root: str = ROOT) -> None:
    """Write a value in the calling thread's network namespace, in one write as the kernel wants it.

    Raises ValueError for a key that is no name, OSError: FileNotFoundError where this kernel or namespace has no such
    key, PermissionError where it is read-only here, EINVAL where the kernel refuses the value.
    """
    descriptor = os.open(os.path.join(root, key_path(key)), os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.write(descriptor, f"{value}\n".encode())
    finally:
        os.close(descriptor)


@lru_cache(maxsize=16)
def _tree(keys: Tuple[str, ...]) -> _Directory:
    """Sort keys into directories; the same keys are read in every namespace."""
    return _branch([(key, key_path(key).split("/")) for key in keys])


def _branch(keys: List[Tuple[str, List[str]]]) -> _Directory:
    below: Dict[str, List[Tuple[str, List[str]]]] = {}
    for key, parts in keys:
        if len(parts) > 1:
            below.setdefault(parts[0], []).append((key, parts[1:]))
    files = tuple((key, parts[0]) for key, parts in keys if len(parts) == 1)
    return _Directory(files, tuple((name, _branch(members)) for name, members in below.items()))


def _read_directory(path: str, parent: Optional[int], directory: _Directory, found: Dict[str, SysctlReading]) -> None:
    """Read the files of a directory, and those below.

    Each directory is looked up once, from the one above: every namespace has a net/core and a net/ipv4 of its own, all
    of them in one chain of the kernel's cache of names, so that such a lookup takes time in proportion to the number of
    namespaces.
    """
    try:
        descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        found.update({key: _unreadable(error, False) for key in directory.all_keys()})
        return
    try:
        for key, name in directory.files:
            reading = _read(name, descriptor)
            if reading is not None:
                found[key] = reading
        for name, below in directory.directories:
            _read_directory(name, descriptor, below, found)
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
        return _read_open(descriptor, bool(os.fstat(descriptor).st_mode & stat.S_IWUSR))
    finally:
        os.close(descriptor)


def _read_open(descriptor: int, writable: bool) -> Optional[SysctlReading]:
    try:
        text = _read_all(descriptor).decode("utf-8", "backslashreplace")
    except IsADirectoryError:
        return None
    except OSError as error:
        return _unreadable(error, writable)
    return SysctlReading(" ".join(text.split()), writable)


def _read_all(descriptor: int) -> bytes:
    value = os.read(descriptor, USUAL_SIZE)
    return value if len(value) < USUAL_SIZE // 2 else os.pread(descriptor, LARGEST_SIZE, 0)


def _unreadable(error: OSError, writable: bool) -> SysctlReading:
    return SysctlReading(None, writable, error.strerror or str(error))


def _is_writable(name: str, directory: int) -> bool:
    try:
        return bool(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode & stat.S_IWUSR)
    except OSError:
        return False
