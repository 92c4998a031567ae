# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Backlogs of running listeners as things that can be changed and undone; values are connections.

The target: {"boot", "inode", "cookie", "port", "place", "owner", "process", "namespace", "pid", "descriptor"}. Boot,
inode, cookie and port are the socket's identity; pid and descriptor say where to look for it first: when that process
has handed it on (a binary upgrade, a worker that outlives its master), the socket is found by whoever holds it then.
The rest is for people.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from socket import socket
from typing import Any, Dict, Hashable, Iterable, Iterator, List

from .._kernel.foreign_descriptors import CAP_SYS_PTRACE, CopyRefused, Standing, read_standing, why_forbidden
from .._kernel.foreign_listeners import (
    ListenerGone,
    ListeningSocket,
    borrowed,
    listen_again,
    own_cookie,
    read_backlog,
)
from .._kernel.processes import SocketHolder, read_processes, read_socket_holders
from .._model.backlog import Candidate
from .namespace_target import boot_id
from .resource import ChangeError, Gone, Target


class ListenBacklogResource:
    """See Resource."""

    def read(self, target: Target) -> int:
        """Return the effective backlog now."""
        with _found(target) as held:
            return read_backlog(held)

    def write(self, target: Target, value: int) -> None:
        """Let the socket listen with another backlog, more or less than now, and read it back."""
        with _found(target) as held:
            now = listen_again(held, value)
        if now != value:
            raise ChangeError(
                f"{self.describe(target)} was told to listen with a backlog of {value}, and has {now}: "
                "net.core.somaxconn of its network namespace caps it"
            )

    def settle(self, target: Target) -> None:
        """Nothing is ever left."""

    def identity(self, target: Target) -> Hashable:
        """The socket."""
        return target["boot"], target["inode"], target["cookie"]

    def describe(self, target: Target) -> str:
        """Whose it is, address, port and program."""
        return f"backlog of {target['owner']} {target['place']} {target['process']}[{target['pid']}]"

    def show(self, value: int) -> str:
        """The number."""
        return str(value)


def backlog_target(candidate: Candidate) -> Dict[str, Any]:
    """Return what names a listener from now on, until the next boot. Raises Gone, ChangeError."""
    listener = candidate.listener
    if not candidate.holders:
        raise ChangeError(_why_nobody(read_standing()))
    holders = [SocketHolder(holder.pid, holder.descriptor) for holder in candidate.holders]
    with _borrowed(ListeningSocket(listener.inode, None, listener.port), holders) as held:
        cookie = own_cookie(held)
    return {
        "boot": _this_boot(),
        "inode": listener.inode,
        "cookie": cookie,
        "port": listener.port,
        "place": candidate.place,
        "owner": candidate.owner.name or f"network namespace {candidate.namespace.inode}",
        "process": candidate.process,
        "namespace": candidate.namespace.inode,
        "pid": holders[0].pid,
        "descriptor": holders[0].descriptor,
    }


@lru_cache(maxsize=1)
def _this_boot() -> str:
    """There may be thousands of targets, and one boot."""
    return boot_id()


def _why_nobody(standing: Standing) -> str:
    if standing.capabilities & CAP_SYS_PTRACE:
        return "no process of this host holds its socket; the kernel itself may (NFS), or another host's process"
    return f"the process that holds its socket is hidden: {why_forbidden(standing)}"


@contextmanager
def _found(target: Target) -> Iterator[socket]:
    if target["boot"] != _this_boot():
        raise Gone("the host has been restarted since")
    wanted = ListeningSocket(target["inode"], target["cookie"], target["port"])
    hint = SocketHolder(target["pid"], target["descriptor"])
    with _borrowed(wanted, _likely_first(hint, wanted.inode)) as held:
        yield held


def _likely_first(hint: SocketHolder, inode: int) -> Iterator[SocketHolder]:
    """Yield the holder that was; and only when it has the socket no longer, look for others."""
    yield hint
    processes, _hidden = read_processes()
    found, _unseen = read_socket_holders((process.pid for process in processes), {inode})
    others: List[SocketHolder] = found.get(inode, [])
    yield from others


@contextmanager
def _borrowed(wanted: ListeningSocket, holders: Iterable[SocketHolder]) -> Iterator[socket]:
    try:
        with borrowed(wanted, holders) as held:
            yield held
    except ListenerGone as error:
        raise Gone(str(error)) from error
    except CopyRefused as error:
        raise ChangeError(str(error)) from error
    except OSError as error:
        raise ChangeError(f"the socket cannot be reached: {error.strerror}") from error
