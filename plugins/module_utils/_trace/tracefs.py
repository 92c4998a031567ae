# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reach the kernel's trace file system, also where nobody has mounted it, and leave no mount behind.

Source: mount_namespaces(7), unshare(2); Documentation/trace/ftrace.rst.
"""

from __future__ import annotations

import ctypes
import os
import threading
from contextlib import suppress
from typing import List, Optional, Tuple

CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_tracefs(places: Tuple[str, ...] = PLACES) -> int:
    """Return a descriptor of tracefs' root. Raises OSError where there is none, or no right to it."""
    for place in places:
        with suppress(OSError):
            descriptor = os.open(place, FLAGS)
            if "instances" in os.listdir(descriptor):
                return descriptor
            os.close(descriptor)
    return _open_unmounted(places[0])


def _open_unmounted(place: str) -> int:
    """Mount it in a mount namespace that ends with a thread; the descriptor keeps only the file system itself."""
    found: List[int] = []
    failures: List[OSError] = []

    def work() -> None:
        try:
            library = ctypes.CDLL(None, use_errno=True)
            _check(library.unshare(CLONE_NEWNS))
            _check(library.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
            _check(library.mount(b"tracefs", place.encode(), b"tracefs", 0, None))
            found.append(os.open(place, FLAGS))
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="netfit-tracefs", daemon=True)
    thread.start()
    thread.join()
    failure: Optional[OSError] = failures[0] if failures else None
    if failure is not None:
        raise failure
    return found[0]


def _check(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
