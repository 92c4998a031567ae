# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A text file as it is, so that it can be written back with nothing else changed."""

from __future__ import annotations

import os
import stat
from typing import Optional

from .._model.file_change import FileText
from .reading import UnreadableFile, read_bytes, under


def read_whole(root: str, path: str) -> Optional[FileText]:
    """Return content and permission bits of a regular file, None where there is none. Raises UnreadableFile."""
    content = read_bytes(root, path)
    if content is None:
        return None
    try:
        mode = stat.S_IMODE(os.stat(under(root, path)).st_mode)
    except OSError as error:
        raise UnreadableFile(path, error.strerror or str(error)) from error
    return FileText(content.decode("utf-8", errors="surrogateescape"), mode)
