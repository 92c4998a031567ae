# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Enter network namespaces, one after the other, in a thread of its own.

Source: setns(2): the network namespace belongs to the thread; it ends with it, and the main thread never moves.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Callable, Iterable, Iterator, List, Optional, Tuple, TypeVar, Union

from .._model.fact import Problem
from .._model.owner import Namespace
from .advice import how_to_enter_namespaces
from .attributes import NetlinkError
from .namespaces import own_namespace_inode
from .processes import ROOT

CLONE_NEWNET = 0x40000000
SUBJECT = "network namespace"

Result = TypeVar("Result")


class NamespaceGone(OSError):
    """A namespace has vanished, or its place is taken by another one."""


def visit(
    namespaces: Iterable[Namespace], function: Callable[[Namespace], Result], proc: str = ROOT
) -> List[Tuple[Namespace, Union[Result, Problem]]]:
    """Call ``function(namespace)`` inside each namespace, and return what it returned, in the order of the namespaces.

    What the function opens (sockets, /proc/sys/net, /proc/thread-self/net) belongs to that namespace.
    A namespace that cannot be entered, and an OSError or NetlinkError of the function, give a Problem in its place;
    any other exception ends the visit and is raised here.
    """
    results: List[Tuple[Namespace, Union[Result, Problem]]] = []
    failures: List[BaseException] = []

    def work() -> None:
        try:
            results.extend(_visit_all(namespaces, function, proc))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="netfit-visit", daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results


def open_namespace(namespace: Namespace, proc: str = ROOT) -> int:
    """Return a descriptor of the namespace; the caller closes it.

    The inode is compared after opening, because pids and paths are used again. Raises NamespaceGone, or the OSError of
    the last path that was tried.
    """
    last: Optional[OSError] = None
    for path in _ways(namespace, proc):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            last = error if not isinstance(error, (FileNotFoundError, ProcessLookupError)) else last
            continue
        if os.fstat(descriptor).st_ino == namespace.inode:
            return descriptor
        os.close(descriptor)
    raise last or NamespaceGone(f"network namespace {namespace.inode} vanished while it was read")


def _ways(namespace: Namespace, proc: str) -> Iterator[str]:
    if namespace.pid is not None:
        yield f"{proc}/{namespace.pid}/ns/net"
    yield from namespace.paths


def _visit_all(
    namespaces: Iterable[Namespace], function: Callable[[Namespace], Result], proc: str
) -> Iterator[Tuple[Namespace, Union[Result, Problem]]]:
    enter = ctypes.CDLL(None, use_errno=True).setns
    current = own_namespace_inode(proc)
    for namespace in namespaces:
        if namespace.inode != current:
            try:
                _enter(namespace, enter, proc)
            except OSError as error:
                yield namespace, _problem(namespace, error)
                continue
            current = namespace.inode
        try:
            yield namespace, function(namespace)
        except (OSError, NetlinkError) as error:
            yield namespace, _problem(namespace, error)


def _enter(namespace: Namespace, enter: Callable[[int, int], int], proc: str) -> None:
    """Move the calling thread. Raises OSError."""
    descriptor = open_namespace(namespace, proc)
    try:
        if enter(descriptor, CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)


def _problem(namespace: Namespace, error: Exception) -> Problem:
    reason = str(error)
    if isinstance(error, PermissionError):
        reason = f"{error.strerror}; {how_to_enter_namespaces()}"
    elif isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        reason = f"{error.strerror}{where}"
    path = namespace.paths[0] if namespace.paths else None
    return Problem(SUBJECT, reason, path, namespace.inode)
