# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files as they will be once what is planned so far is written: several links' settings may be in the same one."""

from __future__ import annotations

from typing import Dict, List, Optional

from .._model.file_change import FileChange, FileText
from .drop_ins import Blocked
from .reading import list_directory
from .whole_file import read_whole

MARK = "# Written by netfit.cluster.link_mtu; what is changed here is lost with its next run."


class PlannedFiles:
    """The host's files below ``root``, with what is planned in their place."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._planned: Dict[str, Optional[FileText]] = {}

    def read(self, path: str) -> Optional[FileText]:
        """Return a file as it will be, None where there is none. Raises UnreadableFile."""
        return self._planned[path] if path in self._planned else read_whole(self.root, path)

    def text(self, path: str) -> Optional[str]:
        """Return a file's content as it will be, None where there is none. Raises UnreadableFile."""
        file = self.read(path)
        return None if file is None else file.text

    def names(self, directory: str) -> List[str]:
        """Return the names in a directory, planned ones among them, sorted by bytes. Raises UnreadableFile."""
        planned = {path.rpartition("/")[2] for path in self._planned if path.rpartition("/")[0] == directory}
        return sorted({*list_directory(self.root, directory), *planned}, key=lambda name: name.encode())

    def planned(self) -> Dict[str, Optional[FileText]]:
        """Return what is planned so far, for take_back()."""
        return dict(self._planned)

    def take_back(self, planned: Dict[str, Optional[FileText]]) -> None:
        """Forget what was planned since."""
        self._planned = planned

    def own_text(self, path: str) -> str:
        """Return the content of a file of ours, empty where there is none. Raises UnreadableFile, Blocked."""
        text = self.text(path)
        if text is not None and not text.startswith(MARK):
            raise Blocked(
                f"{path} was not written by netfit (its first line doesn't say so): give it another name, or remove it"
            )
        return text or ""

    def change(self, path: str, text: str, mode: int = 0o644) -> List[FileChange]:
        """Plan a file's new content. mode: of a file that is not there yet. Returns nothing where it is so already."""
        before = self.read(path)
        after = FileText(text, before.mode if before else mode)
        if before == after:
            return []
        self._planned[path] = after
        return [FileChange(path, before, after)]
