# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System calls that Python 3.11 does not offer, and work done in a child that has joined namespaces."""

from __future__ import annotations

import ctypes
import os
import sys
import traceback
from collections.abc import Callable

from .errors import CommandFailed

# include/uapi/linux/sched.h
NEW_MOUNT = 0x00020000
NEW_CGROUP = 0x02000000
NEW_UTS = 0x04000000
NEW_IPC = 0x08000000
NEW_PID = 0x20000000
NEW_NETWORK = 0x40000000
# include/uapi/linux/mount.h
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXECUTION = 1, 2, 4, 8
REMOUNT, BIND, RECURSIVE, PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
DETACH = 2
_CAPABILITY_BOUNDING_SET_DROP = 24  # PR_CAPBSET_DROP, include/uapi/linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Move the calling process into new namespaces (NEW_*). Raises OSError."""
    _check(_libc.unshare(flags), "unshare")


def join(path: str) -> None:
    """Join the namespace that this file stands for (/proc/PID/ns/net, or a file bound to one). Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _check(_libc.setns(descriptor, 0), f"setns {path}")
    finally:
        os.close(descriptor)


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str = "") -> None:
    """Mount; kind is the type of file system, None for bind mounts and changes of propagation. Raises OSError."""
    _check(
        _libc.mount(
            os.fsencode(source),
            os.fsencode(target),
            os.fsencode(kind) if kind else None,
            ctypes.c_ulong(flags),
            os.fsencode(options) if options else None,
        ),
        f"mount {kind or 'bind'} on {target}",
    )


def unmount(target: str, flags: int = 0) -> None:
    """Unmount, with DETACH even when in use. Raises OSError."""
    _check(_libc.umount2(os.fsencode(target), flags), f"unmount {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    """See pivot_root(2); the C library exports it although its headers do not. Raises OSError."""
    _check(_libc.pivot_root(os.fsencode(new_root), os.fsencode(put_old)), "pivot_root")


def drop_from_bounding_set(capability: int) -> None:
    """Take a capability (number from include/uapi/linux/capability.h) from this process and all that it starts."""
    _check(_libc.prctl(_CAPABILITY_BOUNDING_SET_DROP, ctypes.c_ulong(capability), 0, 0, 0), "prctl")


def run_in_child(function: Callable[[], None]) -> None:
    """Call the function in a forked child, so that what it joins does not stay with this process.

    Raises CommandFailed with what the child wrote when it fails.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        status = 1
        try:
            function()
            status = 0
        except OSError as error:
            os.write(writer, str(error).encode())
        except BaseException:
            os.write(writer, traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        message = stream.read().decode(errors="replace")
    _, state = os.waitpid(child, 0)
    if state != 0:
        raise CommandFailed(message or f"a child of the lab ended with status {state}")
