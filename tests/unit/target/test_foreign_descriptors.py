# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the kernel hands out no copy of a descriptor: the reason that a person can act upon."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Type

import pytest

from ansible_collections.netfit.cluster.plugins.module_utils._kernel import foreign_descriptors as module
from ansible_collections.netfit.cluster.plugins.module_utils._kernel.foreign_descriptors import (
    CAP_SYS_PTRACE,
    CopyRefused,
    DescriptorGone,
    Standing,
    copy_descriptor,
    read_standing,
    why_forbidden,
    why_not_there,
)

ALL_OF_IT = Standing(True, (1 << 41) - 1, False, True, 1)


@pytest.mark.parametrize(
    ("release", "reason"),
    [
        ("5.5.19", "has no pidfd_getfd; it takes 5.6 or newer"),
        ("4.19.0-27-amd64", "has no pidfd_getfd"),
        ("5.6.0", "seccomp filter hides it"),
        ("6.1.0-28-amd64", "seccomp filter hides it"),
        ("10.0", "seccomp filter hides it"),
        ("made up", "has no pidfd_getfd"),
    ],
)
def test_a_call_that_is_not_there(release: str, reason: str) -> None:
    assert release in why_not_there(release)
    assert reason in why_not_there(release)


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (replace(ALL_OF_IT, ptrace_scope=3), "kernel.yama.ptrace_scope is 3"),
        (replace(ALL_OF_IT, ptrace_scope=3, root=False, capabilities=0), "kernel.yama.ptrace_scope is 3"),
        (replace(ALL_OF_IT, first_user_namespace=False), "in a user namespace"),
        (replace(ALL_OF_IT, root=False, capabilities=0), "it takes root (become: true)"),
        (replace(ALL_OF_IT, capabilities=ALL_OF_IT.capabilities & ~CAP_SYS_PTRACE), "it takes CAP_SYS_PTRACE"),
        (replace(ALL_OF_IT, filtered=True, capabilities=0), "it takes CAP_SYS_PTRACE"),
        (replace(ALL_OF_IT, filtered=True), "a seccomp filter forbids pidfd_getfd"),
        (ALL_OF_IT, "a security module"),
        (replace(ALL_OF_IT, ptrace_scope=None), "a security module"),
    ],
)
def test_a_call_that_is_forbidden(standing: Standing, reason: str) -> None:
    assert reason in why_forbidden(standing)


def proc(root: Path, status: str, users: str, scope: str = "") -> str:
    (root / "self").mkdir()
    (root / "self" / "status").write_text(status)
    (root / "self" / "uid_map").write_text(users)
    if scope:
        (root / "sys" / "kernel" / "yama").mkdir(parents=True)
        (root / "sys" / "kernel" / "yama" / "ptrace_scope").write_text(scope)
    return str(root)


def test_the_standing_is_read(tmp_path: Path) -> None:
    users = "         0          0 4294967295\n"
    root = proc(tmp_path, "Name:\tx\nCapEff:\t0000000000080000\nSeccomp:\t2\nSeccomp_filters:\t1\n", users, "2\n")
    assert read_standing(root) == Standing(os.geteuid() == 0, CAP_SYS_PTRACE, True, True, 2)


def test_a_user_namespace_is_seen_and_no_yama(tmp_path: Path) -> None:
    standing = read_standing(proc(tmp_path, "CapEff:\t0\nSeccomp:\t0\n", "0 100000 65536\n"))
    assert standing == Standing(os.geteuid() == 0, 0, False, False, None)


def test_what_cannot_be_read_is_no_hindrance(tmp_path: Path) -> None:
    standing = read_standing(str(tmp_path))
    assert standing.capabilities & CAP_SYS_PTRACE and standing.first_user_namespace
    assert (standing.filtered, standing.ptrace_scope) == (False, None)


@pytest.mark.parametrize(
    ("code", "raised", "text"),
    [
        (errno.ESRCH, DescriptorGone, "process 4242 has ended or closed it"),
        (errno.EBADF, DescriptorGone, "process 4242 has ended or closed it"),
        (errno.ENOSYS, CopyRefused, "pidfd_getfd"),
        (errno.EPERM, CopyRefused, ""),
        (errno.EACCES, CopyRefused, ""),
        (errno.EMFILE, OSError, "Too many open files"),
    ],
)
@pytest.mark.parametrize("failing", [module.PIDFD_OPEN, module.PIDFD_GETFD])
def test_errors_are_told_apart_and_nothing_stays_open(
    failing: int, code: int, raised: Type[Exception], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(os.listdir("/proc/self/fd"))

    def call(number: int, *_arguments: int) -> Any:
        if number == failing:
            raise OSError(code, os.strerror(code))
        return os.open("/dev/null", os.O_RDONLY)

    monkeypatch.setattr(module, "_call", call)
    with pytest.raises(raised) as caught:
        copy_descriptor(4242, 3)
    assert text in str(caught.value)
    assert len(os.listdir("/proc/self/fd")) == before
