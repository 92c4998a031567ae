# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""MTUs of links as things that can be changed and undone.

Target: {"link": ..., "namespace": {...} or None, "owner": ...}.
namespace: as name_namespace() names it, None for the host. owner: for people.
"""

from __future__ import annotations

import errno
from typing import Hashable

from .._kernel.link_setting import read_mtu, set_mtu
from .namespace_target import identity, in_namespace
from .resource import ChangeError, Gone, Target

REFUSED = {
    errno.EPERM: "the kernel does not permit it: run as root (become: true)",
    errno.EINVAL: "the kernel refuses it: this link, or the one that carries it, cannot take it",
    errno.ERANGE: "the kernel refuses it: it is out of this link's range",
    errno.EBUSY: "the driver cannot change it while the link is in use",
    errno.EOPNOTSUPP: "the driver cannot change it",
}


class LinkMtuResource:
    """See Resource. Values are bytes."""

    def read(self, target: Target) -> int:
        """Return the MTU that the link has."""
        return in_namespace(target["namespace"], lambda: self._read(target))

    def write(self, target: Target, value: int) -> None:
        """Set and read back."""
        in_namespace(target["namespace"], lambda: self._write(target, value))

    def _read(self, target: Target) -> int:
        try:
            return read_mtu(target["link"])
        except OSError as error:
            raise self._failure(target, error, "be read") from error

    def _write(self, target: Target, value: int) -> None:
        try:
            set_mtu(target["link"], value)
        except OSError as error:
            raise self._failure(target, error, f"be set to {value}") from error
        now = self._read(target)
        if now != value:
            raise ChangeError(f"{self.describe(target)} was set to {value}, and has {now}: something else sets it")

    def _failure(self, target: Target, error: OSError, what: str) -> Exception:
        if error.errno == errno.ENODEV:
            return Gone("the link is no more")
        return ChangeError(
            f"{self.describe(target)} cannot {what}: {REFUSED.get(error.errno or 0, error.strerror or str(error))}"
        )

    def settle(self, target: Target) -> None:
        """Nothing is ever left."""

    def identity(self, target: Target) -> Hashable:
        """The link's name, and the namespace."""
        return target["link"], identity(target["namespace"])

    def describe(self, target: Target) -> str:
        """The link, and whose it is."""
        return f"MTU of {target['link']} of {target['owner']}" if target.get("owner") else f"MTU of {target['link']}"

    def show(self, value: int) -> str:
        """The bytes."""
        return str(value)
