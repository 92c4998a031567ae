# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the hosts that a finding is about: where it is to be healed first, then where it was seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional

from .._rules import plain

WITH_LINE = re.compile(r"(?P<file>/.*?):(?P<line>[1-9][0-9]{0,8})(?: .*)?", re.DOTALL)
WITHOUT_LINE = re.compile(r"(?P<file>/.*?)(?P<line>)(?: [^/ ]*)?", re.DOTALL)
"""The end may be a key in that file. A blank in the name of a file is only told apart from it where there is a line."""
OF_THE_KERNEL = ("/proc", "/sys")


@dataclass(frozen=True)
class Place:
    """A file on a host. file: absolute path. line: 1-based, None where it is not known."""

    file: str
    line: Optional[int]


def places(finding: Mapping[str, Any]) -> List[Place]:
    """Return the files of a finding, each once. The kernel's own (/proc, /sys) are none that a person would edit."""
    found: Dict[str, Place] = {}
    for text in _texts(finding):
        match = WITH_LINE.fullmatch(text) or WITHOUT_LINE.fullmatch(text)
        if match is None or _of_the_kernel(match["file"]):
            continue
        known = found.get(match["file"])
        if known is None or known.line is None:
            found[match["file"]] = Place(match["file"], int(match["line"]) if match["line"] else None)
    return list(found.values())


def _texts(finding: Mapping[str, Any]) -> Iterator[str]:
    """Yield what may name a file: the remedy's files, the target, the sources of the evidence."""
    files = ((finding.get("remedy") or {}).get("variables") or {}).get("files")
    if isinstance(files, (list, tuple)):
        yield from (one for one in files if isinstance(one, str))
    target = plain.text(finding["target"], "path")
    if target is not None:
        yield target
    sources = [plain.text(entry, "source") for entry in finding["evidence"]]
    yield from (source for source in sources if source is not None)


def _of_the_kernel(file: str) -> bool:
    return any(file == root or file.startswith(f"{root}/") for root in OF_THE_KERNEL)
