# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Listening sockets of other processes: found, held for a moment, and told to listen with another backlog.

A second listen() on a socket that listens changes its backlog and nothing else: neither the connections that wait nor
the process notice. Source: net/ipv4/af_inet.c (__inet_listen_sk), net/socket.c (__sys_listen_socket: the cap is the
somaxconn of the socket's own network namespace, wherever the caller is).
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Iterable, Iterator, Optional

from .foreign_descriptors import CopyRefused, DescriptorGone, copy_descriptor
from .processes import SocketHolder

SO_COOKIE = 57
COOKIE = struct.Struct("=Q")
TCP_INFO_SIZE = 104
LISTENER_BACKLOG = struct.Struct("=28xI")
"""struct tcp_info: tcpi_sacked, which shows the backlog of a listener (net/ipv4/tcp.c, tcp_get_info)."""


class ListenerGone(Exception):
    """The socket is no more, or does not listen any more."""


@dataclass(frozen=True)
class ListeningSocket:
    """Identity of a socket until the next boot. port: it is bound to.

    inode: of the socket as a file. cookie: SO_COOKIE, never given twice; None: not compared.
    """

    inode: int
    cookie: Optional[int]
    port: int


@contextmanager
def borrowed(wanted: ListeningSocket, holders: Iterable[SocketHolder]) -> Iterator[socket.socket]:
    """Hold the socket itself for a moment, by the first of its holders that still has it.

    Only the very socket is handed out, while it listens. Raises ListenerGone, CopyRefused, OSError.
    """
    held = _first(wanted, holders)
    try:
        yield held
    finally:
        held.close()


def own_cookie(held: socket.socket) -> int:
    """Return SO_COOKIE (Linux 4.12).

    For TCP it is the cookie that sock_diag shows. Behind a listener of MPTCP sock_diag shows the socket of its first
    subflow, with the inode of the whole and a cookie of its own.
    """
    return int(COOKIE.unpack(held.getsockopt(socket.SOL_SOCKET, SO_COOKIE, COOKIE.size))[0])


def read_backlog(held: socket.socket) -> int:
    """Return the effective backlog of a listener, in connections. Raises ListenerGone, OSError."""
    try:
        answer = held.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_SIZE)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise ListenerGone("it does not listen any more") from error
        raise
    return int(LISTENER_BACKLOG.unpack_from(answer)[0])


def listen_again(held: socket.socket, backlog: int) -> int:
    """Give a listener another backlog, and return the one that is in effect then. Raises CopyRefused, ListenerGone.

    A socket that was shut down would begin to listen again, hence the look right before.
    """
    if not _listens(held):
        raise ListenerGone("it does not listen any more")
    try:
        held.listen(backlog)
    except PermissionError as error:
        raise CopyRefused(
            "a security module (SELinux, AppArmor) forbids listen() on the socket of another process; the audit log "
            "names the rule"
        ) from error
    return read_backlog(held)


def _first(wanted: ListeningSocket, holders: Iterable[SocketHolder]) -> socket.socket:
    refused: Optional[CopyRefused] = None
    for holder in holders:
        try:
            held = _socket_of(copy_descriptor(holder.pid, holder.descriptor), wanted.inode)
        except DescriptorGone:
            continue
        except CopyRefused as error:
            refused = refused or error
            continue
        if held is not None and _is(held, wanted):
            return held
        if held is not None:
            held.close()
    raise refused or ListenerGone("its socket is closed")


def _socket_of(descriptor: int, inode: int) -> Optional[socket.socket]:
    """Return the socket behind a descriptor; None, and the descriptor closed, where it is another file by now."""
    status = os.fstat(descriptor)
    if stat.S_ISSOCK(status.st_mode) and status.st_ino == inode:
        return socket.socket(fileno=descriptor)
    os.close(descriptor)
    return None


def _is(held: socket.socket, wanted: ListeningSocket) -> bool:
    if not _listens(held):
        return False
    if wanted.cookie is not None and own_cookie(held) != wanted.cookie:
        return False
    return bool(held.getsockname()[1] == wanted.port)


def _listens(held: socket.socket) -> bool:
    is_stream = held.family in (socket.AF_INET, socket.AF_INET6) and held.type == socket.SOCK_STREAM
    return is_stream and held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
