# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own YAML files: parsed once in a process, by libyaml where it is there."""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def own_yaml(path: Path) -> Any:
    """Return the content of a file that comes with the collection; the caller may change what it gets."""
    return copy.deepcopy(_parsed(path))


@lru_cache(maxsize=None)
def _parsed(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
