# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of ours beside those of others: read before or after them, written whole, and known by their first line."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Tuple

from .._model.file_change import FileChange, FileText
from .reading import list_directory
from .whole_file import read_whole

MARK = "# Written by netfit.cluster.container_sysctl; what is changed here is lost with its next run."


class Blocked(Exception):
    """What is wanted can't be had. The message says why, and what a person can do about it."""


def split_directory(root: str, directory: str, ours: str, suffixes: Tuple[str, ...]) -> Tuple[List[str], List[str]]:
    """Return the paths of the files that are read before ours and after ours, in that order.

    ours: a file name. suffixes: of the files that count, in small letters. Raises UnreadableFile.
    """
    # What a run that was killed has left unfinished (_change/atomic_file.py) is none of the others' files.
    no_others = (ours, f".{ours}.netfit")
    names = [name for name in list_directory(root, directory) if name.lower().endswith(suffixes)]
    names = [name for name in names if name not in no_others]
    before = [f"{directory}/{name}" for name in names if name < ours]
    return before, [f"{directory}/{name}" for name in names if name > ours]


def own_file_change(root: str, path: str, text: Optional[str], mark: str = MARK) -> Optional[FileChange]:
    """Return the change that makes a file of ours hold a text, or be absent for None; None where it is so already.

    mark: what a file of ours begins with. Raises UnreadableFile, Blocked where somebody else's file has the name.
    """
    before = read_whole(root, path)
    if before is not None and not before.text.startswith(mark):
        raise Blocked(
            f"{path} was not written by netfit (its first line doesn't say so): give it another name, or remove it"
        )
    after = FileText(text, before.mode if before else 0o644) if text is not None else None
    return FileChange(path, before, after) if before != after else None


def sysctls_of(entries: Tuple[str, ...]) -> Dict[str, str]:
    """Turn "key=value" entries into a mapping, keys with dots, values with single blanks; the last of a key counts."""
    pairs = (entry.partition("=") for entry in entries if "=" in entry)
    return {dotted(key.strip()): " ".join(value.split()) for key, _equals, value in pairs}


def dotted(key: str) -> str:
    """Return a key with dots between its parts: the first separator tells how it is written (sysctl.d(5))."""
    first = next((character for character in key if character in "./"), ".")
    return key if first == "." else key.translate(str.maketrans("./", "/."))


def merged(before: Mapping[str, str], ours: Mapping[str, str]) -> Dict[str, str]:
    """Return both together; ours count where both have a key."""
    return {**before, **ours}
