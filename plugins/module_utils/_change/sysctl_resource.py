# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Live kernel parameters as things that can be changed and undone.

Target: {"key": ..., "namespace": {...} or None, "owner": ...}.
namespace: as name_namespace() names it, None for the host. owner: for people.
"""

from __future__ import annotations

import errno
from typing import Hashable, Optional

from .._kernel.sysctls import key_path, read_sysctls, write_sysctl
from .._model.sysctl_value import Comparison, SysctlValue
from .namespace_target import identity, in_namespace
from .resource import ChangeError, Target

REFUSED = {
    errno.ENOENT: "there is no such parameter",
    errno.EACCES: "it is read-only there",
    errno.EPERM: "the kernel does not permit it: run as root (become: true)",
    errno.EROFS: "/proc/sys is mounted read-only",
    errno.EINVAL: "the kernel refuses this value",
}


class SysctlResource:
    """See Resource. Values are texts with single blanks; None: the parameter is not there."""

    def read(self, target: Target) -> Optional[str]:
        """Return the value that the namespace shows."""
        return in_namespace(target["namespace"], lambda: _value(target["key"]))

    def write(self, target: Target, value: Optional[str]) -> None:
        """Write and read back."""
        if value is not None:
            in_namespace(target["namespace"], lambda: self._write(target, value))

    def _write(self, target: Target, value: str) -> None:
        key = target["key"]
        try:
            write_sysctl(key, value)
        except OSError as error:
            reason = REFUSED.get(error.errno or 0, error.strerror)
            raise ChangeError(f"{self.describe(target)} cannot be set to {value}: {reason}") from error
        now = _value(key)
        if now is None or not same(now, value):
            raise ChangeError(
                f"{self.describe(target)} was set to {value}, and reads {now}: something else sets it, or the kernel "
                "keeps it within limits of its own"
            )

    def settle(self, target: Target) -> None:
        """Nothing is ever left."""

    def identity(self, target: Target) -> Hashable:
        """The parameter's path, and the namespace."""
        return key_path(target["key"]), identity(target["namespace"])

    def describe(self, target: Target) -> str:
        """The key, and whose it is."""
        return f"{target['key']} of {target['owner']}" if target.get("owner") else str(target["key"])

    def show(self, value: Optional[str]) -> str:
        """The value."""
        return "absent" if value is None else value


def same(one: str, other: str) -> bool:
    """Tell whether two texts are the same value to the kernel."""
    return (
        SysctlValue.parse(one).satisfies(Comparison.EXACT, SysctlValue.parse(other)) if one and other else one == other
    )


def _value(key: str) -> Optional[str]:
    reading = read_sysctls([key]).get(key)
    if reading is not None and reading.error is not None:
        raise ChangeError(f"{key} cannot be read: {reading.error}")
    return None if reading is None else reading.value
