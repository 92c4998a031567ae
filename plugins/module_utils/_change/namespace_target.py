# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A network namespace that is named today and found again at an undo, or known to be gone.

Inodes and process ids are given away again within moments. Linux 5.14 and newer give each network namespace a cookie
that is never used twice before the next boot (SO_NETNS_COOKIE, net/core/net_namespace.c); on older kernels the inode
has to do. After a boot no namespace but the host's is what it was.
"""

from __future__ import annotations

import socket
from typing import Any, Callable, Dict, Hashable, Mapping, Optional, TypeVar

from .._kernel.visiting import visit
from .._model.fact import Problem
from .._model.owner import Namespace
from .resource import ChangeError, Gone

SO_NETNS_COOKIE = 71
BOOT_ID = "/proc/sys/kernel/random/boot_id"
VANISHED = ("vanished", "No such file", "No such process")

Result = TypeVar("Result")


def name_namespace(namespace: Namespace, boot: Optional[str] = None) -> Optional[Dict[str, Any]]:
    """Return the plain values that name a namespace in a target; None for the host's. Raises Gone, ChangeError."""
    if namespace.host:
        return None
    named = {"inode": namespace.inode, "pid": namespace.pid, "paths": list(namespace.paths), "boot": boot or boot_id()}
    return {**named, "cookie": _inside(namespace, own_cookie)}


def in_namespace(named: Optional[Mapping[str, Any]], function: Callable[[], Result]) -> Result:
    """Call a function inside a namespace; None: where we are, which is the host's.

    Raises Gone where it is no more, and what the function raises but for OSError, which becomes a ChangeError.
    """
    if named is None:
        return function()
    if named["boot"] != boot_id():
        raise Gone("the host has been restarted since")
    namespace = Namespace(named["inode"], tuple(named["paths"]), named["pid"])

    def guarded() -> Result:
        if named["cookie"] is not None and own_cookie() != named["cookie"]:
            raise Gone("its network namespace is no more")
        return function()

    return _inside(namespace, guarded)


def identity(named: Optional[Mapping[str, Any]]) -> Hashable:
    """Return what is equal for the same namespace."""
    return None if named is None else (named["boot"], named["cookie"] or named["inode"])


def own_cookie() -> Optional[int]:
    """Return the cookie of the calling thread's network namespace; None before Linux 5.14."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            return int.from_bytes(one.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8), "little")
        except OSError:
            return None


def boot_id() -> str:
    """Return the id that the kernel has given itself at its start."""
    with open(BOOT_ID, encoding="ascii") as file:
        return file.read().strip()


def _inside(namespace: Namespace, function: Callable[[], Result]) -> Result:
    ((_namespace, found),) = visit([namespace], lambda _namespace: function())
    if isinstance(found, Problem):
        if any(word in found.reason for word in VANISHED):
            raise Gone("its network namespace is no more")
        raise ChangeError(f"its network namespace cannot be entered: {found.reason}")
    return found
