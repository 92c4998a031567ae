# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A configuration file before and after, and what makes its program read it anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional

from .fact import Fact


@dataclass(frozen=True)
class FileText(Fact):
    """Content and permission bits of a text file; bytes that are no UTF-8 are kept as surrogates."""

    text: str
    mode: int = 0o644


@dataclass(frozen=True)
class FileChange:
    """A file that is to be written, or removed where after is None. path: as the host names it."""

    path: str
    before: Optional[FileText]
    after: Optional[FileText]

    def as_diff(self) -> Dict[str, str]:
        """Return the change as Ansible shows it."""
        return {
            "before_header": self.path,
            "after_header": self.path,
            "before": _shown(self.before),
            "after": _shown(self.after),
        }


@dataclass(frozen=True)
class Restart(Fact):
    """What makes a runtime read its files anew. unit: None where it isn't known which service runs it."""

    unit: Optional[str]
    command: str


def _shown(file: Optional[FileText]) -> str:
    # Surrogates stand for bytes that are no UTF-8; what is printed may hold none.
    return "" if file is None else file.text.encode("utf-8", "replace").decode("utf-8")
