# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reading a bolt database that its owner has open and may be writing to."""

from __future__ import annotations

from typing import Optional

from .bolt import BoltError, transaction_of
from .reading import read_bytes

_ATTEMPTS = 5


def read_snapshot(root: str, path: str, limit: int) -> Optional[bytes]:
    """Return the whole content as of one transaction, None where there is no such file.

    The file is only read, without its lock, which its owner holds as long as it runs: a transaction never writes to
    pages that the last one uses, so that a copy is whole when the last transaction is the same before and after.
    limit: bytes. Raises BoltError, also when it changes all the time, and UnreadableFile as read_bytes does.
    """
    for _attempt in range(_ATTEMPTS):
        content = read_bytes(root, path, limit)
        if content is None:
            return None
        again = read_bytes(root, path, limit)
        if again is not None and transaction_of(content) == transaction_of(again):
            return content
    raise BoltError(f"it changed during each of {_ATTEMPTS} attempts to read it")
