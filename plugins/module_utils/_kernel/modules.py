# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether a part of the kernel is there, so that asking it loads no module."""

from __future__ import annotations

import os

PROC = "/proc"
MODULES = "/lib/modules"


def is_in_kernel(module: str, proc: str = PROC, modules: str = MODULES) -> bool:
    """Tell whether a module is loaded or built in; also where this kernel has none that could be loaded.

    Source: proc(5) /proc/modules; Linux Documentation/kbuild/kbuild.rst, modules.builtin.
    """
    try:
        with open(f"{proc}/modules", encoding="utf-8", errors="replace") as file:
            if any(line.split(" ", 1)[0] == module for line in file):
                return True
    except OSError:
        return True
    try:
        with open(f"{modules}/{os.uname().release}/modules.builtin", encoding="utf-8", errors="replace") as file:
            names = (line.strip().rsplit("/", 1)[-1].partition(".")[0] for line in file)
            return any(name.replace("-", "_") == module for name in names)
    except OSError:
        return False
