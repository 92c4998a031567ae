# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Copies of descriptors that other processes hold.

Source: pidfd_open(2), Linux 5.3; pidfd_getfd(2), Linux 5.6, which asks for PTRACE_MODE_ATTACH_REALCREDS (ptrace(2)).
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Callable, Mapping, Optional

from .processes import ROOT

PIDFD_OPEN, PIDFD_GETFD = 434, 438
"""System calls have the same number on all architectures since Linux 5.1 (include/uapi/asm-generic/unistd.h)."""
FIRST_KERNEL = (5, 6)
CAP_SYS_PTRACE = 1 << 19
NOBODY_MAY_ATTACH = 3
ALL_USERS = ["0", "0", "4294967295"]
"""What uid_map shows in the first user namespace: all ids, as they are."""


class DescriptorGone(Exception):
    """The process has ended, or has closed that descriptor."""


class CopyRefused(Exception):
    """The kernel hands out no copy; the message says why, and what a person can do."""


@dataclass(frozen=True)
class Standing:
    """What decides whether this process may look into another one.

    capabilities: effective, as bits. filtered: a seccomp filter is on this process. first_user_namespace: this process
    is in it. ptrace_scope: of Yama, None where the kernel has none.
    """

    root: bool
    capabilities: int
    filtered: bool
    first_user_namespace: bool
    ptrace_scope: Optional[int]


def copy_descriptor(pid: int, descriptor: int) -> int:
    """Return a copy of a descriptor of another process, closed on exec; the caller closes it.

    The other process does not notice. Raises DescriptorGone, CopyRefused, and OSError where we ourselves have no
    descriptor left.
    """
    process = -1
    try:
        process = _call(PIDFD_OPEN, pid, 0, 0)
        return _call(PIDFD_GETFD, process, descriptor, 0)
    except OSError as error:
        if error.errno in (errno.ESRCH, errno.EBADF):
            raise DescriptorGone(f"process {pid} has ended or closed it") from error
        if error.errno == errno.ENOSYS:
            raise CopyRefused(why_not_there(os.uname().release)) from error
        if error.errno in (errno.EPERM, errno.EACCES):
            raise CopyRefused(why_forbidden(read_standing())) from error
        raise
    finally:
        if process >= 0:
            os.close(process)


def why_not_there(release: str) -> str:
    """Say why the kernel answers ENOSYS. release: as uname(2) gives it."""
    number = re.match(r"(\d+)\.(\d+)", release)
    if number is not None and (int(number[1]), int(number[2])) >= FIRST_KERNEL:
        return (
            f"Linux {release} has pidfd_getfd, but a seccomp filter hides it from this process: run it on the host "
            "itself, outside of a container"
        )
    return f"Linux {release} has no pidfd_getfd; it takes 5.6 or newer"


def why_forbidden(standing: Standing) -> str:
    """Say why the kernel answers EPERM, the most telling reason first."""
    if standing.ptrace_scope == NOBODY_MAY_ATTACH:
        return "kernel.yama.ptrace_scope is 3, which forbids to look into processes until the host is started again"
    if not standing.first_user_namespace:
        return "this process is in a user namespace, without rights over processes outside of it: run it on the host"
    if not standing.capabilities & CAP_SYS_PTRACE:
        if not standing.root:
            return "it takes root (become: true)"
        return "it takes CAP_SYS_PTRACE, which root lacks here (as in a container): run it on the host itself"
    if standing.filtered:
        return "a seccomp filter forbids pidfd_getfd to this process: run it on the host itself, outside of a container"
    return "a security module (SELinux, AppArmor) forbids to look into this process; the audit log names the rule"


def read_standing(root: str = ROOT) -> Standing:
    """Return the standing of this process; what cannot be read counts as no hindrance."""
    status = _status(_text(f"{root}/self/status"))
    scope = _text(f"{root}/sys/kernel/yama/ptrace_scope").strip()
    users = _text(f"{root}/self/uid_map").split()
    return Standing(
        root=os.geteuid() == 0,
        capabilities=int(status.get("CapEff", "ffffffffffffffff"), 16),
        filtered=status.get("Seccomp", "0") != "0",
        first_user_namespace=not users or users == ALL_USERS,
        ptrace_scope=int(scope) if scope.isdigit() else None,
    )


def _status(text: str) -> Mapping[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _colon, value in pairs}


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


@lru_cache(maxsize=1)
def _system_call() -> Callable[..., int]:
    """Return syscall(2) for one number and up to three more; what is handed in grows to the width of a register."""
    call: Callable[..., int] = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long  # type: ignore[attr-defined]
    call.argtypes = [ctypes.c_long] * 4  # type: ignore[attr-defined]
    return call


def _call(number: int, *arguments: int) -> int:
    """Make a system call that returns a descriptor. Raises OSError."""
    result: int = _system_call()(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
