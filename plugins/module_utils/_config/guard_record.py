# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the guard around risky changes has left behind: what is pending now, and what was rolled back."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Tuple

from .._model.fact import Problem
from .reading import UnreadableFile, read_text

PENDING = "/run/netfit/guard/pending.json"
ROLLED_BACK = "/var/lib/netfit/rolled_back.json"


def read_guard(root: str) -> Tuple[Dict[str, Any], List[Problem]]:
    """Return {"pending": {run, deadline} or None, "rolled_back": [{run, moment, reason, changes, errors}]}.

    deadline: seconds since the epoch. What was rolled back is told until a later guarded change is confirmed.
    """
    problems: List[Problem] = []
    pending = _read(root, PENDING, problems)
    rolled_back = _read(root, ROLLED_BACK, problems)
    return {
        "pending": {"run": pending.get("run"), "deadline": pending.get("deadline")}
        if isinstance(pending, dict)
        else None,
        "rolled_back": [one for one in rolled_back if isinstance(one, dict)] if isinstance(rolled_back, list) else [],
    }, problems


def _read(root: str, path: str, problems: List[Problem]) -> Optional[Any]:
    try:
        text = read_text(root, path)
        return None if text is None else json.loads(text)
    except (UnreadableFile, ValueError) as error:
        problems.append(Problem("guarded changes", str(error), path))
        return None
