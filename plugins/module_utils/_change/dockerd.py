# Copyright: (c) 2026, The netfit team
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What dockerd itself says: which release it is, and whether it would start with a configuration."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace
from typing import Optional, Tuple

from .._config.docker_daemon import DAEMON_JSON
from .._kernel.commands import output_of
from .._model.mtu_config import StackPlan

_VERSION = re.compile(r"\bversion (\d+)\.(\d+)")
FIRST_WITH_VALIDATE = (23, 0)
SECONDS = 20.0
"""For dockerd, which on a busy host takes a second or two to print its version."""


def dockerd_version() -> Optional[Tuple[int, int]]:
    """Return major and minor of the dockerd that is installed, None where there is none or it doesn't say."""
    try:
        return parse_dockerd_version(output_of("dockerd", "--version", seconds=SECONDS))
    except OSError:
        return None


def parse_dockerd_version(text: str) -> Optional[Tuple[int, int]]:
    """Return major and minor from what ``dockerd --version`` prints, as in "Docker version 20.10.24+dfsg1, ..."."""
    match = _VERSION.search(text)
    return (int(match.group(1)), int(match.group(2))) if match else None


def validated(plan: StackPlan, version: Optional[Tuple[int, int]]) -> StackPlan:
    """Return the plan as it is, or blocked where dockerd refuses the daemon.json that it would write.

    version: of dockerd; releases before 23.0 can't tell, and neither can a host without it. The file that dockerd is
    shown is a temporary one of ours.
    """
    texts = [change.after.text for change in plan.changes if change.path == DAEMON_JSON and change.after is not None]
    if version is None or version < FIRST_WITH_VALIDATE or not texts:
        return plan
    with tempfile.TemporaryDirectory(prefix="netfit-") as directory:
        path = os.path.join(directory, "daemon.json")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(texts[0])
        try:
            output_of("dockerd", "--validate", "--config-file", path, seconds=SECONDS)
        except OSError as error:
            reason = (
                f"dockerd would not start with {DAEMON_JSON} as it would be: {str(error).replace(path, DAEMON_JSON)}"
            )
            return replace(plan, changes=(), blocked=True, reason=reason)
    return plan
