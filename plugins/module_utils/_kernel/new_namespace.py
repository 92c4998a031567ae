# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A network namespace that is made for one look and ends at once.

Source: unshare(2): the namespace belongs to the thread; with the thread it ends, and the main thread never moves.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Callable, List, TypeVar

from .visiting import CLONE_NEWNET

Result = TypeVar("Result")


def in_new_namespace(function: Callable[[], Result]) -> Result:
    """Call a function in a new network namespace; commands that it runs are in there too.

    Raises OSError where none can be made (CAP_SYS_ADMIN is needed), and whatever the function raises.
    """
    results: List[Result] = []
    failures: List[BaseException] = []

    def look() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
            results.append(function())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=look, name="netfit-look", daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
