# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What can be changed and undone: each kind of thing has one reader and one writer, for doing and for undoing.

A target is a mapping of plain JSON values that names one thing on the host for as long as it exists; values are plain
JSON too, because the journal keeps both.
"""

from __future__ import annotations

from typing import Any, Hashable, Mapping, Protocol

Target = Mapping[str, Any]


class Gone(Exception):
    """The target is no more, so that nothing can be undone on it: a process has ended, a container was removed."""


class ChangeError(Exception):
    """A change could not be made, or was made and did not hold. The message says what a person can do."""


class Resource(Protocol):
    """One kind of thing."""

    def read(self, target: Target) -> Any:
        """Return the value as it is now, in the form in which it is written. Raises Gone, ChangeError."""

    def write(self, target: Target, value: Any) -> None:
        """Set the value, and make sure that it holds by reading it back. Raises Gone, ChangeError."""

    def settle(self, target: Target) -> None:
        """Remove what a write that was interrupted has left beside the target. Raises nothing."""

    def identity(self, target: Target) -> Hashable:
        """Return what two targets have in common exactly when they are the same thing."""

    def describe(self, target: Target) -> str:
        """Name the target for a person."""

    def show(self, value: Any) -> str:
        """Show a value to a person, on one line."""
