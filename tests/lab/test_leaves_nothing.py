# Copyright: (c) 2026, The netfit team
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab touches nothing of the machine while it is up, and leaves nothing when it is down, however it ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MACHINE = Path(__file__).with_name("machine.py")


@pytest.mark.parametrize("scenario", ["whole_life", "killed_while_up", "killed_parts", "all_labs"])
def test_the_machine_is_as_before(scenario: str, real: None) -> None:
    inside = ["unshare", "--net", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc"]
    done = subprocess.run(
        [*inside, sys.executable, str(MACHINE), scenario],
        capture_output=True, text=True, check=False, timeout=110, env={**os.environ, "NF_TEST": str(os.getpid())},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}
